"""A small county with nothing wrong in it, and the days on which the tests let things go wrong."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from simulators.county import County, Size
from simulators.county_maker import make_county
from simulators.physics import Span

HOUR_MS = 3_600_000
MIDNIGHT_MS = int(datetime(2026, 5, 18, tzinfo=timezone(timedelta(hours=8))).astimezone(UTC).timestamp() * 1000)


@pytest.fixture(scope="session")
def county() -> County:
    """Two feeders with four transformers each."""
    return make_county(7, Size(feeders=2, transformers=4, line_ends=1, works=1))


@pytest.fixture(scope="session")
def midnight_ms() -> int:
    """A local midnight."""
    return MIDNIGHT_MS


@pytest.fixture(scope="session")
def day() -> Span:
    """That day with an hour before and after."""
    return Span(MIDNIGHT_MS - HOUR_MS, MIDNIGHT_MS + 25 * HOUR_MS)
