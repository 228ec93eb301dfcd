"""Who is told when: chains, hours, hand-over in the middle of an escalation, links."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from analytics.alarms.classes import BY_NAME
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.events import Acknowledge, Event, Fell, Rose, Severity, Suppress
from analytics.alarms.links import LinkRefused
from analytics.alarms.planner import Planner
from analytics.alarms.records import Act
from analytics.alarms.rota import Person, Rota, Step
from analytics.alarms.settings import AlarmSettings, Chain, Chains, ChannelSettings
from ingest.register import Register

ZONE = "Asia/Shanghai"
PUMP = "qingshui/pump.pump_on#low"
MINUTE_MS = 60_000
SETTINGS = AlarmSettings(
    channels=[ChannelSettings(name="sms", kind="sms_http", url="x")],
    people=[Person(name=name, channels=["sms"]) for name in ("wang", "li", "county")],
    rotas=[Rota("crew", datetime.fromisoformat("2026-01-05T08:00"), ["wang", "li"])],
    chains=Chains(
        critical=Chain(steps=[Step(0, rota="crew"), Step(30, rota="crew"), Step(60, person="county")], repeat_min=60),
        medium=Chain(steps=[Step(0, rota="crew"), Step(15, person="county")], only_hours=(time(8), time(18))),
    ),
    manager="county",
    settle_s=30.0,
)


def local_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)


@pytest.fixture
def alarms(tmp_path: Path) -> Iterator[AlarmDatabase]:
    database = AlarmDatabase(tmp_path / "alarms.db")
    yield database
    database.close()


def do(alarms: AlarmDatabase, event: Event, when: str, planner: Planner | None = None, who: str = "engine") -> None:
    planner = planner or Planner(SETTINGS, Register({}, {}, {}, ()), ZONE)
    kind, now_ms = BY_NAME["pump"].kind, local_ms(when)
    with alarms.transaction() as change:
        record = change.find(PUMP, asset="qingshui", kind="pump")
        planner.plan(change, change.apply(record, Act(event, now_ms, who), kind, now_ms=now_ms), kind, now_ms=now_ms)


def waiting(alarms: AlarmDatabase) -> list[tuple[str, str, str]]:
    """(purpose, recipient, local time) of what is queued."""
    with alarms.transaction() as change:
        rows = change.connection.execute(
            "SELECT purpose, recipient, next_ms FROM outbox WHERE state = 'queued' ORDER BY next_ms, id"
        ).fetchall()
    zone = ZoneInfo(ZONE)
    return [(p, r, datetime.fromtimestamp(at / 1000, zone).strftime("%m-%d %H:%M:%S")) for p, r, at in rows]


def rose(when: str, severity: Severity = Severity.CRITICAL) -> Rose:
    return Rose(local_ms(when), severity)


def send(alarms: AlarmDatabase) -> None:
    """The first notice has been taken by its service."""
    with alarms.transaction() as change:
        change.connection.execute("UPDATE outbox SET state = 'accepted' WHERE id = (SELECT min(id) FROM outbox)")


def test_a_hand_over_during_an_escalation_is_followed(alarms: AlarmDatabase) -> None:
    """Wang has the duty until Monday 8:00; the second step falls to Li, who has taken over by then."""
    do(alarms, rose("2026-01-12T07:45:00"), "2026-01-12T07:45:00")
    assert waiting(alarms)[:3] == [
        ("fired", "wang", "01-12 07:45:30"),
        ("escalated", "li", "01-12 08:15:00"),
        ("escalated", "county", "01-12 08:45:00"),
    ]


def test_the_last_step_is_repeated_five_times(alarms: AlarmDatabase) -> None:
    do(alarms, rose("2026-01-12T09:00:00"), "2026-01-12T09:00:00")
    reminders = [row for row in waiting(alarms) if row[0] == "reminder"]
    assert [row[2][6:8] for row in reminders] == ["11", "12", "13", "14", "15"]


def test_outside_its_hours_a_chain_begins_in_the_morning_and_keeps_its_steps_apart(alarms: AlarmDatabase) -> None:
    do(alarms, rose("2026-01-12T23:00:00", Severity.MEDIUM), "2026-01-12T23:00:00")
    assert waiting(alarms) == [("fired", "li", "01-13 08:00:00"), ("escalated", "county", "01-13 08:15:00")]


def test_before_the_first_hand_over_the_manager_is_told(alarms: AlarmDatabase) -> None:
    do(alarms, rose("2026-01-01T09:00:00"), "2026-01-01T09:00:00")
    assert waiting(alarms)[0][1] == "county"


def test_a_graver_alarm_replaces_the_chain_that_waits(alarms: AlarmDatabase) -> None:
    do(alarms, rose("2026-01-12T09:00:00", Severity.MEDIUM), "2026-01-12T09:00:00")
    do(alarms, rose("2026-01-12T09:01:00"), "2026-01-12T09:01:00")
    assert [row[2] for row in waiting(alarms)][:2] == ["01-12 09:01:30", "01-12 09:31:00"]


def test_a_cause_that_shows_calls_the_notice_back(alarms: AlarmDatabase) -> None:
    do(alarms, rose("2026-01-12T09:00:00"), "2026-01-12T09:00:00")
    do(alarms, Suppress("feeder#supply_lost", 0), "2026-01-12T09:00:10")
    assert waiting(alarms) == []


def test_whoever_was_told_is_told_that_it_is_over_though_it_ends_while_hidden(alarms: AlarmDatabase) -> None:
    do(alarms, rose("2026-01-12T09:00:00"), "2026-01-12T09:00:00")
    send(alarms)
    do(alarms, Suppress("feeder#supply_lost", 0), "2026-01-12T09:05:00")
    do(alarms, Fell(local_ms("2026-01-12T09:10:00")), "2026-01-12T09:10:00")
    assert waiting(alarms) == [("resolved", "li", "01-12 09:10:30")]


def test_a_condition_that_is_back_at_once_is_not_told_again_to_who_knows(alarms: AlarmDatabase) -> None:
    """The word that it was over had not left yet; the escalation goes on."""
    do(alarms, rose("2026-01-12T09:00:00"), "2026-01-12T09:00:00")
    send(alarms)
    do(alarms, Fell(local_ms("2026-01-12T09:10:00")), "2026-01-12T09:10:00")
    do(alarms, rose("2026-01-12T09:10:20"), "2026-01-12T09:10:20")
    assert [row[:2] for row in waiting(alarms)][:2] == [("escalated", "li"), ("escalated", "county")]


def test_a_person_who_has_left_since_is_nobody_and_no_error(alarms: AlarmDatabase) -> None:
    do(alarms, rose("2026-01-12T09:00:00"), "2026-01-12T09:00:00")
    send(alarms)
    people = [person for person in SETTINGS.people if person.name != "li"]
    smaller = msgspec.structs.replace(SETTINGS, people=people, rotas=[], chains=Chains())
    do(
        alarms,
        Fell(local_ms("2026-01-12T09:10:00")),
        "2026-01-12T09:10:00",
        Planner(smaller, Register({}, {}, {}, ()), ZONE),
    )
    assert waiting(alarms)[0][:2] == ("resolved", "li")


def test_a_link_in_a_notice_takes_the_alarm_once(alarms: AlarmDatabase) -> None:
    settings = msgspec.structs.replace(SETTINGS, link_base="https://c/ack", link_key_file="k")
    planner = replace(Planner(settings, Register({}, {}, {}, ()), ZONE), link_key=b"secret")
    do(alarms, rose("2026-01-12T09:00:00"), "2026-01-12T09:00:00", planner)
    with alarms.transaction() as change:
        (body,) = change.connection.execute("SELECT body FROM outbox ORDER BY id LIMIT 1").fetchone()
    word = body.split("https://c/ack/")[1].split()[0]
    now_ms = local_ms("2026-01-12T09:05:00")
    assert planner.take_by_link(alarms, word, now_ms=now_ms).alarm.acked
    assert alarms.occurrences()[0].acked_by == "li"
    assert waiting(alarms) == []
    with pytest.raises(LinkRefused, match="used before"):
        planner.take_by_link(alarms, word, now_ms=now_ms)


def test_a_link_of_an_earlier_time_of_the_alarm_is_refused_and_not_used_up(alarms: AlarmDatabase) -> None:
    settings = msgspec.structs.replace(SETTINGS, link_base="https://c/ack", link_key_file="k")
    planner = replace(Planner(settings, Register({}, {}, {}, ()), ZONE), link_key=b"secret")
    do(alarms, rose("2026-01-12T09:00:00"), "2026-01-12T09:00:00", planner)
    with alarms.transaction() as change:
        (body,) = change.connection.execute("SELECT body FROM outbox ORDER BY id LIMIT 1").fetchone()
    word = body.split("https://c/ack/")[1].split()[0]
    do(alarms, Acknowledge(), "2026-01-12T09:01:00", planner, "wang")
    do(alarms, Fell(local_ms("2026-01-12T09:10:00")), "2026-01-12T09:10:00", planner)
    do(alarms, rose("2026-01-12T12:00:00"), "2026-01-12T12:00:00", planner)
    with pytest.raises(LinkRefused, match="earlier time"):
        planner.take_by_link(alarms, word, now_ms=local_ms("2026-01-12T12:05:00"))
    assert not alarms.records()[0].alarm.acked
