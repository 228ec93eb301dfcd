"""How long a sweep takes on its line, by the physics of the line: bytes, silences, and the meter's own delay."""

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from edge.devices import SERIAL_SCHEMES, Device, device_points, is_dlt645
from edge.errors import ConfigError
from edge.plan import Block, cells_of, limits_of, plan_blocks
from edge.profiles import BYTES_OF_DIGITS

REQUEST_BYTES = 8
ANSWER_FRAME_BYTES = 5
DLT645_FRAME_BYTES = 20
"""Preamble, header, identifier and tail, of the request and of the answer."""
SILENCE_CHARACTERS = 2 * 3.5
METER_DELAY_S = 0.03
TCP_ROUND_TRIP_S = 0.02


MODBUS_DEFAULT, DLT645_DEFAULT = ("9600", "8N1"), ("2400", "8E1")


class SerialSettings(NamedTuple):
    """How the serial port is set."""

    baud: int = 9600
    bits: int = 8
    parity: str = "N"
    stop_bits: int = 1

    @property
    def bits_per_character(self) -> int:
        return 1 + self.bits + (self.parity != "N") + self.stop_bits


def serial_settings(url: str) -> SerialSettings:
    """Return what `?baud=9600&format=8N1` of a url says. Raises ConfigError."""
    query = parse_qs(urlsplit(url).query)
    unknown = set(query) - {"baud", "format"}
    usual_baud, usual_layout = DLT645_DEFAULT if is_dlt645(url) else MODBUS_DEFAULT
    baud, layout = query.get("baud", [usual_baud])[-1], query.get("format", [usual_layout])[-1]
    well_formed = baud.isdecimal() and 300 <= int(baud) <= 4_000_000 and len(layout) == 3
    if unknown or not well_formed or layout[0] not in "78" or layout[1] not in "NEO" or layout[2] not in "12":
        raise ConfigError(f"url {url!r}: write it as rtu:///dev/ttyUSB0?baud=9600&format=8N1 (7 or 8, N E O, 1 or 2)")
    return SerialSettings(int(baud), int(layout[0]), layout[1], int(layout[2]))


def planned_blocks(device: Device) -> tuple[Block, ...]:
    """Return the requests of one sweep of the device, as long as it refuses none."""
    return plan_blocks(cells_of(device_points(device)), limits_of(device))


def sweep_s(device: Device) -> float:
    """Return how long one sweep takes. On a serial line this is a lower limit for a meter that answers in 30 ms."""
    return sum(request_s(device.url, block) + device.pause_s for block in planned_blocks(device))


def request_s(url: str, block: Block) -> float:
    """Return how long one request and its answer take. [s]"""
    if urlsplit(url).scheme not in SERIAL_SCHEMES:
        return TCP_ROUND_TRIP_S
    settings = serial_settings(url)
    if is_dlt645(url):
        characters = 2 * DLT645_FRAME_BYTES + BYTES_OF_DIGITS[block.cells[0].type] + SILENCE_CHARACTERS
    else:
        payload = (block.count + 7) // 8 if block.cells[0].type == "bit" else 2 * block.count
        characters = REQUEST_BYTES + ANSWER_FRAME_BYTES + payload + SILENCE_CHARACTERS
    return characters * settings.bits_per_character / settings.baud + METER_DELAY_S


def bus_load(devices: Iterable[Device]) -> float:
    """Return the part of a bus's time that polling these devices takes; above 1 it cannot be done."""
    return sum(sweep_s(device) / device.poll_every_s for device in devices)


def check_budget(devices: Iterable[Device]) -> None:
    """Raise ConfigError if the devices of one serial line are asked for more than it can carry."""
    lines: dict[str, list[Device]] = {}
    for device in devices:
        lines.setdefault(device.url, []).append(device)
    for url, members in lines.items():
        load = bus_load(members)
        if urlsplit(url).scheme in SERIAL_SCHEMES and load > 1:
            raise ConfigError(
                f"{url}: its {len(members)} devices need {load:.0%} of the line's time. "
                "Raise poll_every_s, read fewer points (only), or raise the baud rate"
            )
