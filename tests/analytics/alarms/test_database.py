"""`alarms.db`: every act is whole or nothing, and its trail is complete."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.alarms.database import AlarmDatabase, AlarmDatabaseError
from analytics.alarms.events import (
    Acknowledge,
    Event,
    Fell,
    RemoveFromService,
    Reset,
    Rose,
    Severity,
    ShelfExpired,
    Shelve,
    Unacknowledge,
)
from analytics.alarms.records import Act, Applied
from analytics.alarms.state import Kind

NOW = 1_764_000_000_000
TURBIDITY = "qingshui-wtp/outlet.turbidity_ntu#high"
KIND = Kind()


@pytest.fixture
def alarms(tmp_path: Path) -> Iterator[AlarmDatabase]:
    database = AlarmDatabase(tmp_path / "alarms.db")
    yield database
    database.close()


def rise(alarms: AlarmDatabase, alarm_id: str = TURBIDITY, at_ms: int = NOW) -> None:
    with alarms.transaction() as change:
        record = change.find(alarm_id, asset="qingshui", kind="quality")
        change.apply(record, Act(Rose(at_ms, Severity.HIGH), at_ms, value=1.8), KIND, now_ms=at_ms)


def act(alarms: AlarmDatabase, done: Act, alarm_id: str = TURBIDITY) -> Applied:
    with alarms.transaction() as change:
        return change.apply(change.record(alarm_id), done, KIND, now_ms=done.at_ms)


def test_an_alarm_s_life_is_in_its_occurrence_and_its_audit_trail(alarms: AlarmDatabase) -> None:
    rise(alarms)
    act(alarms, Act(Acknowledge(), NOW + 1000, "wang", "on my way"))
    act(alarms, Act(Fell(NOW + 5000), NOW + 5000))
    (occurrence,) = alarms.occurrences()
    assert (occurrence.number, occurrence.value, occurrence.acked_by) == (1, 1.8, "wang")
    assert (occurrence.acked_ms, occurrence.returned_ms, occurrence.closed_ms) == (NOW + 1000, NOW + 5000, NOW + 5000)
    acts = [(row.act, row.before, row.after, row.actor) for row in reversed(alarms.audit_rows())]
    assert acts == [("Rose", "A", "B", "engine"), ("Acknowledge", "B", "C", "wang"), ("Fell", "C", "A", "engine")]


def test_only_an_acknowledgement_acknowledges(alarms: AlarmDatabase) -> None:
    """Whoever shelves an alarm or takes it out of service has not taken it."""
    rise(alarms)
    act(alarms, Act(Shelve(NOW, NOW + 1000), NOW, "li", "probe"))
    act(alarms, Act(ShelfExpired(), NOW + 1000))
    act(alarms, Act(RemoveFromService("WO-7"), NOW + 2000, "li"))
    (occurrence,) = alarms.occurrences()
    assert (occurrence.acked_ms, occurrence.acked_by) == (None, None)


def test_an_alarm_handed_back_is_nobody_s_and_its_first_acknowledgement_is_remembered(alarms: AlarmDatabase) -> None:
    rise(alarms)
    act(alarms, Act(Acknowledge(), NOW + 1000, "wang"))
    act(alarms, Act(Unacknowledge(), NOW + 2000, "wang", "no car"))
    (occurrence,) = alarms.occurrences()
    assert (occurrence.acked_ms, occurrence.acked_by, occurrence.first_acked_ms) == (None, None, NOW + 1000)
    act(alarms, Act(Acknowledge(), NOW + 3000, "li"))
    (occurrence,) = alarms.occurrences()
    assert (occurrence.acked_ms, occurrence.acked_by, occurrence.first_acked_ms) == (NOW + 3000, "li", NOW + 1000)


def test_the_next_occurrence_closes_one_that_nobody_acknowledged(alarms: AlarmDatabase) -> None:
    rise(alarms)
    act(alarms, Act(Fell(NOW + 1000), NOW + 1000))
    rise(alarms, at_ms=NOW + 3_600_000)
    first, second = alarms.occurrences()
    assert (first.closed_ms, second.closed_ms) == (NOW + 3_600_000, None)


def test_an_occurrence_is_as_grave_as_it_ever_was_and_began_before_its_delay(alarms: AlarmDatabase) -> None:
    with alarms.transaction() as change:
        record = change.find(TURBIDITY, asset="qingshui", kind="quality")
        change.apply(record, Act(Rose(NOW, Severity.HIGH), NOW, since_ms=NOW - 900_000), KIND, now_ms=NOW)
    for severity in (Severity.CRITICAL, Severity.MEDIUM):
        act(alarms, Act(Rose(NOW + 1000, severity), NOW + 1000))
    (occurrence,) = alarms.occurrences()
    assert (occurrence.severity, occurrence.onset_ms) == (Severity.CRITICAL, NOW - 900_000)
    assert alarms.records()[0].alarm.severity is Severity.MEDIUM


def test_a_refused_act_changes_nothing_and_is_in_the_trail(alarms: AlarmDatabase) -> None:
    rise(alarms)
    assert "nothing to reset" in act(alarms, Act(Reset(), NOW, "wang")).refused
    assert alarms.audit_rows()[0].act == "refused Reset"
    assert alarms.records()[0].alarm.state == "B"


def test_an_unknown_alarm_is_refused_by_name(alarms: AlarmDatabase) -> None:
    with pytest.raises(AlarmDatabaseError, match="no alarm 'x#high'"):
        act(alarms, Act(Acknowledge(), NOW, "wang"), "x#high")


def test_a_transaction_that_raises_leaves_nothing_behind(alarms: AlarmDatabase) -> None:

    def interrupted() -> None:
        with alarms.transaction() as change:
            record = change.find("a#low", asset="a", kind="k")
            change.apply(record, Act(Rose(NOW, Severity.LOW), NOW), KIND, now_ms=NOW)
            change.set_meta("cursor", "17")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert (alarms.records(), alarms.audit_rows(), alarms.meta("cursor", "0")) == ([], [], "0")


def test_a_commit_that_fails_leaves_nothing_behind_and_the_next_one_works(alarms: AlarmDatabase) -> None:
    """A constraint that SQLite looks at only when it commits stands for a disk that is full just then."""
    alarms._db.execute("PRAGMA foreign_keys = ON")
    alarms._db.execute("CREATE TABLE child(parent TEXT REFERENCES meta(name) DEFERRABLE INITIALLY DEFERRED)")

    def orphan() -> None:
        with alarms.transaction() as change:
            change.set_meta("cursor", "17")
            change.connection.execute("INSERT INTO child VALUES('nobody')")

    with pytest.raises(AlarmDatabaseError, match="Nothing was changed"):
        orphan()
    assert alarms.meta("cursor", "0") == "0"
    rise(alarms)
    assert len(alarms.records()) == 1


def test_two_connections_see_each_other_s_acts(alarms: AlarmDatabase, tmp_path: Path) -> None:
    console = AlarmDatabase(tmp_path / "alarms.db")
    rise(alarms)
    act(console, Act(Acknowledge(), NOW, "wang"))
    assert alarms.records()[0].alarm.acked
    console.close()


def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "alarms.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(AlarmDatabaseError, match="cannot be opened"):
        AlarmDatabase(tmp_path / "alarms.db")


WRITER = """
import sys
from pathlib import Path
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.records import Act
from analytics.alarms.state import Fell, Kind, Rose, Severity
alarms = AlarmDatabase(Path(sys.argv[1]))
for number in range(10**9):
    with alarms.transaction() as change:
        record = change.find("a#high", asset="a", kind="k")
        event = Fell(number) if record.alarm.condition else Rose(number * 10**6, Severity.HIGH)
        change.apply(record, Act(event, number), Kind(auto_acknowledge=True), now_ms=number)
        change.set_meta("cursor", str(number))
    print(number, flush=True)
