"""The encoder against the edge's decoder: two pieces of code that know of each other only what a profile says."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.decode import BlockDecoder, make_judge
from edge.plan import Block, cells_of
from edge.profiles import Point
from simulators.registers import Image, encode, shown

NUMBERS = ("uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64", "bcd16", "bcd32")


def point(kind: str, order: str = "ABCD", *, scale: float = 1.0, register: int = 0) -> Point:
    return Point(
        name="l1.voltage_v", table="input_register", register=register, type=kind, word_order=order, scale=scale
    )


def decoded(one: Point, registers: list[int]) -> float | None:
    cells = cells_of([one])
    raw = BlockDecoder(Block(cells)).raws(registers)
    return make_judge(one, sides={})(raw[0], raw)[0]


def test_a_float_stands_as_its_documentation_says() -> None:
    """123.456 is 42F6 E979 in IEEE 754: the four habits of word order, written out."""
    orders = {"ABCD": [0x42F6, 0xE979], "CDAB": [0xE979, 0x42F6], "BADC": [0xF642, 0x79E9], "DCBA": [0x79E9, 0xF642]}
    for order, registers in orders.items():
        assert encode(point("float32", order), 123.456) == registers


def test_a_scaled_integer_is_rounded_to_the_register_and_no_further() -> None:
    one = point("uint16", scale=0.1)
    assert encode(one, 230.04) == [2300]
    assert shown(one, 230.04) == pytest.approx(230.0)


@given(
    kind=st.sampled_from(NUMBERS),
    order=st.sampled_from(("ABCD", "CDAB", "BADC", "DCBA")),
    value=st.integers(0, 9999),
    scale=st.sampled_from((1.0, 0.1, 0.01, 10.0)),
)
def test_the_edge_reads_what_the_meter_shows(kind: str, order: str, value: int, scale: float) -> None:
    one = point(kind, order, scale=scale)
    assert decoded(one, encode(one, value * scale)) == pytest.approx(shown(one, value * scale))


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_every_float_survives(value: float) -> None:
    assert shown(point("float32"), value) == struct.unpack(">f", struct.pack(">f", value))[0]


def test_a_read_beyond_the_map_is_refused_and_a_hole_reads_zero() -> None:
    image = Image([point("uint16"), Point(name="i.current_a", table="input_register", register=3, type="uint16")])
    image.load({"l1.voltage_v": 230.0, "i.current_a": 5.0})
    assert image.read(4, 0, 4) == [230, 0, 0, 5]
    assert image.read(4, 0, 5) is None
    assert image.read(3, 0, 1) is None
