"""The gateway's configuration: `site.toml` as frozen types."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge.config import load_toml
from edge.errors import ConfigError
from edge.wire import PointName, SiteName

Seconds = Annotated[float, Meta(gt=0, le=86_400)]
DeviceName = Annotated[str, Meta(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$", max_length=60)]


class Uplink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to reach the broker."""

    url: Annotated[str, Meta(pattern=r"^mqtts?://[^/@]+$")]
    """`mqtt://host:port`, or `mqtts://host:port` with the three files below."""
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    username: str | None = None
    password_file: str | None = None
    window: Annotated[int, Meta(ge=1, le=1000)] = 100
    """Batches under way at once."""
    backlog_batches_per_s: Annotated[float, Meta(gt=0)] = 50.0
    """Cap on old batches, so that a backlog never starves what is live."""

    def __post_init__(self) -> None:
        if self.url.startswith("mqtts://") and not (self.ca_file and self.cert_file and self.key_file):
            raise ValueError("mqtts:// needs ca_file, cert_file and key_file")
        if self.username is not None and self.password_file is None:
            raise ValueError("username needs password_file (secrets stand in files of mode 600)")


class SpoolSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where sealed batches wait, and what goes first when there is no room."""

    path: str = "spool.db"
    max_mb: Annotated[float, Meta(gt=0)] = 512.0
    when_full: Literal["oldest", "thin", "newest"] = "oldest"


class Sealing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When readings become a sealed batch: from then on they are never lost."""

    after_s: Annotated[float, Meta(gt=0, le=3600)] = 5.0
    readings: Annotated[int, Meta(ge=1, le=20_000)] = 500
    urgent: list[PointName] = []
    """A change of one of these seals at once."""


class Gateway(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The gateway's own readings."""

    period_s: Seconds = 60.0
    mains_file: str | None = None
    """A file that reads 1 while the mains supply is present and 0 on battery; None where nothing senses it."""


class Point(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One value of a device; overrides the profile's point of the same name, or adds one."""

    name: PointName
    """Within the device, such as `l1.voltage_v`; the site's name for it is `<device>.<name>`."""
    table: Literal["coil", "discrete_input", "input_register", "holding_register"] | None = None
    register: Annotated[int, Meta(ge=0, le=65_535)] | None = None
    """Zero-based, as on the wire."""
    type: str | None = None
    """Register type, such as `uint16`, `int32`, `float32`."""
    word_order: str | None = None
    scale: float | None = None
    offset: float | None = None
    deadband: Annotated[float, Meta(ge=0)] = 0.0
    """Report when it moves this far, in the point's unit; 0 reports every poll."""
    max_silence_s: Seconds | None = None
    valid_min: float | None = None
    valid_max: float | None = None


class Device(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One meter. Devices with the same `url` share one bus and are polled one after the other."""

    name: DeviceName
    url: str
    """`tcp://host:502`, or another transport of `edge/site.sample.toml`."""
    profile: str | None = None
    """Name of a shipped profile; None where `points` say it all."""
    unit: Annotated[int, Meta(ge=0, le=247)] = 1
    poll_every_s: Seconds = 60.0
    timeout_s: Annotated[float, Meta(gt=0, le=30)] = 1.0
    only: list[str] = []
    """Names of the profile's points to read; empty for all."""
    points: list[Point] = []

    def __post_init__(self) -> None:
        if self.timeout_s >= self.poll_every_s:
            raise ValueError(f"device {self.name}: timeout_s must be shorter than poll_every_s")
        if self.profile is None and not self.points:
            raise ValueError(f"device {self.name}: give a profile or points")


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything a gateway needs to know."""

    site: SiteName
    uplink: Uplink
    devices: Annotated[list[Device], Meta(min_length=1)]
    spool: SpoolSettings = SpoolSettings()
    seal: Sealing = Sealing()
    gateway: Gateway = Gateway()

    def __post_init__(self) -> None:
        names = [device.name for device in self.devices]
        for name in names:
            if names.count(name) > 1 or name == "gateway":
                raise ValueError(f"device name {name!r} is taken: give each device its own ('gateway' is the gateway)")


def load_site(path: Path) -> Site:
    """Return the site of a `site.toml`. Relative paths in it count from its folder. Raises ConfigError."""
    return load_toml(path, Site, sample="edge/site.sample.toml")


__all__ = ["ConfigError", "Device", "Gateway", "Point", "Sealing", "Site", "SpoolSettings", "Uplink", "load_site"]
