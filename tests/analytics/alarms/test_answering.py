"""Replies by SMS: from the SMS centre through the inbox to the alarm, and only from those who can be called."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from support.alarm_centre import REGISTER, SUPPLY, alarm_centre, tell
from support.alarm_script import SETTINGS, Play, county
from support.node_smpp_peer import node_smpp
from support.servers import wait_until
from support.smpp_peer import BIND_RECEIVER, SmppPeer, smpp_peer

from analytics.alarms import service
from analytics.alarms.answering import answer, sender
from analytics.alarms.channels.port import Message, Recipient, Verdict
from analytics.alarms.channels.smpp import Smpp
from analytics.alarms.channels.smpp_inbox import SmppInbox, Sms
from analytics.alarms.database import AlarmDatabase, AlarmDatabaseError
from analytics.alarms.rota import Override, Person, Rota
from edge.clock import RealClock
from edge.errors import ConfigError

FEEDER = "head/meter#supply_lost"
WITHIN_S = 20.0
PEOPLE = [
    Person("crew", ["sms"], phone="13800000001"),
    Person("backup", ["sms"], phone="+86 138-0000-0002"),
    Person("county", ["sms"], phone="13800000009"),
    Person("left", ["sms"], phone="13800000007"),
]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """A feeder is lost, as occurrence #1."""
    played = Play(tmp_path, county(0), msgspec.structs.replace(SETTINGS, people=PEOPLE))
    played.say("head", meter__voltage_v=0.0)
    played.minute()
    return played


def reply(play: Play, phone: str, text: str) -> str:
    """The letter of the feeder's alarm after a message."""
    answer(play.database, play.engine.planner, phone, text, now_ms=play.now_ms)
    return play.states()[FEEDER]


@pytest.mark.parametrize("phone", ["13800000001", "8613800000001", "+8613800000001", "008613800000002"])
def test_somebody_who_can_be_called_takes_it_and_hands_it_back(play: Play, phone: str) -> None:
    assert reply(play, phone, "1 OK") == "C"
    acts = [(row.act, row.actor, row.reason) for row in play.database.audit_rows(alarm=FEEDER)]
    assert acts[0] == ("Acknowledge", "backup" if phone.endswith("2") else "crew", "by SMS")
    assert reply(play, phone, "#1 退回") == "B"


@pytest.mark.parametrize(
    ("phone", "text"),
    [
        ("13900000001", "1 OK"),
        ("13800000007", "1 OK"),
        ("", "1 OK"),
        ("3800000001", "1 OK"),
        ("13800000001", "is 1 ok?"),
        ("13800000001", "2 OK"),
        ("13800000001", "999999999999 OK"),
    ],
)
def test_nothing_else_does_anything(play: Play, phone: str, text: str) -> None:
    """A stranger; one who is on no duty; no number; half a number; no reply; an occurrence that there never was."""
    assert reply(play, phone, text) == "B"


def test_a_reply_to_what_is_over_takes_nothing(play: Play) -> None:
    reply(play, "13800000001", "1 OK")
    play.say("head", meter__voltage_v=231.0)
    play.minute()
    play.say("head", meter__voltage_v=0.0)
    play.minute()
    assert [one.id for one in play.database.occurrences()] == [1, 2]
    assert reply(play, "13800000001", "1 OK") == "B"
    assert reply(play, "13800000001", "2 OK") == "C"


def test_whoever_takes_it_first_has_it(play: Play) -> None:
    assert reply(play, "13800000001", "1 OK") == "C"
    assert reply(play, "13800000002", "1 OK") == "C"
    assert play.database.occurrences()[0].acked_by == "crew"


