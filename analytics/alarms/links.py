"""Acknowledgement links: one alarm, one occurrence, one person, one use, until a given instant."""

import base64
import hashlib
import hmac
import sqlite3
from dataclasses import dataclass

import msgspec

from edge.errors import BadInput

SCHEMA = "CREATE TABLE IF NOT EXISTS link_used(digest TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID;"
VALID_MS = 24 * 3600 * 1000


class LinkRefused(BadInput):
    """The link is forged, too old, or was used before; nothing was acknowledged."""


@dataclass(frozen=True)
class Link:
    """What a link stands for."""

    alarm: str
    occurrence: int
    person: str
    expires_ms: int


def sign(link: Link, key: bytes) -> str:
    """Return the link as one word for a URL."""
    text = msgspec.json.encode([link.alarm, link.occurrence, link.person, link.expires_ms])
    return f"{_word(text)}.{_word(_digest(text, key))}"


def read(word: str, key: bytes, *, now_ms: int) -> Link:
    """Return what the word stands for, without using it up. Raises LinkRefused where it is forged or too old."""
    text, _, digest = word.partition(".")
    try:
        raw = _bytes(text)
        genuine = hmac.compare_digest(_bytes(digest), _digest(raw, key))
        link = Link(*msgspec.json.decode(raw, type=tuple[str, int, str, int])) if genuine else None
    except (ValueError, msgspec.MsgspecError):
        link = None
    if link is None:
        raise LinkRefused("this link was not made here: sign in and acknowledge on the console")
    if now_ms >= link.expires_ms:
        raise LinkRefused("this link is too old: sign in and acknowledge on the console")
    return link


def redeem(connection: sqlite3.Connection, word: str, key: bytes, *, now_ms: int) -> Link:
    """Return what the word stands for and use it up, inside the caller's transaction. Raises LinkRefused."""
    link = read(word, key, now_ms=now_ms)
    row = (_digest(_bytes(word.partition(".")[0]), key).hex(), now_ms)
    used = connection.execute("INSERT OR IGNORE INTO link_used VALUES(?, ?)", row)
    if used.rowcount == 0:
        raise LinkRefused("this link was used before: the alarm has been taken")
    return link


def _digest(text: bytes, key: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).digest()


def _word(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(word: str) -> bytes:
    return base64.urlsafe_b64decode(word + "=" * (-len(word) % 4))
