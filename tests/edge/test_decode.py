"""Registers become values: every type, every byte order, every way of saying that there is no value."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.decode import BlockDecoder, make_judge, text_of
from edge.plan import Block, Cell, cells_of, main_cell, side_cells
from edge.profiles import DeviceStatus, Point
from edge.wire import Quality

LETTERS = "ABCDEFGH"


def on_the_wire(packed: bytes, order: str) -> list[int]:
    """Registers that hold the big-endian bytes `packed` in the order of the letters; written without the decoder."""
    arriving = bytes(packed[LETTERS.index(letter)] for letter in order)
    return list(struct.unpack(f">{len(arriving) // 2}H", arriving))


def value_of(registers: list[int], **keys: object) -> tuple[float | None, Quality]:
    """What a device of one point says whose registers from 0 on hold `registers`."""
    point = Point(**{"name": "x_v", "table": "holding_register", "register": 0, "type": "uint16", **keys})
    cells = cells_of([point])
    raws = BlockDecoder(Block(cells)).raws(registers)
    place = {member: index for index, member in enumerate(cells)}
    sides = {what: place[member] for what, member in side_cells(point).items()}
    return make_judge(point, sides=sides)(raws[place[main_cell(point)]], raws)


def test_36_point_63_as_a_tuf_2000m_sends_it():
    """The flow meter's own example: bytes 80 6B 42 12 are 36.63 with the low word first."""
    value, quality = value_of([0x806B, 0x4212], type="float32", word_order="CDAB")
    assert value == pytest.approx(36.63, abs=0.005)
    assert quality is Quality.GOOD


@pytest.mark.parametrize("order", ["ABCD", "CDAB", "BADC", "DCBA"])
@pytest.mark.parametrize(
    ("kind", "code", "value"), [("float32", "f", 123.5), ("uint32", "I", 4e9), ("int32", "i", -2e9)]
)
def test_32_bits_in_every_order(order, kind, code, value):
    packed = struct.pack(f">{code}", value if code == "f" else int(value))
    assert value_of(on_the_wire(packed, order), type=kind, word_order=order) == (value, Quality.GOOD)


@pytest.mark.parametrize("order", ["ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA", "CDABGHEF", "EFGHABCD"])
@pytest.mark.parametrize(("kind", "code"), [("float64", "d"), ("uint64", "Q"), ("int64", "q")])
def test_64_bits_in_every_order(order, kind, code):
    packed = struct.pack(f">{code}", 1_234_567_890_123)
    assert value_of(on_the_wire(packed, order), type=kind, word_order=order) == (1_234_567_890_123, Quality.GOOD)


@pytest.mark.parametrize(
    ("habit", "order"), [("ABCD", "ABCDEFGH"), ("CDAB", "GHEFCDAB"), ("BADC", "BADCFEHG"), ("DCBA", "HGFEDCBA")]
)
def test_a_devices_habit_holds_for_64_bits(habit, order):
    assert value_of(on_the_wire(struct.pack(">q", -5), order), type="int64", word_order=habit)[0] == -5


@pytest.mark.parametrize("order", ["ABCD", "CDAB", "BADC", "DCBA"])
def test_a_single_register_is_sent_high_byte_first_whatever_the_word_order(order):
    assert value_of([0xFF85], type="int16", word_order=order) == (-123, Quality.GOOD)


@pytest.mark.parametrize(
    ("registers", "keys", "expected"),
    [
        ([2304], {"scale": 0.1}, 230.4),
        ([3], {"scale": 0.1}, 0.3),
        ([29815], {"scale": 0.01, "offset": -273.15}, 25.0),
        ([25], {"scale": 10.0}, 250.0),
        ([0xAB12], {"mask": 0x0F00}, 0xB),
        ([0x1234], {"type": "bcd16"}, 1234),
        ([0x0012, 0x3456], {"type": "bcd32"}, 123456),
        ([314, 2], {"type": "int16", "decimals_register": 1}, 3.14),
        ([314, 0xFFFE], {"type": "int16", "exponent_register": 1, "scale": 0.001}, 0.00314),
        ([7, 3], {"exponent_register": 1}, 7000),
        ([2, 314], {"register": 1, "decimals_register": 0}, 3.14),
    ],
)
def test_scaling(registers, keys, expected):
    value, quality = value_of(registers, **keys)
    assert value == pytest.approx(expected, rel=1e-12)
    assert quality is Quality.GOOD


