"""Power: a day of minutes counted and a large ledger summed up, beside NumPy's own sum and three table engines."""

import importlib
import time
from collections.abc import Callable, Iterable
from types import ModuleType

import numpy as np
from benchmarks.table import Row

from analytics.dlt836 import dlt836
from analytics.ieee1366 import ieee1366
from analytics.interruptions import ledger_columns, merge_ledger
from analytics.voltage import Limits, count_minutes, count_states, minute_states

POINTS, MINUTES = 10_000, 1440
D_POINT = Limits(198.0, 235.4, assess_lo=154.0, assess_hi=264.0, dead_below=11.0)
INTERRUPTIONS, UNITS, YEAR_H = 1_000_000, 100_000, 8760
HOUR_MS = 3_600_000


def measure() -> list[Row]:
    """Ratios to one `np.sum` over the same array, and a ledger of a million interruptions against two seconds."""
    return [*_minutes("a plain day", plain_day()), *_minutes("every row mixed", mixed_day(), peers=False), *_ledger()]


def plain_day() -> np.ndarray:
    """As a county's day is: one point in twenty misses 90 min, one in fifty is out for 100, few leave the limits."""
    rng = np.random.default_rng(1)
    day = rng.normal(222.0, 4.0, (POINTS, MINUTES)).astype(np.float32)
    day[rng.random(POINTS) < 0.05, 300:390] = np.nan
    day[rng.random(POINTS) < 0.02, 600:700] = 0.0
    return day


def mixed_day() -> np.ndarray:
    """The worst case: every state in every row."""
    rng = np.random.default_rng(2)
    day = rng.normal(220.0, 12.0, (POINTS, MINUTES)).astype(np.float32)
    day[rng.random(day.shape) < 0.03] = np.nan
    day[rng.random(day.shape) < 0.01] = 0.0
    day[rng.random(day.shape) < 0.01] = 150.0
    return day


def _minutes(name: str, day: np.ndarray, *, peers: bool = True) -> Iterable[Row]:
    """Our ways and the engines', each as a multiple of the sum; interleaved, so that a busy machine hits all alike."""
    ways: dict[str, Callable[[], object]] = {
        "NumPy sum": lambda: day.sum(),
        "counting, one thread": lambda: count_minutes(day, D_POINT),
        "counting, two threads": lambda: count_minutes(day, D_POINT, workers=2),
    }
    found = best_of(ways, 40)
    slower: dict[str, Callable[[], object]] = {
        "classifying, then counting": lambda: count_states(minute_states(day, D_POINT)),
    }
    if peers:
        slower |= {engine: work for engine, load in ENGINES.items() for work in [load(day)] if work is not None}
    found |= best_of(slower, 3)
    base = found.pop("NumPy sum")
    yield Row(f"np.sum of 10 000 points x 1 day, {name}", 1000 * base, "ms")
    for way, seconds in found.items():
        limit = "limit 3" if way.startswith("counting") else f"{1000 * seconds:.0f} ms"
        yield Row(f"  {way}", seconds / base, "x np.sum", limit)


def _ledger() -> Iterable[Row]:
    rng = np.random.default_rng(3)
    start = rng.integers(0, YEAR_H * HOUR_MS, INTERRUPTIONS)
    length = (rng.exponential(2 * HOUR_MS, INTERRUPTIONS)).astype(np.int64) + 1000
    ledger = ledger_columns(
        rng.integers(0, UNITS, INTERRUPTIONS), start, start + length, nature=rng.integers(0, 3, INTERRUPTIONS)
    )

    def indices() -> object:
        merged = merge_ledger(ledger)
        year = {"start_ms": 0, "end_ms": YEAR_H * HOUR_MS}
        return dlt836(merged, n_eq=UNITS, **year), ieee1366(merged, customers_served=UNITS, **year)

    seconds = best_of({"ledger": indices}, 3)["ledger"]
    yield Row("10^6 interruptions of 10^5 units: merged, DL/T 836 and IEEE 1366", seconds, "s", "limit 2")


def best_of(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The shortest time of each way. [s]"""
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds):
        for name, work in ways.items():
            began = time.perf_counter()
            work()
            best[name] = min(best[name], time.perf_counter() - began)
    return best


def _engine(name: str) -> ModuleType | None:
    """An engine to compare with, where it is installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return None


def _with_pandas(day: np.ndarray) -> Callable[[], object] | None:
    pandas = _engine("pandas")
    if pandas is None:
        return None
    frame = pandas.DataFrame({"point": np.repeat(np.arange(POINTS), MINUTES), "v": day.ravel()})

    def work() -> object:
        v = frame["v"]
        dead, off = v < 11, (v < 154) | (v > 264)
        over, under, missing = (v > 235.4) & ~off, (v < 198) & ~off, v.isna()
        columns = {"dead": dead, "off": off & ~dead, "over": over, "under": under, "missing": missing}
        return pandas.DataFrame(columns).groupby(frame["point"]).sum()

    return work


def _with_polars(day: np.ndarray) -> Callable[[], object] | None:
    polars = _engine("polars")
    if polars is None:
        return None
    frame = polars.DataFrame({"point": np.repeat(np.arange(POINTS), MINUTES), "v": day.ravel()})
    v, some = polars.col("v"), polars.col("v").is_not_nan()
    states = {
        "dead": some & (v < 11),
        "off": some & (v >= 11) & (v < 154) | some & (v > 264),
        "over": some & (v > 235.4) & (v <= 264),
        "under": some & (v < 198) & (v >= 154),
        "missing": ~some,
    }
    counts = [state.sum().alias(name) for name, state in states.items()]
    return lambda: frame.lazy().group_by("point").agg(counts).collect()


def _with_duckdb(day: np.ndarray) -> Callable[[], object] | None:
    duckdb = _engine("duckdb")
    if duckdb is None:
        return None
    connection = duckdb.connect()
    columns = {"point": np.repeat(np.arange(POINTS), MINUTES), "v": day.ravel()}
    connection.register("arrays", columns)
    connection.execute("create table readings as select * from arrays")
    query = """
        select point, count(*) filter (v < 11) as dead,
            count(*) filter (v >= 11 and v < 154 or v > 264 and not isnan(v)) as off,
            count(*) filter (v > 235.4 and v <= 264) as over, count(*) filter (v < 198 and v >= 154) as under,
            count(*) filter (isnan(v)) as missing
        from readings group by point
    """
    return lambda: connection.execute(query).fetchnumpy()


ENGINES = {"pandas": _with_pandas, "polars": _with_polars, "DuckDB": _with_duckdb}
