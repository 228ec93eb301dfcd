"""From the outbox to people: limits, digests, the next channel, and the alarm about notices that reached nobody."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from analytics.alarms import outbox
from analytics.alarms.channels.port import Answer, Message, Recipient, Verdict
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.events import Severity
from analytics.alarms.outbox import Outgoing
from analytics.alarms.planner import Planner
from analytics.alarms.rota import Person, Step
from analytics.alarms.sender import UNDELIVERED, Sender
from analytics.alarms.settings import AlarmSettings, Chain, Chains, ChannelSettings
from ingest.register import Register

NOW = 1_764_000_000_000
ACCEPTED = Answer(Verdict.ACCEPTED, "ok")


@dataclass
class ScriptedChannel:
    """A channel that gives the answers it was told, then accepts."""

    name: str
    answers: list[Answer] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)

    def send(self, message: Message, recipient: Recipient, now_ms: int) -> Answer:
        self.sent.append(message)
        return self.answers.pop(0) if self.answers else ACCEPTED


@dataclass
class Office:
    """A sender with two scripted channels."""

    database: AlarmDatabase
    group: ScriptedChannel
    sms: ScriptedChannel
    sender: Sender

    def queue(self, count: int, severity: Severity = Severity.HIGH, start: int = 0) -> None:
        notices = [
            Outgoing(
                f"{severity}/{n}", f"a{n}#high", 1, "fired", severity, "wang", ("group", "sms"), f"t #{n}", "b", NOW
            )
            for n in range(start, start + count)
        ]
        with self.database.transaction() as change:
            outbox.queue(change.connection, notices, now_ms=NOW)

    def states(self) -> list[str]:
        return [row[0] for row in self.database._db.execute("SELECT state FROM outbox ORDER BY id")]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    settings = AlarmSettings(
        channels=[ChannelSettings(name=name, kind="sms_http", url="x") for name in ("group", "sms")],
        people=[Person(name="wang", channels=["group", "sms"]), Person(name="county", channels=["sms"])],
        chains=Chains(high=Chain(steps=[Step(0, person="county")])),
        manager="county",
    )
    database = AlarmDatabase(tmp_path / "alarms.db")
    group, sms = ScriptedChannel("group"), ScriptedChannel("sms")
    planner = Planner(settings, Register({}, {}, {}, ()), "Asia/Shanghai")
    yield Office(database, group, sms, Sender(database, {"group": group, "sms": sms}, planner))
    database.close()


def test_a_notice_goes_over_the_person_s_first_channel(office: Office) -> None:
    office.queue(1)
    assert office.sender.send_due(now_ms=NOW) == 1
    assert [message.key for message in office.group.sent] == ["#0"]
    assert office.sms.sent == []


def test_a_robot_that_refuses_under_http_200_hands_over_to_the_next_channel(office: Office) -> None:
    office.group.answers = [Answer(Verdict.GIVE_UP, "310000: sign not match")]
    office.queue(1)
    office.sender.send_due(now_ms=NOW)
    office.sender.send_due(now_ms=NOW)
    assert len(office.sms.sent) == 1
    assert office.states() == ["accepted"]


def test_a_throttled_robot_is_left_alone_for_its_ten_minutes(office: Office) -> None:
    office.group.answers = [Answer(Verdict.WAIT, "130101: too fast", retry_after_s=600)]
    office.queue(1)
    office.sender.send_due(now_ms=NOW)
    office.sender.send_due(now_ms=NOW)
    assert len(office.sms.sent) == 1


def test_beyond_the_limit_the_rest_go_as_one_digest(office: Office) -> None:
    """18 a minute, 6 of them kept for critical alarms: eleven singly, and nineteen together."""
    office.queue(30)
    assert office.sender.send_due(now_ms=NOW) == 30
    assert len(office.group.sent) == 12
    assert "19" in office.group.sent[-1].title


def test_the_limit_is_remembered_over_a_restart(office: Office) -> None:
    office.queue(30)
    office.sender.send_due(now_ms=NOW)
    office.queue(5, start=100)
    again = Sender(office.database, {"group": office.group, "sms": office.sms}, office.sender.planner)
    assert again.send_due(now_ms=NOW + 30_000) == 0
    assert again.send_due(now_ms=NOW + 61_000) == 5


def test_critical_alarms_have_places_of_their_own(office: Office) -> None:
    office.queue(30)
    office.sender.send_due(now_ms=NOW)
    office.queue(6, Severity.CRITICAL)
    assert office.sender.send_due(now_ms=NOW + 1000) == 6


def test_a_notice_that_reaches_nobody_is_an_alarm_to_the_manager_until_one_gets_through(office: Office) -> None:
    refused = Answer(Verdict.GIVE_UP, "no")
    office.group.answers, office.sms.answers = [refused], [refused]
    office.queue(1)
    office.sender.send_due(now_ms=NOW)
    office.sender.send_due(now_ms=NOW)
    assert office.states()[0] == "dead"
    assert [r.id for r in office.database.records(only_standing=True)] == [UNDELIVERED]
    office.sender.send_due(now_ms=NOW + 60_000)
    assert "未送达" in office.sms.sent[-1].title


def test_a_worker_killed_after_sending_sends_again_and_the_key_tells(office: Office) -> None:
    office.queue(1)
    with office.database.transaction() as change:
        outbox.lease(change.connection, now_ms=NOW, limit=1)
    office.sender.send_due(now_ms=NOW + outbox.LEASE_MS)
    assert office.group.sent[0].key == "#0"
