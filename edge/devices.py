"""One meter of a site: what `site.toml` says of it, and the points that follow from that and its profile."""

import itertools
import sys
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from edge.errors import ConfigError
from edge.profiles import (
    LocalName,
    Point,
    PointEntry,
    Profile,
    Register,
    WordOrder,
    check_unique,
    complete_point,
    load_profile,
)

SCHEMES = ("tcp", "rtu", "rtu+tcp", "tcp+listen", "rtu+listen", "dlt645", "dlt645+tcp", "dlt645+listen")
SERIAL_SCHEMES = ("rtu", "dlt645")
MOVED_BY_BASE = ("register", "decimals_register", "exponent_register")

Seconds = Annotated[float, Meta(gt=0, le=86_400)]
DeviceName = Annotated[str, Meta(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$", max_length=55)]


class SitePoint(PointEntry, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One value of a device; overrides the profile's point of the same name key by key, or adds one."""

    deadband: Annotated[float, Meta(ge=0)] = 0.0
    """Report when it moves this far, in the point's unit; 0 with `deadband_percent` 0 reports every poll."""
    deadband_percent: Annotated[float, Meta(ge=0, le=100)] = 0.0
    """Report when it moves this far, in percent of the value last reported."""
    max_silence_s: Seconds | None = None
    """With a deadband: report at least this often."""

    def __post_init__(self) -> None:
        if self.by_exception != (self.max_silence_s is not None):
            raise ValueError(f"point {self.name}: a deadband and max_silence_s go together, give both or neither")

    @property
    def by_exception(self) -> bool:
        """True where the point is sent on change only."""
        return self.deadband > 0 or self.deadband_percent > 0


class Device(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One meter. Devices with the same `url` share one bus and are polled one after the other."""

    name: DeviceName
    """Its points become `NAME.l1.voltage_v` and so on; `gateway` is taken."""
    url: str
    """`tcp://host:502`, or another transport of `edge/site.sample.toml`."""
    profile: str | None = None
    """Name of a shipped profile; left out where `points` say it all."""
    unit: Annotated[int, Meta(ge=0, le=255)] = 1
    """Its number on the bus, of Modbus."""
    address: Annotated[str, Meta(pattern=r"^([0-9]{12})?$")] = ""
    """Of DL/T 645: twelve digits, as printed on the meter."""
    poll_every_s: Seconds = 60.0
    """Time from one reading of all its points to the next. [s]"""
    timeout_s: Annotated[float, Meta(gt=0, le=30)] = 1.0
    """How long to wait for one answer, in real seconds."""
    pause_s: Annotated[float, Meta(ge=0, le=5)] = 0.0
    """Silence to keep before each request to this device."""
    register_base: Register = 0
    """Added to every register of the profile; for profiles that count from a place of the device's own."""
    word_order: WordOrder | None = None
    """Overrides the profile's, for all its points."""
    max_registers: Annotated[int, Meta(ge=1, le=125)] | None = None
    """Most registers in one answer; else as the profile says, or 125."""
    max_gap: Annotated[int, Meta(ge=0, le=124)] | None = None
    """Most unused registers to read along; else as the profile says, or 16 on serial lines and 50 on TCP."""
    only: list[LocalName] = []
    """Names of the profile's points to read; empty for all."""
    points: list[SitePoint] = []
    """What the site says of its values beside the profile, or instead of one."""

    def __post_init__(self) -> None:
        if self.timeout_s >= self.poll_every_s:
            raise ValueError(f"device {self.name}: timeout_s must be shorter than poll_every_s")
        if self.profile is None and not self.points:
            raise ValueError(f"device {self.name}: give a profile or points")
        try:
            check_url(self.url)
        except ConfigError as error:
            raise ValueError(f"device {self.name}: {error}") from error
        if is_dlt645(self.url) != bool(self.address):
            raise ValueError(f"device {self.name}: address (twelve digits) is needed for dlt645 urls, and only there")
        for point in self.points:
            if point.max_silence_s is not None and point.max_silence_s < self.poll_every_s:
                raise ValueError(f"device {self.name}: max_silence_s of {point.name} must not be below poll_every_s")


def check_url(url: str) -> None:
    """Raise ConfigError if `url` names no transport that we have."""
    parts = urlsplit(url)
    place = parts.path.startswith("/") if parts.scheme in SERIAL_SCHEMES else parts.hostname
    if parts.scheme not in SCHEMES or not place:
        raise ConfigError(f"url {url!r} is none of {', '.join(f'{scheme}://…' for scheme in SCHEMES)}")


def is_dlt645(url: str) -> bool:
    """Whether meters of this line speak DL/T 645; the others speak Modbus."""
    return url.startswith("dlt645")


def point_name(device: Device, name: str) -> str:
    """Return the name within the site of a device's point; each exists once, however many parts of us hold it."""
    return sys.intern(f"{device.name}.{name}")


def device_profile(device: Device) -> Profile | None:
    """Return the device's profile, or None where its points say it all. Raises ConfigError."""
    return None if device.profile is None else load_profile(device.profile)


def device_points(device: Device) -> tuple[Point, ...]:
    """Return the points that are read from the device, overrides applied. Raises ConfigError."""
    try:
        check_unique(device.points, where="points")
        points = _merged_points(device, device_profile(device))
        _check_protocol(points, device)
        _check_overlap(points)
    except ConfigError as error:
        raise ConfigError(f"device {device.name}: {error}") from error
    return points


def _merged_points(device: Device, profile: Profile | None) -> tuple[Point, ...]:
    known = {point.name: point for point in (profile.points if profile else ())}
    for name in device.only:
        if name not in known:
            raise ConfigError(f"only: profile {device.profile} has no point {name}")
    if profile is not None and profile.relative_to is not None and device.register_base == 0:
        raise ConfigError(f"profile {profile.name} needs register_base: registers are an {profile.relative_to}")
    chosen = {name: known[name] for name in device.only or known}
    for entry in device.points:
        chosen[entry.name] = _overridden(entry, known.get(entry.name), device)
    return tuple(_placed(point, device, known) for point in chosen.values())


def _overridden(entry: SitePoint, base: Point | None, device: Device) -> Point:
    plain = PointEntry(**{field: getattr(entry, field) for field in PointEntry.__struct_fields__})
    return complete_point(plain, base, word_order=device.word_order if base is None else None)


def _placed(point: Point, device: Device, known: dict[str, Point]) -> Point:
    """Return the point with the device's own word order and register base."""
    order = device.word_order if device.word_order and len(device.word_order) == 4 else point.word_order
    if order == "unknown" and point.size > 1:
        raise ConfigError(
            f"point {point.name}: nobody has documented the word order of profile {device.profile}. "
            "Find it with `steppe edge probe` and set word_order"
        )
    base = device.register_base if point.name in known else 0
    moved = {key: value + base for key in MOVED_BY_BASE if (value := getattr(point, key)) is not None}
    status = point.status and msgspec.structs.replace(point.status, register=point.status.register + base)
    return msgspec.structs.replace(point, word_order=order, status=status, **moved)


def _check_protocol(points: tuple[Point, ...], device: Device) -> None:
    for point in points:
        if (point.table == "data_identifier") != is_dlt645(device.url):
            raise ConfigError(f"point {point.name}: table {point.table} cannot be read over {device.url}")


def _check_overlap(points: tuple[Point, ...]) -> None:
    ordered = sorted((point.table, point.register, point.size, point.name) for point in points)
    for (table, first, size, name), (next_table, next_first, next_size, next_name) in itertools.pairwise(ordered):
        same = (first, size) == (next_first, next_size)
        if table == next_table and next_first < first + size and not same:
            raise ConfigError(f"points {name} and {next_name} overlap in register {next_first}: one of them is wrong")
