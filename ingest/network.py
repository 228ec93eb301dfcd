"""Who supplies whom, at an instant and over a period, by the register.

Units move between feeders and come into service and go: everything here is asked with a time.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.register import Asset, Register, span_ms


@dataclass(frozen=True)
class Network:
    """The assets in service at one instant."""

    assets: Mapping[str, Asset]
    below: Mapping[str, tuple[str, ...]]
    """Asset → the assets that it supplies directly, in the register's order; without those that it does not."""

    def children(self, asset: str) -> tuple[Asset, ...]:
        """Return what `asset` supplies directly."""
        return tuple(self.assets[child] for child in self.below.get(asset, ()))

    def subtree(self, asset: str) -> tuple[Asset, ...]:
        """Return `asset` and everything behind it, each before what it supplies; nothing if it is not in service."""
        found: list[Asset] = []
        waiting = [asset] if asset in self.assets else []
        while waiting:
            found.append(self.assets[waiting.pop()])
            waiting += reversed(self.below.get(found[-1].id, ()))
        return tuple(found)

    def customers_below(self, asset: str) -> int:
        """Return the customers at `asset` and behind it. [customers]"""
        return sum(one.customers for one in self.subtree(asset))

    def supply_path(self, asset: str) -> tuple[Asset, ...]:
        """Return `asset`, what supplies it, and so on up to the source; nothing if it is not in service."""
        path: list[Asset] = []
        step: str | None = asset
        while step is not None and step in self.assets:
            path.append(self.assets[step])
            step = path[-1].parent
        return tuple(path)


def network_at(register: Register, t_ms: int) -> Network:
    """Return the assets in service at an instant, and who supplies whom then."""
    assets: dict[str, Asset] = {}
    below: dict[str, list[str]] = defaultdict(list)
    for stays in register.assets.values():
        for stay in stays:
            start_ms, end_ms = span_ms(stay)
            if start_ms <= t_ms < end_ms:
                assets[stay.id] = stay
                if stay.parent is not None:
                    below[stay.parent].append(stay.id)
    return Network(assets, {parent: tuple(children) for parent, children in below.items()})


def equivalent_customers(register: Register, start_ms: int, end_ms: int) -> float:
    """Return all customers, each weighted by its share of the period in service. [customers]

    Notes
    -----
    With n the customers of a stay, s its time in service within the period and T the period: N = Σ n·s / T.
    """
    stays = [stay for entries in register.assets.values() for stay in entries]
    customers = np.array([stay.customers for stay in stays], np.float64)
    return float(customers @ _share_in_service(stays, start_ms, end_ms))


def equivalent_customers_below(register: Register, asset: str, start_ms: int, end_ms: int) -> float:
    """Return the customers at `asset` and behind it, weighted by their share of the period there. [customers]

    A unit that moves to another feeder in mid-period counts half for each.
    """
    instants = _changes_within(register, start_ms, end_ms)
    customers = np.array([network_at(register, t_ms).customers_below(asset) for t_ms in instants[:-1].tolist()], float)
    return float(customers @ np.diff(instants)) / (end_ms - start_ms)


def assets_in_region(network: Network, register: Register, region: str) -> tuple[Asset, ...]:
    """Return the assets in service that lie in a region or in a region within it."""
    inside = {region}
    levels = ("league", "banner", "sumu", "gacha")
    for one in sorted(register.regions.values(), key=lambda one: levels.index(one.level)):
        if one.parent in inside:
            inside.add(one.code)
    return tuple(asset for asset in network.assets.values() if asset.region in inside)


def _share_in_service(stays: list[Asset], start_ms: int, end_ms: int) -> NDArray[np.float64]:
    if end_ms <= start_ms:
        raise ValueError(f"a period must end after it begins: {start_ms} to {end_ms}")
    spans = np.array([span_ms(stay) for stay in stays], np.int64).reshape(-1, 2)
    within = np.clip(spans, start_ms, end_ms)
    return np.asarray((within[:, 1] - within[:, 0]) / (end_ms - start_ms))


def _changes_within(register: Register, start_ms: int, end_ms: int) -> NDArray[np.int64]:
    """Return the period's ends and every instant between them at which something comes into service or goes."""
    if end_ms <= start_ms:
        raise ValueError(f"a period must end after it begins: {start_ms} to {end_ms}")
    instants = np.array([t for stays in register.assets.values() for stay in stays for t in span_ms(stay)], np.int64)
    inner = instants[(instants > start_ms) & (instants < end_ms)]
    return np.unique(np.concatenate([inner, np.array([start_ms, end_ms], np.int64)]))
