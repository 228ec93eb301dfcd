"""Do files grow without end? Their sizes, sampled through a long run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MIB = 2.0**20
ROOM_SHARE, ROOM_MIB = 1.25, 1.0
"""A bounded file's largest size in the last third may exceed that in the middle third by so much."""


@dataclass(frozen=True)
class Files:
    """One kind of file."""

    pattern: str
    """Below the run's folder."""
    limit_mib: float | None = None
    """What one of them may take, where the product sets a limit that a run is too short to reach."""


@dataclass(frozen=True)
class Size:
    """The sizes of one kind of file through a run; of several files their sum. [MiB]"""

    kind: str
    middle_mib: float
    """The most in the middle third."""
    last_mib: float
    """The most in the last third."""
    largest_mib: float
    """The most that any one of them took."""
    limit_mib: float | None

    @property
    def is_bounded(self) -> bool:
        """Whether each kept its limit; without one, whether they had reached their size before the last third."""
        if self.limit_mib is not None:
            return self.largest_mib <= self.limit_mib
        return self.last_mib <= self.middle_mib * ROOM_SHARE + ROOM_MIB


class FileWatch:
    """Samples of every kind of file of a run."""

    def __init__(self, folder: Path, kinds: Mapping[str, Files]) -> None:
        """`kinds` names each kind of file below `folder`."""
        self._folder = folder
        self._kinds = kinds
        self._taken: dict[str, list[list[float]]] = {kind: [] for kind in kinds}

    def look(self) -> None:
        """Take a sample."""
        for kind, files in self._kinds.items():
            self._taken[kind].append([_size_mib(path) for path in self._folder.glob(files.pattern)])

    def sizes(self) -> list[Size]:
        """Return what each kind did."""
        return [_size(kind, files, self._taken[kind]) for kind, files in self._kinds.items()]


def _size_mib(path: Path) -> float:
    try:
        return path.stat().st_size / MIB
    except FileNotFoundError:  # a -wal that has just gone
        return 0.0


def _size(kind: str, files: Files, taken: list[list[float]]) -> Size:
    sums = [sum(sizes) for sizes in taken]
    third = max(len(sums) // 3, 1)
    return Size(
        kind,
        middle_mib=max(sums[third : 2 * third] or sums),
        last_mib=max(sums[-third:]),
        largest_mib=max((size for sizes in taken for size in sizes), default=0.0),
        limit_mib=files.limit_mib,
    )
