"""SMS over HTTP and SMPP, e-mail, and what Apprise carries, each against a peer on loopback."""

import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from support.smpp_peer import BIND_TRANSMITTER, SUBMIT_SM, UNBIND, SmppPeer, smpp_peer
from support.told_server import Reply, ToldServer, told_server

from analytics.alarms.channels.mail import Mail
from analytics.alarms.channels.make import make_channel
from analytics.alarms.channels.others import Other
from analytics.alarms.channels.port import Answer, Message, Recipient, Verdict
from analytics.alarms.channels.robots import DingTalk
from analytics.alarms.channels.smpp import Smpp
from analytics.alarms.channels.sms import SmsGateway
from analytics.alarms.settings import ChannelSettings
from edge.errors import ConfigError
from simulators.processes import free_port

NOW = 1_764_000_000_000
WITHIN_S = 5.0
NOTICE = Message("[紧急] 清水水厂 消毒失效", "余氯 0.12 mg/L,自 02:14", "#17")
CREW = Recipient("王强", phone="8613800000000", email="wang@county.example")


@pytest.fixture
def http() -> Iterator[ToldServer]:
    with told_server(lambda _: Reply(202, {"id": "m-1"})) as peer:
        yield peer


@pytest.fixture
def smpp() -> Iterator[SmppPeer]:
    with smpp_peer() as peer:
        yield peer


class Mailbox:
    """A mail server's inside: keeps mails, and refuses where it is told to."""

    def __init__(self) -> None:
        self.mails: list[Envelope] = []
        self.answer = "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answer.startswith("250"):
            self.mails.append(envelope)
        return self.answer


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield box, controller.port
    controller.stop()


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (Reply(202, {"id": "m-1"}), Verdict.ACCEPTED),
        (Reply(429, {}, {"Retry-After": "9"}), Verdict.WAIT),
        (Reply(503), Verdict.WAIT),
        (Reply(401), Verdict.GIVE_UP),
    ],
)
def test_the_sms_gateway_s_status_decides(http: ToldServer, reply: Reply, verdict: Verdict) -> None:
    http.answer = lambda _: reply
    assert SmsGateway("sms", http.url, "secret").send(NOTICE, CREW, NOW).verdict is verdict
    assert http.asked[0].json["to"] == CREW.phone


def test_a_person_without_a_number_or_address_goes_to_the_next_channel(http: ToldServer) -> None:
    nobody = Recipient("李")
    assert SmsGateway("sms", http.url, "secret").send(NOTICE, nobody, NOW).verdict is Verdict.GIVE_UP
    assert Smpp("sms", "127.0.0.1", 9, "u", "p").send(NOTICE, nobody, NOW).verdict is Verdict.GIVE_UP
    assert Mail("mail", "127.0.0.1", 9, "steppe@county.example").send(NOTICE, nobody, NOW).verdict is Verdict.GIVE_UP


def test_smpp_sends_chinese_in_parts_and_waits_for_each_answer(smpp: SmppPeer) -> None:
    answer = Smpp("sms", "127.0.0.1", smpp.port, "county", "secret", "steppe").send(
        Message(NOTICE.title, "余氯过低" * 30, NOTICE.key), CREW, NOW
    )
    assert answer.verdict is Verdict.ACCEPTED
    assert len(smpp.submitted) == 3
    assert all(b"8613800000000" in body for body in smpp.submitted)
    assert "余氯".encode("utf-16-be") in smpp.submitted[0]


@pytest.mark.parametrize(
    ("command", "status", "verdict"),
    [
        (BIND_TRANSMITTER, 0x0E, Verdict.GIVE_UP),
        (SUBMIT_SM, 0x58, Verdict.WAIT),
        (SUBMIT_SM, 0x14, Verdict.WAIT),
        (SUBMIT_SM, 0x0B, Verdict.GIVE_UP),
    ],
)
def test_the_sms_centre_s_status_decides(smpp: SmppPeer, command: int, status: int, verdict: Verdict) -> None:
    """Wrong password; throttled; queue full; wrong destination."""
    smpp.status[command] = status
    channel = Smpp("sms", "127.0.0.1", smpp.port, "county", "secret")
    assert channel.send(NOTICE, CREW, NOW).verdict is verdict


