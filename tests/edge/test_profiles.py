"""The shipped register maps: all load, all keep the rules, and all points read back right from the documents' numbers.

The simulator of the last test is filled from the research file (documented addresses, types and word orders) by code
of its own, served by pyModbusTCP, and read through the planner and the decoder.
"""

import asyncio
import random
import re
import struct

import pytest
import yaml
from pyModbusTCP.server import DataBank, ModbusServer
from support.data import recording

from edge.budget import planned_blocks
from edge.clock import RealClock
from edge.devices import Device, device_points
from edge.errors import ConfigError
from edge.lines import open_line
from edge.meter import ModbusMeter
from edge.profiles import load_profile, parse_profile, profile_names
from edge.wire import Quality
from simulators.processes import free_port

BASE = 40_069
UNITS = {
    "_kw": {"W": 1e-3, "kW": 1}, "_kvar": {"var": 1e-3, "kvar": 1}, "_kva": {"VA": 1e-3, "kVA": 1},
    "_kwh": {"Wh": 1e-3, "kWh": 1, "MWh": 1e3}, "_kvarh": {"varh": 1e-3, "kvarh": 1}, "_kvah": {"VAh": 1e-3},
    "_m3_h": {"m3/h": 1, "m3/s": 3600}, "_m3": {"m3": 1, "L": 1e-3, "mm3": 1e-9}, "_mpa": {"bar": 0.1},
    "_us_cm": {"S/m": 1e4, "mS/cm": 1e3, "uS/cm": 1}, "_m": {"cm": 0.01}, "_h": {"h": 1, "d": 24},
}  # fmt: skip


def described_devices() -> list[dict]:
    return yaml.safe_load(recording("register_maps.yaml").read_text(encoding="utf-8"))["devices"]


DLT645 = "dlt645_2007"


def test_54_devices_the_three_simulated_ones_and_dlt645_are_shipped():
    described = {device["id"] for device in described_devices()}
    simulated = {name for name in profile_names() if name.startswith("simulated_")}
    assert set(profile_names()) == described | simulated | {DLT645}
    assert (len(described), len(simulated)) == (54, 3)


@pytest.mark.parametrize("name", profile_names())
def test_a_profile_is_complete_and_says_where_it_comes_from(name):
    profile = load_profile(name)
    assert profile.source
    assert profile.confidence in ("high", "medium", "low")
    assert len({point.name for point in profile.points}) == len(profile.points)
    device_points(placed(name))  # refuses overlaps


def placed(name: str, url: str = "tcp://127.0.0.1") -> Device:
    """A device of the profile, with what the profile leaves to the site."""
    profile = load_profile(name)
    return Device(
        name="m",
        url="dlt645:///dev/ttyS0" if name == DLT645 else url,
        address="202311000042" if name == DLT645 else "",
        profile=name,
        register_base=BASE if profile.relative_to else 0,
        word_order="CDAB" if profile.word_order == "unknown" else None,
    )


def test_all_54_profiles_take_at_most_115_requests():
    """One request per point would be 586."""
    names = [device["id"] for device in described_devices()]
    assert sum(len(planned_blocks(placed(name, "rtu:///dev/ttyS0"))) for name in names) <= 115


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("vendor = 1", "str"),
        ("nonsense", "profile p"),
        ('vendor="v"\nmodel="m"\nkind="k"\nconfidence="sure"\nsource=["s"]\npoints=[]', "sure"),
        ('vendor="v"\nmodel="m"\nkind="k"\nconfidence="low"\nsource=[]\npoints=[{name="x"}]', "source"),
        ('vendor="v"\nmodel="m"\nkind="k"\nconfidence="low"\nsource=["s"]\npoints=[{name="x"}]', "register and type"),
    ],
)
def test_a_profile_that_is_wrong_is_refused_by_name(text, hint):
    with pytest.raises(ConfigError, match="profile p") as caught:
        parse_profile("p", text)
    assert hint in str(caught.value)


