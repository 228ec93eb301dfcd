"""What the register is searched by, made once for each register: the text of every asset and point, points by asset."""

from collections.abc import Mapping
from dataclasses import dataclass

from ingest.register import Asset, Register


@dataclass(frozen=True)
class RegisterIndex:
    """One register, ready to be searched."""

    register: Register
    assets: tuple[tuple[str, str, str], ...]
    """Id, kind, text; by id."""
    points: tuple[tuple[str, str], ...]
    """Full name, text; by name."""
    points_of: Mapping[str, tuple[str, ...]]
    """Asset → full names of its points, sorted."""


class KeptIndex:
    """The index of the register that was asked for last. Threads may share it."""

    def __init__(self) -> None:
        self._kept: RegisterIndex | None = None

    def of(self, register: Register) -> RegisterIndex:
        """Return the index of a register, made anew where the register is another one."""
        kept = self._kept
        if kept is None or kept.register is not register:
            kept = self._kept = index_of(register)
        return kept


def index_of(register: Register) -> RegisterIndex:
    """Return the index of a register."""
    points_of: dict[str, list[str]] = {}
    for point in sorted(register.points):
        points_of.setdefault(register.points[point].asset, []).append(point)
    return RegisterIndex(
        register=register,
        assets=tuple((name, register.assets[name][-1].kind, _text(register, name)) for name in sorted(register.assets)),
        points=tuple(
            (point, f"{point} {entry.asset} {entry.limits}".casefold())
            for point, entry in sorted(register.points.items())
        ),
        points_of={asset: tuple(points) for asset, points in points_of.items()},
    )


def _text(register: Register, asset_id: str) -> str:
    """What an asset is found by: id, names, kind, region, who answers for it."""
    asset: Asset = register.assets[asset_id][-1]
    region = register.regions.get(asset.region)
    places = f"{region.name} {region.name_zh}" if region else ""
    people = f"{asset.owner} {asset.responsible} {asset.phone}"
    return f"{asset.id} {asset.name} {asset.name_zh} {asset.kind} {asset.region} {places} {people}".casefold()
