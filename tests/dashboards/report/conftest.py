"""A banner of two sumu with a January of numbers, and the report made from it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support.report_county import BANNER, ZONE, ReportCounty, Size

from analytics.kpi.periods import read_period
from dashboards.report.figures import make_report
from dashboards.report.model import Report
from dashboards.report.sources import open_sources
from ingest.config import Centre
from ingest.days import day_bounds

MADE_MS = day_bounds("2025-02-03", ZONE)[0] + 9 * 3_600_000
Make = Callable[..., Report]


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory) -> ReportCounty:
    """Written once; tests that change something make their own."""
    one = ReportCounty(tmp_path_factory.mktemp("county") / "banner", Size(step_min=15))
    one.write()
    return one


@pytest.fixture(scope="session")
def centre(county: ReportCounty) -> Centre:
    """Its configuration."""
    return county.centre


@pytest.fixture
def make() -> Make:
    """Makes a report of a centre: of January in the banner unless the test says otherwise."""

    def made(centre: Centre, *, region: str = BANNER, period: str = "2025-01", now_ms: int = MADE_MS) -> Report:
        with open_sources(centre) as sources:
            return make_report(sources, region, read_period(period), now_ms=now_ms)

    return made


@pytest.fixture(scope="session")
def january(centre: Centre) -> Report:
    """The banner's report of January."""
    with open_sources(centre) as sources:
        return make_report(sources, BANNER, read_period("2025-01"), now_ms=MADE_MS)


@pytest.fixture
def own_county(tmp_path: Path) -> ReportCounty:
    """A smaller county that the test may change."""
    one = ReportCounty(tmp_path / "banner", Size(transformers=2, days=4, step_min=60))
    one.write()
    return one