def test_an_sms_centre_that_never_says_whether_it_took_a_message_holds_nobody_up(smpp: SmppPeer) -> None:
    """It answers to everything else, so the line looks alive for ever; the other channels wait meanwhile."""
    smpp.mute = {SUBMIT_SM}
    channel = Smpp("sms", "127.0.0.1", smpp.port, "county", "secret", timeout_s=0.1)
    answers = queue.SimpleQueue[Answer]()
    threading.Thread(target=lambda: answers.put(channel.send(NOTICE, CREW, NOW)), daemon=True).start()
    assert answers.get(timeout=WITHIN_S).verdict is Verdict.WAIT


def test_what_the_sms_centre_took_is_sent_once_though_it_hangs_up_without_a_goodbye(smpp: SmppPeer) -> None:
    smpp.mute = {UNBIND}
    channel = Smpp("sms", "127.0.0.1", smpp.port, "county", "secret", timeout_s=0.1)
    assert channel.send(NOTICE, CREW, NOW).verdict is Verdict.ACCEPTED


def test_a_mail_arrives_with_its_key_in_the_subject(mailbox: tuple[Mailbox, int]) -> None:
    box, port = mailbox
    assert Mail("mail", "127.0.0.1", port, "steppe@county.example").send(NOTICE, CREW, NOW).verdict is Verdict.ACCEPTED
    assert box.mails[0].rcpt_tos == ["wang@county.example"]
    assert b"#17" in (box.mails[0].content or b"")


@pytest.mark.parametrize(("said", "verdict"), [("451 later", Verdict.WAIT), ("554 never", Verdict.GIVE_UP)])
def test_the_mail_server_s_code_decides(mailbox: tuple[Mailbox, int], said: str, verdict: Verdict) -> None:
    box, port = mailbox
    box.answer = said
    assert Mail("mail", "127.0.0.1", port, "steppe@county.example").send(NOTICE, CREW, NOW).verdict is verdict


def test_a_password_is_never_sent_in_the_clear(mailbox: tuple[Mailbox, int]) -> None:
    _, port = mailbox
    channel = Mail("mail", "127.0.0.1", port, "steppe@county.example", "steppe", "secret")
    answer = channel.send(NOTICE, CREW, NOW)
    assert answer.verdict is Verdict.GIVE_UP
    assert "TLS" in answer.detail


@pytest.mark.parametrize("channel", [Mail("m", "127.0.0.1", 9, "a@b.c"), Smpp("s", "127.0.0.1", 9, "u", "p")], ids=repr)
def test_nobody_at_the_address_is_a_reason_to_wait(channel: Mail | Smpp) -> None:
    assert channel.send(NOTICE, CREW, NOW).verdict is Verdict.WAIT


def test_apprise_carries_to_what_it_knows(http: ToldServer) -> None:
    channel = Other("hook", http.url.replace("http://", "json://"))
    assert channel.send(NOTICE, CREW, NOW).verdict is Verdict.ACCEPTED
    assert NOTICE.body in str(http.asked[0].json["message"])


def test_robots_whose_failures_apprise_takes_for_successes_are_refused_there() -> None:
    with pytest.raises(ConfigError, match="answers success for failures"):
        Other("crew", "feishu://token")


def test_secrets_are_read_from_files_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("tok-secret\n")
    (tmp_path / "s").write_text("sign-secret\n")
    settings = ChannelSettings(name="crew", kind="dingtalk", token_file="t", secret_file="s")
    channel = make_channel(settings, tmp_path)
    assert isinstance(channel, DingTalk)
    assert channel.token == "tok-secret"
    assert "secret" not in repr(channel)


def test_a_missing_secret_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"t: the secret cannot be read"):
        make_channel(ChannelSettings(name="crew", kind="wecom", token_file="t"), tmp_path)
