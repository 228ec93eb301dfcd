"""Recompute any span of days as (county, day) tasks on Dask, identical bit for bit to what the service computes.

Two rounds per county: what devices said on each day, then each day's numbers from its own and its neighbours'. Workers
read and compute; this process alone writes. A task that is done is noted with its result, so that a backfill that was
stopped goes on where it was.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any

from distributed import Client, as_completed

from analytics.kpi.compute import CountyDay, compute_day, hear_day, next_day, publish
from analytics.kpi.database import DeviceDay, Judgement, KpiDatabase
from analytics.kpi.model import CountyModel
from analytics.kpi.sources import Source
from ingest.days import day_bounds
from ingest.store import Store

TASKS_PER_THREAD = 3
"""Tasks under way per thread of a worker: enough to keep it busy, few enough to bound the memory."""


@dataclass(frozen=True)
class Span:
    """What to recompute."""

    from_day: str
    to_day: str
    """Local day after the last."""

    def days(self) -> list[str]:
        """Its local days."""
        days, day = [], self.from_day
        while day < self.to_day:
            days.append(day)
            day = next_day(day)
        return days

    def days_around(self) -> list[str]:
        """Its days and one on each side, whose words resolve silences across the span's edges."""
        return [_day_before(self.from_day), *self.days(), self.to_day]


@dataclass(frozen=True)
class Progress:
    """How far a backfill is."""

    done: int
    total: int
    written: int
    """Partial sums that differed from the store's."""


def backfill(
    client: Client,
    sources: Mapping[str, Source],
    models: Mapping[str, CountyModel],
    store: Store,
    database: KpiDatabase,
    span: Span,
    *,
    timezone: str,
    now_ms: int,
) -> Iterator[Progress]:
    """Recompute the span of all counties, yielding after each task; what is done is skipped when called again.

    Raises StoreError; a task's own error rises as it is.
    """
    judgements = database.judgements()
    total = sum(len(span.days_around()) + len(span.days()) for _ in models)
    done = written = 0
    for county, model in models.items():
        log = _Log(database, f"backfill {span.from_day} {span.to_day} {county}")
        shared = client.scatter(model, broadcast=True, hash=False)
        waiting = log.waiting("hear", span.days_around())
        done += len(span.days_around()) - len(waiting)
        hearing = ((_hear, sources[county], shared, day, timezone) for day in waiting)
        for day, heard in _bounded(client, hearing):
            database.save_days(heard)
            log.done("hear", day)
            done += 1
            yield Progress(done, total, written)
        waiting = log.waiting("compute", span.days())
        done += len(span.days()) - len(waiting)
        computing = (
            (
                _compute,
                sources[county],
                shared,
                database.days_around(model.device_names, day),
                judgements,
                day,
                timezone,
            )
            for day in waiting
        )
        for day, result in _bounded(client, computing):
            closed_ms = day_bounds(day, timezone)[1]
            why = f"backfill of {span.from_day} to {span.to_day}"
            written += publish(store, database, result, now_ms=now_ms, closed_ms=closed_ms, why=why)
            log.done("compute", day)
            done += 1
            yield Progress(done, total, written)


def forget_progress(database: KpiDatabase, span: Span, counties: Sequence[str]) -> None:
    """Let the next backfill of the span begin anew."""
    for county in counties:
        for day in span.days_around():
            for round_ in ("hear", "compute"):
                database.remember(
                    _Log(database, f"backfill {span.from_day} {span.to_day} {county}").name(round_, day), ""
                )


class _Log:
    """Which tasks of one backfill are done."""

    def __init__(self, database: KpiDatabase, prefix: str) -> None:
        self._database, self._prefix = database, prefix

    def name(self, round_: str, day: str) -> str:
        return f"{self._prefix} {round_} {day}"

    def waiting(self, round_: str, days: Sequence[str]) -> list[str]:
        return [day for day in days if not self._database.recall(self.name(round_, day))]

    def done(self, round_: str, day: str) -> None:
        self._database.remember(self.name(round_, day), "done")


def _hear(source: Source, model: CountyModel, day: str, timezone: str) -> tuple[str, list[DeviceDay]]:
    with source.opened() as reader:
        return day, hear_day(reader, model, model.device_names, day, timezone)


def _compute(
    source: Source,
    model: CountyModel,
    heard: Sequence[DeviceDay],
    judgements: Sequence[Judgement],
    day: str,
    timezone: str,
) -> tuple[str, CountyDay]:
    with source.opened() as reader:
        return day, compute_day(reader, model, heard, judgements, day, timezone, day_bounds(day, timezone)[1])


def _bounded(client: Client, calls: Iterator[tuple[Callable[..., Any], *tuple[Any, ...]]]) -> Iterator[Any]:
    """Results as they come, with a bounded number of tasks under way."""
    threads = sum(client.nthreads().values()) or 1
    running = as_completed([client.submit(*call, pure=False) for call in islice(calls, TASKS_PER_THREAD * threads)])
    for future in running:
        yield future.result()
        for call in islice(calls, 1):
            running.add(client.submit(*call, pure=False))


def _day_before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()
