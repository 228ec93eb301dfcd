"""Acknowledgement links: genuine, in time, once."""

import contextlib
import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.alarms import links
from analytics.alarms.links import Link, LinkRefused, redeem, sign

NOW = 1_764_000_000_000
KEY = b"key of the county"
LINK = Link("qingshui/outlet.turbidity_ntu#high", 3, "wang", NOW + 1000)


@pytest.fixture
def used() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.executescript(links.SCHEMA)
    yield connection
    connection.close()


def test_a_link_stands_for_one_person_and_one_occurrence(used: sqlite3.Connection) -> None:
    assert redeem(used, sign(LINK, KEY), KEY, now_ms=NOW) == LINK


def test_a_link_works_once(used: sqlite3.Connection) -> None:
    redeem(used, sign(LINK, KEY), KEY, now_ms=NOW)
    with pytest.raises(LinkRefused, match="used before"):
        redeem(used, sign(LINK, KEY), KEY, now_ms=NOW)


def test_an_expired_link_is_refused(used: sqlite3.Connection) -> None:
    with pytest.raises(LinkRefused, match="too old"):
        redeem(used, sign(LINK, KEY), KEY, now_ms=LINK.expires_ms)


def test_a_link_under_another_key_is_refused(used: sqlite3.Connection) -> None:
    with pytest.raises(LinkRefused, match="not made here"):
        redeem(used, sign(LINK, b"another"), KEY, now_ms=NOW)


@given(st.text(max_size=80))
def test_no_text_is_taken_for_a_link(word: str) -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(links.SCHEMA)
    with pytest.raises(LinkRefused):
        redeem(connection, word, KEY, now_ms=NOW)
    connection.close()


@given(st.integers(0, 10_000), st.characters(codec="ascii"))
def test_a_changed_letter_is_refused_or_the_same_link(place: int, letter: str) -> None:
    """The last letter of base64 has idle bits: a word that decodes to the same bytes is the same link."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(links.SCHEMA)
    word = sign(LINK, KEY)
    at = place % len(word)
    with contextlib.suppress(LinkRefused):
        assert redeem(connection, word[:at] + letter + word[at + 1 :], KEY, now_ms=NOW) == LINK
    connection.close()
