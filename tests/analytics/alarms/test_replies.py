"""Replies by text: only what is plainly a reply counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.alarms.replies import Reply, parse_reply


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("1234 OK", Reply(1234, "take")),
        ("#1234-2 ok.", Reply(1234, "take")),
        (" 17收到 ", Reply(17, "take")),
        ("17,接单", Reply(17, "take")),
        ("17 no", Reply(17, "hand back")),
        ("OK", None),
        ("1234", None),
        ("call me about 1234 ok", None),
        ("1234 OK 1235 OK", None),
        ("-5 ok", None),
        ("", None),
    ],
)
def test_a_reply_is_a_number_and_a_word(text: str, reply: Reply | None) -> None:
    assert parse_reply(text) == reply


@given(st.text(max_size=200))
def test_no_text_is_an_error(text: str) -> None:
    parse_reply(text)
