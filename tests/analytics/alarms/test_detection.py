"""Events in the water, from the journal: one alarm each, the same as the file command finds, killed or not."""

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from support.alarm_script import MINUTE_MS, START_MS, Play, county

from analytics.alarms import following
from analytics.alarms.audit import AuditRow
from analytics.alarms.detection import Detection, works_of
from analytics.alarms.evaluate import LIVE_MS
from analytics.alarms.events import Severity
from analytics.water_cli import water
from edge.wire import Quality
from ingest.register import PointEntry, Register
from ingest.store import Columns

EVENT = "st-0/station_0#event"
CHANNELS = ("ph", "free_chlorine_mg_l", "turbidity_ntu", "conductivity_us_cm")
FIRST_MS = START_MS - START_MS % MINUTE_MS
ROWS, FROM, TO = 1700, 1600, 1625
Floats = NDArray[np.float64]


def works() -> Register:
    """Station 0 reads four channels of its water, without set-points."""
    register = county(1)
    added = {f"st-0/outlet.{name}": PointEntry(f"st-0/outlet.{name}", "station_0", "", "", None) for name in CHANNELS}
    return dataclasses.replace(register, points=dict(register.points) | added)


def season(disturbed: tuple[int, ...] = ()) -> Floats:
    """Some channels leave their ways for 25 minutes, after more than a day of calm."""
    rng = np.random.default_rng(5)
    values = np.array([7.5, 0.5, 0.1, 600.0]) + rng.normal(0, 1, (ROWS, 4)) * np.array([0.01, 0.003, 0.002, 1.5])
    values = np.asarray(values.round(3))
    for channel in disturbed:
        values[FROM:TO, channel] += (0.8, 0.2, 0.4, 90.0)[channel]
    return values


def tell(play: Play, values: Floats, *, killed_at: tuple[int, ...] = ()) -> None:
    """The works says a row a minute; what is NaN has no answer, and a row of nothing else is never sent."""
    for number, row in enumerate(values):
        play.now_ms = FIRST_MS + number * MINUTE_MS
        if not np.isnan(row).all():
            said = [None if np.isnan(value) else value for value in row.tolist()]
            play.say("st-0", **{f"outlet__{name}": value for name, value in zip(CHANNELS, said, strict=True)})
        if number % 50 == 0 or number >= FROM - 5:
            while play.engine.step(now_ms=play.now_ms):
                pass
        if number in killed_at:
            play.kill()


def by_file(folder: Path, values: Floats) -> list[dict[str, object]]:
    """What `steppe water detect` finds in the same rows."""
    instants = [datetime.fromtimestamp((FIRST_MS + n * MINUTE_MS) / 1000, UTC) for n in range(len(values))]
    columns = {"when": pa.array(instants, pa.timestamp("ms", tz="UTC"))} | dict(zip(CHANNELS, values.T, strict=True))
    pa_parquet.write_table(pa.table(columns), folder / "works.parquet")
    result = CliRunner().invoke(water, ["detect", "--series", str(folder / "works.parquet"), "--json"])
    events: list[dict[str, object]] = json.loads(result.stdout)["events"]
    return events


def story(play: Play) -> list[AuditRow]:
    """Everything that happened to the event's alarm, without the times of writing."""
    rows = play.database.audit_rows(alarm=EVENT)
    return [dataclasses.replace(row, recorded_ms=0) for row in reversed(rows)]


