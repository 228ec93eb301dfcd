"""When nothing is known of a supply on one day: the spans that widen the bounds, and what each silence is taken for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analytics.evidence import SupplyEvidence
from analytics.kpi.database import DeviceDay, Judgement
from analytics.kpi.model import CountyModel
from analytics.kpi.supply_days import supply_day
from analytics.live_path import UNKNOWN
from analytics.silence import BACKHAUL, COMMUNICATION, PROBABLE_OUTAGE, UNEXPLAINED

TakenFor = Literal["unexplained", "communication", "backhaul", "probable_outage"]
NAMES: dict[int, TakenFor] = {
    UNEXPLAINED: "unexplained",
    COMMUNICATION: "communication",
    BACKHAUL: "backhaul",
    PROBABLE_OUTAGE: "probable_outage",
}


@dataclass(frozen=True)
class UnknownTime:
    """A span in which some units may have been out."""

    start_ms: int
    end_ms: int
    taken_for: TakenFor
    units: tuple[str, ...]


def unknown_times(
    model: CountyModel,
    heard: Sequence[DeviceDay],
    judgements: Sequence[Judgement],
    assets: Collection[str],
    start_ms: int,
    end_ms: int,
) -> list[UnknownTime]:
    """Return the unknown times of some assets between two instants of a day, the longest first.

    `heard` reaches beyond the day as `KpiDatabase.days_around` gives it. Times that overlap are one.
    """
    evidence = supply_day(model, heard, judgements, start_ms, end_ms).evidence
    pieces = _pieces(evidence, model, assets, start_ms, end_ms)
    joined: list[UnknownTime] = []
    for piece in pieces:
        if joined and piece.start_ms <= joined[-1].end_ms:
            joined[-1] = _joined(joined[-1], piece)
        else:
            joined.append(piece)
    return sorted(joined, key=lambda one: (one.start_ms - one.end_ms, one.start_ms))


def _pieces(
    evidence: SupplyEvidence, model: CountyModel, assets: Collection[str], start_ms: int, end_ms: int
) -> list[UnknownTime]:
    """Each piece by itself, clipped to the time asked for, by start."""
    pieces = evidence.pieces
    inside = (pieces.state == UNKNOWN) & (pieces.start_ms < end_ms) & (pieces.end_ms > start_ms)
    found = [
        UnknownTime(
            start_ms=max(int(pieces.start_ms[row]), start_ms),
            end_ms=min(int(pieces.end_ms[row]), end_ms),
            taken_for=NAMES[int(evidence.silence[row])],
            units=(model.asset_ids[evidence.units.asset[pieces.unit[row]]],),
        )
        for row in np.flatnonzero(inside).tolist()
    ]
    return sorted((one for one in found if one.units[0] in assets), key=lambda one: one.start_ms)


def _joined(one: UnknownTime, other: UnknownTime) -> UnknownTime:
    longer = max(one, other, key=lambda time: time.end_ms - time.start_ms)
    units = tuple(sorted({*one.units, *other.units}))
    return UnknownTime(one.start_ms, max(one.end_ms, other.end_ms), longer.taken_for, units)
