"""From registers to values: a block is taken apart by `struct` in one call, then each point is scaled and judged.

Two byte strings hold every word order: the registers as they came, and with the bytes of each register swapped.
Read with high or low byte first they give ABCD, DCBA, BADC and CDAB, of 32 and of 64 bits.
"""

import functools
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from edge.plan import Block, Cell
from edge.profiles import BYTES_OF_DIGITS, Point
from edge.wire import Quality

Raw = int | float | bytes
Judged = tuple[float | None, Quality]
Judge = Callable[[float, Sequence[Raw | Quality]], Judged]

CODES = {
    "uint16": "H", "int16": "h", "bcd16": "H", "uint32": "I", "int32": "i", "bcd32": "I", "float32": "f",
    "uint64": "Q", "int64": "q", "float64": "d",
}  # fmt: skip
BYTES_SWAPPED_AND_ENDIAN = {
    "ABCD": (False, ">"), "CDAB": (True, "<"), "BADC": (True, ">"), "DCBA": (False, "<"),
    "ABCDEFGH": (False, ">"), "GHEFCDAB": (True, "<"), "BADCFEHG": (True, ">"), "HGFEDCBA": (False, "<"),
}  # fmt: skip
MAX_POWER_OF_TEN = 20
GOOD, UNCERTAIN_RANGE = Quality.GOOD, Quality.UNCERTAIN_RANGE
NOT_AVAILABLE: Judged = (None, Quality.BAD_NOT_AVAILABLE)


class BlockDecoder:
    """Takes the registers of one block apart into its cells' raw numbers."""

    def __init__(self, block: Block) -> None:
        self._bits = [cell.register - block.register for cell in block.cells] if block.cells[0].type == "bit" else None
        self._size = len(block.cells)
        self._straight = struct.Struct(f">{block.count}H")
        self._swapped = struct.Struct(f"<{block.count}H")
        self._layouts = _layouts(block)

    def raws(self, registers: Sequence[int]) -> Sequence[Raw]:
        """Return one raw number per cell of the block, in its order."""
        if self._bits is not None:
            return [registers[offset] for offset in self._bits]
        if len(self._layouts) == 1 and self._layouts[0].plain:
            return self._layouts[0].layout.unpack(self._packed(self._layouts[0], registers))
        raws: list[Raw] = [0] * self._size
        for layout in self._layouts:
            values = layout.layout.unpack(self._packed(layout, registers))
            for index, reorder, value in zip(layout.cells, layout.reorders, values, strict=True):
                raws[index] = value if reorder is None else reorder(value)
        return raws

    def _packed(self, layout: "_Layout", registers: Sequence[int]) -> bytes:
        return (self._swapped if layout.swapped else self._straight).pack(*registers)


def make_judge(point: Point, *, sides: Mapping[str, int]) -> Judge:
    """Return the function that makes a value and its quality of a point's raw number.

    `sides` says at which place of the device's raw numbers the decimals, the exponent and the status stand.
    """
    read, scaled, marks = _reader(point), _scaler(point), frozenset(point.not_available)
    if read is None and not marks and not sides:
        return scaled

    def judge(raw: float, everything: Sequence[Raw | Quality]) -> Judged:
        number = raw if read is None else read(raw)
        return NOT_AVAILABLE if number is None or number in marks else scaled(number, everything)

    def judge_with_sides(raw: float, everything: Sequence[Raw | Quality]) -> Judged:
        number = raw if read is None else read(raw)
        power, verdict = _beside(point, sides, everything)
        if verdict.is_bad:
            return None, verdict
        if number is None or number in marks:
            return NOT_AVAILABLE
        value, quality = scaled(number * 10.0**power if power >= 0 else number / 10.0**-power, everything)
        return value, max(quality, verdict)

    return judge_with_sides if sides else judge


def text_of(raw: Raw) -> str:
    """Return what a string point says, without padding."""
    return raw.split(b"\0")[0].decode("ascii", "replace").strip() if isinstance(raw, bytes) else str(raw)


class _Layout(NamedTuple):
    """Cells that one `struct` call takes out of one byte string."""

    swapped: bool
    layout: struct.Struct
    cells: tuple[int, ...]
    reorders: tuple[Callable[[bytes], Raw] | None, ...]
    plain: bool


def _layouts(block: Block) -> list[_Layout]:
    """Lay the cells out in as few passes as their byte orders (and cells that lie over each other) need."""
    if block.cells[0].type == "bit":
        return []
    passes: dict[tuple[bool, str, int], list[int]] = {}
    ends: dict[tuple[bool, str, int], int] = {}
    for index, (cell, way) in enumerate(zip(block.cells, _ways(block), strict=True)):
        layer = 0
        while ends.get((*way, layer), 0) > cell.register:
            layer += 1
        passes.setdefault((*way, layer), []).append(index)
        ends[*way, layer] = cell.register + cell.size
    return [_layout(block, swapped, endian, cells) for (swapped, endian, _), cells in passes.items()]


