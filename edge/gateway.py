"""The gateway's own readings: the mains supply, how well polling keeps up, and what its lines go through."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from edge.clock import Clock
from edge.linestats import counter_points, is_reported, latency_point
from edge.site import Gateway
from edge.wire import PointInfo, Quality, Reading

MAINS_ON = "gateway.mains_on"
LATE, SKIPPED = "gateway.late_polls_count", "gateway.skipped_polls_count"
LOOK_EVERY_S = 1.0
SHORTEST_LOOK_REAL_S = 0.01


def gateway_points(gateway: Gateway, urls: Iterable[str]) -> list[PointInfo]:
    """Return what the gateway promises to report of itself and of its lines."""
    points = [PointInfo(MAINS_ON, gateway.period_s)] if gateway.mains_file else []
    points += [PointInfo(name, gateway.period_s, counter=True) for name in (LATE, SKIPPED)]
    for url in filter(is_reported, urls):
        points += [PointInfo(name, gateway.period_s, counter=True) for name in counter_points(url)]
        points.append(PointInfo(latency_point(url), gateway.period_s))
    return points


async def watch_gateway(
    gateway: Gateway,
    clock: Clock,
    emit: Callable[[Sequence[Reading]], None],
    figures: Callable[[], dict[str, float | None]],
) -> None:
    """Report `figures` each period until cancelled, and a change of the mains supply at once."""
    mains = Path(gateway.mains_file) if gateway.mains_file else None
    look_s = max(LOOK_EVERY_S, SHORTEST_LOOK_REAL_S / clock.real_s(1.0)) if mains else gateway.period_s
    last: Reading | None = None
    due_ms = clock.monotonic_ms()
    while True:
        now_ms, is_due = clock.now_ms(), clock.monotonic_ms() >= due_ms
        readings = [_figure(name, now_ms, value) for name, value in figures().items()] if is_due else []
        if mains is not None:
            state = read_mains(mains, now_ms)
            if is_due or last is None or (state.value, state.quality) != (last.value, last.quality):
                readings.append(state)
            last = state
        if readings:
            emit(readings)
        if is_due:
            due_ms += int(gateway.period_s * 1000)
        await clock.sleep(min(look_s, max((due_ms - clock.monotonic_ms()) / 1000, 0.0)))


def _figure(name: str, now_ms: int, value: float | None) -> Reading:
    return Reading(name, now_ms, value, Quality.GOOD if value is not None else Quality.BAD_NOT_AVAILABLE)


def read_mains(path: Path, now_ms: int) -> Reading:
    """Return the mains supply as the file says it: 1 present, 0 on battery, anything else is not available."""
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        text = ""
    if text in ("0", "1"):
        return Reading(MAINS_ON, now_ms, float(text))
    return Reading(MAINS_ON, now_ms, None, Quality.BAD_NOT_AVAILABLE)
