"""The strict framers, byte by byte: they find the one answer in anything, and never another."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fault_peer import crc16

from edge.linestats import LineStatistics
from edge.mbap import StrictMbap
from edge.pdu import ReadRequest, content_of
from edge.rtu import StrictRtu


def answer(values: list[int], unit: int = 1, function: int = 3) -> bytes:
    pdu = bytes([unit, function, 2 * len(values)]) + struct.pack(f">{len(values)}H", *values)
    return pdu + crc16(pdu)


def asked(register: int = 0, count: int = 2, unit: int = 1) -> tuple[StrictRtu, bytes]:
    """A framer that has sent a request, and the request's bytes."""
    framer = StrictRtu(LineStatistics())
    return framer, framer.build(ReadRequest(unit, 3, register, count))


def found(framer: StrictRtu | StrictMbap, data: bytes) -> list[int] | None:
    _, pdu = framer.take(data)
    return None if pdu is None else registers(pdu)


def registers(pdu: bytes) -> list[int]:
    """The content of an answer, however many registers it says it has."""
    return content_of(pdu, ReadRequest(1, 3, 0, pdu[1] // 2))


def test_the_answer_is_found_behind_a_zero_byte():
    framer, _ = asked()
    assert found(framer, b"\0" + answer([7, 8])) == [7, 8]


def test_a_second_copy_is_not_given_to_anybody():
    framer, _ = asked()
    assert found(framer, answer([7, 8])) == [7, 8]
    assert found(framer, answer([7, 8])) is None


@pytest.mark.parametrize(
    "data",
    [answer([7, 8, 9]), answer([7]), answer([7, 8], unit=2), answer([7, 8], function=4), answer([7, 8])[:-1] + b"\0"],
    ids=["too long", "too short", "another unit", "another function", "damaged"],
)
def test_what_does_not_fit_is_left_out(data):
    framer, _ = asked()
    assert found(framer, data) is None


def test_an_echo_that_looks_like_an_answer_is_not_one():
    """Reading one register at 0x0243 or the like: the echo 'unit 03 02 43 00 01 …' can have a checksum that fits."""
    lookalikes = [
        (unit, register)
        for unit in range(1, 248)
        for register in range(0x0200, 0x0300)
        if crc16((echo := asked(register, 1, unit)[1])[:5]) == echo[5:7]
    ]
    assert lookalikes
    for unit, register in lookalikes:
        for cut in range(1, 9):
            framer, echo = asked(register, 1, unit)
            assert found(framer, echo[:cut]) is None
            assert found(framer, echo + answer([1234], unit)) == [1234]


@given(st.binary(max_size=40), st.binary(max_size=40), st.lists(st.integers(0, 65_535), min_size=2, max_size=2))
def test_the_answer_is_found_in_any_garbage_or_not_at_all(before, after, values):
    framer, _ = asked()
    assert found(framer, before + answer(values) + after) in (values, None)


@given(st.lists(st.integers(0, 65_535), min_size=1, max_size=60), st.data())
def test_an_answer_in_any_pieces_is_put_together(values, data):
    framer, _ = asked(count=len(values))
    whole, buffer, pieces = answer(values), b"", []
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        buffer += whole[begin:end]
        used, pdu = framer.take(buffer)
        buffer = buffer[used:]
        pieces += [registers(pdu)] if pdu is not None else []
    assert pieces == [values]


@given(st.lists(st.integers(0, 65_535), min_size=1, max_size=60), st.integers(0, 10_000), st.integers(0, 7))
def test_no_flipped_bit_gets_through(values, place, bit):
    framer, _ = asked(count=len(values))
    whole = bytearray(answer(values))
    whole[place % len(whole)] ^= 1 << bit
    assert found(framer, bytes(whole)) is None


def tcp_asked(transaction: int = 5) -> StrictMbap:
    framer = StrictMbap(LineStatistics())
    for _ in range(transaction):
        framer.build(ReadRequest(1, 3, 0, 2))
    return framer


def tcp_answer(values: list[int], transaction: int = 5) -> bytes:
    pdu = answer(values)[:-2]
    return struct.pack(">HHH", transaction, 0, len(pdu)) + pdu


def test_a_tcp_answer_behind_a_late_one_is_found():
    assert found(tcp_asked(), tcp_answer([1, 2], 4) + tcp_answer([3, 4])) == [3, 4]


@pytest.mark.parametrize("missing", range(1, 13))
def test_a_tcp_frame_cut_short_never_borrows_from_the_next(missing):
    """The cut answer is followed by a late one: its first bytes must not become registers."""
    framer = tcp_asked()
    used, pdu = framer.take(tcp_answer([3, 4])[:-missing] + tcp_answer([1, 2], 4))
    assert pdu is None
    assert framer.is_broken or used == 0
