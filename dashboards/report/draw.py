"""The report's drawings as SVG. Nothing but numbers goes into them, so they are safe to place in a page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dashboards.report.model import CauseRow, DayOutage, Figure

INK, LIGHT, LINE, SERIES = "#222", "#9b9fa1", "#c2c3c0", "#5a6066"
BAR_WIDTH, BAR_HEIGHT = 160, 18
CHART_WIDTH, CHART_HEIGHT = 900, 72
MARGIN = 0.12
HATCH = (
    '<pattern id="h" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<path d="M0 0V4" stroke="{SERIES}" stroke-width="1.2"/></pattern>'
)


@dataclass(frozen=True)
class Scale:
    """From percentages to places on a bar."""

    low: float
    high: float

    def x(self, value: float) -> float:
        """Return the place of a value, kept on the bar."""
        share = (value - self.low) / (self.high - self.low)
        return round(BAR_WIDTH * min(max(share, 0.0), 1.0), 2)


def scale_of(figures: Iterable[Figure]) -> Scale:
    """Return a scale on which all figures and their targets have room; one for tables that compare."""
    values = [v for f in figures for v in (f.low, f.high, f.target) if v is not None]
    low, high = min(values, default=0.0), max(values, default=100.0)
    room = max((high - low) * MARGIN, 0.01)
    return Scale(low - room, high + room)


def verdict_bar(figure: Figure, scale: Scale) -> Markup:
    """Return the bounds as a bar, dark where they miss the dashed target, with the value as a mark."""
    middle = BAR_HEIGHT / 2
    parts = [f'<path d="M0 {middle}H{BAR_WIDTH}" stroke="{LINE}" stroke-width="2"/>']
    if figure.low is not None and figure.high is not None:
        left, right = scale.x(figure.low), max(scale.x(figure.high), scale.x(figure.low) + 3)
        split = left if figure.target is None else min(max(scale.x(figure.target), left), right)
        if figure.verdict == "FAIL":
            split = right
        parts.append(_box(left, split, INK))
        parts.append(_box(split, right, LIGHT))
        parts.append(f'<rect x="{left}" y="4" width="{right - left:.2f}" height="10" fill="none" stroke="{INK}"/>')
    if figure.value is not None:
        x = scale.x(figure.value) - 2
        parts.append(f'<rect x="{x:.2f}" y="1" width="4" height="16" fill="#f7f7f5" stroke="{INK}"/>')
    if figure.target is not None:
        x = scale.x(figure.target)
        parts.append(f'<path d="M{x} 0V{BAR_HEIGHT}" stroke="{INK}" stroke-width="2" stroke-dasharray="3 2"/>')
    return _svg(BAR_WIDTH, BAR_HEIGHT, parts, "bar")


def day_chart(days: Sequence[DayOutage], allowed_h: float | None) -> Markup:
    """Return the outage of each day as a column; hatched where a day is not computed, dashed what a day may cost."""
    computed = sum(day.h is not None for day in days)
    share_h = allowed_h / computed if allowed_h is not None and computed else 0.0
    top = max([day.h or 0.0 for day in days] + [share_h, 1e-9])
    width = CHART_WIDTH / max(len(days), 1)
    parts = []
    for place, day in enumerate(days):
        x = place * width
        if day.h is None:
            parts.append(f'<rect x="{x:.2f}" y="0" width="{width:.2f}" height="{CHART_HEIGHT}" fill="url(#h)"/>')
        elif day.h > 0:
            height = max(CHART_HEIGHT * day.h / top, 0.8)
            y = CHART_HEIGHT - height
            parts.append(
                f'<rect x="{x + 0.1 * width:.2f}" y="{y:.2f}" width="{0.8 * width:.2f}" height="{height:.2f}" '
                f'fill="{SERIES}"/>'
            )
    if share_h:
        y = CHART_HEIGHT * (1 - share_h / top)
        parts.append(f'<path d="M0 {y:.2f}H{CHART_WIDTH}" stroke="{INK}" stroke-width="1.5" stroke-dasharray="6 4"/>')
    parts.append(f'<path d="M0 {CHART_HEIGHT}H{CHART_WIDTH}" stroke="{LINE}"/>')
    return _svg(CHART_WIDTH, CHART_HEIGHT, parts, "days", stretched=True)


def cause_bar(row: CauseRow, largest_h: float) -> Markup:
    """Return one cause's hours as a bar, its uncertainty hatched around the end."""
    width, height = 300, 12
    unit = width / largest_h if largest_h > 0 else 0.0
    left, right = max(row.h - row.error_h, 0.0) * unit, min((row.h + row.error_h) * unit, width)
    place = f'x="{left:.2f}" y="0.5" width="{right - left:.2f}" height="{height - 1}"'
    parts = [
        f'<rect x="0" y="0" width="{row.h * unit:.2f}" height="{height}" fill="{SERIES}"/>',
        f'<rect {place} fill="#fafaf8" stroke="{SERIES}"/>',
        f'<rect {place} fill="url(#h)"/>',
    ]
    return _svg(width, height, parts, "cause")


def definitions() -> Markup:
    """Return the hatching that the other drawings refer to; it stands once in a page."""
    return _svg(0, 0, [f"<defs>{HATCH}</defs>"], "defs")


def _box(left: float, right: float, colour: str) -> str:
    return f'<rect x="{left}" y="4" width="{max(right - left, 0):.2f}" height="10" fill="{colour}"/>'


def _svg(width: int, height: int, parts: Iterable[str], name: str, *, stretched: bool = False) -> Markup:
    how = ' preserveAspectRatio="none"' if stretched else ""
    head = f'<svg class="{name}" viewBox="0 0 {width} {height}"{how} aria-hidden="true">'
    return Markup(head + "".join(parts) + "</svg>")  # noqa: S704 - numbers of ours only
