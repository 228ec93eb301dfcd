"""Where the county's assets stand: feeders run out from the substation, transformers along them, works beside them."""

import math
from collections.abc import Mapping

import numpy as np

from simulators.county import Asset, County

CENTRE_LAT, CENTRE_LON = 43.61, 122.24
KM_PER_DEGREE = 111.2
SPAN_KM, BEND = (2.0, 4.0), 0.45
"""Between one transformer and the next, and how far the line may turn there. [km], [rad]"""
BESIDE_KM = 1.2
"""From a works or a group of customers to the transformer that supplies it. [km]"""
NOWHERE = frozenset({"gateway", "feeder"})
"""Kinds without a place of their own: a box at another asset, a line."""

Place = tuple[float, float]


def places(county: County) -> Mapping[str, Place]:
    """Return asset → latitude and longitude, the same for a seed; those of `NOWHERE` have none. [°]"""
    rng = np.random.default_rng([county.seed, 9])
    at_km: dict[str, Place] = {asset.id: (0.0, 0.0) for asset in county.of_kind("substation")}
    feeders = county.of_kind("feeder")
    for number, feeder in enumerate(feeders):
        heading = 2 * math.pi * (number + 0.3) / len(feeders)
        at_km |= _line(rng, county.children(feeder.id, "transformer"), heading)
    for asset in county.assets:
        if asset.id not in at_km and asset.kind not in NOWHERE:
            beside = at_km.get(asset.parent or "") or _middle(county, asset.region, at_km)
            at_km[asset.id] = _step(beside, rng.uniform(0, 2 * math.pi), BESIDE_KM)
    return {asset: _degrees(place) for asset, place in at_km.items()}


def _line(rng: np.random.Generator, transformers: tuple[Asset, ...], heading: float) -> dict[str, Place]:
    here: Place = (0.0, 0.0)
    found = {}
    for transformer in transformers:
        here = _step(here, heading, rng.uniform(*SPAN_KM))
        heading += rng.uniform(-BEND, BEND)
        found[transformer.id] = here
    return found


def _middle(county: County, region: str, at_km: Mapping[str, Place]) -> Place:
    """The middle of a region's transformers; the substation where it has none."""
    found = [at_km[asset.id] for asset in county.of_kind("transformer") if asset.region == region]
    return (0.0, 0.0) if not found else (sum(p[0] for p in found) / len(found), sum(p[1] for p in found) / len(found))


def _step(place: Place, heading: float, km: float) -> Place:
    return place[0] + km * math.sin(heading), place[1] + km * math.cos(heading)


def _degrees(place: Place) -> Place:
    north_km, east_km = place
    lon = CENTRE_LON + east_km / (KM_PER_DEGREE * math.cos(math.radians(CENTRE_LAT)))
    return round(CENTRE_LAT + north_km / KM_PER_DEGREE, 5), round(lon, 5)
