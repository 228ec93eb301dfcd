"""How much outage may hide in what is unresolved: bounds and expected value per unit (O5, O6, O12, O15)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.counters import RECORD_STEP_MS, Clocks, Kept, Windows
from analytics.durations import PoweredTime, Statements, Timeline, bound_outage
from analytics.live_path import ABSENT, LOST_ABOVE, LOST_HERE, UNKNOWN, Pieces, Units, neighbours, on_units
from analytics.runs import Devices
from analytics.silence import PROBABLE_OUTAGE
from analytics.spans import Bool, Int, Spans, covering, total_ms, union
from analytics.topology import Facts, Topology, climb, descend

BY_RATE, EDGE, HELD, PROBABLE, RECORDED = 0, 1, 2, 3, 4
"""How an unresolved piece is valued: by the unit's own outage rate; as the edge of an outage, half of it; as lost
until heard again, up to `HOLD_MS`; as a corroborated silence; as a failure on record that is shorter than its error."""

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

    Parameters
    ----------
    in_service_ms, lost_ms, valued_ms, by_rate_ms, least_ms, most_ms : ndarray of int64, shape (units,)
        The columns of `UnitTime`, summed up over any days. [ms]

    Returns
    -------
    ndarray, shape (units,)
        Within the bounds of each unit. [ms]

    Notes
    -----
    With q the share of the time not valued by rate that was lost::

        expected = clip(lost + valued + q·by_rate, least, most)      q = (lost + valued) / (in_service − by_rate)

    Examples
    --------
    >>> one = [np.array([x]) for x in (1000, 90, 10, 500, 90, 600)]
    >>> expected_ms(*one).tolist()
    [200.0]

    References
    ----------
    .. [1] The method is steppe's own: rule O15; tests/analytics/test_evidence_rules.py works it by hand.
    """
    known = in_service_ms - by_rate_ms
    settled = lost_ms + valued_ms
    rate = np.divide(settled, known, out=np.zeros(len(known)), where=known > 0)
    return np.asarray(np.clip(settled + rate * by_rate_ms, least_ms, most_ms))


class Value(NamedTuple):
    """What is assumed of each unresolved piece; every array has shape (pieces,)."""

    how: NDArray[np.int8]
    """BY_RATE, EDGE, HELD or PROBABLE."""
    out_from_ms: Int
    """The supply is assumed away from here; where BY_RATE, from and to are equal."""
    out_to_ms: Int
    share: NDArray[np.float64]
    """Of the assumed outage, that is expected. [0..1]"""


