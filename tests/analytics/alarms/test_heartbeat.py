"""The daily word over each channel: once a day, in the morning, and its failure is an alarm."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from analytics.alarms.channels.port import Answer, Message, Recipient, Verdict
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.heartbeat import plan_heartbeats
from analytics.alarms.planner import Planner
from analytics.alarms.rota import Person
from analytics.alarms.sender import UNDELIVERED, Sender
from analytics.alarms.settings import AlarmSettings, ChannelSettings
from ingest.register import Register

ZONE = "Asia/Shanghai"
SETTINGS = AlarmSettings(
    channels=[ChannelSettings(name=name, kind="sms_http", url="x") for name in ("group", "sms")],
    people=[Person(name="county", channels=["sms"], language="en")],
    manager="county",
)


class DeadChannel:
    """A robot that was removed from its group."""

    name = "group"

    def send(self, message: Message, recipient: Recipient, now_ms: int) -> Answer:
        return Answer(Verdict.GIVE_UP, "400106 no robot")


@pytest.fixture
def alarms(tmp_path: Path) -> Iterator[AlarmDatabase]:
    database = AlarmDatabase(tmp_path / "alarms.db")
    yield database
    database.close()


def beat(alarms: AlarmDatabase, when: str, settings: AlarmSettings = SETTINGS) -> int:
    """Plan at a local time; return how many notices the outbox holds then."""
    now_ms = int(datetime.fromisoformat(when).replace(tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)
    with alarms.transaction() as change:
        plan_heartbeats(change, settings, ZONE, now_ms=now_ms)
        return int(change.connection.execute("SELECT count(*) FROM outbox").fetchone()[0])


def test_each_channel_says_once_a_day_that_it_works_a_few_minutes_past_eight(alarms: AlarmDatabase) -> None:
    days = ["2026-06-01T08:02", "2026-06-01T08:03", "2026-06-01T17:00", "2026-06-02T07:59", "2026-06-02T08:05"]
    assert [beat(alarms, when) for when in days] == [0, 2, 2, 2, 4]


def test_without_a_manager_there_is_nobody_to_say_it_to(alarms: AlarmDatabase) -> None:
    assert beat(alarms, "2026-06-01T09:00", AlarmSettings()) == 0


def test_a_channel_that_fails_its_daily_word_is_an_alarm(alarms: AlarmDatabase) -> None:
    beat(alarms, "2026-06-01T09:00")
    planner = Planner(SETTINGS, Register({}, {}, {}, ()), ZONE)
    now_ms = int(datetime(2026, 6, 1, 9, 1, tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)
    Sender(alarms, {"group": DeadChannel()}, planner).send_due(now_ms=now_ms)
    assert [record.id for record in alarms.records(only_standing=True)] == [UNDELIVERED]
