"""A year of alarms leaves what tells the story and lets go of what only carried it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from analytics.alarms import outbox
from analytics.alarms.channels.port import Answer, Verdict
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.events import Acknowledge, Fell, Rose, Severity
from analytics.alarms.links import VALID_MS, Link, LinkRefused, redeem, sign
from analytics.alarms.outbox import Outgoing
from analytics.alarms.records import Act
from analytics.alarms.state import Kind
from analytics.alarms.trimming import DAY_MS, KEEP_DAYS, trim, trim_daily

NOW, KEY = 1_764_000_000_000, b"key"
ALARM = "st-0/outlet.ph#low"


@pytest.fixture
def alarms(tmp_path: Path) -> Iterator[AlarmDatabase]:
    with closing(AlarmDatabase(tmp_path / "alarms.db")) as database:
        yield database


def event(alarms: AlarmDatabase, *, at_ms: int, over: bool = True, alarm: str = ALARM) -> None:
    """An alarm comes, is told and taken, and goes where it is `over`."""
    with alarms.transaction() as change:
        kept = change.find(alarm, asset="a", kind="quality")
        steps = [Rose(at_ms, Severity.HIGH), Acknowledge(), *([Fell(at_ms + 1000)] if over else [])]
        for step in steps:
            kept = change.apply(kept, Act(step, at_ms, "wang"), Kind(), now_ms=at_ms).record
        number = kept.alarm.occurrence
        notice = Outgoing(f"{alarm}/{number}", alarm, number, "fired", Severity.HIGH, "wang", ("sms",), "t", "b", at_ms)
        outbox.queue(change.connection, [notice], now_ms=at_ms)
        for leased in outbox.lease(change.connection, now_ms=at_ms, limit=10):
            outbox.settle(change.connection, leased, Answer(Verdict.ACCEPTED, "ok"), now_ms=at_ms)


def count(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path / "alarms.db")) as database:
        return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_the_story_stays_whole_and_the_notices_of_old_ones_go(alarms: AlarmDatabase, tmp_path: Path) -> None:
    for day in range(365):
        event(alarms, at_ms=NOW + day * DAY_MS)
    audit, occurrences = count(tmp_path, "audit"), alarms.occurrences()
    with alarms.transaction() as change:
        trim(change, now_ms=NOW + 365 * DAY_MS)
    assert count(tmp_path, "outbox") == KEEP_DAYS
    assert count(tmp_path, "audit") == audit
    assert alarms.occurrences() == occurrences
    assert alarms.broken_audit_rows() == []


def test_whoever_was_told_of_what_still_stands_is_owed_its_end(alarms: AlarmDatabase) -> None:
    event(alarms, at_ms=NOW, over=False)
    with alarms.transaction() as change:
        trim(change, now_ms=NOW + 400 * DAY_MS)
        assert outbox.was_told(change.connection, ALARM, 1) == ["wang"]


def test_what_still_waits_is_never_let_go(alarms: AlarmDatabase, tmp_path: Path) -> None:
    with alarms.transaction() as change:
        notice = Outgoing("k", ALARM, 1, "fired", Severity.HIGH, "wang", ("sms",), "t", "b", NOW)
        outbox.queue(change.connection, [notice], now_ms=NOW)
        trim(change, now_ms=NOW + 400 * DAY_MS)
    assert count(tmp_path, "outbox") == 1


def test_a_used_link_is_remembered_until_it_has_long_expired(alarms: AlarmDatabase, tmp_path: Path) -> None:
    word = sign(Link(ALARM, 1, "wang", NOW + VALID_MS), KEY)
    with alarms.transaction() as change:
        redeem(change.connection, word, KEY, now_ms=NOW)
        trim(change, now_ms=NOW + VALID_MS - 1)
        with pytest.raises(LinkRefused, match="used before"):
            redeem(change.connection, word, KEY, now_ms=NOW + VALID_MS - 1)
        trim(change, now_ms=NOW + (KEEP_DAYS + 2) * DAY_MS)
        with pytest.raises(LinkRefused, match="too old"):
            redeem(change.connection, word, KEY, now_ms=NOW + (KEEP_DAYS + 2) * DAY_MS)
    assert count(tmp_path, "link_used") == 0


def test_a_site_gone_for_months_is_forgotten_unless_its_silence_stands(alarms: AlarmDatabase) -> None:
    event(alarms, at_ms=NOW, over=False, alarm="st-1#silent")
    with alarms.transaction() as change:
        for site in ("st-1", "st-2"):
            change.set_meta(f"sites_heard:{site}", str(NOW))
            change.set_meta(f"site_clock:{site}", "{}")
        change.set_meta("sites_heard:st-3", str(NOW + 100 * DAY_MS))
        trim(change, now_ms=NOW + 100 * DAY_MS)
    assert set(alarms.metas("sites_heard:")) == {"sites_heard:st-1", "sites_heard:st-3"}
    assert set(alarms.metas("site_clock:")) == {"site_clock:st-1"}


def test_trimming_is_done_once_a_day_and_not_by_a_clock_set_back(alarms: AlarmDatabase, tmp_path: Path) -> None:
    later = NOW + 200 * DAY_MS
    for at_ms, left in [(later, 1), (later - DAY_MS, 1), (later + 1000, 1), (later + DAY_MS, 0)]:
        with alarms.transaction() as change:
            trim_daily(change, now_ms=at_ms)
        if at_ms == later:
            event(alarms, at_ms=NOW)
        assert count(tmp_path, "outbox") == left
