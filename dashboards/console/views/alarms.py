"""The alarm list: what stands, what is silent by decision or by rule, and what was. Reads only."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from analytics.alarms import audit, queries
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.events import Severity
from analytics.alarms.queries import Filter
from analytics.alarms.state import State
from analytics.limits import Setpoint
from dashboards.console.views.alarms_names import regions_of
from dashboards.console.views.alarms_rows import AlarmRow, Context, rows, worst_first
from dashboards.console.views.bar import WAITING, priority
from ingest.register import Register

Tab = Literal["active", "shelved", "suppressed", "out_of_service", "history"]
_TAB_OF = {State.SHELVED: "shelved", State.SUPPRESSED: "suppressed", State.OUT_OF_SERVICE: "out_of_service"}
PAGE_ROWS = 100


@dataclass(frozen=True)
class Wanted:
    """Which alarms a reader asks for."""

    priorities: tuple[int, ...] = ()
    """Empty for all."""
    region: str = ""
    """Code of a region; empty for all."""
    text: str = ""
    """Part of the alarm's name, place or id; empty for all."""

    @property
    def all(self) -> bool:
        """Whether nothing is left out."""
        return not (self.priorities or self.region or self.text)


@dataclass(frozen=True)
class AlarmList:
    """One tab of the list, and how many there are in the others."""

    tab: Tab
    rows: tuple[AlarmRow, ...]
    fresh: tuple[AlarmRow, ...]
    """Alarms that wait and that a reader who keeps the order has not seen yet; not among `rows`."""
    counts: Mapping[str, int]
    """Tab → alarms in it, whatever the reader asks for; history is not counted."""
    total: int
    """Of what the reader asks for, on all pages."""
    first: int
    """Number of the first row on this page, from 0."""
    folded_under: tuple[tuple[AlarmRow, int], ...]
    """Causes that hide others, and how many."""
    next_shelf_ends_ms: int | None


def standing(
    database: AlarmDatabase,
    register: Register,
    setpoints: Sequence[Setpoint],
    tab: Tab = "active",
    wanted: Wanted = Wanted(),
    keep: Sequence[int] = (),
) -> AlarmList:
    """Return the alarms of a tab that are not normal now, the gravest that nobody has taken first.

    Rows that a reader looks at just now (`keep`, by number) come first and in that order, whatever became of them, so
    that a second tap never hits another alarm; what waits and was not seen yet is `fresh` then.
    """
    every = _every(database, register, setpoints, keep)
    of_tab = [one for one in every if _tab(one) == tab or one.id in keep]
    asked = [one for one in of_tab if _matches(one, wanted)]
    place = {number: at for at, number in enumerate(keep)}
    seen = sorted((one for one in asked if one.id in place), key=lambda one: place[one.id])
    rest = worst_first([one for one in asked if one.id not in place])
    ends = [one.shelved_until_ms for one in every if one.state == State.SHELVED and one.shelved_until_ms is not None]
    causes = [(one, one.folded) for one in worst_first(every) if one.folded and _tab(one) == "active"]
    return AlarmList(
        tab=tab,
        rows=(*seen, *(one for one in rest if not (keep and one.untaken))),
        fresh=tuple(one for one in rest if keep and one.untaken),
        counts=Counter(found for one in every if (found := _tab(one)) is not None),
        total=len(asked),
        first=0,
        folded_under=tuple(causes),
        next_shelf_ends_ms=min(ends, default=None),
    )


def past(
    database: AlarmDatabase,
    register: Register,
    setpoints: Sequence[Setpoint],
    period: tuple[int, int],
    wanted: Wanted = Wanted(),
    first: int = 0,
) -> AlarmList:
    """Return a page of the occurrences that began in a period [start, end), the newest first."""
    severities = tuple(severity for severity in Severity if priority(severity) in wanted.priorities)
    assets = _assets_in(register, wanted.region) if wanted.region else None
    asked = Filter(period[0], period[1], severities, wanted.text, assets)
    with database.reading() as connection:
        found, total = queries.history(connection, asked, limit=PAGE_ROWS, offset=first)
        records = database.records_of({name for one in found for name in (one.alarm, one.cause) if name})
    context = Context(register, setpoints, {}, causes=records)
    one_by_one = [rows(context, [records[one.alarm]], {one.alarm: one})[0] for one in found]
    now = standing(database, register, setpoints)
    return replace(now, tab="history", rows=tuple(one_by_one), fresh=(), total=total, first=first)


def _every(
    database: AlarmDatabase, register: Register, setpoints: Sequence[Setpoint], keep: Sequence[int]
) -> list[AlarmRow]:
    with database.reading() as connection:
        records = database.records(only_standing=True)
        kept = [one for number in keep if (one := queries.occurrence(connection, number)) is not None]
        records += database.records_of({one.alarm for one in kept} - {record.id for record in records}).values()
        newest = queries.newest(connection, [record.id for record in records])
        folded = queries.explained_counts(connection)
        told = queries.told(connection, [record.id for record in records if record.alarm.state in WAITING])
        shelved = {
            record.id: row
            for record in records
            if record.alarm.state == State.SHELVED and (row := audit.newest(connection, record.id, "Shelve"))
        }
    by_id = {record.id: record for record in records}
    context = Context(register, setpoints, folded, told, shelved, by_id)
    over = [one for one in kept if newest[one.alarm].id != one.id]
    return rows(context, records, newest) + [rows(context, [by_id[one.alarm]], {one.alarm: one})[0] for one in over]


def _tab(one: AlarmRow) -> str | None:
    return None if one.state in (State.NORMAL, State.DISABLED) else _TAB_OF.get(State(one.state), "active")


def _matches(one: AlarmRow, wanted: Wanted) -> bool:
    words = (one.alarm, one.title.en, one.title.zh, one.place.name.en, one.place.name.zh)
    return (
        (not wanted.priorities or one.priority in wanted.priorities)
        and (not wanted.region or any(step.code == wanted.region for step in one.place.regions))
        and any(wanted.text.casefold() in word.casefold() for word in words)
    )


def _assets_in(register: Register, region: str) -> tuple[str, ...]:
    """The assets of a region and of those within it."""
    within = {code for code in register.regions if any(step.code == region for step in regions_of(register, code))}
    return tuple(name for name, entries in register.assets.items() if entries[-1].region in within)
