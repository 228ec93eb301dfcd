"""Put values into registers the way a device's profile says: an encoder that shares no code with the edge's decoder."""

import math
import struct
from collections.abc import Mapping, Sequence

from edge.profiles import Point

STRUCT_OF_TYPE = {
    "uint16": ">H", "int16": ">h", "uint32": ">I", "int32": ">i", "uint64": ">Q", "int64": ">q",
    "float32": ">f", "float64": ">d",
}  # fmt: skip
BCD_DIGITS = {"bcd16": 4, "bcd32": 8}
READ_FUNCTION_OF_TABLE = {"coil": 1, "discrete_input": 2, "holding_register": 3, "input_register": 4}


class Image:
    """A device's registers (or bits) at one instant, by read function."""

    def __init__(self, points: Sequence[Point]) -> None:
        self._points = tuple(points)
        self._end: dict[int, int] = {}
        for point in points:
            function = READ_FUNCTION_OF_TABLE[point.table]
            self._end[function] = max(self._end.get(function, 0), point.register + point.size)
        self._cells: dict[int, list[int]] = {}

    def load(self, values: Mapping[str, float]) -> None:
        """Take new values by point name, in the point's unit; points without one hold zero."""
        self._cells = {function: [0] * end for function, end in self._end.items()}
        for point in self._points:
            value = values.get(point.name)
            if value is not None:
                cells = self._cells[READ_FUNCTION_OF_TABLE[point.table]]
                cells[point.register : point.register + point.size] = encode(point, value)

    def read(self, function: int, address: int, count: int) -> list[int] | None:
        """The cells of a request; None where it reaches beyond the device's map."""
        cells = self._cells.get(function, [])
        if address + count > len(cells):
            return None
        return cells[address : address + count]


def encode(point: Point, value: float) -> list[int]:
    """The registers that hold a value, one number of 16 bits each (one bit for coils and discrete inputs)."""
    if point.type == "bit":
        return [int(value != 0.0)]
    held = _bytes(point, (value - point.offset) / point.scale)
    arranged = bytes(held[place] for place in _places(point.word_order, len(held)))
    return list(struct.unpack(f">{len(arranged) // 2}H", arranged))


def shown(point: Point, value: float) -> float:
    """What a value becomes by passing through the point's registers: its resolution, and nothing else."""
    if point.type == "bit":
        return float(value != 0.0)
    raw = (value - point.offset) / point.scale
    code = STRUCT_OF_TYPE.get(point.type, ">Q")
    held = struct.unpack(code, struct.pack(code, raw))[0] if code[1] in "fd" else _whole(raw)
    return float(held) * point.scale + point.offset


def _bytes(point: Point, raw: float) -> bytes:
    """The raw number, most significant byte first."""
    if point.type in BCD_DIGITS:
        return bytes.fromhex(f"{_whole(raw):0{BCD_DIGITS[point.type]}d}")
    code = STRUCT_OF_TYPE[point.type]
    return struct.pack(code, raw if code[1] in "fd" else _whole(raw))


def _places(order: str, length: int) -> list[int]:
    """Which byte of the number comes first, second, … on the wire."""
    if length == 2:
        return [0, 1]
    if len(order) == length:
        return [ord(letter) - ord("A") for letter in order]
    words = [[place, place + 1] for place in range(0, length, 2)]
    if order in ("CDAB", "DCBA"):
        words.reverse()
    if order in ("BADC", "DCBA"):
        words = [[low, high] for high, low in words]
    return [place for word in words for place in word]


def _whole(raw: float) -> int:
    if not math.isfinite(raw):
        raise ValueError(f"{raw} cannot stand in an integer register")
    return round(raw)
