"""What InfluxDB holds as files of line protocol: exported through our own reader, filled back piece by piece.

An export goes on where it was cut: each part is whole or absent, and the list of points and the time at which the
export began stand beside the parts. What came in since then may be missing in a part; the restored journal replays it.
"""

import gzip
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec

from ingest.influx_link import InfluxLink, LinesRefused
from ingest.keeping.files import Progress
from ingest.keeping.manifest import StoreLines
from ingest.lines import line_heads, partial_lines, reading_lines
from ingest.store import Store, StoreRefused

LINES_FOLDER = "store-lines"
POINTS_PER_PART = 100
LINES_PER_REQUEST = 5_000
GZIP_LEVEL = 1
OLDEST_MS = 24 * 3_600_000
"""An export that was begun longer ago starts anew: the journal must still hold what came in since. [ms]"""
FIRST_DAY, LAST_DAY = "1970-01-01", "2200-01-01"
END_MS = 2**42


@dataclass(frozen=True)
class _Begun:
    at_ms: int
    points: tuple[str, ...]


class LinesExport:
    """The parts of one backup's export, beside the backup."""

    def __init__(self, target: Path) -> None:
        self._folder = target.with_name(f".{target.name}.lines")

    def begin(self, store: Store, now_ms: int) -> int:
        """Begin, or go on with what was begun; return when that was. [ms since 1970-01-01T00:00Z]"""
        begun = self._begun()
        if begun is None or now_ms - begun.at_ms > OLDEST_MS:
            self.forget()
            self._folder.mkdir(mode=0o700)
            begun = _Begun(now_ms, tuple(store.points()))
            (self._folder / "begun.json").write_bytes(msgspec.json.encode(begun))
        return begun.at_ms

    def run(self, store: Store, progress: Progress) -> StoreLines:
        """Write the parts that are not there yet; return how many lines all of them hold."""
        begun = self._begun()
        assert begun is not None, "an export begins before it runs"
        for first in range(0, len(begun.points), POINTS_PER_PART):
            progress("exporting readings", first / len(begun.points))
            self._part(f"readings-{first:08}", _readings(store, begun.points[first : first + POINTS_PER_PART]))
        self._part("numbers", _numbers(store))
        return lines_in(self._folder)

    def parts(self) -> tuple[Path, ...]:
        """Return the parts, named `<what>.<lines>.lp.gz`."""
        return tuple(sorted(self._folder.glob("*.lp.gz")))

    def forget(self) -> None:
        """Remove every part: the backup holds them, or they are of no use any more."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _begun(self) -> _Begun | None:
        path = self._folder / "begun.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=_Begun)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    def _part(self, what: str, lines: Iterator[tuple[memoryview, int]]) -> None:
        if list(self._folder.glob(f"{what}.*.lp.gz")):
            return
        unfinished, total = self._folder / what, 0
        with gzip.open(unfinished, "wb", compresslevel=GZIP_LEVEL) as part:
            for text, count in lines:
                part.write(text)
                total += count
        unfinished.replace(self._folder / f"{what}.{total}.lp.gz")


def lines_in(folder: Path) -> StoreLines:
    """Return how many lines the parts in a folder hold, as their names say."""
    counts = {path.name: int(path.name.split(".")[1]) for path in folder.glob("*.lp.gz")}
    numbers = sum(lines for name, lines in counts.items() if name.startswith("numbers"))
    return StoreLines(sum(counts.values()) - numbers, numbers)


def fill(link: InfluxLink, folder: Path, progress: Progress) -> int:
    """Write every part in `folder` to the store; return how many lines. Writing them again changes nothing."""
    written, parts = 0, sorted(folder.glob("*.lp.gz"))
    for number, path in enumerate(parts):
        progress(f"filling from {path.name}", number / len(parts))
        with gzip.open(path, "rb") as part:
            while lines := list(islice(part, LINES_PER_REQUEST)):
                _write(link, path, b"".join(lines))
                written += len(lines)
    return written


def _write(link: InfluxLink, path: Path, text: bytes) -> None:
    try:
        link.write(memoryview(text))
    except LinesRefused as refused:
        raise StoreRefused(f"{path}: the store does not take these lines: {refused}. Fill an empty bucket") from refused


def _readings(store: Store, points: Sequence[str]) -> Iterator[tuple[memoryview, int]]:
    heads = line_heads(points)
    for rows in store.stream(points, 0, END_MS):
        lines = reading_lines(rows, heads)
        yield lines.text(0, len(lines)), len(lines)


def _numbers(store: Store) -> Iterator[tuple[memoryview, int]]:
    for kpi in store.kpis():
        lines = partial_lines(store.read_kpi(kpi, FIRST_DAY, LAST_DAY))
        yield lines.text(0, len(lines)), len(lines)
