"""A county small enough to simulate by the minute, with a truth to hold the evidence against."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.runs import Devices, Readings, simple_devices
from analytics.spans import Int
from analytics.topology import FEEDER, SUBSTATION, TRANSFORMER, Topology, simple_topology

MINUTE_MS = 60_000


@dataclass(frozen=True, eq=False)
class Meter:
    """What one terminal can do."""

    counts: bool
    """Counts power failures."""
    records: bool
    """Keeps start and end of the last power failure."""
    clocks: bool
    """Counts its time under power."""
    backed_up: bool
    """Answers on battery, reading 0 V."""


@dataclass(frozen=True, eq=False)
class TinyCounty:
    """Two feeders below a substation, transformers below them, one meter at each transformer and each feeder head."""

    topology: Topology
    meters: tuple[Meter, ...]
    supplied: NDArray[np.bool_]
    """Truth: shape (assets, seconds / 10), whether the asset was energised."""
    minutes: int

    @property
    def devices(self) -> Devices:
        """One device per asset from 1 on, read once a minute."""
        return simple_devices(list(range(1, len(self.meters) + 1)))

    def outage_ms(self, asset: int, start_ms: int, end_ms: int) -> int:
        """The true outage of an asset. [ms]"""
        return int((~self.supplied[asset, start_ms // STEP_MS : end_ms // STEP_MS]).sum()) * STEP_MS

    def readings(self, heard: NDArray[np.bool_]) -> Readings:
        """What arrives, given which polls get through: shape (devices, minutes + 1)."""
        rows = [self._device_rows(device, heard[device]) for device in range(len(self.meters))]
        return Readings(*(np.concatenate(column) for column in zip(*rows, strict=True)))

    def _device_rows(self, device: int, heard: NDArray[np.bool_]) -> tuple[NDArray[np.generic], ...]:
        meter, truth = self.meters[device], self.supplied[device + 1]
        poll = np.arange(self.minutes + 1)
        alive = truth[poll * MINUTE_MS // STEP_MS]
        answers = heard & (alive | meter.backed_up)
        at = poll[answers] * MINUTE_MS // STEP_MS
        nan = np.full(len(at), np.nan)
        count, start_ms, end_ms = _failures(truth, at)
        powered = np.concatenate(([0], np.cumsum(truth)))[at] * float(STEP_MS)
        floor = np.floor(powered / 3600) * 3600
        return (
            np.full(len(at), device, np.int64),
            at.astype(np.int64) * STEP_MS,
            np.where(alive[answers], 1.0, 0.0),
            nan,
            nan,
            nan,
            count if meter.counts else nan,
            floor if meter.clocks else nan,
            start_ms if meter.records else nan,
            end_ms if meter.records else nan,
        )


STEP_MS = 10_000


def make_tiny_county(
    meters: list[Meter], outages: list[tuple[int, int, int]], *, minutes: int, backfed: list[int] | None = None
) -> TinyCounty:
    """Assets 0 substation, 1 and 2 feeders, the rest transformers by turns; outages as (asset, from step, to step)."""
    transformers = len(meters) - 2
    parent = [-1, 0, 0, *(1 + index % 2 for index in range(transformers))]
    kind = [SUBSTATION, FEEDER, FEEDER, *[TRANSFORMER] * transformers]
    customers = [0, 0, 0, *(10 + 7 * index for index in range(transformers))]
    supplied = np.ones((len(parent), minutes * MINUTE_MS // STEP_MS + 1), np.bool_)
    for asset, first, last in outages:
        below = [one for one in range(len(parent)) if asset in _path(one, parent)]
        supplied[np.ix_(below, range(first, min(last, supplied.shape[1] - 1)))] = False
    flags = [index in (backfed or []) for index in range(len(parent))]
    return TinyCounty(simple_topology(parent, customers, kind, flags), tuple(meters), supplied, minutes)


def _path(asset: int, parent: list[int]) -> list[int]:
    return [] if asset < 0 else [asset, *_path(parent[asset], parent)]


def _failures(truth: NDArray[np.bool_], at: Int) -> tuple[NDArray[np.float64], ...]:
    """Count, last start and last end of the failures that began before each step, as the meter would show them."""
    edge = np.diff(np.concatenate(([True], truth)).astype(np.int8))
    begun, ended = np.flatnonzero(edge < 0), np.flatnonzero(edge > 0)
    count = np.searchsorted(begun, at, side="right")
    over = np.searchsorted(ended, at, side="right")
    known = over > 0
    start = np.where(known, np.append(begun, 0)[np.maximum(over - 1, 0)] * float(STEP_MS), np.nan)
    end = np.where(known, np.append(ended, 0)[np.maximum(over - 1, 0)] * float(STEP_MS), np.nan)
    return count.astype(np.float64), start, end
