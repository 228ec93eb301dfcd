"""Voltage readings, outages and monitoring points from the user's own files."""

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from analytics.own_files.tables import Mask, Rejection, Table, read_table
from edge.errors import BadInput

GOOD = ("", "0", "0.0", "192", "good", "ok", "true")
"""Words of a quality column for a reading that can be used."""
CLASSES = ("", "A", "B", "C", "D")


@dataclass(frozen=True)
class Series:
    """The readings of one phase of one point, in the order in which they were received."""

    point: str
    phase: str
    rows: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    voltage_v: NDArray[np.float64]
    """NaN where the reading is flagged or empty. [V]"""


@dataclass(frozen=True)
class Readings:
    """A file of readings."""

    series: tuple[Series, ...]
    rejected: tuple[Rejection, ...]
    notes: tuple[str, ...]
    has_points: bool


@dataclass(frozen=True)
class Outages:
    """Outages of points. Those without a point concern all, and readings without a point concern all outages."""

    point: tuple[str, ...]
    from_ms: NDArray[np.int64]
    to_ms: NDArray[np.int64]
    rejected: tuple[Rejection, ...]

    def of(self, point: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Begin and end of the outages of a point."""
        which = np.array([not point or name in ("", point) for name in self.point], dtype=np.bool_)
        return self.from_ms[which], self.to_ms[which]


@dataclass(frozen=True)
class MonitoringPoint:
    """What `points.csv` says of a point."""

    name: str
    voltage_class: str
    limits: str
    nominal: float


def read_readings(path: Path, local: ZoneInfo) -> Readings:
    """Read `time`, `voltage_v`, and where given `point`, `phase` and `quality`; times without an offset are `local`."""
    table = read_table(path, needed=["time", "voltage_v"], known=["point", "phase", "quality"])
    if not len(table.rows):
        raise BadInput(f"{path}: there are no readings in it")
    time = table.instants("time", local)
    volts = table.numbers("voltage_v")
    flagged = _flagged(table)
    volts[flagged] = np.nan
    keys = pc.binary_join_element_wise(table.texts("point"), table.texts("phase"), "\x1f").dictionary_encode()
    codes = np.asarray(keys.indices, dtype=np.int64)
    order = np.flatnonzero(~table.bad)
    order = order[np.argsort(codes[order], kind="stable")]
    starts = np.searchsorted(codes[order], np.arange(len(keys.dictionary) + 1))
    series = []
    for code, key in enumerate(keys.dictionary.to_pylist()):
        part = order[starts[code] : starts[code + 1]]
        point, phase = key.split("\x1f")
        series.append(Series(point, phase, table.rows[part], time[part], volts[part]))
    notes = [f"{path.name}: columns not read: {', '.join(table.unknown)}"] if table.unknown else []
    if flagged.any():
        notes.append(f"{path.name}: {int(flagged.sum())} readings are flagged by their quality and not used")
    return Readings(tuple(series), tuple(table.rejected), tuple(notes), "point" in table)


def read_outages(path: Path, local: ZoneInfo, *, open_until_ms: int) -> Outages:
    """Read `start`, `end` and where given `unit` (the point); an outage without an end lasts until `open_until_ms`.

    A record that allowed a share of the demand is none: there was voltage.
    """
    table = read_table(path, needed=["start"], known=["end", "unit", "customers", "nature", "cause", "allowed"])
    begin = table.instants("start", local)
    empty = table.is_empty("end")
    end = table.instants("end", local, empty_ms=open_until_ms)
    table.reject((end <= begin) & ~empty & ~table.bad, "ends before it starts, or has no duration")
    good = (table.numbers("allowed", 0.0) == 0.0) & ~table.bad & (end > begin)
    names = tuple(table.texts("unit").filter(pa.array(good)).to_pylist())
    rejected = tuple(Rejection(r.row, f"{path.name}: {r.reason}") for r in table.rejected)
    return Outages(names, begin[good], end[good], rejected)


def read_points(path: Path) -> dict[str, MonitoringPoint]:
    """Read `point`, `class` and where given `limits` and `nominal`; a wrong row is refused."""
    table = read_table(path, needed=["point", "class"], known=["limits", "nominal", "asset"])
    names, classes = table.texts("point").to_pylist(), pc.utf8_upper(table.texts("class")).to_pylist()
    limits, nominal = table.texts("limits").to_pylist(), table.numbers("nominal").tolist()
    for row, voltage_class in zip(table.rows, classes, strict=True):
        if voltage_class not in CLASSES:
            raise BadInput(f"{path}: row {row}: class {voltage_class!r} is not A, B, C, D or empty")
    if table.rejected:
        raise BadInput(f"{path}: row {table.rejected[0].row}: {table.rejected[0].reason}")
    return {p.name: p for p in map(MonitoringPoint, names, classes, limits, nominal)}


def _flagged(table: Table) -> Mask:
    """Readings whose quality is not good."""
    if "quality" not in table:
        return np.zeros(len(table.rows), dtype=np.bool_)
    words = pc.utf8_lower(table.texts("quality"))
    return ~np.asarray(pc.is_in(words, value_set=pa.array(GOOD)).to_numpy(zero_copy_only=False), dtype=np.bool_)
