"""Device profiles: which register of which device holds which quantity, read from the TOML files in `edge/profiles/`.

A `PointEntry` is what a file says of one point, a `Point` is complete. A site may override any key of any point
(`complete_point`), so a profile is a proposal with a source and a confidence, never a law.
"""

import functools
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge.errors import ConfigError

Table = Literal["coil", "discrete_input", "input_register", "holding_register", "data_identifier"]
"""The four tables of Modbus, and the one of DL/T 645, whose "register" is a data identifier such as 0x02010100."""
RegisterType = Literal[
    "bit", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64", "bcd16", "bcd32", "string",
    "bcd24", "sbcd16", "sbcd24", "sbcd32",
]  # fmt: skip
"""How the value stands in its registers.

The last four are of DL/T 645: three bytes of decimal digits, and digits whose highest bit is the sign.
"""
WordOrder = Literal[
    "ABCD", "CDAB", "BADC", "DCBA", "ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA", "CDABGHEF", "EFGHABCD", "unknown"
]
"""Letters of the value's bytes (A is the most significant) in the order in which they arrive.

The first four name a habit and hold for 64-bit values too: `CDAB` is low word first, `BADC` swaps the bytes of each
register, `DCBA` does both. Registers of 16 bits are sent high byte first, whatever the order of the words.
"""
Register = Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)]
LocalName = Annotated[str, Meta(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$", max_length=60)]

FOLDER = Path(__file__).with_name("profiles")
REGISTERS_OF_TYPE = {
    "bit": 1, "uint16": 1, "int16": 1, "bcd16": 1, "uint32": 2, "int32": 2, "float32": 2, "bcd32": 2,
    "uint64": 4, "int64": 4, "float64": 4,
}  # fmt: skip
BYTES_OF_DIGITS = {"bcd16": 2, "bcd24": 3, "bcd32": 4, "sbcd16": 2, "sbcd24": 3, "sbcd32": 4}
"""Types of DL/T 645."""
NUMBERS_OF_TYPE = {"uint16": 2**16, "uint32": 2**32, "bcd16": 10**4, "bcd24": 10**6, "bcd32": 10**8}
"""How many numbers a type has that a counter can run out of."""
INTEGER_TYPES = ("uint16", "int16", "uint32", "int32", "uint64", "int64")


class DeviceStatus(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A register in which the device itself judges the value."""

    register: Register
    """A uint16 in the value's own table."""
    good: list[int]
    """Contents with which the value is GOOD."""
    uncertain: list[int] = []
    """Contents with which it is UNCERTAIN_RANGE; with any other it is BAD_NOT_AVAILABLE."""


class PointEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a file says of one point; what it leaves out is as the profile says, or the default."""

    name: LocalName
    """Within the device, the quantity with its unit last: `l1.voltage_v`."""
    table: Table | None = None
    register: Register | None = None
    """Zero-based, as on the wire; of DL/T 645 the data identifier."""
    type: RegisterType | None = None
    string_registers: Annotated[int, Meta(ge=1, le=60)] | None = None
    """Length of a string, two characters to a register; other types know theirs."""
    word_order: WordOrder | None = None
    mask: Annotated[int, Meta(ge=1)] | None = None
    """Bits of an integer that hold the value; it is shifted down to the lowest of them."""
    scale: float | None = None
    """value = raw × scale × 10^exponent ÷ 10^decimals + offset; 1 if nobody says."""
    offset: float | None = None
    """Added last, in the point's unit; 0 if nobody says."""
    decimals_register: Register | None = None
    """A uint16 in the same table that says by which power of ten to divide."""
    exponent_register: Register | None = None
    """An int16 in the same table that says by which power of ten to multiply (SunSpec scale factor)."""
    status: DeviceStatus | None = None
    not_available: list[float] | None = None
    """Raw numbers that mean "no value"; NaN and infinity always do."""
    valid_min: float | None = None
    """Below it the value is UNCERTAIN_RANGE; in the point's unit."""
    valid_max: float | None = None
    """Above it likewise."""
    counter: bool | None = None
    """A running total that may wrap or reset."""
    wraps_at: Annotated[float, Meta(gt=0)] | None = None
    """Where a counter begins at 0 again, in the point's unit; left out, as its type says."""
    states: dict[str, str] | None = None
    """What the numbers of an enumeration mean, for people."""
    bits: dict[str, str] | None = None
    """What the bits of a status word mean (bit 0 is the lowest), for people."""
    doc: str | None = None
    """The number or remark printed in the manual."""


class Point(PointEntry, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One value of a device, complete."""

    table: Table
    register: Register
    type: RegisterType
    word_order: WordOrder = "ABCD"
    scale: float = 1.0
    offset: float = 0.0
    not_available: list[float] = []
    counter: bool = False

    def __post_init__(self) -> None:
        self._check_table()
        self._check_order()
        if self.mask is not None and self.type not in INTEGER_TYPES:
            raise ValueError(f"point {self.name}: mask needs an integer type, not {self.type}")
        if self.wraps_at is not None and not self.counter:
            raise ValueError(f"point {self.name}: wraps_at is for counters, set counter = true")
        if self.scale == 0:
            raise ValueError(f"point {self.name}: scale 0 makes every value the same; leave it out for 1")
        if self.valid_min is not None and self.valid_max is not None and self.valid_min >= self.valid_max:
            raise ValueError(f"point {self.name}: valid_min must be below valid_max")
        if self.table != "data_identifier" and self.register + self.size > 65_536:
            raise ValueError(f"point {self.name}: register {self.register} has no room for {self.size} registers")

    @property
    def size(self) -> int:
        """Registers (or bits) that the value takes."""
        return 1 if self.table == "data_identifier" else REGISTERS_OF_TYPE.get(self.type) or self.string_registers or 0

    @property
    def wraps_at_latest(self) -> float | None:
        """Where the point, as a counter, begins at 0 again at the latest; None where its type has no such end."""
        if not self.counter or self.wraps_at is not None:
            return self.wraps_at
        numbers = NUMBERS_OF_TYPE.get(self.type)
        scales_itself = self.decimals_register is not None or self.exponent_register is not None
        if numbers is None or scales_itself or self.mask is not None or self.offset:
            return None
        return numbers * self.scale if self.scale > 0 else None

    def _check_table(self) -> None:
        if (self.string_registers is None) != (self.type != "string"):
            raise ValueError(f"point {self.name}: string_registers is needed for type string, and only there")
        if (self.table in ("coil", "discrete_input")) != (self.type == "bit"):
            raise ValueError(f"point {self.name}: coils and discrete inputs hold type bit, registers do not")
        if self.table == "data_identifier":
            self._check_digits()
        elif self.type.startswith("sbcd") or self.type == "bcd24":
            raise ValueError(f"point {self.name}: type {self.type} is for DL/T 645, table data_identifier")

    def _check_digits(self) -> None:
        if self.type not in BYTES_OF_DIGITS:
            raise ValueError(f"point {self.name}: DL/T 645 sends decimal digits: {', '.join(BYTES_OF_DIGITS)}")
        if self.decimals_register is not None or self.exponent_register is not None or self.status is not None:
            raise ValueError(f"point {self.name}: decimals, exponent and status registers are for Modbus; use scale")

    def _check_order(self) -> None:
        if len(self.word_order) == 8 and self.word_order != "unknown" and self.size != 4:
            raise ValueError(f"point {self.name}: word order {self.word_order} is for 64-bit types, not {self.type}")


class ProfileEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a profile's file says."""

    vendor: str
    """Who makes the device."""
    model: str
    """As printed on it; several where they share the map."""
    kind: Annotated[str, Meta(pattern=r"^[a-z_]+$")]
    """Such as `energy_meter`, `water_quality`."""
    confidence: Literal["high", "medium", "low"]
    """high: printed in a manual or in two sources; medium: one unofficial source or a derived scale."""
    source: Annotated[list[str], Meta(min_length=1)]
    """Where the facts come from."""
    note: str = ""
    """What a person should check on the device."""
    not_by_itself: str = ""
    """What must be written to the device before its values are fresh; the gateway writes to no meter."""
    table: Table = "holding_register"
    """Of the points that do not say theirs."""
    word_order: WordOrder = "ABCD"
    """Of the points that do not say theirs."""
    relative_to: str | None = None
    """Set where registers count from a place that differs from device to device: the site says `register_base`."""
    max_registers: Annotated[int, Meta(ge=1, le=125)] | None = None
    """Most registers that the device gives in one answer."""
    max_gap: Annotated[int, Meta(ge=0, le=124)] | None = None
    """Most unused registers to read along between two points."""
    holes: list[tuple[Register, Register]] = []
    """Ranges, both ends included, that must never be part of a request."""
    points: Annotated[tuple[PointEntry, ...], Meta(min_length=1)]
    """The device's values."""


class Profile(ProfileEntry, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A device's register map, complete: every point says its table and word order."""

    name: str
    points: tuple[Point, ...]


def profile_names() -> list[str]:
    """Return the names of the shipped profiles, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@functools.cache
def load_profile(name: str) -> Profile:
    """Return the shipped profile `name`. Raises ConfigError."""
    if name not in profile_names():
        raise ConfigError(f"profile {name!r} is not shipped. `steppe edge profiles list` shows those that are")
    return parse_profile(name, (FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def parse_profile(name: str, text: str) -> Profile:
    """Return the profile that a TOML text describes. Raises ConfigError."""
    try:
        entry = msgspec.convert(tomllib.loads(text), ProfileEntry)
        points = tuple(complete_point(point, table=entry.table, word_order=entry.word_order) for point in entry.points)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, ConfigError) as error:
        raise ConfigError(f"profile {name}: {error}") from error
    check_unique(points, where=f"profile {name}")
    fields = {field: getattr(entry, field) for field in entry.__struct_fields__}
    return Profile(**{**fields, "name": name, "points": points})


def complete_point(
    entry: PointEntry, base: Point | None = None, *, table: Table | None = None, word_order: WordOrder | None = None
) -> Point:
    """Return `entry` completed by the point it overrides, or by the device's defaults. Raises ConfigError."""
    known = {"table": table, "word_order": word_order, **_said(base)}
    known |= _said(entry)
    missing = [key for key in ("table", "register", "type") if known.get(key) is None]
    if missing:
        raise ConfigError(f"point {entry.name}: {' and '.join(missing)} missing, and no profile point of this name")
    try:
        return msgspec.convert({key: value for key, value in known.items() if value is not None}, Point)
    except msgspec.ValidationError as error:
        raise ConfigError(str(error)) from error


def check_unique(points: Sequence[PointEntry], *, where: str) -> None:
    """Raise ConfigError if two points share a name."""
    repeated = [name for name, count in Counter(point.name for point in points).items() if count > 1]
    if repeated:
        raise ConfigError(f"{where}: point {repeated[0]} is there twice. Give each point its own name")


def _said(entry: PointEntry | None) -> dict[str, object]:
    if entry is None:
        return {}
    values = msgspec.to_builtins(entry)
    return {key: value for key, value in values.items() if value is not None}
