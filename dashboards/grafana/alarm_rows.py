"""What the feed tells of alarms: each occurrence, how many stand, and how good the alarms are."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from analytics.alarms.classes import class_named
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.events import Severity
from analytics.alarms.performance import performance
from analytics.alarms.records import AlarmRecord, Occurrence
from analytics.alarms.state import State
from ingest.board import BoardRow
from ingest.days import day_bounds
from ingest.register import Register

MINUTE_MS = 60_000
WEEKS_MS = 28 * 86_400_000
HIDDEN = frozenset({State.SHELVED, State.SUPPRESSED, State.OUT_OF_SERVICE, State.DISABLED})


def occurrences_to_tell(
    database: AlarmDatabase, were_open: Sequence[Occurrence], *, since_ms: int
) -> tuple[Occurrence, ...]:
    """Return every occurrence that began since an instant, that is open, or that was open when it was told last."""
    numbers = {one.id for one in were_open}
    from_ms = min([since_ms, *(one.onset_ms for one in were_open)])
    found = {one.id: one for one in database.occurrences(only_open=True)}
    for one in database.occurrences(start_ms=from_ms):
        if one.onset_ms >= since_ms or one.id in numbers:
            found[one.id] = one
    return tuple(found.values())


def occurrence_rows(
    database: AlarmDatabase, register: Register, occurrences: Iterable[Occurrence], *, now_ms: int
) -> Iterator[BoardRow]:
    """Yield a row for each occurrence."""
    records = {record.id: record for record in database.records()}
    for one in occurrences:
        yield _occurrence_row(one, records[one.alarm], register, now_ms)


def standing_rows(database: AlarmDatabase, *, now_ms: int) -> Iterator[BoardRow]:
    """Yield how many alarms stand now, one row for each severity, also where none does."""
    records, onsets = database.records(only_standing=True), database.onsets_ms()
    for severity in Severity:
        these = [one for one in records if one.alarm.severity is severity]
        waits = [now_ms - onsets.get(one.id, now_ms) for one in these if _waits(one)]
        fields: dict[str, int | float | str] = {
            "open": sum(one.alarm.state not in HIDDEN for one in these),
            "unacked": len(waits),
            "shelved": sum(one.alarm.state is State.SHELVED for one in these),
            "suppressed": sum(one.alarm.state in HIDDEN - {State.SHELVED} for one in these),
            "oldest_unacked_min": max(waits, default=0) / MINUTE_MS,
        }
        yield BoardRow("alarm_now", {"severity": severity.name.lower()}, fields, now_ms)


def gravest_by_site(database: AlarmDatabase) -> dict[str, int]:
    """Return site → severity of the gravest alarm that stands there and is not hidden."""
    gravest: dict[str, int] = {}
    for one in database.records(only_standing=True):
        if one.alarm.state not in HIDDEN:
            site = _site(one.id)
            gravest[site] = max(gravest.get(site, 0), int(one.alarm.severity))
    return gravest


def day_rows(database: AlarmDatabase, days: Sequence[str], timezone: str, *, now_ms: int) -> Iterator[BoardRow]:
    """Yield the performance of each local day, as far as it has come."""
    found = [one for one in database.occurrences(end_ms=now_ms) if one.cause is None]
    for day in days:
        start_ms, end_ms = day_bounds(day, timezone)
        if start_ms < now_ms:
            yield BoardRow("alarm_day", {}, _performance(found, start_ms, min(end_ms, now_ms)), start_ms)


def week_rows(database: AlarmDatabase, today_ms: int, timezone: str, *, now_ms: int) -> Iterator[BoardRow]:
    """Yield how many alarms came by weekday (1 is Monday) and hour in the last 4 weeks."""
    zone, counts = ZoneInfo(timezone), [[0] * 24 for _ in range(7)]
    for one in database.occurrences(start_ms=now_ms - WEEKS_MS, end_ms=now_ms):
        local = datetime.fromtimestamp(one.onset_ms / 1000, zone)
        counts[local.weekday()][local.hour] += 1
    for weekday, hours in enumerate(counts, 1):
        fields = {f"h{hour:02d}": count for hour, count in enumerate(hours)}
        yield BoardRow("alarm_week", {"weekday": str(weekday)}, fields, today_ms)


def _occurrence_row(one: Occurrence, record: AlarmRecord, register: Register, now_ms: int) -> BoardRow:
    about, stays = class_named(record.kind), register.assets.get(record.asset)
    is_open = one.closed_ms is None and one.number == record.alarm.occurrence
    state = record.alarm.state if is_open else State.NORMAL
    fields: dict[str, int | float | str] = {
        "id": one.id,
        "kind": record.kind,
        "title": about.title,
        "title_zh": about.title_zh,
        "name": (stays[-1].name if stays else "") or record.asset,
        "name_zh": (stays[-1].name_zh if stays else "") or record.asset,
        "severity": int(one.severity),
        "open": int(is_open),
        "state": state.value,
        "unacked": int(is_open and _waits(record)),
        "hidden": int(state in HIDDEN),
        "chatter": one.chatter,
        "cause": one.cause or "",
        "lasted_min": _until(one, is_open, now_ms) / MINUTE_MS,
    }
    if one.value is not None and math.isfinite(one.value):
        fields["value"] = float(one.value)
    if one.first_acked_ms is not None:
        fields["ack_min"] = (one.first_acked_ms - one.onset_ms) / MINUTE_MS
    return BoardRow("alarm_occurrence", {"alarm": one.alarm, "site": _site(one.alarm)}, fields, one.onset_ms)


def _until(one: Occurrence, is_open: bool, now_ms: int) -> int:
    """How long the condition has lasted. [ms]"""
    if one.returned_ms is None and is_open:
        return now_ms - one.onset_ms
    return (one.returned_ms or one.closed_ms or one.onset_ms) - one.onset_ms


def _waits(record: AlarmRecord) -> bool:
    """Whether somebody still has to take it."""
    return not record.alarm.acked and record.alarm.state not in HIDDEN


def _site(alarm: str) -> str:
    return alarm.partition("#")[0].partition("/")[0]


def _performance(found: Sequence[Occurrence], start_ms: int, end_ms: int) -> Mapping[str, int | float]:
    numbers = {alarm: place for place, alarm in enumerate(dict.fromkeys(one.alarm for one in found))}
    told = performance(
        [one.onset_ms for one in found],
        [math.nan if one.returned_ms is None else one.returned_ms for one in found],
        [math.nan if one.first_acked_ms is None else one.first_acked_ms for one in found],
        [numbers[one.alarm] for one in found],
        [int(one.severity) for one in found],
        start_ms=start_ms,
        end_ms=end_ms,
    )
    return {
        "annunciated": told.annunciated,
        **_counts(told.priority_share, told.annunciated),
        "max_per_10_min": told.max_per_10_min,
        "flood_pct": 100 * told.flood_share,
        "stale": told.stale,
        "chattering": told.chattering,
        "top_10_pct": 100 * told.top_10_share,
        "ack_median_min": told.ack_median_s / 60,
    }


def _counts(shares: Sequence[float], all_: int) -> dict[str, int]:
    """Share by severity → count by severity; nothing came: none of each."""
    return {
        grade.name.lower(): round(all_ * share) if all_ else 0 for grade, share in zip(Severity, shares, strict=True)
    }
