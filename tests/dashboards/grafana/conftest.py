"""One InfluxDB for all tests of this folder: each reads it, and what one writes is its own."""

from collections.abc import Iterator

import pytest
from support.fed_county import FedCounty, fed_county


@pytest.fixture(scope="session")
def fed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FedCounty]:
    """The county in a real InfluxDB, fed once."""
    with fed_county(tmp_path_factory.mktemp("influx"), tmp_path_factory.mktemp("county")) as county:
        yield county