def value_pieces(pieces: Pieces, silence: NDArray[np.int8], recorded: Spans, *, resolution_ms: int) -> Value:
    """Return what is assumed of each unresolved piece; `recorded` are the failures on record, per unit, with errors.

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
    on_record = unknown & ~held & ~edge & ~probable & _touches(pieces, recorded)
    how = np.select([held, edge, probable, on_record], [HELD, EDGE, PROBABLE, RECORDED], BY_RATE).astype(np.int8)
    start, end = pieces.start_ms, pieces.end_ms
    middle = start + pieces.length_ms // 2
    held_to = np.where(will_be, end, np.minimum(end, start + HOLD_MS))
    out_from = np.select([held | probable, edge & will_be], [start, middle], end)
    out_to = np.select([held, edge & was_lost], [held_to, middle], end)
    out_from = np.where(edge & was_lost, start, out_from)
    short_ms = RECORD_STEP_MS // 2
    out_from, out_to = np.where(on_record, middle - short_ms, out_from), np.where(on_record, middle + short_ms, out_to)
    return Value(how, out_from, out_to, np.where(probable, CONFIDENCE_OF_SILENCE, 1.0))


def sum_up(pieces: Pieces, value: Value, units: Units, kept: Kept, devices: Devices, topology: Topology) -> UnitTime:
    """Return what is known of each unit's time in service, with the bounds that the meters' counters allow.

    `pieces` may reach beyond the units' time; what lies outside is not counted.
    """
    count = len(units.row)
    inside = _clip(pieces, units)
    open_ = inside.state == UNKNOWN
    lost_ms = _sum(inside, _is_lost(inside.state), inside.length_ms, count)
    open_ms = _sum(inside, open_, inside.length_ms, count)
    out_from, out_to = np.maximum(value.out_from_ms, inside.start_ms), np.minimum(value.out_to_ms, inside.end_ms)
    assumed_ms = np.maximum(out_to - out_from, 0)
    valued_ms = np.rint(assumed_ms * value.share).astype(np.int64)
    unvalued = np.select(
        [value.how == HELD, value.how == BY_RATE], [inside.length_ms - assumed_ms, inside.length_ms], 0
    )
    least, most, consistent = _bounds(inside, units, lost_ms, open_ms, kept, devices, topology)
    return UnitTime(
        in_service_ms=units.end_ms - units.start_ms,
        lost_ms=lost_ms,
        open_ms=open_ms,
        least_ms=least,
        most_ms=most,
        valued_ms=_sum(inside, open_, valued_ms, count),
        by_rate_ms=_sum(inside, open_, unvalued, count),
        consistent=consistent,
    )


def _bounds(
    inside: Pieces, units: Units, lost_ms: Int, open_ms: Int, kept: Kept, devices: Devices, topology: Topology
) -> tuple[Int, Int, Bool]:
    """Least and most outage per unit, and whether its counters agree with each other."""
    least, most, consistent = lost_ms.copy(), lost_ms + open_ms, np.ones(len(lost_ms), np.bool_)
    said = _statements(kept.windows, devices, topology, units)
    for unit in np.unique(said.unit):
        if not open_ms[unit]:
            continue
        powered = _powered(kept.clocks, devices, units.asset[unit])
        bounds = bound_outage(_timeline(inside, unit), _of_unit(said, unit), powered)
        least[unit] += bounds.least_ms
        most[unit] = lost_ms[unit] + bounds.most_ms
        consistent[unit] = bounds.consistent
    return least, most, consistent


def _clip(pieces: Pieces, units: Units) -> Pieces:
    """The same pieces, shortened to the units' time; those outside have no length."""
    start = np.clip(pieces.start_ms, units.start_ms[pieces.unit], units.end_ms[pieces.unit])
    end = np.clip(pieces.end_ms, units.start_ms[pieces.unit], units.end_ms[pieces.unit])
    return pieces._replace(start_ms=start, end_ms=end)


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
    """Unit, start, end, least and most of each window; what a cut leaves outside may hold that much of the outage."""
    on = on_units(facts.spans, units, facts.source)
    unit, start, end = on.spans
    outside = windows.end_ms[on.source] - windows.start_ms[on.source] - (end - start)
    least = np.where(has_least, np.maximum(windows.least_ms[on.source] - outside, 0), 0)
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


def _timeline(inside: Pieces, unit: int) -> Timeline:
    rows = slice(np.searchsorted(inside.unit, unit, side="left"), np.searchsorted(inside.unit, unit, side="right"))
    length, state = inside.length_ms[rows], inside.state[rows]
    lost = np.concatenate(([0], np.cumsum(np.where(_is_lost(state), length, 0))))
    open_ = np.concatenate(([0], np.cumsum(np.where(state == UNKNOWN, length, 0))))
    return Timeline(np.append(inside.start_ms[rows], inside.end_ms[rows][-1]), lost, open_)


def _touches(pieces: Pieces, spans_: Spans) -> Bool:
    """Whether a piece lies in one of the spans."""
    return np.asarray(covering(union(spans_), pieces.unit, (pieces.start_ms + pieces.end_ms) // 2) >= 0)


def _is_lost(state: NDArray[np.int8]) -> Bool:
    return np.asarray((state == LOST_HERE) | (state == LOST_ABOVE))


def _sum(pieces: Pieces, rows: Bool, amount_ms: Int, count: int) -> Int:
    return total_ms(Spans(pieces.unit[rows], np.zeros(int(rows.sum()), np.int64), amount_ms[rows]), count)
