"""Dead letters: a wrong message is kept with its reason, once, within bounds."""

import pytest
from support.wire import NOW_MS

from ingest.deadletter import DeadLetters, Refused

TOPIC = "steppe/v1/qingshui-wtp/batch"


@pytest.fixture
def dead_letters(tmp_path):
    opened = DeadLetters(tmp_path / "deadletters.db", max_bytes=1000)
    yield opened
    opened.close()


def refused(payload=b"{", reason="truncated", at_ms=NOW_MS):
    return Refused(TOPIC, payload, reason, at_ms)


def test_a_letter_keeps_reason_topic_and_payload(dead_letters):
    dead_letters.add([refused(b"\xff\x00 anything")])
    [letter] = dead_letters.letters()
    assert (letter.topic, letter.reason, letter.times, letter.bytes) == (TOPIC, "truncated", 1, 11)
    assert dead_letters.payload(letter.number) == b"\xff\x00 anything"


def test_the_same_message_again_is_one_letter_with_a_count(dead_letters):
    """A retained wrong status comes with each connection."""
    for seconds in range(3):
        dead_letters.add([refused(at_ms=NOW_MS + seconds * 1000)])
    [letter] = dead_letters.letters()
    assert (letter.times, letter.first_ms, letter.last_ms) == (3, NOW_MS, NOW_MS + 2000)


def test_a_flood_pushes_out_the_oldest_and_says_how_many(dead_letters):
    dead_letters.add([refused(bytes([number]) * 100, at_ms=NOW_MS + number) for number in range(25)])
    assert [dead_letters.payload(letter.number)[0] for letter in dead_letters.letters()] == list(range(15, 25))
    assert dead_letters.gone() == 15


def test_replay_is_a_mark_that_a_new_refusal_takes_away(dead_letters):
    dead_letters.add([refused()])
    [letter] = dead_letters.letters()
    assert dead_letters.mark_for_replay([letter.number, 99]) == 1
    assert [one.number for one in dead_letters.to_replay()] == [letter.number]
    dead_letters.add([refused(reason="still truncated")])
    assert dead_letters.to_replay() == []
    assert dead_letters.letters()[0].reason == "still truncated"


def test_dropping_is_for_good(dead_letters):
    dead_letters.add([refused()])
    assert dead_letters.drop([1]) == 1
    assert dead_letters.drop([1]) == 0
    assert dead_letters.payload(1) is None
