"""Killed at any statement on a real journal: no alarm is lost, none is repeated, nobody is paged twice."""

import random
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import support.crashing_alarms

from analytics.alarms.database import AlarmDatabase

KILLS = 5
"""At least so many, or the test has shown nothing."""


def play(folder: Path, statements: int) -> bool:
    """Run until it dies or is done; whether it is done."""
    command = [sys.executable, str(Path(support.crashing_alarms.__file__)), str(folder), str(statements)]
    environment = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode in (0, -9), done.stderr
    return (folder / "done.txt").exists()


def history(folder: Path) -> list[tuple[object, ...]]:
    with closing(AlarmDatabase(folder / "alarms.db")) as database:
        assert database.broken_audit_rows() == []
        return [(o.alarm, o.number, o.onset_ms, o.severity, o.cause, o.returned_ms) for o in database.occurrences()]


def pages(folder: Path) -> Counter[str]:
    return Counter((folder / "sent.txt").read_text(encoding="utf-8").splitlines())


def test_a_service_killed_at_any_statement_tells_the_same_story(tmp_path: Path) -> None:
    """A page may come twice only where the kill fell between the service's answer and the note of it."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    assert play(whole, 0)
    dice = random.Random(5)
    kills = 0
    while not play(killed, dice.randrange(40, 200)):
        kills += 1
    assert kills >= KILLS
    assert history(killed) == history(whole)
    once, again = pages(whole), pages(killed)
    assert set(again) == set(once)
    assert sum((again - once).values()) <= kills
