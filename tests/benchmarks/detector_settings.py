"""How the detector's settings rank on forward time splits: `PYTHONPATH=tests python -m benchmarks.detector_settings`.

Names of settings as arguments move only those; all of them take some ten minutes on two idle cores.

For each split the labels before it choose, among neighbours of the shipped settings, the variant and the score at
which an event opens; what is printed beside it is how the choice and the shipped settings do on the rows after it,
whose labels chose nothing here. The detector itself never sees a label: it runs once per variant, from cold, over the
whole recording, and being causal it says of a row what it would have said then.

What was learned from labels, plainly: the shipped settings, `Rules.open_score` and `Rules.settle_rows` were picked
with the labels of this very season in sight, so the row `shipped` is optimistic on every part; only the rows `chosen`
are honest. Where the two agree the shipped settings lie on a plateau, which is all that one season can show.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from support.data import DATA

from analytics.detect_settings import Settings
from analytics.events import Rules, Watch
from analytics.scoring import DetectionScores, detection_scores
from analytics.series_files import Series, read_series

SPLITS = (1 / 3, 1 / 2, 2 / 3)
OPEN_SCORES = np.arange(6.0, 11.1, 0.25)
FALSE_PER_DAY = 0.15
"""Of the choosing part: half of what is permitted, as a season not seen is rougher."""
NEIGHBOURS: dict[str, tuple[object, ...]] = {
    "memory_rows": ((4.0, 8.0, 16.0, 32.0), (10.0, 20.0, 40.0, 80.0)),
    "gate": (3.5, 7.0),
    "reanchor_rows": (90.0, 360.0),
    "spread_rows": (600.0, 2400.0),
    "spread_cap": (3.0, 6.0),
    "step_share": (0.8, 1.5),
    "relation_rows": (1440.0, 10_080.0),
    "relation_clip": (2.5, 5.0),
    "relation_ridge": (0.5, 2.0),
    "strays_per_day": (2.0, 8.0),
    "tail_strays": (20.0, 60.0),
    "tail_cap": (1.5, 3.0),
    "excuse_score": (5.0, 8.0),
    "second_share": (0.15, 0.5),
}


@dataclass(frozen=True)
class Ranked:
    """One variant at one split, at the opening score that the rows before it like best."""

    name: str
    open_score: float
    before: DetectionScores
    after: DetectionScores

    @property
    def merit(self) -> tuple[bool, float]:
        """By the labels before the split: within the permitted false alarms, then F1."""
        return self.before.false_per_day <= FALSE_PER_DAY, self.before.f1


def variants(fields: Sequence[str]) -> Iterator[tuple[str, Settings]]:
    """The shipped settings, and each of some fields moved to either side."""
    yield "shipped", Settings()
    for field in fields:
        for value in NEIGHBOURS[field]:
            yield f"{field} {value}", replace(Settings(), **{field: value})


def season() -> Series:
    """The recorded season with its labels."""
    return read_series(DATA / "gecco2018_train.parquet", "EVENT")


def flags(settings: Settings) -> NDArray[np.bool_]:
    """Which rows lie in an event, shape (opening scores, rows)."""
    series = season()
    score = Watch(series.names, settings).run(series.values).score
    silent = np.isnan(series.values).all(axis=1)
    steps = list(zip(range(len(score)), score.tolist(), silent.tolist(), strict=True))
    watches = [Watch(series.names, settings, Rules(open_score=float(opens))) for opens in OPEN_SCORES]
    return np.array([[watch.judge(*step) for step in steps] for watch in watches])


def ranked(name: str, active: NDArray[np.bool_], series: Series, row: int, only: float | None = None) -> Ranked:
    """The variant at its best opening score before a row, or at a given one."""
    found = []
    for number, opens in enumerate(OPEN_SCORES.tolist()):
        if only is None or opens == only:
            parts = (slice(0, row), slice(row, None))
            before, after = (_scores(active[number, part], series, part) for part in parts)
            found.append(Ranked(name, opens, before, after))
    return max(found, key=lambda one: one.merit)


def main(fields: Sequence[str]) -> None:
    """Run the variants, and print a table per split with what was chosen on top."""
    unknown = [field for field in fields if field not in NEIGHBOURS]
    if unknown:
        sys.exit(f"no neighbours of a setting {unknown[0]}; there are: {', '.join(NEIGHBOURS)}")
    series, console = season(), Console()
    names, settings = zip(*variants(fields or list(NEIGHBOURS)), strict=True)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        active = dict(zip(names, pool.map(flags, settings), strict=True))
    for split in SPLITS:
        row = int(split * len(series.time_us))
        order = sorted((ranked(name, active[name], series, row) for name in names), key=lambda one: one.merit)[::-1]
        shipped = ranked("shipped as it is", active["shipped"], series, row, Rules().open_score)
        console.print(_table(split, [replace(order[0], name=f"chosen: {order[0].name}"), shipped, *order[1:]]))


def _scores(active: NDArray[np.bool_], series: Series, part: slice) -> DetectionScores:
    assert series.label is not None
    return detection_scores(active, series.label[part], series.time_s[part])


def _table(split: float, rows: list[Ranked]) -> Table:
    table = Table(title=f"labels before {split:.0%} of the season choose; what follows judges")
    for heading in ("variant", "opens at", "F1 before", "false/d before", "F1 after", "events after", "false/d after"):
        table.add_column(heading, justify="left" if heading == "variant" else "right")
    for one in rows:
        after = one.after
        events = f"{after.events_found}/{after.events}"
        before = (f"{one.before.f1:.3f}", f"{one.before.false_per_day:.2f}")
        table.add_row(one.name, f"{one.open_score:g}", *before, f"{after.f1:.3f}", events, f"{after.false_per_day:.2f}")
    return table


if __name__ == "__main__":
    main(sys.argv[1:])
