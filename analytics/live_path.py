"""From what devices prove to what is proven of every unit: supplied, interrupted, or unknown, at each time.

Life climbs: a living meter proves its whole supply path energised (O11). A lost supply descends to everything below.
Where both are claimed, life wins: a terminal behind its own blown fuse reads nothing while its transformer lives. Only
a short failure on a meter's record, which may hide between two polls of a device that counts no failures, wins.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.counters import Kept, Marked
from analytics.runs import LIVE, LOST, Devices, Runs
from analytics.spans import Int, Spans, cut, intersect, join, spans, subtract, total_ms, union
from analytics.topology import SERVICE, TRANSFORMER, Facts, Topology, around, climb, descend

UNKNOWN, SUPPLIED, LOST_HERE, LOST_ABOVE, ABSENT = 0, 1, 2, 3, -1
"""What is proven of a unit at a time. LOST_ABOVE: by a device upstream; ABSENT: out of service or of the period."""


class Units(NamedTuple):
    """Rows of the topology that are counted; every array has shape (units,)."""

    row: Int
    asset: Int
    start_ms: Int
    """In service, within the period, from here. [ms since 1970-01-01T00:00Z]"""
    end_ms: Int
    customers: Int


class Pieces(NamedTuple):
    """The units' time in pieces of one state, sorted by unit and then by time; every array has shape (pieces,)."""

    unit: Int
    start_ms: Int
    end_ms: Int
    state: NDArray[np.int8]
    """UNKNOWN, SUPPLIED, LOST_HERE or LOST_ABOVE."""

    @property
    def length_ms(self) -> Int:
        """How long each piece is. [ms]"""
        return self.end_ms - self.start_ms


class Proof(NamedTuple):
    """What is proven of the assets."""

    live: Spans
    """Disjoint spans in which an asset was energised."""
    lost_here: Facts
    """Claims of lost supply by a device at the asset; the source is a run."""
    lost_above: Facts
    """Claims of lost supply by a device upstream; the source is a run."""


class Judged(NamedTuple):
    """What people found out, per asset: it stands above every device."""

    supplied: Spans
    lost: Spans


NOTHING_JUDGED = Judged(spans([], [], []), spans([], [], []))
PERSON = -1
"""The source of a fact that a person stated."""


def counted_units(topology: Topology, start_ms: int, end_ms: int) -> Units:
    """Return the units of a period: transformers, and whatever else has customers, while in service."""
    start = np.maximum(topology.from_ms, start_ms)
    end = np.minimum(topology.to_ms, end_ms)
    counted = (topology.kind == TRANSFORMER) | ((topology.kind <= SERVICE) & (topology.customers > 0))
    row = np.flatnonzero(counted & (end > start))
    return Units(row, topology.asset[row], start[row], end[row], topology.customers[row])


def prove(runs: Runs, kept: Kept, devices: Devices, topology: Topology, judged: Judged = NOTHING_JUDGED) -> Proof:
    """Return what readings and registers prove of every asset, and what people say of it."""
    recorded = _on_assets(kept.recorded, devices)
    doubt = join(descend(recorded, topology).spans, around(recorded, topology).spans)
    live = union(join(_lives(runs, devices, doubt), _on_assets(kept.live, devices).spans))
    climbed = union(climb(Facts(live, np.zeros(len(live.key), np.int64)), topology).spans)
    told_lost = descend(_by_people(judged.lost), topology).spans
    here = _on_assets(_joined(_said(runs, LOST), kept.lost), devices)
    here = Facts(join(here.spans, judged.lost), np.append(here.source, np.full(len(judged.lost.key), PERSON)))
    everywhere = descend(here, topology)
    above = slice(len(here.source), None)
    return Proof(
        live=union(join(subtract(climbed, told_lost), judged.supplied)),
        lost_here=here,
        lost_above=Facts(Spans(*(c[above] for c in everywhere.spans)), everywhere.source[above]),
    )


def units_within(units: Units, start_ms: int, end_ms: int) -> Units:
    """Return the same units with their time cut to a period; those out of service in it have no time."""
    return units._replace(
        start_ms=np.clip(units.start_ms, start_ms, end_ms), end_ms=np.clip(units.end_ms, start_ms, end_ms)
    )


