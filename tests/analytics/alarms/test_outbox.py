"""The outbox: nothing lost, nothing sent twice on purpose, the gravest first."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import pytest

from analytics.alarms import outbox
from analytics.alarms.channels.port import Answer, Verdict
from analytics.alarms.events import Severity
from analytics.alarms.outbox import Outgoing

NOW = 1_764_000_000_000
PAGE = Outgoing(
    dedupe_key="a#high/1/0/wang",
    alarm="a#high",
    occurrence=1,
    purpose="fired",
    severity=Severity.HIGH,
    recipient="wang",
    channels=("dingtalk", "sms"),
    title="浊度过高",
    body="1.8 NTU",
    not_before_ms=NOW,
)
ACCEPTED, WAIT, GIVE_UP = (Answer(verdict, "because") for verdict in Verdict)


@pytest.fixture
def box() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(outbox.SCHEMA)
    yield connection
    connection.close()


def state(box: sqlite3.Connection) -> list[str]:
    return [row[0] for row in box.execute("SELECT state FROM outbox ORDER BY id")]


def test_a_notice_planned_twice_is_queued_once(box: sqlite3.Connection) -> None:
    outbox.queue(box, [PAGE, PAGE], now_ms=NOW)
    assert len(outbox.lease(box, now_ms=NOW, limit=10)) == 1


def test_a_notice_is_not_taken_before_its_time_nor_by_two(box: sqlite3.Connection) -> None:
    outbox.queue(box, [replace(PAGE, not_before_ms=NOW + 30_000)], now_ms=NOW)
    assert outbox.lease(box, now_ms=NOW, limit=10) == []
    assert len(outbox.lease(box, now_ms=NOW + 30_000, limit=10)) == 1
    assert outbox.lease(box, now_ms=NOW + 30_000, limit=10) == []


def test_a_worker_that_died_gives_its_notices_back_when_the_lease_ends(box: sqlite3.Connection) -> None:
    outbox.queue(box, [PAGE], now_ms=NOW)
    outbox.lease(box, now_ms=NOW, limit=1)
    assert len(outbox.lease(box, now_ms=NOW + outbox.LEASE_MS, limit=1)) == 1


def test_the_gravest_go_first(box: sqlite3.Connection) -> None:
    low = replace(PAGE, dedupe_key="low", severity=Severity.LOW)
    critical = replace(PAGE, dedupe_key="critical", severity=Severity.CRITICAL)
    outbox.queue(box, [low, PAGE, critical], now_ms=NOW)
    order = [notice.severity for notice in outbox.lease(box, now_ms=NOW, limit=2)]
    assert order == [Severity.CRITICAL, Severity.HIGH]


def test_a_refusal_goes_to_the_next_channel_at_once_and_ends_dead_after_the_last(box: sqlite3.Connection) -> None:
    outbox.queue(box, [PAGE], now_ms=NOW)
    (notice,) = outbox.lease(box, now_ms=NOW, limit=1)
    assert outbox.settle(box, notice, GIVE_UP, now_ms=NOW) == "queued"
    (notice,) = outbox.lease(box, now_ms=NOW, limit=1)
    assert notice.channels == ("sms",)
    assert outbox.settle(box, notice, GIVE_UP, now_ms=NOW) == "dead"


def test_a_wait_backs_off_and_honours_what_the_service_asked(box: sqlite3.Connection) -> None:
    outbox.queue(box, [PAGE], now_ms=NOW)
    (notice,) = outbox.lease(box, now_ms=NOW, limit=1)
    outbox.settle(box, notice, replace(WAIT, retry_after_s=200.0), now_ms=NOW)
    assert outbox.lease(box, now_ms=NOW + 199_000, limit=1) == []
    assert outbox.lease(box, now_ms=NOW + 200_000, limit=1)[0].attempts == 1


def test_after_six_waits_the_next_channel_has_its_turn(box: sqlite3.Connection) -> None:
    outbox.queue(box, [PAGE], now_ms=NOW)
    now_ms = NOW
    for _ in range(len(outbox.BACK_OFF_S) + 1):
        (notice,) = outbox.lease(box, now_ms=now_ms, limit=1)
        outbox.settle(box, notice, WAIT, now_ms=now_ms)
        now_ms += 2_000_000
    assert outbox.lease(box, now_ms=now_ms, limit=1)[0].channels == ("sms",)


def test_an_acknowledgement_cancels_what_waits_and_leaves_what_is_out(box: sqlite3.Connection) -> None:
    later = replace(PAGE, dedupe_key="step 2", purpose="escalated", not_before_ms=NOW + 300_000)
    outbox.queue(box, [PAGE, later], now_ms=NOW)
    (notice,) = outbox.lease(box, now_ms=NOW, limit=1)
    outbox.settle(box, notice, ACCEPTED, now_ms=NOW)
    assert outbox.cancel(box, "a#high", 1, ["fired", "escalated"]) == 1
    assert state(box) == ["accepted", "cancelled"]
    assert outbox.was_told(box, "a#high", 1) == ["wang"]


def test_nobody_is_owed_the_end_of_what_they_were_never_told(box: sqlite3.Connection) -> None:
    outbox.queue(box, [PAGE], now_ms=NOW)
    outbox.cancel(box, "a#high", 1, ["fired"])
    assert outbox.was_told(box, "a#high", 1) == []


def test_a_notice_called_back_while_it_was_being_sent_is_never_tried_again(box: sqlite3.Connection) -> None:
    """The robot was busy, somebody acknowledged meanwhile: the next try must not wake anybody."""
    outbox.queue(box, [PAGE], now_ms=NOW)
    (notice,) = outbox.lease(box, now_ms=NOW, limit=1)
    outbox.cancel(box, "a#high", 1, ["fired"])
    assert outbox.settle(box, notice, WAIT, now_ms=NOW) == "cancelled"
    assert outbox.lease(box, now_ms=NOW + 10 * outbox.LEASE_MS, limit=1) == []


def test_a_notice_called_back_after_it_was_leased_is_not_sent(box: sqlite3.Connection) -> None:
    outbox.queue(box, [PAGE, replace(PAGE, dedupe_key="b", alarm="b#high")], now_ms=NOW)
    leased = outbox.lease(box, now_ms=NOW, limit=2)
    outbox.cancel(box, "a#high", 1, ["fired"])
    assert [notice.alarm for notice in outbox.wanted(box, leased)] == ["b#high"]
    assert state(box) == ["cancelled", "sending"]


def test_whoever_has_heard_that_it_is_over_is_owed_nothing_more(box: sqlite3.Connection) -> None:
    outbox.queue(box, [PAGE, replace(PAGE, dedupe_key="over", purpose="resolved")], now_ms=NOW)
    fired, over = outbox.lease(box, now_ms=NOW, limit=2)
    outbox.settle(box, fired, ACCEPTED, now_ms=NOW)
    outbox.settle(box, over, ACCEPTED, now_ms=NOW)
    assert outbox.was_told(box, "a#high", 1) == []


def test_a_clock_that_was_set_back_takes_what_waits_with_it(box: sqlite3.Connection) -> None:
    outbox.queue(box, [PAGE], now_ms=NOW)
    outbox.follow_clock(box, 3_600_000)
    assert len(outbox.lease(box, now_ms=NOW - 3_600_000, limit=1)) == 1
