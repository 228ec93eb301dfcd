"""What every channel promises: an answer that is never better than the truth."""

import enum
from dataclasses import dataclass
from typing import Protocol


class Verdict(enum.StrEnum):
    """What became of one message."""

    ACCEPTED = "accepted"
    """The service says that it took the message, in its own words for success. Not yet read by anyone."""
    WAIT = "wait"
    """Try again later: throttled, busy, unreachable."""
    GIVE_UP = "give up"
    """This channel will not take it: wrong token, keyword, signature. Use the next one, tell the administrator."""


@dataclass(frozen=True)
class Answer:
    """The verdict, why, and when to try again."""

    verdict: Verdict
    detail: str
    """For the log and the audit: never a token, a key or a signature."""
    retry_after_s: float | None = None
    provider_id: str = ""


@dataclass(frozen=True)
class Message:
    """One notice, as text."""

    title: str
    body: str
    key: str
    """Short mark such as `#A1234-2` by which a repeated message is recognised."""


@dataclass(frozen=True)
class Recipient:
    """Whom it is for, as far as a channel needs to know."""

    name: str
    phone: str = ""
    email: str = ""


class Channel(Protocol):
    """A way to a person. Sending is synchronous and bounded in time; it never raises for the service's failure."""

    @property
    def name(self) -> str:
        """As in the configuration, such as `crew-group`."""

    def send(self, message: Message, recipient: Recipient, now_ms: int) -> Answer:
        """Try once. An answer that is not understood is a failure, never a success."""


def shortened(text: str, max_bytes: int) -> str:
    """Cut `text` to `max_bytes` of UTF-8 at a character's edge, with an ellipsis where something went."""
    raw = text.encode()
    if len(raw) <= max_bytes:
        return text
    return raw[: max_bytes - 3].decode(errors="ignore") + "…"
