"""A county of equal sites for the long run: 50 points at each, behind two real meters' registers.

One site is one low-voltage transformer: a terminal that tells when its supply was lost (14 points, the evidence behind
the numbers) and an SDM630 (36 points, read three times as often) on one Modbus TCP port. Each site loses its supply
now and then, so that alarms have something to do.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.profiles import Point, load_profile
from edge.wire import Quality
from ingest.store import Columns, Store
from simulators.county_files import site_folder
from simulators.serve import Link, Meter

PROFILES = {"terminal": "simulated_terminal", "feeder": "eastron_sdm630"}
"""Device → profile."""
TURNS = {"terminal": 1, "feeder": 3}
"""Device → how often it is read in one interval of the run."""
SITES_PER_FEEDER = 20
REGION = "1501"
OUT_EVERY_S, OUT_FOR_S, OUT_APART_S = 1200, 90, 37
"""Each site's supply is lost once in so long, for so long, and so much later than its neighbour's."""
USUAL = {"voltage_v": 220.0, "frequency_hz": 50.0, "power_factor": 0.9, "mains_on": 1.0}
SUPPLY = ("voltage_v", "current_a", "active_power_kw")
"""What is zero while the supply is lost."""
HISTORY_ROWS = 120
"""Of each point before the run: enough that each has a page of its own in the embedded store, as after a first day."""


@dataclass(frozen=True)
class Wishes:
    """What a run asks of its county."""

    poll_every_s: float
    """Of the terminals."""
    journal_keep_s: float
    """How long the journal keeps what every reader has: a run that shows its bound is many times longer."""
    store_url: str


def site_names(count: int) -> list[str]:
    """Return the names of so many sites."""
    return [f"site-{number:03d}" for number in range(count)]


def readings_due(sites: int, seconds: float, poll_every_s: float) -> int:
    """Return how many readings every turn of every meter makes."""
    in_a_round = sum(len(load_profile(profile).points) * TURNS[device] for device, profile in PROFILES.items())
    return int(sites * in_a_round * seconds / poll_every_s)


def write_history(store: Store, sites: Sequence[str], end_ms: int, every_s: float) -> int:
    """Put readings of a time before the run into the store; return how many."""
    names = [f"{device}.{point.name}" for device, profile in PROFILES.items() for point in load_profile(profile).points]
    back_ms = np.arange(HISTORY_ROWS, 0, -1) * int(every_s * 1000)
    for site in sites:
        points = tuple(f"{site}/{name}" for name in names)
        index = np.repeat(np.arange(len(points), dtype=np.int32), HISTORY_ROWS)
        at_ms = np.tile(end_ms - back_ms, len(points))
        good = np.full(len(index), Quality.GOOD, np.uint8)
        store.append(Columns(points, index, at_ms, np.full(len(index), USUAL["voltage_v"]), good))
    return len(sites) * len(names) * HISTORY_ROWS


def meter_links(sites: Sequence[str]) -> dict[str, Link]:
    """Return each site's meters, for `simulators.serve.serve`."""
    return {site: _meters(number) for number, site in enumerate(sites)}


def write_soak_county(
    folder: Path, meters: Mapping[str, int], uplinks: Mapping[str, int], broker_port: int, wishes: Wishes
) -> None:
    """Write register, centre.toml and a site.toml for each site; `meters` and `uplinks` give their ports by site."""
    register = folder / "register"
    register.mkdir()
    feeders = [f"f{number}" for number in range(-(-len(meters) // SITES_PER_FEEDER))]
    _write(register / "regions.csv", [["code", "name", "level", "parent"], [REGION, "Soak Banner", "banner", ""]])
    _write(register / "assets.csv", [*_assets(feeders), *_transformers(list(meters), feeders)])
    _write(register / "points.csv", _points(list(meters)))
    _write(register / "plans.csv", [["asset", "start", "end", "nature"]])
    (folder / "centre.toml").write_text(_centre_toml(broker_port, wishes), encoding="utf-8")
    for site, port in meters.items():
        site_folder(folder, site).mkdir(parents=True, exist_ok=True)
        text = _site_toml(site, port, uplinks[site], wishes.poll_every_s)
        (site_folder(folder, site) / "site.toml").write_text(text, encoding="utf-8")


def _meters(number: int) -> dict[int, Meter]:
    maps = [load_profile(profile).points for profile in PROFILES.values()]
    return {unit: Meter(points, _shown(number, points), serial=False) for unit, points in enumerate(maps, 1)}


def _shown(number: int, points: Sequence[Point]) -> Callable[[int], Mapping[str, float]]:
    """Values that move with each reading, differ from site to site, and fall to zero while the supply is lost."""
    quantities = {point.name: point.name.rsplit(".", 1)[-1] for point in points}
    counters = {point.name for point in points if point.counter}

    def shown(now_ms: int) -> dict[str, float]:
        now_s = now_ms // 1000
        is_out = (now_s + number * OUT_APART_S) % OUT_EVERY_S < OUT_FOR_S
        swing = (now_s + number) % 17 / 100
        values = {name: USUAL.get(quantity, 10.0) + swing for name, quantity in quantities.items()}
        values |= {name: float(now_s % 10_000_000) for name in counters}
        return {name: 0.0 if is_out and quantities[name] in SUPPLY else value for name, value in values.items()}

    return shown


def _assets(feeders: Sequence[str]) -> list[list[object]]:
    head = ["id", "kind", "region", "parent", "customers", "level"]
    return [head, *([feeder, "feeder", REGION, "", 0, "mv"] for feeder in feeders)]


def _transformers(sites: Sequence[str], feeders: Sequence[str]) -> list[list[object]]:
    return [
        [f"t-{site}", "transformer", REGION, feeders[number // SITES_PER_FEEDER], 60, "lv"]
        for number, site in enumerate(sites)
    ]


def _points(sites: Sequence[str]) -> list[list[object]]:
    phases = [f"terminal.l{phase}.voltage_v" for phase in (1, 2, 3)]
    rows = [[f"{site}/{phase}", f"t-{site}", "D", "gb12325-220", 220] for site in sites for phase in phases]
    return [["point", "asset", "class", "limits", "nominal"], *rows]


def _write(path: Path, rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def _centre_toml(broker_port: int, wishes: Wishes) -> str:
    return (
        f'data_dir = "data"\n[broker]\nurl = "embedded:{broker_port}"\n[store]\nurl = "{wishes.store_url}"\n'
        f"[journal]\nkeep_days = {wishes.journal_keep_s / 86_400}\n"
    )


def _site_toml(site: str, meters: int, uplink: int, poll_every_s: float) -> str:
    head = f'site = "{site}"\n[uplink]\nurl = "mqtt://127.0.0.1:{uplink}"\n'
    return head + "".join(
        f'[[devices]]\nname = "{device}"\nurl = "tcp://127.0.0.1:{meters}"\nunit = {unit}\nprofile = "{profile}"\n'
        f"poll_every_s = {poll_every_s / TURNS[device]}\n"
        for unit, (device, profile) in enumerate(PROFILES.items(), 1)
    )
