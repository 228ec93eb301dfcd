"""Who saw what: what each device near an asset said around an interruption, as stretches on one time axis.

A device is alive, answers without supply, keeps a failure on its own record, or is silent. Silence stays silence here:
what it is taken for is the evidence's business, not the witness's.
"""

import enum
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analytics.kpi.compute import next_day
from analytics.kpi.database import DeviceDay, KpiDatabase
from analytics.kpi.day_sums import days_between
from analytics.kpi.model import (
    DEFAULT_GAP_MS,
    POWERED_STEP_MS,
    RECORD_ERROR_MS,
    device_name,
    is_evidence,
    quantity,
    watchers,
)
from analytics.kpi.readings import POLLS_OF_SILENCE
from analytics.run_days import join_runs
from analytics.runs import LIVE, LOST, Devices, Runs
from ingest.register import Register

Relation = Literal["here", "below", "above", "beside"]
"""Where a device stands, seen from the asset: at it, on what it supplies, on what supplies it, on its neighbour."""
RELATIONS: tuple[Relation, ...] = ("here", "below", "above", "beside")


class Said(enum.StrEnum):
    """What a device said of its supply."""

    ALIVE = "alive"
    WITHOUT_SUPPLY = "without_supply"
    """It answers, and reads no voltage or senses that its mains are away."""
    ON_RECORD = "on_record"
    """It was silent, and kept the failure itself."""
    SILENT = "silent"


@dataclass(frozen=True)
class Stretch:
    """One word of a device, from when to when."""

    said: Said
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class Witness:
    """A device that may know something."""

    device: str
    asset: str
    """What supplies it."""
    relation: Relation


@dataclass(frozen=True)
class Account:
    """What one device said around an interruption."""

    witness: Witness
    poll_ms: int
    """Its own rhythm; 0 where it speaks on change. [ms]"""
    stretches: tuple[Stretch, ...]
    alive_throughout: bool
    """It never stopped telling of life."""
    alive_before_ms: int | None
    """Its last word of life before the middle of the interruption, and its first one after. None: none near."""
    alive_after_ms: int | None
    without_supply_ms: int | None
    """Its first word without supply during the interruption."""
    record: Stretch | None
    """The failure that it kept itself."""
    failures_counted: int | None
    """By how much its counter of failures rose between the two; None where it counts none."""

    def has(self, *words: Said) -> bool:
        """Return whether it said one of these near the interruption."""
        return any(stretch.said in words for stretch in self.stretches)


def witnesses_near(register: Register, asset: str) -> list[Witness]:
    """Return the devices at an asset, below it, above it and beside it, in this order."""
    children, above = _children(register), _suppliers(asset, register)
    relations: dict[str, Relation] = dict.fromkeys(children[above[0]] if above else (), "beside")
    relations |= dict.fromkeys(above, "above")
    relations |= dict.fromkeys(_below(asset, children), "below")
    relations[asset] = "here"
    found = [Witness(device, at, relations[at]) for device, at in watchers(register).items() if at in relations]
    return sorted(found, key=lambda w: (RELATIONS.index(w.relation), w.device))


def below(asset: str, register: Register) -> list[str]:
    """Return everything that an asset supplies, directly or not."""
    return _below(asset, _children(register))


def hear_witnesses(
    database: KpiDatabase,
    register: Register,
    witnesses: Sequence[Witness],
    days: tuple[str, str],
    window_ms: tuple[int, int],
    out_ms: tuple[int, int],
) -> list[Account]:
    """Return what witnesses said in a window around an interruption, which lies between two local days (both in)."""
    names = [witness.device for witness in witnesses]
    heard = {(day.device, day.day): day for one in _days(*days) for day in database.days_around(names, one)}
    speaks_on_change = _speak_on_change(register, names)
    said: dict[str, list[DeviceDay]] = defaultdict(list)
    for _, day in sorted(heard.items()):
        said[day.device].append(day)
    return [_account(w, said[w.device], w.device in speaks_on_change, window_ms, out_ms) for w in witnesses]


def _account(
    witness: Witness, days: Sequence[DeviceDay], on_change: bool, window_ms: tuple[int, int], out_ms: tuple[int, int]
) -> Account:
    gap_ms = min((day.gap_ms for day in days if day.gap_ms), default=DEFAULT_GAP_MS)
    runs = join_runs([day.runs for day in days], _one_device(gap_ms, on_change))
    middle_ms = (out_ms[0] + out_ms[1]) // 2
    before = np.flatnonzero((runs.state == LIVE) & (runs.start_ms <= middle_ms))[-1:].tolist()
    after = np.flatnonzero((runs.state == LIVE) & (runs.end_ms > middle_ms))[:1].tolist()
    throughout = bool(before) and before == after
    return Account(
        witness=witness,
        poll_ms=0 if on_change else round(gap_ms / POLLS_OF_SILENCE),
        stretches=tuple(_stretches(runs, *window_ms)),
        alive_throughout=throughout,
        alive_before_ms=int(runs.end_ms[before[0]]) if before and not throughout else None,
        alive_after_ms=int(runs.start_ms[after[0]]) if after and not throughout else None,
        without_supply_ms=_without_supply_ms(runs, out_ms),
        record=_record(runs, out_ms),
        failures_counted=_counted(runs, before[0], after[0]) if before and after else None,
    )


