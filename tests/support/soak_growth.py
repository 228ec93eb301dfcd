"""Does a process grow? Its resident memory, sampled through a long run, and a straight line through what is settled.

A process that was killed has several lives. Each process is judged by its longest one, after a warm-up: caches fill,
numpy and SQLite take their buffers once. Processes of one kind share one slope, each with a level of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import psutil

from simulators.cast import Program

MIB = 2.0**20
WARM_UP_SHARE, LONGEST_WARM_UP_S = 1 / 3, 300.0
"""So much of a life is warm-up, and never more than that."""
FLAT_SHARE, FLAT_MIB = 0.05, 2.0
"""Growth from warm-up to end that is no growth: so much of the memory, or so much in all."""


@dataclass(frozen=True)
class Sample:
    """A process at one instant."""

    at_s: float
    rss_mib: float
    cpu_s: float
    """User and system time since the process began."""


Life = Sequence[Sample]


@dataclass(frozen=True)
class Growth:
    """What the memory of one kind of process did. Means over its processes."""

    kind: str
    processes: int
    first_mib: float
    """When warm."""
    last_mib: float
    most_mib: float
    """The largest sample of all lives."""
    slope_mib_h: float
    window_s: float
    """Of the longest fit."""
    cpu_percent: float
    """Of one core, all processes of the kind together, from the first to the last sample of each life."""

    @property
    def is_flat(self) -> bool:
        """Whether what the line rises in the window is within the noise of a process at work."""
        return self.slope_mib_h * self.window_s / 3600 <= max(FLAT_SHARE * self.first_mib, FLAT_MIB)


class Watch:
    """Samples of every process of a run."""

    def __init__(self, kinds: Mapping[str, str]) -> None:
        """`kinds` gives each program's kind by its name."""
        self._kinds = kinds
        self._lives: dict[tuple[str, int], list[Sample]] = {}

    def look(self, programs: Mapping[str, Program], now_s: float) -> None:
        """Take a sample of whoever runs."""
        for name, program in programs.items():
            pid = program.pid
            if pid is None:
                continue
            try:
                process = psutil.Process(pid)
                memory, cpu = process.memory_info(), process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            self._lives.setdefault((name, pid), []).append(Sample(now_s, memory.rss / MIB, cpu.user + cpu.system))

    def growths(self) -> list[Growth]:
        """Return what each kind did, in the order in which the kinds were first seen."""
        lives: dict[str, dict[str, list[Life]]] = {}
        for (name, _), life in self._lives.items():
            lives.setdefault(self._kinds[name], {}).setdefault(name, []).append(life)
        return [growth(kind, list(processes.values())) for kind, processes in lives.items()]


def growth(kind: str, processes: Sequence[Sequence[Life]]) -> Growth:
    """Return the growth of one kind: per process its lives."""
    longest = [max(lives, key=_length_s) for lives in processes]
    settled = [_settled(life) for life in longest if _length_s(life) >= max(map(_length_s, longest)) / 2]
    every = [life for lives in processes for life in lives]
    at_work_s = max(life[-1].at_s for life in every) - min(life[0].at_s for life in every)
    return Growth(
        kind,
        len(processes),
        first_mib=float(np.mean([life[0].rss_mib for life in settled])),
        last_mib=float(np.mean([life[-1].rss_mib for life in settled])),
        most_mib=max(sample.rss_mib for life in every for sample in life),
        slope_mib_h=_slope_mib_h(settled),
        window_s=max(map(_length_s, settled)),
        cpu_percent=sum(life[-1].cpu_s - life[0].cpu_s for life in every) / max(at_work_s, 1.0) * 100,
    )


def _settled(life: Life) -> Life:
    """The life after its warm-up."""
    warm_s = life[0].at_s + min(_length_s(life) * WARM_UP_SHARE, LONGEST_WARM_UP_S)
    return [sample for sample in life if sample.at_s >= warm_s]


def _slope_mib_h(lives: Sequence[Life]) -> float:
    """Least squares with one slope for all and one level for each."""
    times = [np.array([sample.at_s for sample in life]) / 3600 for life in lives]
    sizes = [np.array([sample.rss_mib for sample in life]) for life in lives]
    away_h = np.concatenate([time - time.mean() for time in times])
    above_mib = np.concatenate([size - size.mean() for size in sizes])
    spread = float(away_h @ away_h)
    return float(away_h @ above_mib) / spread if spread else 0.0


def _length_s(life: Life) -> float:
    return life[-1].at_s - life[0].at_s
