"""How much outage may hide in what is unresolved: bounds and expected value per unit (O5, O6, O12, O15)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.counters import Clocks, Windows
from analytics.durations import PoweredTime, Statements, Timeline, bound_outage
from analytics.live_path import ABSENT, LOST_ABOVE, LOST_HERE, UNKNOWN, Pieces, Units, neighbours, on_units
from analytics.runs import Devices
from analytics.silence import PROBABLE_OUTAGE
from analytics.spans import Bool, Int, Spans, total_ms
from analytics.topology import Facts, Topology, climb, descend

BY_RATE, EDGE, HELD, PROBABLE = 0, 1, 2, 3
"""How an unresolved piece is valued: by the unit's own outage rate; as the edge of an outage, half of it; as lost
until heard again, up to `HOLD_MS`; as a corroborated silence."""

HOLD_MS = 24 * 3_600_000
CONFIDENCE_OF_SILENCE = 0.8


class UnitTime(NamedTuple):
    """What is known of each unit's time; every array has shape (units,). [ms]"""

    in_service_ms: Int
    lost_ms: Int
    """Proven outage."""
    open_ms: Int
    """Unresolved."""
    least_ms: Int
    """Outage, at least: proven, and what counters prove without saying when."""
    most_ms: Int
    valued_ms: Int
    """Expected outage inside the unresolved pieces that are not valued by rate."""
    by_rate_ms: Int
    """Unresolved time that is valued by the unit's own outage rate."""
    consistent: Bool
    """False where counters contradict each other and were set aside."""

    @property
    def expected_ms(self) -> NDArray[np.float64]:
        """Outage expected of each unit, within its bounds (O15). [ms]"""
        columns = (self.lost_ms, self.valued_ms, self.by_rate_ms, self.least_ms, self.most_ms)
        return expected_ms(self.in_service_ms, *columns)


def expected_ms(
    in_service_ms: Int, lost_ms: Int, valued_ms: Int, by_rate_ms: Int, least_ms: Int, most_ms: Int
) -> NDArray[np.float64]:
    """Return the outage expected of units whose time is summed up over any span. [ms]

    Notes
    -----
    With q the share of the time not valued by rate that was lost::

        expected = clip(lost + valued + q·by_rate, least, most)      q = (lost + valued) / (in_service − by_rate)

    >>> one = [np.array([x]) for x in (1000, 90, 10, 500, 90, 600)]
    >>> expected_ms(*one).tolist()
    [200.0]
    """
    known = in_service_ms - by_rate_ms
    settled = lost_ms + valued_ms
    rate = np.divide(settled, known, out=np.zeros(len(known)), where=known > 0)
    return np.asarray(np.clip(settled + rate * by_rate_ms, least_ms, most_ms))


