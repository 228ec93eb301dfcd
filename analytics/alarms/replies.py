"""What a crew answers by SMS or to a robot: `1234 OK`, and nothing looser than that."""

import re
from dataclasses import dataclass
from typing import Literal

_REPLY = re.compile(r"#?(\d{1,12})(?:-\d+)?[\s,,::]*(ok|收到|接单|no|退回)[.。!!]?", re.IGNORECASE)
_TAKES = ("ok", "收到", "接单")


@dataclass(frozen=True)
class Reply:
    """A number of an occurrence, as notices carry it, and what the sender does about it."""

    occurrence: int
    act: Literal["take", "hand back"]


def parse_reply(text: str) -> Reply | None:
    """Return what a message says; None where it is not a reply, and then nothing is done.

    The whole message must be one: a sentence that happens to hold a number and `ok` acknowledges nothing.

    Examples
    --------
    >>> parse_reply("#1234 OK")
    Reply(occurrence=1234, act='take')
    >>> parse_reply("17 退回")
    Reply(occurrence=17, act='hand back')
    >>> parse_reply("is 1234 ok?") is None
    True
    """
    found = _REPLY.fullmatch(text.strip())
    if found is None:
        return None
    return Reply(int(found[1]), "take" if found[2].lower() in _TAKES else "hand back")