def test_a_decimal_scale_gives_the_decimal_number():
    """3 × 0.1 is 0.30000000000000004; a meter that shows 0.3 has read 0.3."""
    assert [value_of([raw], scale=0.1)[0] for raw in (3, 7, 2304, 2299)] == [0.3, 0.7, 230.4, 229.9]


@pytest.mark.parametrize(
    ("registers", "keys"),
    [
        ([0x7FC0, 0], {"type": "float32"}),
        ([0x7F80, 0], {"type": "float32"}),
        ([0x7FA0, 0], {"type": "float32"}),
        ([0x8000], {"not_available": [0x8000]}),
        ([0x8000], {"type": "int16", "not_available": [-32768]}),
        ([0x12AB], {"type": "bcd16"}),
        ([314, 0x8000], {"exponent_register": 1}),
        ([314, 65535], {"decimals_register": 1}),
        ([314, 2], {"status": DeviceStatus(register=1, good=[0], uncertain=[1])}),
    ],
)
def test_what_is_not_available_has_no_value(registers, keys):
    assert value_of(registers, **keys) == (None, Quality.BAD_NOT_AVAILABLE)


def test_a_device_judges_its_own_value():
    status = DeviceStatus(register=1, good=[0], uncertain=[1])
    assert value_of([5, 0], status=status) == (5, Quality.GOOD)
    assert value_of([5, 1], status=status) == (5, Quality.UNCERTAIN_RANGE)


def test_an_implausible_value_is_kept_and_marked():
    assert value_of([900], valid_max=500.0) == (900, Quality.UNCERTAIN_RANGE)
    assert value_of([0xFFFF], type="int16", valid_min=0.0) == (-1, Quality.UNCERTAIN_RANGE)


def test_a_text_ends_where_its_padding_begins():
    cells = cells_of([Point(name="t", table="holding_register", register=0, type="string", string_registers=3)])
    raws = BlockDecoder(Block(cells)).raws([0x5344, 0x4D00, 0x2020])
    assert text_of(raws[0]) == "SDM"


def test_bits_are_taken_by_their_place():
    cells = (Cell("coil", 3, 1, "bit", "ABCD"), Cell("coil", 5, 1, "bit", "ABCD"))
    assert BlockDecoder(Block(cells)).raws([1, 0, 0]) == [1, 0]


def test_a_word_read_as_number_and_as_bits_is_read_once():
    word = Cell("holding_register", 0, 1, "uint16", "ABCD")
    signed = word._replace(type="int16")
    assert list(BlockDecoder(Block((signed, word))).raws([0xFFFF])) == [-1, 0xFFFF]


CODES = {"uint16": "H", "int16": "h", "uint32": "I", "int32": "i", "float32": "f", "uint64": "Q", "float64": "d"}
ORDERS = {1: ["AB"], 2: ["ABCD", "CDAB", "BADC", "DCBA"], 4: ["ABCDEFGH", "GHEFCDAB", "BADCFEHG", "CDABGHEF"]}


@st.composite
def blocks_with_contents(draw):
    """A block of cells of any types and orders with gaps, the registers that hold it, and what it holds."""
    cells, registers, values = [], [], []
    for kind in draw(st.lists(st.sampled_from(sorted(CODES)), min_size=1, max_size=12)):
        registers += draw(st.lists(st.integers(0, 65_535), max_size=3)) if cells else []
        packed = draw(st.binary(min_size=struct.calcsize(CODES[kind]), max_size=struct.calcsize(CODES[kind])))
        order = draw(st.sampled_from(ORDERS[len(packed) // 2]))
        cells.append(Cell("holding_register", len(registers), len(packed) // 2, kind, order))
        registers += on_the_wire(packed, order)
        values.append(struct.unpack(">" + CODES[kind], packed)[0])
    return Block(tuple(cells)), registers, values


@given(blocks_with_contents())
def test_any_mixture_of_types_and_orders_comes_apart_right(example):
    block, registers, values = example
    for found, expected in zip(BlockDecoder(block).raws(registers), values, strict=True):
        assert found == expected or (math.isnan(found) and math.isnan(expected))
