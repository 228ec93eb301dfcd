"""A county of 200 gateways in the long run: memory flat, files bounded, nothing lost, faults throughout.

`make soak` runs it for 30 minutes, or for STEPPE_SOAK_MIN minutes; `make test` runs a few sites for half a minute, so
that the stage itself stays whole. The store has a past when a run begins, so that its caches fill at once; growth is
judged in runs of 20 minutes and more. `support.soak` says who shares a process with whom, and why.
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.soak import Outcome, run_soak
from support.soak_growth import Sample, growth

SITES = 200
MINUTES = float(os.environ.get("STEPPE_SOAK_MIN", "30"))
POLL_EVERY_S = 30.0
JUDGED_FROM_MIN = 20.0
FEW_SITES, FEW_S, OFTEN_S = 12, 30.0, 6.0
STORE_BYTES_PER_READING = 64.0
"""More than a stored reading takes in the SQLite store with its indices, before anything is packed."""
MIB = 2.0**20


def line(*samples: tuple[float, float]) -> list[Sample]:
    """A life of (minute, MiB)."""
    return [Sample(minute * 60, rss_mib, 0.0) for minute, rss_mib in samples]


def test_growth_is_a_slope_after_the_warm_up() -> None:
    """In 30 min: 20 MiB are taken in the first ten, then 1 MiB in each ten minutes."""
    one = growth("any", [[line((0, 10), (10, 30), (20, 31), (30, 32))]])
    assert one.slope_mib_h == pytest.approx(6.0)
    assert (one.first_mib, one.last_mib) == (30, 32)
    assert one.is_flat  # 2 MiB are within the noise


def test_a_process_that_leaks_is_not_flat_whatever_its_neighbours_weigh() -> None:
    small, big = line((0, 10), (10, 30), (30, 50)), line((0, 10), (10, 80), (30, 100))
    one = growth("any", [[small], [big]])
    assert one.slope_mib_h == pytest.approx(60.0)
    assert not one.is_flat


def test_a_process_is_judged_by_its_longest_life() -> None:
    killed_early = line((0, 10), (1, 90))
    one = growth("any", [[killed_early, line((2, 10), (12, 40), (32, 40))]])
    assert (one.slope_mib_h, one.most_mib) == (0.0, 90)


@pytest.mark.road
@pytest.mark.timeout(600)
def test_a_few_sites_for_half_a_minute_lose_nothing(tmp_path: Path) -> None:
    outcome = asyncio.run(run_soak(tmp_path, FEW_SITES, FEW_S, OFTEN_S, seed=1))
    print("\n".join(table(outcome)))
    assert_delivered(outcome)


@pytest.mark.road
@pytest.mark.soak
@pytest.mark.timeout(MINUTES * 60 + 1800)
def test_a_county_at_work_grows_in_nothing_and_loses_nothing(tmp_path: Path) -> None:
    outcome = asyncio.run(run_soak(tmp_path, SITES, MINUTES * 60, POLL_EVERY_S, seed=8))
    print("\n".join(table(outcome)))
    assert_delivered(outcome)
    store, *others = sorted(outcome.sizes, key=lambda size: size.kind != "store")
    assert store.last_mib * MIB / (outcome.history + outcome.findings.stored) < STORE_BYTES_PER_READING
    assert [size.kind for size in others if not size.is_bounded] == []
    if MINUTES >= JUDGED_FROM_MIN:
        assert [one.kind for one in outcome.growths if not one.is_flat] == []


def assert_delivered(outcome: Outcome) -> None:
    """Nothing lost or doubled, nobody fell over, and there was something to lose."""
    assert outcome.findings.ok, outcome.findings
    assert outcome.crashes == ()
    assert outcome.findings.sealed > outcome.expected / 2
    assert outcome.pages > 0


def table(outcome: Outcome) -> Iterator[str]:
    """Return the run in figures, line by line."""
    faults = ", ".join(f"{count} {verb}" for verb, count in sorted(outcome.faults.items()))
    yield f"\n{outcome.stack}, {outcome.seconds / 60:.1f} min of faults: {faults}; console pages {outcome.pages}"
    yield "process            n  RSS warm    last    most  MiB    slope MiB/h   over min    CPU %"
    for one in outcome.growths:
        yield (
            f"{one.kind:16}{one.processes:4}{one.first_mib:10.1f}{one.last_mib:8.1f}{one.most_mib:8.1f}     "
            f"{one.slope_mib_h:+9.2f}      {one.window_s / 60:7.1f}    {one.cpu_percent:7.1f}"
        )
    yield "files              middle third  last third   largest  MiB at most"
    for size in outcome.sizes:
        limit = "" if size.limit_mib is None else f"  of {size.limit_mib:g}"
        yield f"{size.kind:16}{size.middle_mib:15.2f}{size.last_mib:12.2f}{size.largest_mib:10.2f}{limit}"
    found = outcome.findings
    yield (
        f"readings: expected {outcome.expected}, made {outcome.progress.made}, sealed {found.sealed}, "
        f"stored {found.stored}, lost {found.lost}, doubled {found.duplicated}"
    )