def test_a_number_of_two_people_is_nobodys_and_stand_ins_can_be_called() -> None:
    twins = [*PEOPLE[1:], msgspec.structs.replace(PEOPLE[0], phone=PEOPLE[1].phone)]
    assert sender(msgspec.structs.replace(SETTINGS, people=twins), PEOPLE[1].phone) is None
    left = PEOPLE[3]
    assert sender(msgspec.structs.replace(SETTINGS, people=PEOPLE), left.phone) is None
    day = datetime(2026, 1, 1)  # noqa: DTZ001 - local time of the rota
    rota = Rota("night", day, ["crew"], [Override(day, day + timedelta(days=1), "left")])
    assert sender(msgspec.structs.replace(SETTINGS, people=PEOPLE, rotas=[rota]), left.phone) == left


@contextmanager
def receiving(port: int, heard: list[Sms], password: str = "secret") -> Iterator[None]:
    """An inbox at work."""
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        inbox = SmppInbox("sms", "127.0.0.1", port, "county", password)
        working = pool.submit(inbox.receive, heard.append, stop)
        try:
            yield
        finally:
            stop.set()
            working.result(WITHIN_S)


@pytest.fixture
def peer() -> Iterator[SmppPeer]:
    with smpp_peer() as served:
        yield served


def test_messages_come_in_in_either_alphabet_and_are_answered_for(peer: SmppPeer) -> None:
    heard: list[Sms] = []
    with receiving(peer.port, heard):
        wait_until(lambda: peer.has_receiver, WITHIN_S, "the inbox is bound")
        peer.give("8613800000001", "17 OK")
        peer.give("8613800000001", "17 收到")
        peer.give("8613800000001", "id:1 stat:DELIVRD", receipt=True)
        wait_until(lambda: len(peer.answered) == 3, WITHIN_S, "all three are answered for")
    assert peer.answered == [0, 0, 0]
    assert heard == [Sms("8613800000001", "17 OK"), Sms("8613800000001", "17 收到")]


def test_a_lost_connection_is_made_again(peer: SmppPeer, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Sms] = []
    with receiving(peer.port, heard):
        wait_until(lambda: peer.has_receiver, WITHIN_S, "the inbox is bound")
        peer.hang_up()
        wait_until(lambda: len(caplog.records) > 0, WITHIN_S, "the loss is told")
        wait_until(lambda: peer.has_receiver, WITHIN_S, "the inbox is bound again")
        peer.give("138", "17 OK")
        wait_until(lambda: len(heard) == 1, WITHIN_S, "a message comes in")


class BusyOnce(list[Sms]):
    """Does not take the first message, for another program holds the database just then."""

    was_busy = False

    def append(self, sms: Sms) -> None:
        if not self.was_busy:
            self.was_busy = True
            raise AlarmDatabaseError("alarms.db: database is locked")
        super().append(sms)


def test_a_reply_that_could_not_be_taken_is_told_and_taken_when_it_comes_again(
    peer: SmppPeer, caplog: pytest.LogCaptureFixture
) -> None:
    """Before, the inbox was deaf from then on, and nobody was told until the next midnight."""
    heard = BusyOnce()
    with receiving(peer.port, heard):
        wait_until(lambda: peer.has_receiver, WITHIN_S, "the inbox is bound")
        peer.give("138", "17 OK")
        wait_until(lambda: "database is locked" in caplog.text, WITHIN_S, "the trouble is told")
        wait_until(lambda: not peer.has_receiver, WITHIN_S, "the message is left to come again")
        wait_until(lambda: peer.has_receiver, WITHIN_S, "the inbox is bound again")
        peer.give("138", "17 OK")
        wait_until(lambda: heard == [Sms("138", "17 OK")], WITHIN_S, "it is taken")
    assert peer.answered == [0]


def test_a_refused_password_is_told_and_tried_ever_later(peer: SmppPeer, caplog: pytest.LogCaptureFixture) -> None:
    peer.status[BIND_RECEIVER] = 0x0E
    with receiving(peer.port, []):
        wait_until(lambda: len(caplog.records) > 0, WITHIN_S, "the refusal is told")
    assert caplog.records[0].getMessage() == "channel sms receives no replies: status 0xe; again in 4 s"


