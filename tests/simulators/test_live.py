"""The county's meters in real time."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from edge.errors import BadInput
from simulators.county import Size
from simulators.county_files import site_folder, write_county
from simulators.faults import Fault
from simulators.live import serve_live
from simulators.scenario import Scenario, fixed_ports, make_scenario


class FixedClock:
    """Stands at one instant; sleeping ends the scene."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic_ms(self) -> int:
        return 0

    def real_s(self, seconds: float) -> float:
        return seconds

    async def sleep(self, seconds: float) -> None:
        raise asyncio.CancelledError


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    """A small county whose first gateway has lost its own supply from 10:00 to 11:00."""
    size = Size(feeders=1, transformers=3, line_ends=1, works=1)
    made = make_scenario(7, size, 1, before_ms=3_600_000, after_ms=3_600_000)
    dark = Fault("gateway_power", "feeder-1", made.midnight_ms + 36_000_000, made.midnight_ms + 39_600_000)
    story = Scenario(7, size, made.midnight_ms, 1, made.before_ms, made.after_ms, (dark,))
    write_county(tmp_path, story.county(), story.faults, fixed_ports(story.county(), 15_020, 1883), store_url="x")
    return story


def mains_at(folder: Path, scenario: Scenario, hour: int) -> str:
    clock = FixedClock(scenario.midnight_ms + hour * 3_600_000 + 1000)
    counted: list[int] = []
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(serve_live(folder, scenario, clock, {}, counted.append))
    assert counted == [len(list(scenario.county().devices()))]
    return (site_folder(folder, "feeder-1") / "mains").read_text(encoding="ascii").strip()


def test_the_mains_file_follows_the_faults(tmp_path: Path, scenario: Scenario) -> None:
    assert [mains_at(tmp_path, scenario, hour) for hour in (9, 10, 11)] == ["1", "0", "1"]


def test_a_county_of_another_day_is_refused(tmp_path: Path, scenario: Scenario) -> None:
    with pytest.raises(BadInput, match="Make it anew"):
        mains_at(tmp_path, scenario, 30)