class DocumentedDevice:
    """A device as its documents describe it, its registers filled with numbers that are known beforehand."""

    def __init__(self, device: dict, rng: random.Random) -> None:
        self.base = BASE if device.get("address_mode") else 0
        self.order = device["word_order"] if device["word_order"] not in ("unknown", "n/a") else "CDAB"
        self.registers: dict[int, int] = {}
        self.expected: list[float] = []
        self.side = {p["scale_register"]: 2 for p in device["points"] if p.get("scale_register") is not None}
        self.side |= {p["address"]: -1 for p in device["points"] if p["type"] == "sunssf"}
        exponents = {p["name"]: -1 for p in device["points"] if p["type"] == "sunssf"}
        for register, content in self.side.items():
            self.registers[self.base + register] = content & 0xFFFF
        for point in device["points"]:
            raw = self._fill(point, rng)
            scale = point.get("scale", 1) * 10.0 ** exponents.get(point.get("sf"), 0)
            self.expected.append(raw * scale / (100 if point.get("scale_register") is not None else 1))

    def _fill(self, point: dict, rng: random.Random) -> float:
        if point["address"] in self.side:
            return self.side[point["address"]]
        kind = point["type"]
        raw = 0 if point["name"].endswith("_state") else rng.randrange(1, 200)
        if kind.startswith("float"):
            packed = struct.pack(">f" if kind == "float32" else ">d", raw + 0.5)
            raw += 0.5
        else:
            size = int(re.sub(r"\D", "", kind) or 16) // 8
            raw = -raw if kind.startswith("int") and raw % 2 else raw
            packed = raw.to_bytes(size, "big", signed=raw < 0)
        if point.get("mask"):
            packed = self._masked(point["mask"], raw)
        self._put(point, packed)
        return raw

    @staticmethod
    def _masked(mask: str | int, raw: int) -> bytes:
        """The value where the mask says, and ones everywhere else."""
        bits = int(mask, 0) if isinstance(mask, str) else mask
        shift = {0xFF00: 8, 0x00FF: 0}[bits]
        return ((raw << shift) | (0xFFFF & ~bits)).to_bytes(2, "big")

    def _put(self, point: dict, packed: bytes) -> None:
        order = point.get("word_order", self.order)
        if len(packed) == 8 and len(order) == 4:
            order = {"ABCD": "ABCDEFGH", "CDAB": "GHEFCDAB", "BADC": "BADCFEHG", "DCBA": "HGFEDCBA"}[order]
        if len(packed) > 2:
            packed = bytes(packed["ABCDEFGH".index(letter)] for letter in order)
        for offset in range(0, len(packed), 2):
            register = self.base + point["address"] + offset // 2
            self.registers[register] = int.from_bytes(packed[offset : offset + 2], "big")


def in_our_unit(value: float, unit: str, name: str) -> float:
    """The documented value in the unit that ends our point's name."""
    if unit == "K":
        return value - 273.15
    if unit == "%" and name.split(".")[-1] == "power_factor":
        return value / 100
    for suffix, factors in UNITS.items():
        if name.endswith(suffix) and unit in factors:
            return value * factors[unit]
    return value


def test_all_586_points_read_back_right_from_the_documented_registers():
    rng = random.Random(586)
    bank = DataBank()
    server = ModbusServer("127.0.0.1", free_port(), no_block=True, data_bank=bank)
    server.start()
    checked = 0
    try:
        for device in described_devices():
            documented = DocumentedDevice(device, rng)
            fill = bank.set_input_registers if device["function"] == 4 else bank.set_holding_registers
            for register, content in documented.registers.items():
                fill(register, [content])
            readings = sweep(placed(device["id"], f"tcp://127.0.0.1:{server.port}"))
            for point, value, reading in zip(device["points"], documented.expected, readings, strict=True):
                expected = in_our_unit(value, str(point["unit"]), reading.point)
                assert reading.value == pytest.approx(expected, rel=1e-6), (device["id"], point)
                assert reading.quality is Quality.GOOD
                checked += 1
    finally:
        server.stop()
    assert checked == 586


def sweep(device: Device) -> list:
    async def read() -> list:
        line = open_line(device.url)
        try:
            return (await ModbusMeter(device, line).read(RealClock())).readings
        finally:
            line.close()

    return asyncio.run(read())
