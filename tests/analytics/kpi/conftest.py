"""A county of seven assets over three days, and a centre to bring its readings to."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.tiny_centre import TinyCentre, tiny_register
from support.tiny_county import Meter, TinyCounty, make_tiny_county

from ingest.register import Plan

DAYS = 3
STEPS_PER_H = 360


@pytest.fixture
def county() -> TinyCounty:
    """Feeder 1 is out from 23:00 on day 1 to 01:00 on day 2, transformer a4 from 10:00 to 10:30 on day 2."""
    meter = Meter(counts=True, records=True, clocks=True, backed_up=False)
    outages = [(1, 23 * STEPS_PER_H, 25 * STEPS_PER_H), (4, 34 * STEPS_PER_H, 34 * STEPS_PER_H + 180)]
    return make_tiny_county([meter] * 6, outages, minutes=DAYS * 1440)


@pytest.fixture
def make_centre(tmp_path: Path, county: TinyCounty) -> Iterator[Callable[..., TinyCentre]]:
    """Makes centres, each in a folder of its own."""
    with ExitStack() as stack:

        def make(name: str = "centre", plans: tuple[Plan, ...] = ()) -> TinyCentre:
            folder = tmp_path / name
            folder.mkdir(exist_ok=True)
            return TinyCentre(folder, tiny_register(county, plans), stack)

        yield make
