"""Work orders: every move, the clocks on each part, and what is drafted by itself."""

from pathlib import Path

import pytest
from support.alarm_script import Play, county

from analytics.alarms import work
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.events import Severity
from analytics.alarms.work import LIMITS, NEXT, Clocks, Step, WorkOrder, WorkState, clocks, overdue
from edge.errors import BadInput

HOUR = 3_600_000
FEEDER = "head/meter#supply_lost"


def steps(*moves: tuple[str, float]) -> tuple[Step, ...]:
    """Each as (state, hour)."""
    return tuple(Step(WorkState(state), int(hour * HOUR), "wang", "") for state, hour in moves)


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """A feeder lost over a station, settled."""
    play = Play(tmp_path, county(1))
    for _ in range(2):
        play.say("head", meter__voltage_v=0.0)
        play.say("st-0", meter__voltage_v=0.0)
        play.minute()
    return play


def move(database: AlarmDatabase, state: str, note: str = "") -> WorkOrder:
    with database.transaction() as change:
        return work.move(change.connection, 1, WorkState(state), "wang", note, now_ms=HOUR)


def test_a_job_by_hand() -> None:
    """Issued at 1 h, accepted at 2 h, done at 10 h of which 3 h were spent waiting for parts, verified at 30 h."""
    job = steps(
        *(("draft", 0), ("issued", 1), ("accepted", 2), ("on-site", 4), ("waiting-parts", 5), ("on-site", 8)),
        *(("done", 10), ("verified", 30)),
    )
    assert clocks(job, now_ms=99 * HOUR) == Clocks(1.0, 6.0, 20.0)
    order = WorkOrder(1, FEEDER, 1, "f", Severity.CRITICAL, job)
    assert overdue(order, now_ms=99 * HOUR) == ["respond"]


def test_clocks_run_until_now_and_not_before_the_issue() -> None:
    assert clocks(steps(("draft", 0)), now_ms=9 * HOUR) == Clocks(None, None, None)
    assert clocks(steps(("draft", 0), ("issued", 1)), now_ms=9 * HOUR) == Clocks(8.0, 8.0, None)


def test_work_that_does_not_hold_runs_its_repair_clock_again() -> None:
    job = steps(("draft", 0), ("issued", 0), ("accepted", 1), ("on-site", 2), ("done", 4), ("on-site", 6))
    assert clocks(job, now_ms=9 * HOUR) == Clocks(1.0, 9.0, None)


@pytest.mark.parametrize("state", WorkState)
@pytest.mark.parametrize("to", WorkState)
def test_every_pair_of_states(play: Play, state: WorkState, to: WorkState) -> None:
    with play.database.transaction() as change:
        change.connection.execute("UPDATE work_step SET state = ? WHERE work_order = 1", (state,))
    if to in NEXT[state]:
        assert move(play.database, to, "why").state is to
    else:
        with pytest.raises(BadInput, match=f"work order 1 is {state}: it goes to"):
            move(play.database, to, "why")


def test_a_grave_alarm_drafts_one_job_and_its_consequences_none(play: Play) -> None:
    play.minute(30)
    with play.database.transaction() as change:
        (order,) = work.orders(change.connection)
    assert (order.alarm, order.state, order.severity) == (FEEDER, WorkState.DRAFT, Severity.CRITICAL)


def test_every_move_is_in_the_audit_trail(play: Play) -> None:
    move(play.database, "issued")
    move(play.database, "rejected", "not ours")
    acts = [(row.before, row.after, row.actor, row.reason) for row in play.database.audit_rows(alarm="work:1")]
    assert acts[:2] == [("issued", "rejected", "wang", "not ours"), ("draft", "issued", "wang", "")]
    assert play.database.broken_audit_rows() == []


def test_a_refusal_a_result_and_a_cause_need_words(play: Play) -> None:
    move(play.database, "issued")
    with pytest.raises(BadInput, match="rejected needs --note"):
        move(play.database, "rejected")


def test_an_alarm_has_one_job_per_occurrence(play: Play) -> None:
    with play.database.transaction() as change, pytest.raises(BadInput, match="has work order 1 already"):
        work.draft(change.connection, FEEDER, "wang", now_ms=0)
    with play.database.transaction() as change, pytest.raises(BadInput, match="there is no alarm 'x'"):
        work.draft(change.connection, "x", "wang", now_ms=0)


def test_each_severity_has_its_limits_and_graver_ones_are_shorter() -> None:
    hours = [LIMITS[severity].repair_h for severity in sorted(Severity)]
    assert hours == sorted(hours, reverse=True)
