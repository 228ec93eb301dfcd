"""Lift stations in the engine: each rule raises its alarm and lets it go, whenever the engine is killed."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pytest
from support.alarm_road import at, scenario
from support.alarm_script import MINUTE_MS, SETTINGS, START_MS, Play, county

from analytics.alarms.classes import BY_NAME
from analytics.alarms.lift_rules import DAYS, KINDS
from analytics.alarms.lifts import Lift, Lifts
from analytics.alarms.settings import AlarmSettings, LiftStation
from edge.errors import ConfigError
from ingest.register import Asset, PointEntry, Register
from ingest.store import Columns
from simulators.county import Size
from simulators.faults import Fault

STATION = LiftStation("ls1", weir_m=3.0, start_m=1.6, stop_m=0.5, floor_m=0.0)
WITH_LEVELS = msgspec.structs.replace(SETTINGS, lift_stations=[STATION])
QUANTITIES = ("level_m", "overflow_on", "pump1_on", "pump2_on")
DAY_MIN = 1440


def station() -> Register:
    """The county with a lift station at a site of its own."""
    base = county(0)
    asset = Asset("ls1", "sewage_station", "Lift 1", "提升站", "150122", "feeder_1", 1, None, None, None, None)
    points = {f"lift-1/lift.{q}": PointEntry(f"lift-1/lift.{q}", "ls1", "", "", None) for q in QUANTITIES}
    return dataclasses.replace(base, assets=dict(base.assets) | {"ls1": (asset,)}, points=dict(base.points) | points)


@dataclass(frozen=True)
class Minute:
    """What the station reads at one instant; None for no answer."""

    level: float | None = 1.0
    first: float | None = 0.0
    second: float | None = 0.0
    switch: float | None = 0.0


def play(
    folder: Path, minutes: Sequence[Minute], *, settings: AlarmSettings = WITH_LEVELS, kill_every: int = 0
) -> Play:
    """Say one row a minute; the engine takes each as it comes."""
    folder.mkdir(exist_ok=True)
    played = Play(folder, station(), settings, snapshot_every_entries=7)
    for number, minute in enumerate(minutes):
        played.now_ms = START_MS + number * MINUTE_MS
        values = dict(zip(QUANTITIES, (minute.level, minute.switch, minute.first, minute.second), strict=True))
        played.say("lift-1", **{f"lift__{quantity}": value for quantity, value in values.items()})
        while played.engine.step(now_ms=played.now_ms):
            pass
        if kill_every and number % kill_every == 0:
            played.kill()
    return played


def raised(played: Play) -> set[str]:
    """Kinds of the station's alarms whose condition holds."""
    records = played.database.records()
    return {r.id.split("#")[1] for r in records if r.alarm.condition and r.id.startswith("lift-1/ls1#")}


def story(played: Play) -> list[tuple[str, str, int]]:
    """What happened to the station's alarms."""
    rows = reversed(played.database.audit_rows())
    return [(row.alarm, row.act, row.at_ms) for row in rows if row.alarm.startswith("lift-1/ls1#")]


def cycles(count: int, fall_m: float, *, rest: int = 12) -> list[Minute]:
    """The first pump runs four minutes at a time and draws the level down."""
    one = [Minute(1.5 - fall_m * k / 3, 1.0) for k in range(4)] + [Minute(1.0)] * rest
    return one * count


def days_of(share: float, days: int) -> list[Minute]:
    """Two pumps by turns; the first runs `share` of the first's and second's time, an hour and a half a day each."""
    running = int(180 * share)
    day = [Minute(1.0, 1.0)] * running + [Minute(1.0, 0.0, 1.0)] * (180 - running)
    return [*day, *[Minute()] * (DAY_MIN - 180)] * days


RISING = [Minute(1.0 + 0.05 * k, 1.0) for k in range(30)]
BUSY = [Minute(1.0, float(k % 8 == 0)) for k in range(64)]
CASES: dict[str, tuple[list[Minute], list[Minute]]] = {
    "overflow": ([Minute(3.05, 1.0)], [Minute(1.2, 1.0)] * 3),
    "overflow_near": (RISING, [Minute(2.4 - 0.05 * k, 1.0) for k in range(14)]),
    "dry_run": ([Minute(0.15, 1.0)] * 2, [Minute(0.6, 1.0)] * 3),
    "over_cycling": (BUSY, [Minute()] * 30),
    "capacity_loss": (cycles(8, 0.6) + cycles(3, 0.3), cycles(1, 0.6)),
}


@pytest.mark.parametrize("kind", CASES)
def test_each_rule_raises_its_own_alarm_and_lets_it_go(tmp_path: Path, kind: str) -> None:
    bad, good = CASES[kind]
    calm = [Minute()] * 3
    assert raised(play(tmp_path / "bad", [*calm, *bad])) == {kind}
    assert raised(play(tmp_path / "good", [*calm, *bad, *good])) == set()


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("kill_every", [3])
def test_an_engine_killed_again_and_again_tells_the_same_story(tmp_path: Path, kind: str, kill_every: int) -> None:
    bad, good = CASES[kind]
    whole = play(tmp_path / "whole", [*bad, *good])
    killed = play(tmp_path / "killed", [*bad, *good], kill_every=kill_every)
    assert len(story(whole)) >= 2
    assert story(killed) == story(whole)