@pytest.fixture(scope="module")
def undisturbed_by_kills(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """The season with a disturbance of three channels, told to an engine that is never killed."""
    play = Play(tmp_path_factory.mktemp("whole"), works())
    tell(play, season((0, 2, 3)))
    return play


def test_a_disturbance_of_three_channels_is_one_alarm_and_the_file_command_finds_the_same(
    undisturbed_by_kills: Play, tmp_path: Path
) -> None:
    play = undisturbed_by_kills
    (found,) = by_file(tmp_path, season((0, 2, 3)))
    (occurrence,) = [one for one in play.database.occurrences() if one.alarm == EVENT]
    onset = datetime.fromtimestamp(occurrence.onset_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert occurrence.returned_ms is not None
    last = datetime.fromtimestamp(occurrence.returned_ms / 1000 - 60, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (onset, last) == (found["start"], found["end"])
    assert occurrence.severity == Severity.HIGH
    (record,) = [one for one in play.database.records() if one.id == EVENT]
    assert (record.kind, record.asset) == ("quality_event", "station_0")
    channels = found["channels"]
    assert isinstance(channels, dict)
    assert set(channels) == {"ph", "turbidity_ntu", "conductivity_us_cm"}
    moved = ", ".join(f"outlet.{name} {share:+.1f}" for name, share in channels.items())
    assert play.database.audit_rows(alarm=EVENT)[0].reason == f"{found['class']}: {moved}"


@pytest.mark.parametrize("snapshot_every", [5_000, 15])
def test_killed_in_the_middle_it_tells_the_same_story(
    undisturbed_by_kills: Play, tmp_path: Path, snapshot_every: int
) -> None:
    """By the journal alone, and from a snapshot that was taken while the event was on."""
    play = Play(tmp_path, works(), snapshot_every_entries=snapshot_every)
    tell(play, season((0, 2, 3)), killed_at=(FROM + 1, FROM + 12, TO + 1))
    assert story(play) == story(undisturbed_by_kills)
    assert (int(play.database.meta(following.AT, "0")) > 0) == (snapshot_every < ROWS)


def test_one_channel_alone_is_its_instrument_and_low(tmp_path: Path) -> None:
    play = Play(tmp_path, works())
    tell(play, season((3,)))
    (record,) = [one for one in play.database.records() if one.id == EVENT]
    assert (record.kind, record.alarm.severity) == ("sensor", Severity.LOW)


def test_missing_data_raise_nothing(tmp_path: Path) -> None:
    """A channel that never answers, another that goes, an hour and a half without a word."""
    values = season()
    values[:, 2] = np.nan
    values[1500:1560, 0] = np.nan
    values[1580:1670] = np.nan
    play = Play(tmp_path, works())
    tell(play, values)
    assert EVENT not in {record.id for record in play.database.records()}
    assert by_file(tmp_path, values) == []


def batch(at_ms: int, **values: float) -> Columns:
    """Readings of one instant."""
    return Columns(
        tuple(f"st-0/outlet.{name}" for name in values),
        np.arange(len(values), dtype=np.int32),
        np.full(len(values), at_ms, np.int64),
        np.array(list(values.values())),
        np.full(len(values), Quality.GOOD, np.uint8),
    )


def test_a_row_holds_the_last_value_of_its_minute_and_is_judged_when_the_next_has_begun() -> None:
    detection = Detection(works_of(works()))
    (one,) = detection.watches.values()
    detection.take(batch(FIRST_MS + 30_000, ph=7.2), FIRST_MS + 31_000)
    detection.take(batch(FIRST_MS + 10_000, ph=7.1, turbidity_ntu=0.2), FIRST_MS + 32_000)
    assert one.watch.detector.rows == 0
    by_name = dict(zip(one.works.quantities, one.row.tolist(), strict=True))
    assert (by_name["ph"], by_name["turbidity_ntu"]) == (7.2, 0.2)
    detection.take(batch(FIRST_MS + MINUTE_MS, ph=7.3), FIRST_MS + MINUTE_MS)
    assert one.watch.detector.rows == 1


def test_a_row_is_judged_when_no_live_reading_can_come_any_more_and_late_ones_are_none() -> None:
    detection = Detection(works_of(works()))
    (one,) = detection.watches.values()
    detection.take(batch(FIRST_MS, ph=7.2), FIRST_MS)
    after_ms = FIRST_MS + MINUTE_MS + LIVE_MS
    detection.take(batch(FIRST_MS + 1, turbidity_ntu=9.0), after_ms - 1)
    assert (one.due_ms, one.watch.detector.rows) == (FIRST_MS, 0)
    detection.take(batch(FIRST_MS + 2, turbidity_ntu=9.0), after_ms)
    assert (one.due_ms, one.watch.detector.rows) == (FIRST_MS + MINUTE_MS, 1)


def test_a_works_with_fewer_channels_or_another_site_is_not_judged() -> None:
    assert works_of(county(2)) == ()
    (found,) = works_of(works())
    assert (found.id, set(found.quantities)) == (EVENT, set(CHANNELS))


def test_channels_of_other_instruments_begin_anew() -> None:
    register = works()
    old = Detection(works_of(register))
    old.take(batch(FIRST_MS, ph=7.2), FIRST_MS)
    fewer = {name: entry for name, entry in register.points.items() if not name.endswith("conductivity_us_cm")}
    new = Detection(works_of(dataclasses.replace(register, points=fewer)))
    new.restore(old.snapshot())
    assert new.watches[EVENT].due_ms is None