def unit_pieces(units: Units, proof: Proof) -> Pieces:
    """Return the units' time cut into pieces; neighbouring pieces of one unit differ in their state."""
    service = spans(np.arange(len(units.row)), units.start_ms, units.end_ms)
    sets = [on_units(s, units).spans for s in (proof.live, union(proof.lost_here.spans), union(proof.lost_above.spans))]
    parts = cut(service, *sets)
    _, live, here, above = parts.inside
    state = np.select([live, here, above], [SUPPLIED, LOST_HERE, LOST_ABOVE], UNKNOWN).astype(np.int8)
    new = np.ones(len(state), np.bool_)
    new[1:] = (np.diff(state) != 0) | (np.diff(parts.key) != 0)
    first = np.flatnonzero(new)
    last = np.append(first[1:] - 1, len(state) - 1) if len(first) else first
    return Pieces(parts.key[first], parts.start_ms[first], parts.end_ms[last], state[first])


def conflicts_ms(units: Units, proof: Proof) -> Int:
    """Return per unit how long a device claimed the supply lost while another proved it live. [ms]"""
    claimed = union(join(proof.lost_here.spans, proof.lost_above.spans))
    both = intersect(on_units(proof.live, units).spans, on_units(claimed, units).spans)
    return total_ms(both, len(units.row))


def neighbours(pieces: Pieces) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Return per piece the state just before and just after it; ABSENT where there is none."""
    before = np.full(len(pieces.unit), ABSENT, np.int8)
    after = before.copy()
    adjoining = (np.diff(pieces.unit) == 0) & (pieces.end_ms[:-1] == pieces.start_ms[1:])
    before[1:][adjoining] = pieces.state[:-1][adjoining]
    after[:-1][adjoining] = pieces.state[1:][adjoining]
    return before, after


def on_units(facts_on_assets: Spans, units: Units, source: Int | None = None) -> Facts:
    """Return spans on assets as spans on the units that are those assets, clipped to their time in service."""
    order = np.argsort(units.asset, kind="stable")
    asset = units.asset[order]
    first = np.searchsorted(asset, facts_on_assets.key, side="left")
    count = np.searchsorted(asset, facts_on_assets.key, side="right") - first
    fact = np.repeat(np.arange(len(count)), count)
    unit = order[np.arange(len(fact)) - np.repeat(np.cumsum(count) - count, count) + first[fact]]
    start = np.maximum(facts_on_assets.start_ms[fact], units.start_ms[unit])
    end = np.minimum(facts_on_assets.end_ms[fact], units.end_ms[unit])
    kept = end > start
    origin = fact if source is None else source[fact]
    return Facts(spans(unit, start, end), origin[kept])


def _by_people(spans_: Spans) -> Facts:
    return Facts(spans_, np.full(len(spans_.key), PERSON, np.int64))


def _lives(runs: Runs, devices: Devices, doubt: Spans) -> Spans:
    """Stretches of life per asset; where no counter says so, without the failures that may hide between two polls.

    `doubt` is where a meter at, above or beside an asset recorded a failure.
    """
    said = _said(runs, LIVE)
    counts = np.isfinite(runs.fail_count[said.run])
    watched = said.spans._replace(key=devices.asset[said.spans.key])
    short = doubt.take(doubt.end_ms - doubt.start_ms < devices.max_gap_ms.max(initial=0))
    return union(join(watched.take(counts), subtract(watched.take(~counts), short)))


def _said(runs: Runs, state: int) -> Marked:
    """The runs of one word; a single reading stands for its own millisecond."""
    run = np.flatnonzero(runs.state == state)
    start = runs.start_ms[run]
    return Marked(spans(runs.device[run], start, np.maximum(runs.end_ms[run], start + 1)), run)


def _joined(one: Marked, other: Marked) -> Marked:
    return Marked(join(one.spans, other.spans), np.concatenate([one.run, other.run]))


def _on_assets(marked: Marked, devices: Devices) -> Facts:
    return Facts(marked.spans._replace(key=devices.asset[marked.spans.key]), marked.run)