@pytest.mark.parametrize(("share", "found"), [(0.5, set()), (0.55, set()), (0.7, {"run_imbalance"})])
def test_twins_are_compared_over_a_week(tmp_path: Path, share: float, found: set[str]) -> None:
    """55 % to 45 % is a difference of a fifth of the mean; 70 % to 30 % of four fifths."""
    played = Play(tmp_path, station(), WITH_LEVELS)
    minutes = days_of(share, DAYS + 1)[::10]
    for number, minute in enumerate([*minutes, Minute()]):
        played.now_ms = START_MS + number * 10 * MINUTE_MS
        played.say("lift-1", lift__pump1_on=minute.first, lift__pump2_on=minute.second)
    while played.engine.step(now_ms=played.now_ms):
        pass
    assert raised(played) == found


def test_the_switch_tells_of_an_overflow_without_levels_and_without_a_level(tmp_path: Path) -> None:
    assert raised(play(tmp_path, [Minute(), Minute(None, switch=1.0)], settings=SETTINGS)) == {"overflow"}


def test_a_level_that_is_not_read_raises_and_clears_nothing(tmp_path: Path) -> None:
    assert raised(play(tmp_path / "a", [Minute(), Minute(None, 1.0)] * 5)) == set()
    silent = [Minute(3.1)] * 2 + [Minute(None, None, None, None)]
    assert raised(play(tmp_path / "b", silent)) == {"overflow"}


def test_an_overflow_is_critical_told_at_once_and_never_hidden_by_its_feeder(tmp_path: Path) -> None:
    played = play(tmp_path, [Minute(), Minute(3.2)])
    played.say("head", meter__voltage_v=0.0)
    played.minute(2)
    assert played.states()["lift-1/ls1#overflow"] == "B"
    assert ("lift-1/ls1#overflow", "fired", "crew") in played.pages()


def test_readings_that_come_late_raise_nothing(tmp_path: Path) -> None:
    played = play(tmp_path, [Minute()])
    began_ms = played.now_ms
    played.now_ms += 3 * 60 * MINUTE_MS
    for minute in range(1, 100):
        played.say("lift-1", began_ms + minute * MINUTE_MS, lift__level_m=3.5, lift__pump1_on=0.0)
    played.minute()
    assert raised(played) == set()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_words_in_both_languages(kind: str) -> None:
    about = BY_NAME[kind]
    assert all((about.title, about.title_zh, about.action, about.action_zh))


@pytest.mark.parametrize(
    "change",
    [
        lambda: LiftStation("ls1", weir_m=1.0, start_m=1.5, stop_m=0.5),
        lambda: LiftStation("ls1", weir_m=3.0, start_m=0.5, stop_m=0.5),
        lambda: LiftStation("ls1", weir_m=3.0, start_m=1.5, stop_m=0.5, floor_m=0.6),
        lambda: msgspec.structs.replace(WITH_LEVELS, lift_stations=[STATION, STATION]).__post_init__(),
    ],
)
def test_levels_that_cannot_be_are_refused(change: Callable[[], object]) -> None:
    with pytest.raises((ValueError, ConfigError)):
        change()


def county_day(faults: tuple[Fault, ...], hours: range) -> list[tuple[str, str, float]]:
    """What a simulated station's alarms do in some hours of a day: (kind, event, hour)."""
    world = scenario(Size(feeders=1, transformers=2, line_ends=1, works=0), faults).world()
    names = tuple(f"lift-1/lift.{quantity}" for quantity in ("level_m", "pump1_on", "pump2_on"))
    geometry = LiftStation("ls1", weir_m=3.5, start_m=2.0, stop_m=0.6)
    watch = Lifts([Lift("lift-1", "ls1", names[0], "", names[1:], geometry)])
    told = []
    for t_ms in range(at(hours.start), at(hours.stop), MINUTE_MS):
        values = world.values("lift-1", "lift", t_ms)
        row = np.array([values[name.rsplit(".", 1)[1]] for name in names])
        rows = Columns(names, np.arange(3, dtype=np.int32), np.full(3, t_ms), row, np.zeros(3, np.uint8))
        found = watch.take(rows, t_ms)
        told += [(one.kind, type(one.act.event).__name__, (t_ms - at(0)) / 3_600_000) for one in found]
    return told


def test_a_usual_day_of_a_simulated_station_is_quiet() -> None:
    assert county_day((), range(24)) == []


def test_an_overflow_is_foretold_before_it_comes() -> None:
    """Both pumps trip at 17:00 for two hours."""
    told = county_day((Fault("pump_trip", "ls1", at(17), at(19)),), range(15, 21))
    kinds = [kind for kind, event, _ in told if event == "Rose"]
    assert kinds == ["overflow_near", "overflow"]
    near_h, over_h = (hour for _, event, hour in told if event == "Rose")
    assert 0.1 < over_h - near_h < 0.6
    assert {kind for kind, event, _ in told if event == "Fell"} == {"overflow_near", "overflow"}
