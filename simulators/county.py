"""The virtual county: who supplies whom, who watches what, and through which gateway.

`county_maker` makes one from a seed; other modules give it its weather (`physics`), its bad luck (`faults`) and its
files (`county_files`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from simulators.names import PEOPLE, Name

RegionLevel = Literal["league", "banner", "sumu", "gacha"]
DeviceRole = Literal["bus", "feeder_head", "transformer", "line_end", "works", "network_end", "lift"]


@dataclass(frozen=True)
class Region:
    """A place people answer for."""

    code: str
    name: Name
    level: RegionLevel
    parent: str | None


@dataclass(frozen=True)
class Asset:
    """A thing that supplies or is supplied."""

    id: str
    kind: str
    name: Name
    region: str
    parent: str | None
    """The asset that supplies it."""
    customers: int = 0
    kva: float | None = None
    responsible: Name = PEOPLE[0]
    phone: str = ""


@dataclass(frozen=True)
class Device:
    """One meter or controller on a gateway's bus."""

    name: str
    role: DeviceRole
    asset: str
    """What it watches, and what supplies it."""
    unit: int
    link: str
    """Devices of one site with the same link share one TCP port."""
    profile: str
    poll_every_s: float
    only: tuple[str, ...] = ()
    """The profile's points that this site reads; empty for all."""
    backup: bool = False
    """True: it keeps answering, with 0 V, while its supply is away."""
    pt_ratio: float = 1.0
    """Voltage transformer in front of it: register × ratio = primary volts."""
    serial: bool = False
    """True: it hangs on a serial line behind a TCP gateway, which answers for it with exception 0x0B."""


@dataclass(frozen=True)
class Gateway:
    """One site: a gateway, its supply, and the devices it reads."""

    site: str
    asset: str
    supply: str
    """The asset whose mains feed it."""
    battery_s: float
    devices: tuple[Device, ...]

    def links(self) -> tuple[str, ...]:
        """Its TCP links, in order of first use."""
        return tuple(dict.fromkeys(device.link for device in self.devices))


@dataclass(frozen=True)
class Size:
    """How large the county is."""

    feeders: int = 4
    transformers: int = 6
    """Per feeder."""
    line_ends: int = 2
    """Metered line ends per feeder."""
    works: int = 2


USUAL_SIZE = Size()
"""What two cores carry at the demo's speed."""


@dataclass(frozen=True)
class County:
    """All that stands still during a run."""

    seed: int
    size: Size
    regions: tuple[Region, ...]
    assets: tuple[Asset, ...]
    gateways: tuple[Gateway, ...]
    _by_id: dict[str, Asset] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        self._by_id.update({asset.id: asset for asset in self.assets})

    def asset(self, asset_id: str) -> Asset:
        """The asset of that id."""
        return self._by_id[asset_id]

    def of_kind(self, kind: str) -> tuple[Asset, ...]:
        """All assets of a kind, in order."""
        return tuple(asset for asset in self.assets if asset.kind == kind)

    def supply_path(self, asset_id: str) -> Iterator[str]:
        """The asset and everything that supplies it, up to the substation."""
        current: str | None = asset_id
        while current is not None:
            yield current
            current = self._by_id[current].parent

    def children(self, asset_id: str, kind: str) -> tuple[Asset, ...]:
        """Assets of a kind that this asset supplies directly."""
        return tuple(asset for asset in self.assets if asset.parent == asset_id and asset.kind == kind)

    def site_of(self, asset_id: str) -> str:
        """The site whose gateway stands at an asset, or at a feeder."""
        names = (asset_id, f"gw-{asset_id}")
        return next(gateway.site for gateway in self.gateways if gateway.asset in names)

    def devices(self) -> Iterator[tuple[Gateway, Device]]:
        """Every device with the gateway that reads it."""
        for gateway in self.gateways:
            for device in gateway.devices:
                yield gateway, device