@contextmanager
def told_centre(folder: Path, port: int) -> Iterator[Callable[[], str]]:
    """A running service that receives replies; gives the letter of the alarm."""
    people = REGISTER["alarms.toml"].replace('kind = "sms_http"', 'kind = "smpp"\nreplies = true\nuser = "county"')
    people = people.replace("http://127.0.0.1:9", f"127.0.0.1:{port}")
    people = people.replace("replies = true", 'replies = true\ntoken_file = "sms.password"')
    centre = alarm_centre(folder, REGISTER | {"alarms.toml": people})
    password = folder / "register" / "sms.password"
    password.write_text("secret", encoding="utf-8")
    password.chmod(0o600)
    stop = threading.Event()

    def letter() -> str:
        with closing(AlarmDatabase(Path(centre.data_dir) / service.DATABASE_FILE)) as database:
            return next((r.alarm.state.value for r in database.records() if r.id == SUPPLY), "")

    with ThreadPoolExecutor(1) as pool:
        serving = pool.submit(service.run, centre, RealClock(), stop)
        try:
            tell(centre, 0, RealClock().now_ms(), meter__voltage_v=0.0)
            wait_until(lambda: letter() == "B", WITHIN_S, "the loss of supply is an alarm")
            yield letter
        finally:
            stop.set()
            serving.result(WITHIN_S)


def test_a_reply_takes_an_alarm_of_the_running_service(
    tmp_path: Path, peer: SmppPeer, caplog: pytest.LogCaptureFixture
) -> None:
    """And the log names the person, never the number."""
    caplog.set_level(logging.INFO)
    with told_centre(tmp_path, peer.port) as letter:
        wait_until(lambda: peer.has_receiver, WITHIN_S, "the inbox is bound")
        peer.give("139", "1 OK")
        peer.give("138", "1 OK")
        wait_until(lambda: letter() == "C", WITHIN_S, "the alarm is taken")
    told = [record.getMessage() for record in caplog.records if "a reply over" in record.getMessage()]
    assert told == [
        "a reply over sms: nothing done, from a number of nobody who can be called",
        "a reply over sms: county: take #1",
    ]


@pytest.mark.server
def test_an_sms_centre_that_is_not_ours_takes_notices_and_gives_replies(tmp_path: Path) -> None:
    """npm `smpp` on node."""
    with node_smpp() as centre:
        channel = Smpp("sms", "127.0.0.1", centre.port, "county", "secret", "steppe")
        notice = Message("[紧急] 清水水厂 消毒失效", "余氯 0.12 mg/L", "#17")
        assert channel.send(notice, Recipient("wang", "8613800000001"), 0).verdict is Verdict.ACCEPTED
        said = centre.hear()["submitted"]
        assert said == {"to": "8613800000001", "text": "[紧急] 清水水厂 消毒失效 #17\n余氯 0.12 mg/L"}
        refused = Smpp("sms", "127.0.0.1", centre.port, "county", "wrong")
        assert refused.send(notice, Recipient("wang", "138"), 0).verdict is Verdict.GIVE_UP
        with told_centre(tmp_path, centre.port) as letter:
            wait_until(lambda: centre.give("138", "1 收到") is not None, WITHIN_S, "the inbox is bound")
            wait_until(lambda: letter() == "C", WITHIN_S, "the alarm is taken")


@pytest.mark.parametrize("kind", ["dingtalk", "sms_http"])
def test_only_smpp_receives_replies(tmp_path: Path, kind: str) -> None:
    text = f'[[channels]]\nname = "x"\nkind = "{kind}"\nurl = "http://127.0.0.1:9"\ntoken_file = "t"\nreplies = true\n'
    centre = alarm_centre(tmp_path, REGISTER | {"alarms.toml": text})
    with pytest.raises(ConfigError, match="only smpp receives replies"):
        service.load_plant(centre, now_ms=0)
