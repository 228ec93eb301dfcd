"""An interruption ledger and its units from the user's own files, every row accepted or rejected with a reason."""

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from analytics.interruptions import ALWAYS_FROM_MS, ALWAYS_TO_MS, NO_UNIT, Ledger
from analytics.own_files.tables import Rejection, Table, read_table
from analytics.reliability import Nature
from edge.errors import BadInput

Ms = NDArray[np.int64]
Real = NDArray[np.float64]
Mask = NDArray[np.bool_]

LEDGER_COLUMNS = ("unit", "customers", "end", "nature", "external", "shortage", "allowed", "cause")
UNIT_COLUMNS = ("customers", "kva", "in_service_from", "in_service_to", "region")
NATURES = {
    "": Nature.FAULT, "fault": Nature.FAULT, "planned": Nature.PLANNED, "limit": Nature.LIMIT,
    "故障": Nature.FAULT, "计划": Nature.PLANNED, "预安排": Nature.PLANNED, "限电": Nature.LIMIT,
}  # fmt: skip


@dataclass(frozen=True)
class Units:
    """Who is served, as columns of shape (units,)."""

    names: pa.Array
    customers: Real
    kva: Real
    """Rated power, NaN where it is not given. [kVA]"""
    from_ms: Ms
    """First instant in service. [ms since 1970-01-01T00:00Z]"""
    to_ms: Ms
    """First instant no longer in service. [ms since 1970-01-01T00:00Z]"""
    regions: pa.Array
    rejected: tuple[Rejection, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class LedgerFile:
    """A ledger as it was read."""

    ledger: Ledger
    labels: pa.Array
    """What to call each record: its cause, else its unit, else nothing."""
    open: Mask
    """Records without an end: provisional (R5)."""
    unit_names: pa.Array
    rejected: tuple[Rejection, ...]
    notes: tuple[str, ...]
    """What a person should know, one line each."""


def read_units(path: Path, local: ZoneInfo) -> Units:
    """Read the units a ledger refers to; times without an offset are in `local`."""
    table = read_table(path, needed=["unit"], known=UNIT_COLUMNS)
    names = table.texts("unit")
    table.reject(table.is_empty("unit"), "unit is empty")
    table.reject(_repeats(names), "unit {} is listed already", "unit")
    customers = table.numbers("customers", 1.0)
    table.reject(~(customers >= 0), "customers {} is negative", "customers")
    begin = table.instants("in_service_from", local, empty_ms=ALWAYS_FROM_MS)
    end = table.instants("in_service_to", local, empty_ms=ALWAYS_TO_MS)
    table.reject(end < begin, "in_service_to lies before in_service_from")
    kva = table.numbers("kva")
    good = ~table.bad
    kept = pa.array(good)
    return Units(
        names.filter(kept),
        customers[good],
        kva[good],
        begin[good],
        end[good],
        table.texts("region").filter(kept),
        tuple(Rejection(r.row, f"{path.name}: {r.reason}") for r in table.rejected),
        _unknown_columns(table),
    )


def read_ledger(
    path: Path,
    local: ZoneInfo,
    *,
    open_until_ms: int,
    units: Units | None = None,
    served: float = np.inf,
    not_counted: frozenset[str] = frozenset(),
) -> LedgerFile:
    """Read interruption records; times without an offset are in `local`.

    Records without an end last until `open_until_ms` (R5). A unit has the customers that `units` states, a record
    less than all of them where it says so. No record may have more customers than are `served`.
    """
    table = read_table(path, needed=["start"], known=LEDGER_COLUMNS)
    if "unit" not in table and "customers" not in table:
        raise BadInput(f"{path}: neither a column unit nor customers; a record needs one of them")
    start = table.instants("start", local)
    end = table.instants("end", local, empty_ms=ALWAYS_TO_MS)
    table.reject((end < start) & ~table.bad, "ends before it starts")
    table.reject((end == start) & ~table.bad, "ends when it starts: no duration")
    nature = table.codes("nature", NATURES, "fault, planned or limit")
    allowed = table.numbers("allowed", 0.0)
    table.reject(~((allowed >= 0) & (allowed < 1)), "allowed {} is not a share from 0 to less than 1", "allowed")
    external, shortage = table.flags("external"), table.flags("shortage")
    notes = [*_unknown_columns(table), *_rows_given_twice(table)]
    unit, customers, names = _units_and_customers(table, units, served, notes)
    not_used = (allowed > 0) & (nature != Nature.LIMIT) & ~table.bad
    if not_used.any():
        notes.append(f"{int(not_used.sum())} records allow a share of demand without the nature limit: it is not used")
    left_out = _left_out(table, not_counted, notes)
    is_open = end == ALWAYS_TO_MS
    end = np.where(is_open, open_until_ms, end)
    good = ~table.bad & ~left_out & (end > start)
    share_off = np.where(nature == Nature.LIMIT, 1.0 - allowed, 1.0)
    if (is_open & good).any():
        notes.append(f"{int((is_open & good).sum())} interruptions have no end: counted to now or the period's end")
    return LedgerFile(
        Ledger(unit, customers, start, end, nature, external, shortage, share_off).where(good),
        _labels(table).filter(pa.array(good)),
        is_open[good],
        names,
        tuple(sorted(table.rejected, key=lambda rejection: rejection.row)),
        tuple(notes),
    )


def _units_and_customers(
    table: Table, units: Units | None, served: float, notes: list[str]
) -> tuple[Ms, Real, pa.Array]:
    """Unit number and customers of each record, and the names of the units."""
    given = table.numbers("customers")
    texts, unnamed = table.texts("unit"), table.is_empty("unit")
    table.reject(given <= 0, "customers {} is not above 0", "customers")
    table.reject(unnamed & np.isnan(given), "neither unit nor customers")
    names = pc.unique(texts) if units is None else units.names
    number = np.asarray(pc.fill_null(pc.index_in(texts, value_set=names), NO_UNIT), dtype=np.int64)
    number[unnamed] = NO_UNIT
    if units is None:
        customers = np.where(np.isnan(given), 1.0, given)
    else:
        table.reject(~unnamed & (number == NO_UNIT), "unit {} is not among the units", "unit")
        own = units.customers[number] if len(units.customers) else given
        customers = np.where(number == NO_UNIT, given, np.fmin(given, own))
        if (more := (given > customers) & ~table.bad).any():
            notes.append(f"{int(more.sum())} records name more customers than their unit has: the unit's are counted")
    table.reject(customers > served, f"customers {{}} is more than the {served:g} served", "customers")
    return number, customers, names


def _left_out(table: Table, not_counted: frozenset[str], notes: list[str]) -> Mask:
    """Records whose cause does not count; `notes` says how many."""
    if "cause" not in table or not not_counted:
        return np.zeros(len(table.rows), dtype=np.bool_)
    causes = table.texts("cause")
    left_out = np.asarray(pc.is_in(causes, value_set=pa.array(sorted(not_counted))).to_numpy(zero_copy_only=False))
    for cause in pc.unique(causes.filter(pa.array(left_out))).to_pylist():
        count = pc.sum(pc.equal(causes, cause)).as_py()
        notes.append(f"{count} records with the cause {cause} are not counted (analytics/own_files/power_rules.toml)")
    return left_out


def _labels(table: Table) -> pa.Array:
    cause = table.texts("cause")
    return pc.if_else(pc.equal(cause, ""), table.texts("unit"), cause)


def _unknown_columns(table: Table) -> tuple[str, ...]:
    if not table.unknown:
        return ()
    return (f"{table.path.name}: columns not read: {', '.join(table.unknown)}",)


def _rows_given_twice(table: Table) -> tuple[str, ...]:
    columns = [table.texts(column) for column in ("start", *LEDGER_COLUMNS)]
    count = int(_repeats(pc.binary_join_element_wise(*columns, "\x1f")).sum())
    if not count:
        return ()
    return (f"{count} rows repeat an earlier one word for word: they count once where a unit is named, else each",)


def _repeats(names: pa.Array) -> Mask:
    """Elements that occurred before."""
    codes = np.asarray(names.dictionary_encode().indices, dtype=np.int64)
    first = np.zeros(len(codes), dtype=np.bool_)
    first[np.unique(codes, return_index=True)[1]] = True
    return ~first
