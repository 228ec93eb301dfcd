"""Old readings out of the store into files, and out of the store only when they stand verified in a file.

Killed at any line it loses nothing: a file counts when it was read back and described, a day is deleted row by row as
it stands in such files, and a row that has changed or arrived since stays and goes into the next part of its day.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.columns import take
from ingest.config import Retention
from ingest.days import DAY_MS, day_bounds, day_numbers, day_text
from ingest.keeping.day_file import Part, check_part, parts_of, read_part, write_part
from ingest.keeping.files import Progress
from ingest.register import Register
from ingest.store import Columns, Store

UNREGISTERED = "unregistered"
"""County of points that no register names."""
COMPLETE = ".complete"
"""Folder of one empty file per day that was written for every county."""


@dataclass(frozen=True)
class Archived:
    """What one run did."""

    days: int
    """Written now."""
    files: int
    rows: int
    pruned: int
    """Readings that left the store."""
    upto_day: str
    """Every day before this one stands in the archive: an InfluxDB bucket may forget them. Empty if none is due."""


class Archive:
    """The folder of the archive, filled from a store."""

    def __init__(self, folder: Path, store: Store, counties: Mapping[str, Sequence[str]], timezone: str) -> None:
        self._folder, self._store, self._counties, self._timezone = folder, store, counties, timezone

    def run(self, retention: Retention, now_ms: int, progress: Progress) -> Archived:
        """Write what is due, then prune what is due. Raises StoreDown, StoreRefused."""
        parts, days, pruned = list[Part](), 0, 0
        due = list(self._days_before(now_ms, retention.archive_after_days))
        for number, day in enumerate(due):
            progress(f"archiving {day}", number / len(due))
            if not (self._folder / COMPLETE / day).exists():
                parts += self._write(day, now_ms)
                days += 1
        for day in self._days_before(now_ms, retention.prune_after_days):
            progress(f"pruning {day}", 0.5)
            parts += self._write(day, now_ms)
            pruned += self._prune(day)
        upto = (date.fromisoformat(due[-1]) + timedelta(days=1)).isoformat() if due else ""
        return Archived(days, len(parts), sum(part.rows for part in parts), pruned, upto)

    def _days_before(self, now_ms: int, after_days: float | None) -> Iterator[str]:
        """Local days that ended so long ago and may have readings, the oldest first."""
        first_ms = self._store.first_hour_ms()
        if after_days is None or first_ms is None:
            return
        edges = np.array([first_ms, now_ms - int(after_days * DAY_MS)], np.int64)
        first, end = day_numbers(edges, self._timezone).tolist()
        yield from map(day_text, range(first, end))

    def _write(self, day: str, now_ms: int) -> list[Part]:
        """Write what of a day stands in no file yet."""
        start_ms, end_ms = day_bounds(day, self._timezone)
        made = []
        for county, points in self._counties.items():
            folder = self._folder / county
            pieces = self._store.stream(points, start_ms, end_ms)
            known = parts_of(folder, day)
            part = write_part(folder, day, _unknown(pieces, folder, known) if known else pieces, now_ms)
            made += [part] if part else []
        complete = self._folder / COMPLETE
        complete.mkdir(parents=True, exist_ok=True)
        (complete / day).touch()
        return made

    def _prune(self, day: str) -> int:
        """Delete from the store what stands in the day's files, after each file was found as it was written."""
        gone = 0
        for folder in sorted(path for path in self._folder.iterdir() if path.is_dir()):
            for part in parts_of(folder, day):
                check_part(folder, part)
                gone += sum(self._store.forget(rows) for rows in read_part(folder / part.file))
        return gone


def counties_of(register: Register, points: Sequence[str]) -> dict[str, list[str]]:
    """Return county (a banner's code) → its points; those that no register names stand under `UNREGISTERED`."""
    found = defaultdict[str, list[str]](list)
    for point in points:
        found[_county(register, point)].append(point)
    return dict(sorted(found.items()))


def _county(register: Register, point: str) -> str:
    entry = register.points.get(point)
    stays = register.assets.get(entry.asset, ()) if entry else ()
    code: str | None = stays[-1].region if stays else None
    while code is not None and code in register.regions:
        region = register.regions[code]
        if region.level == "banner" or region.parent is None:
            return region.code
        code = region.parent
    return UNREGISTERED


def _unknown(pieces: Iterator[Columns], folder: Path, parts: Sequence[Part]) -> Iterator[Columns]:
    """Leave out what stands in a file with the same value and quality."""
    known = defaultdict[str, list[Columns]](list)
    for part in parts:
        for rows in read_part(folder / part.file):
            for number in np.unique(rows.index).tolist():
                known[rows.points[number]].append(take(rows, rows.index == number))
    for piece in pieces:
        point = piece.points[piece.index[0]]
        new = np.ones(len(piece), bool)
        for rows in known[point]:
            new &= ~_same(piece, rows)
        yield take(piece, new)


def _same(piece: Columns, rows: Columns) -> NDArray[np.bool_]:
    """Per row of a piece whether it stands among `rows`, both of one point and in time order."""
    place = np.minimum(np.searchsorted(rows.t_ms, piece.t_ms), len(rows) - 1)
    value, other = piece.value, rows.value[place]
    same_value = (value == other) | (np.isnan(value) & np.isnan(other))
    return np.asarray((rows.t_ms[place] == piece.t_ms) & same_value & (rows.quality[place] == piece.quality))
