"""The last 24 hours of every asset that had a mark: what held there from when to when, as strips on one axis."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from analytics.alarms.records import AlarmRecord, Occurrence
from dashboards.console.texts import HOUR_MS, local_time
from dashboards.console.views.alarms_names import Place, Words, place, title
from dashboards.console.views.bar import priority
from dashboards.console.views.evidence_strips import Bar, Tick, Window
from dashboards.console.views.overview_map import NO_DATA, NO_SUPPLY
from ingest.register import Plan, Register

DAY_MS = 24 * HOUR_MS
TICK_MS = 4 * HOUR_MS
LABEL_SHARE = 0.15
"""Of a strip on a phone, what the last label takes and half of the one before."""
MOST_ROWS = 12


@dataclass(frozen=True)
class DayRow:
    """One asset's day."""

    place: Place
    bars: tuple[Bar, ...]
    title: Words | None
    """Of the newest alarm; None where only a plan marked the day."""
    priority: int | None
    since_ms: int
    until_ms: int | None
    """None while it holds."""


@dataclass(frozen=True)
class LastDay:
    """The strips, and how many assets had none."""

    rows: tuple[DayRow, ...]
    ticks: tuple[Tick, ...]
    more: int
    """Assets with a mark that are not shown."""
    quiet: int
    """Assets without one."""


def last_day(
    occurrences: Sequence[Occurrence],
    kinds: dict[str, AlarmRecord],
    register: Register,
    now_ms: int,
    zone: ZoneInfo,
) -> LastDay:
    """Return the last 24 hours; `kinds` gives each alarm's record."""
    window = Window(now_ms - DAY_MS, now_ms)
    by_asset: dict[str, list[Occurrence]] = {}
    for one in occurrences:
        if one.alarm in kinds:
            by_asset.setdefault(kinds[one.alarm].asset, []).append(one)
    planned = [p for p in register.plans if p.start_ms < now_ms and p.end_ms > window.start_ms]
    rows = [_row(asset, found, kinds, register, window, planned) for asset, found in by_asset.items()]
    rows += [_plan_row(plan, register, window) for plan in planned if plan.asset not in by_asset]
    rows.sort(key=lambda row: (row.until_ms is not None, row.priority or 9, -row.since_ms))
    watched = sum(stays[-1].kind != "gateway" for stays in register.assets.values())
    return LastDay(
        tuple(rows[:MOST_ROWS]), tuple(_ticks(window, zone)), max(len(rows) - MOST_ROWS, 0), watched - len(rows)
    )


def _row(
    asset: str,
    found: Sequence[Occurrence],
    kinds: dict[str, AlarmRecord],
    register: Register,
    window: Window,
    planned: Sequence[Plan],
) -> DayRow:
    bars = [_bar(window, plan.start_ms, plan.end_ms, "pl") for plan in planned if plan.asset == asset]
    bars += [_bar(window, o.onset_ms, o.returned_ms or o.closed_ms, _kind(kinds[o.alarm])) for o in found]
    newest = min(found, key=lambda o: ((o.returned_ms or o.closed_ms) is not None, priority(o.severity), -o.onset_ms))
    record = kinds[newest.alarm]
    return DayRow(
        place=place(register, asset),
        bars=tuple(bars),
        title=title(record.id, record.kind),
        priority=priority(newest.severity),
        since_ms=newest.onset_ms,
        until_ms=newest.returned_ms or newest.closed_ms,
    )


def _plan_row(plan: Plan, register: Register, window: Window) -> DayRow:
    bar = _bar(window, plan.start_ms, plan.end_ms, "pl")
    return DayRow(place(register, plan.asset), (bar,), None, None, plan.start_ms, plan.end_ms)


def _kind(record: AlarmRecord) -> str:
    if record.kind in NO_SUPPLY:
        return "so"
    if record.kind in NO_DATA:
        return "nd"
    return {"high": "hi", "low": "lo"}.get(record.id.rpartition("#")[2], "ol")


def _bar(window: Window, start_ms: int, end_ms: int | None, kind: str) -> Bar:
    left = window.at(start_ms)
    return Bar(left, max(window.at(window.end_ms if end_ms is None else end_ms) - left, 0.25), kind)


def _ticks(window: Window, zone: ZoneInfo) -> Iterator[Tick]:
    first_ms = -(-window.start_ms // TICK_MS) * TICK_MS
    for t_ms in range(first_ms, window.end_ms - round(LABEL_SHARE * DAY_MS) + 1, TICK_MS):
        yield Tick(window.at(t_ms), local_time(t_ms, zone, "clock"))
    yield Tick(100.0, local_time(window.end_ms, zone, "clock"))
