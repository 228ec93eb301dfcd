"""The gateway's configuration: `site.toml` as frozen types. A file that loads is a file that can run."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge.budget import check_budget
from edge.config import load_toml
from edge.devices import Device, Seconds, device_points, point_name
from edge.errors import ConfigError
from edge.wire import PointName, SiteName

SAMPLE = "edge/site.sample.toml"


class Uplink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to reach the broker."""

    url: Annotated[str, Meta(pattern=r"^mqtts?://[^/@]+$")]
    """`mqtt://host:port`, or `mqtts://host:port` with the three files below."""
    ca_file: str | None = None
    """Certificate of who signed the broker's."""
    cert_file: str | None = None
    """The gateway's own certificate; its common name is the site's name."""
    key_file: str | None = None
    """Its private key, mode 600."""
    username: str | None = None
    """Where the broker asks for a password instead of a certificate."""
    password_file: str | None = None
    """File of mode 600 with that password in it."""
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
    """The file of what waits, on a disk that survives a power cut."""
    max_mb: Annotated[float, Meta(gt=0)] = 512.0
    """Room for what waits; when it is used up, `when_full` says what goes. [MB]"""
    when_full: Literal["oldest", "thin", "newest"] = "oldest"
    """`oldest` or `newest` go first, or `thin`: every second batch of the older half."""


class Sealing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When readings become a sealed batch: from then on they are never lost."""

    after_s: Annotated[float, Meta(gt=0, le=3600)] = 5.0
    """Longest wait of a reading in memory, where a power cut would lose it. [s]"""
    readings: Annotated[int, Meta(ge=1, le=20_000)] = 2000
    """Most in one batch; so many do not wait for `after_s`, but are written once a second at most."""
    urgent: list[PointName] = []
    """A change of one of these seals at once."""


class Gateway(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The gateway's own readings."""

    period_s: Seconds = 60.0
    """Time between two of them. [s]"""
    mains_file: str | None = None
    """A file that reads 1 while the mains supply is present and 0 on battery; left out where nothing senses it."""


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything a gateway needs to know."""

    site: SiteName
    """The site's name at the centre: lower-case letters, digits, hyphens."""
    uplink: Uplink
    devices: Annotated[list[Device], Meta(min_length=1)]
    """The meters."""
    spool: SpoolSettings = SpoolSettings()
    seal: Sealing = Sealing()
    gateway: Gateway = Gateway()

    def __post_init__(self) -> None:
        names = [device.name for device in self.devices]
        for name in names:
            if names.count(name) > 1 or name == "gateway":
                raise ValueError(f"device name {name!r} is taken: give each device its own ('gateway' is the gateway)")


def load_site(path: Path) -> Site:
    """Return the site of a `site.toml`, its relative paths counted from its folder. Raises ConfigError."""
    site = load_toml(path, Site, sample=SAMPLE)
    try:
        check_site(site)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}. Every key is explained in {SAMPLE}") from error
    return _anchored(site, path.resolve().parent)


def check_site(site: Site) -> None:
    """Raise ConfigError if a device's points cannot be read as the site says."""
    names = {"gateway.mains_on"}
    check_budget(site.devices)
    for device in site.devices:
        names |= {point_name(device, point.name) for point in device_points(device)}
    for name in site.seal.urgent:
        if name not in names:
            raise ConfigError(f"seal.urgent: no device has a point {name}")


def _anchored(site: Site, folder: Path) -> Site:
    """Return the site with every path absolute."""

    def absolute(path: str | None) -> str | None:
        return None if path is None else str(folder / path)

    files = {key: absolute(getattr(site.uplink, key)) for key in ("ca_file", "cert_file", "key_file", "password_file")}
    return msgspec.structs.replace(
        site,
        uplink=msgspec.structs.replace(site.uplink, **files),
        spool=msgspec.structs.replace(site.spool, path=str(folder / site.spool.path)),
        gateway=msgspec.structs.replace(site.gateway, mains_file=absolute(site.gateway.mains_file)),
    )