"""


def test_a_process_killed_at_any_instant_leaves_whole_acts_only(tmp_path: Path) -> None:
    """The cursor, the alarm, its occurrences and the audit trail all tell of the same number of acts."""
    path = tmp_path / "alarms.db"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    said = [int(writer.stdout.readline()) for _ in range(25)]
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    alarms = AlarmDatabase(path)
    cursor = int(alarms.meta("cursor"))
    assert cursor >= said[-1]
    assert len(alarms.audit_rows()) == cursor + 1
    assert len(alarms.occurrences()) == (cursor + 2) // 2
    assert alarms.records()[0].alarm.condition == (cursor % 2 == 0)
    assert alarms.broken_audit_rows() == []
    alarms.close()


acts = st.lists(
    st.one_of(
        st.builds(Rose, st.just(NOW), st.sampled_from(Severity)),
        st.builds(Fell, st.just(NOW)),
        st.just(Acknowledge()),
        st.just(Reset()),
        st.just(Shelve(NOW, NOW + 1000)),
    ),
    max_size=15,
)


@given(acts)
@settings(max_examples=40, deadline=None)
def test_no_alarm_changes_without_an_audit_row(tmp_path_factory: pytest.TempPathFactory, path: list[Event]) -> None:
    alarms = AlarmDatabase(tmp_path_factory.mktemp("alarms") / "alarms.db")
    for event in path:
        rows = len(alarms.audit_rows())
        with alarms.transaction() as change:
            record = change.find(TURBIDITY, asset="a", kind="k")
            applied = change.apply(record, Act(event, NOW), KIND, now_ms=NOW)
        changed = applied.record.alarm != applied.before or bool(applied.refused)
        assert len(alarms.audit_rows()) == rows + changed
    alarms.close()
