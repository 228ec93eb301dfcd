"""What a units file adds to a ledger: regions as sums over their units (R10), and the indices weighted by load."""

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from analytics.customer_record import load_indices
from analytics.ieee1366 import block_customer_minutes, classes
from analytics.interruptions import NO_UNIT, Merged
from analytics.own_files.ledger_files import Units
from analytics.reliability import equivalent_customers, period_hours, ratio, roll_up_pct


@dataclass(frozen=True)
class RegionRow:
    """Supply of the units of one region; NaN where undefined."""

    region: str
    n_eq: float
    """Equivalent customers."""
    customer_hours: float
    """[customer-hours]"""
    rs1: float
    """[%]"""
    aihc1_h: float
    """[h per customer]"""


def by_region(merged: Merged, units: Units, start_ms: int, end_ms: int) -> tuple[RegionRow, ...]:
    """Return a row per region that the units name, in order of their names; units of no region make one of them."""
    names = pc.unique(units.regions).to_pylist()
    region_of = np.asarray(pc.index_in(units.regions, value_set=pc.unique(units.regions)), dtype=np.int64)
    unit = merged.blocks.unit[merged.pieces.block]
    hours, known = merged.pieces.customer_hours(start_ms, end_ms), unit != NO_UNIT
    out = np.bincount(region_of[unit[known]], weights=hours[known], minlength=len(names)).tolist()
    rows = []
    for number, name in enumerate(names):
        mine = region_of == number
        n_eq = equivalent_customers(units.customers[mine], units.from_ms[mine], units.to_ms[mine], start_ms, end_ms)
        available_h = n_eq * period_hours(start_ms, end_ms)
        rows.append(RegionRow(name, n_eq, out[number], roll_up_pct(out[number], available_h), ratio(out[number], n_eq)))
    return tuple(sorted(rows, key=lambda row: row.region))


def load_weighted(outages: Merged, units: Units, start_ms: int, end_ms: int) -> tuple[float, float]:
    """Return ASIFI [1] and ASIDI [min] of the sustained interruptions that begin in the period.

    A unit that was interrupted in part has lost that part of its load. NaN where the load of any unit, or the unit of
    any interruption, is not known.
    """
    blocks = outages.blocks
    sustained, _ = classes(blocks, start_ms, end_ms)
    unit, customers = blocks.unit[sustained], blocks.customers[sustained]
    if np.isnan(units.kva).any() or (unit == NO_UNIT).any():
        return float("nan"), float("nan")
    kva_off = units.kva[unit] * customers / units.customers[unit]
    connected_kva = equivalent_customers(units.kva, units.from_ms, units.to_ms, start_ms, end_ms)
    minutes = block_customer_minutes(outages)[sustained] / customers
    return load_indices(minutes, kva_off, connected_kva=connected_kva)