def value_pieces(pieces: Pieces, silence: NDArray[np.int8], *, resolution_ms: int) -> tuple[NDArray[np.int8], Int]:
    """Return per piece how it is valued, and the outage expected of it where that is not by rate. [ms]

    After a loss the unit stays out until it is heard, for a day at most (O6); before a loss, and within one poll
    after it, the edge lies in the middle (O5); between two losses it stays out.
    """
    before, after = neighbours(pieces)
    unknown = pieces.state == UNKNOWN
    was_lost, will_be = _is_lost(before), _is_lost(after)
    short = pieces.length_ms <= resolution_ms
    held = unknown & was_lost & (will_be | ~short | (after == ABSENT))
    edge = unknown & (was_lost ^ will_be) & ~held
    probable = unknown & (silence == PROBABLE_OUTAGE)
    how = np.select([held, edge, probable], [HELD, EDGE, PROBABLE], BY_RATE).astype(np.int8)
    whole = pieces.length_ms
    held_ms = np.where(will_be, whole, np.minimum(whole, HOLD_MS))
    likely = np.rint(whole * CONFIDENCE_OF_SILENCE).astype(np.int64)
    return how, np.select([held, edge, probable], [held_ms, whole // 2, likely], 0)


def sum_up(
    pieces: Pieces,
    how: NDArray[np.int8],
    valued_ms: Int,
    units: Units,
    windows: Windows,
    clocks: Clocks,
    devices: Devices,
    topology: Topology,
) -> UnitTime:
    """Return what is known of each unit's time, with the bounds that the meters' counters allow."""
    count = len(units.row)
    open_ = pieces.state == UNKNOWN
    lost_ms = _sum(pieces, _is_lost(pieces.state), pieces.length_ms, count)
    open_ms = _sum(pieces, open_, pieces.length_ms, count)
    rest = np.where(how == HELD, pieces.length_ms - valued_ms, np.where(how == BY_RATE, pieces.length_ms, 0))
    least, most = lost_ms.copy(), lost_ms + open_ms
    consistent = np.ones(count, np.bool_)
    said = _statements(windows, devices, topology, units)
    for unit in np.unique(said.unit):
        if not open_ms[unit]:
            continue
        bounds = bound_outage(
            _timeline(pieces, unit, units), _of_unit(said, unit), _powered(clocks, devices, units.asset[unit])
        )
        least[unit] += bounds.least_ms
        most[unit] = lost_ms[unit] + bounds.most_ms
        consistent[unit] = bounds.consistent
    return UnitTime(
        in_service_ms=units.end_ms - units.start_ms,
        lost_ms=lost_ms,
        open_ms=open_ms,
        least_ms=least,
        most_ms=most,
        valued_ms=_sum(pieces, open_, valued_ms, count),
        by_rate_ms=_sum(pieces, open_, rest, count),
        consistent=consistent,
    )


class _Said(NamedTuple):
    """Statements about units, sorted by unit."""

    unit: Int
    statements: Statements


def _statements(windows: Windows, devices: Devices, topology: Topology, units: Units) -> _Said:
    """Bring the windows to the units: both bounds at home, the upper one from below, the lower one from above."""
    count = len(windows.device)
    home = Facts(Spans(devices.asset[windows.device], windows.start_ms, windows.end_ms), np.arange(count))
    below, above = climb(home, topology), descend(home, topology)
    gathered = [
        _at_units(home, windows, units, has_least=True, has_most=True),
        _at_units(_beyond(below, count), windows, units, has_least=False, has_most=True),
        _at_units(_beyond(above, count), windows, units, has_least=True, has_most=False),
    ]
    columns = [np.concatenate(column) for column in zip(*gathered, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return _Said(columns[0][order], Statements(*(column[order] for column in columns[1:])))


def _at_units(facts: Facts, windows: Windows, units: Units, *, has_least: bool, has_most: bool) -> tuple[Int, ...]:
    """Unit, start, end, least and most of each window; a window cut short by topology or period has no lower bound."""
    on = on_units(facts.spans, units, facts.source)
    unit, start, end = on.spans
    whole = (start == windows.start_ms[on.source]) & (end == windows.end_ms[on.source])
    least = np.where(whole & has_least, windows.least_ms[on.source], 0)
    most = np.where(has_most, windows.most_ms[on.source], end - start)
    return unit, start, end, least, most


def _beyond(facts: Facts, count: int) -> Facts:
    """What travelled, without the facts at home."""
    return Facts(Spans(*(column[count:] for column in facts.spans)), facts.source[count:])


def _of_unit(said: _Said, unit: int) -> Statements:
    rows = slice(np.searchsorted(said.unit, unit, side="left"), np.searchsorted(said.unit, unit, side="right"))
    return Statements(*(column[rows] for column in said.statements))


def _powered(clocks: Clocks, devices: Devices, asset: int) -> PoweredTime:
    here = devices.asset[clocks.device] == asset
    return PoweredTime(clocks.counter[here], clocks.t_ms[here], clocks.low_ms[here], clocks.high_ms[here])


def _timeline(pieces: Pieces, unit: int, units: Units) -> Timeline:
    rows = slice(np.searchsorted(pieces.unit, unit, side="left"), np.searchsorted(pieces.unit, unit, side="right"))
    length, state = pieces.length_ms[rows], pieces.state[rows]
    lost = np.concatenate(([0], np.cumsum(np.where(_is_lost(state), length, 0))))
    open_ = np.concatenate(([0], np.cumsum(np.where(state == UNKNOWN, length, 0))))
    return Timeline(np.append(pieces.start_ms[rows], units.end_ms[unit]), lost, open_)


def _is_lost(state: NDArray[np.int8]) -> Bool:
    return np.asarray((state == LOST_HERE) | (state == LOST_ABOVE))


def _sum(pieces: Pieces, rows: Bool, amount_ms: Int, count: int) -> Int:
    return total_ms(Spans(pieces.unit[rows], np.zeros(int(rows.sum()), np.int64), amount_ms[rows]), count)
