"""SMS through an HTTP gateway that takes JSON: `{"to", "text", "from", "token"}` in, any 2xx with an id out."""

import json
from dataclasses import dataclass, field

import urllib3

from analytics.alarms.channels.port import Answer, Message, Recipient, Verdict, shortened

TIMEOUT_S = 8.0
MAX_BYTES = 500
"""Three concatenated messages of Chinese text."""


@dataclass(frozen=True)
class SmsGateway:
    """An operator's or a county's own SMS gateway over HTTP."""

    name: str
    url: str
    token: str = field(repr=False)
    sender: str = ""

    def send(self, message: Message, recipient: Recipient, now_ms: int) -> Answer:
        """Try once. The gateway's 2xx is its word that it took the message; delivery is the operator's."""
        if not recipient.phone:
            return Answer(Verdict.GIVE_UP, f"{recipient.name} has no phone number")
        text = shortened(f"{message.title} {message.key}\n{message.body}", MAX_BYTES)
        body = {"to": recipient.phone, "text": text, "from": self.sender}
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            reply = urllib3.request("POST", self.url, json=body, headers=headers, timeout=TIMEOUT_S, retries=False)
        except urllib3.exceptions.HTTPError as error:
            return Answer(Verdict.WAIT, f"no answer: {type(error).__name__}")
        if reply.status == 429 or reply.status >= 500:
            return Answer(Verdict.WAIT, f"HTTP {reply.status}", _seconds(reply.headers.get("Retry-After", "")))
        if 200 <= reply.status < 300:
            return Answer(Verdict.ACCEPTED, f"HTTP {reply.status}", provider_id=_id(reply.data))
        return Answer(Verdict.GIVE_UP, f"HTTP {reply.status}")


def _seconds(text: str) -> float | None:
    return float(text) if text.isdigit() else None


def _id(data: bytes) -> str:
    try:
        said = json.loads(data)
    except ValueError:
        return ""
    return str(said.get("id", ""))[:60] if isinstance(said, dict) else ""