def _stretches(runs: Runs, start_ms: int, end_ms: int) -> list[Stretch]:
    """The whole window, without a hole."""
    found: list[Stretch] = []
    told_ms = start_ms
    for run in range(len(runs)):
        first_ms, last_ms = max(int(runs.start_ms[run]), told_ms), min(int(runs.end_ms[run]), end_ms)
        if last_ms < first_ms or first_ms > end_ms:
            continue
        found += _silence(runs, run, told_ms, first_ms)
        said = Said.ALIVE if runs.state[run] == LIVE else Said.WITHOUT_SUPPLY
        found.append(Stretch(said, first_ms, last_ms))
        told_ms = last_ms
    return [*found, *([Stretch(Said.SILENT, told_ms, end_ms)] if told_ms < end_ms else [])]


def _silence(runs: Runs, run: int, from_ms: int, to_ms: int) -> list[Stretch]:
    """The silence before a run, with the failure that the device kept of it."""
    record = _kept(runs, run)
    if record is None or record.start_ms < from_ms or record.end_ms > to_ms:
        return [Stretch(Said.SILENT, from_ms, to_ms)] if to_ms > from_ms else []
    parts = (Stretch(Said.SILENT, from_ms, record.start_ms), record, Stretch(Said.SILENT, record.end_ms, to_ms))
    return [part for part in parts if part.end_ms > part.start_ms]


def _kept(runs: Runs, run: int) -> Stretch | None:
    """The failure that the device tells of in a run; an end that lies ahead of its last word there is none."""
    start_ms, end_ms = runs.fail_start_ms[run], runs.fail_end_ms[run]
    return Stretch(Said.ON_RECORD, int(start_ms), int(end_ms)) if start_ms < end_ms <= runs.end_ms[run] else None


def _record(runs: Runs, out_ms: tuple[int, int]) -> Stretch | None:
    kept = [record for run in range(len(runs)) if (record := _kept(runs, run)) is not None]
    return next((one for one in kept if one.start_ms < out_ms[1] and one.end_ms > out_ms[0]), None)


def _without_supply_ms(runs: Runs, out_ms: tuple[int, int]) -> int | None:
    told = (runs.state == LOST) & (runs.start_ms < out_ms[1]) & (runs.end_ms >= out_ms[0])
    return int(runs.start_ms[told][0]) if told.any() else None


def _counted(runs: Runs, before: int, after: int) -> int | None:
    rise = runs.fail_count[after] - runs.fail_count[before]
    return int(rise) if np.isfinite(rise) else None


def _one_device(gap_ms: int, on_change: bool) -> Devices:
    return Devices(
        asset=np.zeros(1, np.int64),
        max_gap_ms=np.full(1, gap_ms, np.int64),
        backhaul=np.zeros(1, np.int64),
        on_change=np.full(1, on_change, np.bool_),
        max_power_kw=np.full(1, np.nan),
        log_error_ms=np.full(1, RECORD_ERROR_MS, np.int64),
        powered_time_step_ms=np.full(1, POWERED_STEP_MS, np.int64),
    )


def _speak_on_change(register: Register, devices: Iterable[str]) -> set[str]:
    """Those that do nothing but sense their mains."""
    wanted, says = set(devices), defaultdict[str, set[str]](set)
    for point in register.points.values():
        if is_evidence(point) and device_name(point.point) in wanted:
            says[device_name(point.point)].add(quantity(point.point))
    return {device for device, quantities in says.items() if quantities == {"mains_on"}}


def _suppliers(asset: str, register: Register) -> list[str]:
    """What supplies an asset, the nearest first."""
    found: list[str] = []
    stays = register.assets.get(asset)
    while stays and stays[-1].parent is not None and stays[-1].parent not in found:
        found.append(stays[-1].parent)
        stays = register.assets.get(stays[-1].parent)
    return found


def _children(register: Register) -> dict[str, list[str]]:
    children: dict[str, list[str]] = defaultdict(list)
    for asset, stays in register.assets.items():
        if stays[-1].parent is not None:
            children[stays[-1].parent].append(asset)
    return children


def _below(asset: str, children: Mapping[str, Sequence[str]]) -> list[str]:
    found, waiting = list[str](), [asset]
    while waiting:
        below = children.get(waiting.pop(), ())
        found += below
        waiting += below
    return found


def _days(first: str, last: str) -> list[str]:
    return days_between(first, next_day(last))
