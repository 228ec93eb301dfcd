"""A centre for a tiny county: its register, a store, and readings that may come in any order."""

from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from support.tiny_county import TinyCounty

from analytics.kpi.database import KpiDatabase
from analytics.kpi.service import KpiService
from analytics.topology import KIND_NAMES
from ingest.changes import Changes
from ingest.columns import empty, join
from ingest.days import day_bounds, day_numbers, day_text
from ingest.register import Asset, Plan, PointEntry, Region, Register
from ingest.store import Columns, Partial, Store
from ingest.store_sqlite import SqliteStore

ZONE = "Asia/Shanghai"
FIRST_DAY = "2026-06-01"
START_MS = day_bounds(FIRST_DAY, ZONE)[0]
NOMINAL_V = 220.0
QUANTITIES = {
    "voltage_v": ("voltage_pu", 1 / NOMINAL_V),
    "power_fail_count": ("fail_count", 1.0),
    "powered_time_h": ("powered_ms", 3_600_000.0),
    "last_power_fail_start_s": ("fail_start_ms", 1000.0),
    "last_power_fail_end_s": ("fail_end_ms", 1000.0),
}


def tiny_register(county: TinyCounty, plans: tuple[Plan, ...] = ()) -> Register:
    """The county as people would keep it: assets a0, a1, … in one banner, one meter m1, m2, … at each but a0."""
    top = county.topology
    parent = [None if p < 0 else f"a{p}" for p in top.parent]
    kinds = [KIND_NAMES[kind] for kind in top.kind]
    assets = {
        f"a{i}": (
            Asset(f"a{i}", kinds[i], "", "", "150101", parent[i], int(top.customers[i]), "mv", 100.0, None, None),
        )
        for i in range(top.assets)
    }
    regions = {
        "1501": Region("1501", "Qingshui", "清水旗", "banner", None),
        "150101": Region("150101", "East", "东", "gacha", "1501"),
    }
    points = {
        f"site/m{d + 1}.{name}": PointEntry(
            f"site/m{d + 1}.{name}",
            f"a{d + 1}",
            "D" if name == "voltage_v" else "",
            "gb12325-220" if name == "voltage_v" else "",
            NOMINAL_V if name == "voltage_v" else None,
        )
        for d in range(len(county.meters))
        for name in QUANTITIES
    }
    return Register(regions, assets, points, plans)


def name_is_instant(column: str) -> bool:
    """Whether a column counts from the county's first instant."""
    return column in ("fail_start_ms", "fail_end_ms")


def tiny_columns(county: TinyCounty, heard: NDArray[np.bool_]) -> Columns:
    """The readings that get through, as the store keeps them."""
    readings = county.readings(heard)
    names = tuple(f"site/m{d + 1}.{name}" for d in range(len(county.meters)) for name in QUANTITIES)
    parts = []
    for place, (column, unit) in enumerate(QUANTITIES.values()):
        shift_ms = START_MS if name_is_instant(column) else 0
        values = (getattr(readings, column) + shift_ms) / unit
        known = np.isfinite(values)
        parts.append(
            Columns(
                names,
                (readings.device[known] * len(QUANTITIES) + place).astype(np.int32),
                readings.t_ms[known] + START_MS,
                values[known],
                np.zeros(int(known.sum()), np.uint8),
            )
        )
    return join(parts, names) if parts else empty(names)


class TinyCentre:
    """Store, marks and database in a folder, and a service that may be thrown away and made again."""

    def __init__(self, folder: Path, register: Register, closing_stack: ExitStack) -> None:
        self.register = register
        self.store = closing_stack.enter_context(closing(SqliteStore(folder / "store.db")))
        self.changes = closing_stack.enter_context(closing(Changes(folder / "changes.db")))
        self.database = closing_stack.enter_context(closing(KpiDatabase(folder / "kpi.db")))

    def arrive(self, rows: Columns) -> None:
        """Keep the rows and mark their days, as the store writer does."""
        self.store.append(rows)
        days = day_numbers(rows.t_ms, ZONE)
        pairs = {(rows.points[i], day_text(int(d))) for i, d in zip(rows.index, days, strict=True)}
        self.changes.mark(sorted(pairs))

    def service(self, store: Store | None = None) -> KpiService:
        """A service that has just started."""
        return KpiService(store or self.store, self.changes, self.database, self.register, ZONE)

    def supply(self) -> list[Partial]:
        """All supply partials."""
        return self.store.read_kpi("supply", "2026-01-01", "2027-01-01")
