"""One run's story: which county, which days, what goes wrong. Enough, as one small file, to make it all again."""

from datetime import datetime
from pathlib import Path

import msgspec

from edge.errors import BadInput
from simulators.county import County, Size
from simulators.county_files import LOCAL, Ports
from simulators.county_maker import make_county
from simulators.faults import DAY_MS, Fault, script
from simulators.physics import Span
from simulators.world import World

SCENARIO_FILE = "scenario.json"
FIRST_DAY_MS = int(datetime(2026, 5, 18, tzinfo=LOCAL).timestamp() * 1000)
STEP_MS = 60_000


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a run is made from."""

    seed: int
    size: Size
    midnight_ms: int
    """Local midnight with which the first day begins. [ms since 1970-01-01T00:00Z]"""
    days: int
    before_ms: int
    """Simulated time before the first day."""
    after_ms: int
    """Simulated time after the last one."""
    faults: tuple[Fault, ...]

    @property
    def first_day(self) -> str:
        """The local day that it begins with, as registers write it."""
        return datetime.fromtimestamp(self.midnight_ms / 1000, LOCAL).strftime("%Y-%m-%d")

    @property
    def end_ms(self) -> int:
        """The midnight that ends the last day."""
        return self.midnight_ms + self.days * DAY_MS

    def county(self) -> County:
        """The county of this run."""
        return make_county(self.seed, self.size)

    def world(self) -> World:
        """The county in motion."""
        span = Span(self.midnight_ms - self.before_ms, self.end_ms + self.after_ms)
        return World(self.county(), self.faults, span)


def make_scenario(
    seed: int, size: Size, days: int, *, before_ms: int, after_ms: int, midnight_ms: int = FIRST_DAY_MS
) -> Scenario:
    """The scenario with the faults that belong to a seed."""
    faults = script(make_county(seed, size), midnight_ms, days)
    whole = [-(-span_ms // STEP_MS) * STEP_MS for span_ms in (before_ms, after_ms)]
    return Scenario(seed, size, midnight_ms, days, whole[0], whole[1], faults)


def save_scenario(folder: Path, scenario: Scenario) -> None:
    """Keep the scenario in `folder`."""
    (folder / SCENARIO_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(scenario)))


def load_scenario(folder: Path) -> Scenario:
    """The scenario kept in `folder`. Raises BadInput."""
    path = folder / SCENARIO_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Scenario)
    except (OSError, msgspec.DecodeError) as error:
        raise BadInput(f"{path}: no county here ({error}). Make one with `steppe simulate county {folder}`") from error


def today_ms(now_ms: int) -> int:
    """The local midnight before an instant. [ms since 1970-01-01T00:00Z]"""
    today = datetime.fromtimestamp(now_ms / 1000, LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(today.timestamp() * 1000)


def fixed_ports(county: County, first: int, broker: int) -> Ports:
    """Ports that stay the same from run to run: the meters' from `first` on, every uplink straight to the broker."""
    links = [(gateway.site, link) for gateway in county.gateways for link in gateway.links()]
    uplinks = {gateway.site: broker for gateway in county.gateways}
    return Ports({link: first + place for place, link in enumerate(links)}, uplinks, broker)
