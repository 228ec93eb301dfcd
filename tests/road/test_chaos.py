"""Nothing sealed is lost, nothing is stored twice, whatever is killed, cut, delayed or filled up, and whenever.

Three short runs on each stack stand in `make test`; `make soak` plays twenty on each.
"""

import asyncio
from pathlib import Path

import pytest
from support.chaos import Stack, can_mount, run_chaos
from support.servers import missing

STACKS: tuple[Stack, ...] = ("embedded+sqlite", "mosquitto+sqlite", "mosquitto+influxdb")
SHORT_S, LONG_S = 8.0, 25.0


def play(folder: Path, stack: Stack, seed: int, seconds: float, *, disks: bool) -> None:
    """Play one run and ask the checker; its examples name what went wrong."""
    if disks and not can_mount():
        missing("small disks cannot be mounted here: run as root")
    findings = asyncio.run(run_chaos(folder, stack, seed, seconds, disks=disks))
    print(f"seed {seed}: {findings}")
    assert findings.ok, findings
    assert findings.sealed > 100


@pytest.mark.road
@pytest.mark.server
@pytest.mark.parametrize("seed", [101, 102, 103])
@pytest.mark.parametrize("stack", STACKS)
def test_a_short_run_loses_and_doubles_nothing(stack: Stack, seed: int, tmp_path: Path) -> None:
    play(tmp_path, stack, seed, SHORT_S, disks=False)


@pytest.mark.road
@pytest.mark.server
@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 22))
@pytest.mark.parametrize("stack", STACKS)
def test_twenty_runs_lose_and_double_nothing_full_disks_included(stack: Stack, seed: int, tmp_path: Path) -> None:
    play(tmp_path, stack, seed, LONG_S, disks=True)