def _ways(block: Block) -> list[tuple[bool, str]]:
    """Return per cell how to read it; a single register reads the same in two ways, so it joins the others' pass."""
    ways = [BYTES_SWAPPED_AND_ENDIAN.get(cell.order, (False, ">")) for cell in block.cells if cell.size > 1]
    single = (True, "<") if (True, "<") in ways and (False, ">") not in ways else (False, ">")
    return [
        single if cell.size == 1 else BYTES_SWAPPED_AND_ENDIAN.get(cell.order, (False, ">")) for cell in block.cells
    ]


def _layout(block: Block, swapped: bool, endian: str, cells: list[int]) -> _Layout:
    layout, at = endian, block.register
    for index in cells:
        cell = block.cells[index]
        layout += f"{2 * (cell.register - at)}x{_code(cell)}"
        at = cell.register + cell.size
    layout += f"{2 * (block.register + block.count - at)}x"
    reorders = tuple(_reorder(block.cells[index]) for index in cells)
    plain = not any(reorders) and cells == list(range(len(block.cells)))
    return _Layout(swapped, struct.Struct(layout), tuple(cells), reorders, plain)


def _code(cell: Cell) -> str:
    return f"{2 * cell.size}s" if cell.type == "string" or _is_mixed(cell) else CODES[cell.type]


def _is_mixed(cell: Cell) -> bool:
    return cell.size == 4 and cell.type != "string" and cell.order not in BYTES_SWAPPED_AND_ENDIAN


def _reorder(cell: Cell) -> Callable[[bytes], Raw] | None:
    """Return what puts a 64-bit number of a mixed order together; None where `struct` has done it."""
    if not _is_mixed(cell):
        return None
    places = [cell.order.index(letter) for letter in "ABCDEFGH"]
    number = struct.Struct(">" + CODES[cell.type])

    def reorder(received: bytes) -> Raw:
        value: Raw = number.unpack(bytes(received[place] for place in places))[0]
        return value

    return reorder


def _reader(point: Point) -> Callable[[float], float | None] | None:
    """Return what makes a number of the point's raw content; None where it is one already."""
    if point.type.startswith("bcd"):
        return _bcd
    if point.type in BYTES_OF_DIGITS:
        return functools.partial(_signed_bcd, sign=1 << 8 * BYTES_OF_DIGITS[point.type] - 1)
    if point.mask is None:
        return None
    mask, shift = point.mask, (point.mask & -point.mask).bit_length() - 1
    return lambda raw: (int(raw) & mask) >> shift


def _bcd(raw: float) -> float | None:
    digits = f"{int(raw):x}"
    return int(digits) if digits.isdecimal() else None


def _signed_bcd(raw: float, *, sign: int) -> float | None:
    number = _bcd(int(raw) & ~sign)
    return -number if number is not None and int(raw) & sign else number


def _scaler(point: Point) -> Judge:
    """Return what makes a value in the point's unit of its number, and says whether it is plausible."""
    multiply, divide = _factor(point.scale)
    offset = point.offset
    low = -math.inf if point.valid_min is None else point.valid_min
    high = math.inf if point.valid_max is None else point.valid_max

    def scaled(number: float, _everything: Sequence[Raw | Quality]) -> Judged:
        value = number * multiply / divide + offset
        if low <= value <= high and value - value == 0.0:  # the difference is NaN for an infinite value
            return value, GOOD
        return (value, UNCERTAIN_RANGE) if math.isfinite(value) else NOT_AVAILABLE

    return scaled


def _factor(scale: float) -> tuple[float, float]:
    """Return (multiply, divide): a scale of 0.1 divides by 10, so 2304 becomes 230.4 and not 230.40000000000003."""
    inverse = round(1 / scale)
    if abs(scale) < 1 and math.isclose(inverse * scale, 1.0, rel_tol=1e-12):
        return 1.0, float(inverse)
    return scale, 1.0


def _beside(point: Point, sides: Mapping[str, int], everything: Sequence[Raw | Quality]) -> tuple[int, Quality]:
    """Return the power of ten that other registers of the device give the number, and their verdict on it."""
    power, verdict = 0, Quality.GOOD
    for what, place in sides.items():
        number = everything[place]
        if isinstance(number, Quality):
            return 0, number
        if what == "status":
            verdict = _status_quality(point, int(number))
        else:
            power += int(number) if what == "exponent" else -int(number)
    return (power, verdict) if abs(power) <= MAX_POWER_OF_TEN else (0, Quality.BAD_NOT_AVAILABLE)


def _status_quality(point: Point, content: int) -> Quality:
    if point.status is None or content in point.status.good:
        return Quality.GOOD
    return Quality.UNCERTAIN_RANGE if content in point.status.uncertain else Quality.BAD_NOT_AVAILABLE
