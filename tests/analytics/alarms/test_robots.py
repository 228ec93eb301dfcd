"""The three messengers' robots, against a loopback server that gives their documented answers."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from support.told_server import Reply, ToldServer, told_server

from analytics.alarms.channels.port import Answer, Channel, Message, Recipient, Verdict, shortened
from analytics.alarms.channels.robots import DingTalk, Feishu, WeCom, dingtalk_sign, feishu_sign

NOW = 1_764_000_000_000
NOTICE = Message("1级 清水水厂 浊度过高", "1.8 NTU,限值 1.0,自 02:14", "#A17-1")
CREW = Recipient("王强", phone="13800000000")


@pytest.fixture
def peer() -> Iterator[ToldServer]:
    with told_server(lambda _: Reply()) as server:
        yield server


def robots(url: str) -> dict[str, Channel]:
    return {
        "dingtalk": DingTalk("d", token="tok-secret", secret="sign-secret", base_url=url),
        "wecom": WeCom("w", key="tok-secret", base_url=url),
        "feishu": Feishu("f", token="tok-secret", secret="sign-secret", base_url=url),
    }


def said(peer: ToldServer, robot: str, reply: Reply) -> Answer:
    peer.answer = lambda _: reply
    return robots(peer.url)[robot].send(NOTICE, CREW, NOW)


def test_dingtalk_signs_as_the_golden_vector() -> None:
    assert dingtalk_sign("this is secret", 1700000000001) == "aOZ0Y/R7BCg4xs87AcG5MYf26YmwfVRTLD0z3X+p/mM="


def test_feishu_signs_as_the_golden_vector() -> None:
    assert feishu_sign("demo", 1599360473) == "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="


def test_dingtalk_puts_its_signature_into_the_query_and_mentions_the_crew(peer: ToldServer) -> None:
    said(peer, "dingtalk", Reply(body={"errcode": 0, "errmsg": "ok"}))
    query = parse_qs(urlsplit(peer.asked[0].path).query)
    assert query["sign"] == [dingtalk_sign("sign-secret", NOW)]
    assert query["timestamp"] == [str(NOW)]
    assert peer.asked[0].json["at"] == {"atMobiles": ["13800000000"]}


def test_feishu_puts_its_signature_in_seconds_into_the_body(peer: ToldServer) -> None:
    said(peer, "feishu", Reply(body={"code": 0, "msg": "success"}))
    assert peer.asked[0].json["timestamp"] == str(NOW // 1000)
    assert peer.asked[0].json["sign"] == feishu_sign("sign-secret", NOW // 1000)


ANSWERS = [
    ("dingtalk", {"errcode": 0, "errmsg": "ok"}, Verdict.ACCEPTED),
    ("dingtalk", {"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"}, Verdict.WAIT),
    ("dingtalk", {"errcode": -1, "errmsg": "系统繁忙"}, Verdict.WAIT),
    ("dingtalk", {"status": 1111, "wait": 5, "punish": "deny"}, Verdict.WAIT),
    ("dingtalk", {"errcode": 310000, "errmsg": "keywords not in content"}, Verdict.GIVE_UP),
    ("dingtalk", {"errcode": 310000, "errmsg": "sign not match"}, Verdict.GIVE_UP),
    ("dingtalk", {"errcode": 300005, "errmsg": "token is not exist"}, Verdict.GIVE_UP),
    ("dingtalk", {"errcode": 987654, "errmsg": "something new"}, Verdict.GIVE_UP),
    ("dingtalk", {}, Verdict.GIVE_UP),
    ("wecom", {"errcode": 0, "errmsg": "ok"}, Verdict.ACCEPTED),
    ("wecom", {"errcode": 45009, "errmsg": "api freq out of limit"}, Verdict.WAIT),
    ("wecom", {"errcode": 93000, "errmsg": "invalid webhook url"}, Verdict.GIVE_UP),
    ("feishu", {"code": 0, "msg": "success"}, Verdict.ACCEPTED),
    ("feishu", {"StatusCode": 0, "StatusMessage": "success"}, Verdict.ACCEPTED),
    ("feishu", {"code": 11232, "msg": "frequency limited"}, Verdict.WAIT),
    ("feishu", {"code": 19021, "msg": "sign match fail or timestamp is not within one hour"}, Verdict.GIVE_UP),
    ("feishu", {"code": 19024, "msg": "Key Words Not Found"}, Verdict.GIVE_UP),
    ("feishu", {"code": 9499, "msg": "Bad Request"}, Verdict.GIVE_UP),
]


@pytest.mark.parametrize(("robot", "body", "verdict"), ANSWERS)
def test_the_code_in_the_body_decides_under_http_200(
    peer: ToldServer, robot: str, body: dict[str, object], verdict: Verdict
) -> None:
    assert said(peer, robot, Reply(body=body)).verdict is verdict


@pytest.mark.parametrize("robot", ["dingtalk", "wecom", "feishu"])
@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (Reply(429, {}, {"Retry-After": "7"}), Verdict.WAIT),
        (Reply(502, b"bad gateway"), Verdict.WAIT),
        (Reply(200, b"<html>login</html>"), Verdict.GIVE_UP),
        (Reply(200, b"[]"), Verdict.GIVE_UP),
        (Reply(404, {"errcode": 0, "code": 0}), Verdict.GIVE_UP),
    ],
)
def test_what_is_not_the_robot_s_own_success_is_never_a_success(
    peer: ToldServer, robot: str, reply: Reply, verdict: Verdict
) -> None:
    assert said(peer, robot, reply).verdict is verdict


def test_the_wait_that_a_service_asks_for_is_kept(peer: ToldServer) -> None:
    assert said(peer, "wecom", Reply(429, {}, {"Retry-After": "7"})).retry_after_s == 7
    assert said(peer, "dingtalk", Reply(body={"status": 1111, "wait": 5})).retry_after_s == 5
    assert said(peer, "dingtalk", Reply(body={"errcode": 130101, "errmsg": "too fast"})).retry_after_s == 600


def test_a_message_refused_as_too_long_is_sent_once_more_and_shorter(peer: ToldServer) -> None:
    """The text says so before the code does."""
    long = Message("x", "浊" * 9000, "#A1-1")
    peer.answer = lambda asked: Reply(
        body={"errcode": 0} if len(asked.body) < 15_000 else {"errcode": 460101, "errmsg": "message too long"}
    )
    assert robots(peer.url)["dingtalk"].send(long, CREW, NOW).verdict is Verdict.ACCEPTED
    assert len(peer.asked) == 2


def test_nobody_at_the_address_is_a_reason_to_wait() -> None:
    assert robots("http://127.0.0.1:9")["wecom"].send(NOTICE, CREW, NOW).verdict is Verdict.WAIT


@pytest.mark.parametrize("robot", ["dingtalk", "wecom", "feishu"])
def test_tokens_and_signatures_are_never_said(peer: ToldServer, robot: str) -> None:
    channel = robots(peer.url)[robot]
    assert "secret" not in repr(channel)
    assert "secret" not in said(peer, robot, Reply(404, b"")).detail


def test_a_text_is_cut_at_a_character_and_never_beyond_the_limit() -> None:
    cut = shortened("浊度" * 1000, 100)
    assert len(cut.encode()) <= 100
    assert cut.endswith(("度…", "浊…"))
