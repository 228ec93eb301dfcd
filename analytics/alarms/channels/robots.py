"""Group robots of DingTalk, WeCom and Feishu: HTTP 200 means nothing, the code in the body decides.

Each robot's limits, signature and codes were compared in several public sources; the golden vectors of the signatures
are in the tests. An unknown code is a failure. Tokens, keys and signatures never appear in an answer.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus

import urllib3

from analytics.alarms.channels.port import Answer, Message, Recipient, Verdict, shortened

TIMEOUT_S = 5.0
THROTTLED_S = 600.0
BUSY_S = 30.0
WAIT_WORDS = ("too fast", "freq", "限流", "太快", "busy")
TOO_LONG_WORDS = ("too long",)

Body = Mapping[str, object]


@dataclass(frozen=True)
class DingTalk:
    """A custom robot in a DingTalk group; 20 messages a minute, throttled for 10 minutes beyond."""

    name: str
    token: str = field(repr=False)
    secret: str = field(default="", repr=False)
    base_url: str = "https://oapi.dingtalk.com"
    max_bytes: int = 20_000

    def send(self, message: Message, recipient: Recipient, now_ms: int) -> Answer:
        """Try once; the recipient is mentioned by phone number where it is known."""
        url = f"{self.base_url}/robot/send?access_token={self.token}{self._signature(now_ms)}"
        at = {"atMobiles": [recipient.phone]} if recipient.phone else {}

        def body(text: str) -> Body:
            return {"msgtype": "text", "text": {"content": text}, "at": at}

        return _send(url, body, _text(message), self.max_bytes, _DINGTALK)

    def _signature(self, now_ms: int) -> str:
        return f"&timestamp={now_ms}&sign={quote_plus(dingtalk_sign(self.secret, now_ms))}" if self.secret else ""


@dataclass(frozen=True)
class WeCom:
    """A group robot in WeCom; 20 messages a minute, 2048 bytes of text."""

    name: str
    key: str = field(repr=False)
    base_url: str = "https://qyapi.weixin.qq.com"
    max_bytes: int = 2_048

    def send(self, message: Message, recipient: Recipient, now_ms: int) -> Answer:
        """Try once; the recipient is mentioned by phone number where it is known."""
        url = f"{self.base_url}/cgi-bin/webhook/send?key={self.key}"
        mentioned = {"mentioned_mobile_list": [recipient.phone]} if recipient.phone else {}

        def body(text: str) -> Body:
            return {"msgtype": "text", "text": {"content": text, **mentioned}}

        return _send(url, body, _text(message), self.max_bytes, _WECOM)


@dataclass(frozen=True)
class Feishu:
    """A custom robot in a Feishu or Lark group; 100 messages a minute and 5 a second."""

    name: str
    token: str = field(repr=False)
    secret: str = field(default="", repr=False)
    base_url: str = "https://open.feishu.cn"
    max_bytes: int = 19_000

    def send(self, message: Message, recipient: Recipient, now_ms: int) -> Answer:
        """Try once; Feishu mentions people by its own ids, so the name stands in the text."""
        url = f"{self.base_url}/open-apis/bot/v2/hook/{self.token}"
        seconds = now_ms // 1000
        sign = {"timestamp": str(seconds), "sign": feishu_sign(self.secret, seconds)} if self.secret else {}
        named = f"{_text(message)}\n@{recipient.name}" if recipient.name else _text(message)

        def body(text: str) -> Body:
            return {**sign, "msg_type": "text", "content": {"text": text}}

        return _send(url, body, named, self.max_bytes, _FEISHU)


def dingtalk_sign(secret: str, now_ms: int) -> str:
    """Return DingTalk's signature: HMAC-SHA256 of "<ms>\\n<secret>" under the secret, in base64."""
    digest = hmac.new(secret.encode(), f"{now_ms}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def feishu_sign(secret: str, now_s: int) -> str:
    """Return Feishu's signature: HMAC-SHA256 of nothing under the key "<s>\\n<secret>", in base64."""
    digest = hmac.new(f"{now_s}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


@dataclass(frozen=True)
class _Codes:
    """How one robot's body is read."""

    code_keys: tuple[str, ...]
    text_keys: tuple[str, ...]
    wait: Mapping[int, float]
    """Code → how long to wait. [s]"""


_DINGTALK = _Codes(
    ("errcode", "status"), ("errmsg",), {130101: THROTTLED_S, 410100: THROTTLED_S, -1: BUSY_S, 1111: 60.0}
)
_WECOM = _Codes(("errcode",), ("errmsg",), {45009: 60.0, -1: BUSY_S})
_FEISHU = _Codes(("code", "StatusCode"), ("msg", "StatusMessage"), {11232: 120.0})


def _text(message: Message) -> str:
    return f"{message.title} {message.key}\n{message.body}"


def _send(url: str, body: Callable[[str], Body], text: str, max_bytes: int, codes: _Codes) -> Answer:
    """Post the text; where it is refused as too long, once more at half the length."""
    answer, too_long = _post(url, body(shortened(text, max_bytes)), codes)
    if too_long:
        answer, _ = _post(url, body(shortened(text, max_bytes // 2)), codes)
    return answer


def _post(url: str, body: Body, codes: _Codes) -> tuple[Answer, bool]:
    try:
        reply = urllib3.request("POST", url, json=body, timeout=TIMEOUT_S, retries=False)
    except urllib3.exceptions.HTTPError as error:
        return Answer(Verdict.WAIT, f"no answer: {type(error).__name__}"), False
    if reply.status == 429 or reply.status >= 500:
        return Answer(Verdict.WAIT, f"HTTP {reply.status}", _retry_after(reply)), False
    try:
        said = json.loads(reply.data)
    except ValueError:
        said = None
    if reply.status != 200 or not isinstance(said, dict):
        return Answer(Verdict.GIVE_UP, f"HTTP {reply.status} without an answer that can be read"), False
    return _read(said, codes)


def _read(said: dict[str, object], codes: _Codes) -> tuple[Answer, bool]:
    """Read the body: text first, then code; the second value says that the message was too long."""
    code = next((said[key] for key in codes.code_keys if key in said), None)
    text = str(next((said[key] for key in codes.text_keys if key in said), ""))[:200]
    detail = f"{code}: {text}"
    if code == 0:
        return Answer(Verdict.ACCEPTED, detail), False
    if any(word in text.lower() for word in TOO_LONG_WORDS):
        return Answer(Verdict.GIVE_UP, detail), True
    if isinstance(code, int) and code in codes.wait:
        wait = said.get("wait")
        return Answer(Verdict.WAIT, detail, float(wait) if isinstance(wait, int | float) else codes.wait[code]), False
    if any(word in text.lower() for word in WAIT_WORDS):
        return Answer(Verdict.WAIT, detail, BUSY_S), False
    return Answer(Verdict.GIVE_UP, detail), False


def _retry_after(reply: urllib3.BaseHTTPResponse) -> float | None:
    asked = reply.headers.get("Retry-After", "")
    return float(asked) if asked.isdigit() else None
