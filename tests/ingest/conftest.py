"""A journal in the test's own folder, and messages judged as ingest judges them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.centre import CentreUnderTest
from support.wire import NOW_MS, batch_payload

from edge.wire import topic
from ingest.check import Checked, check
from ingest.journal import Journal


@pytest.fixture
def journal_path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(journal_path: Path) -> Iterator[Journal]:
    opened = Journal(journal_path)
    yield opened
    opened.close()


@pytest.fixture
def batch() -> Callable[..., Checked]:
    """Batch number `seq` of a site, judged and ready to commit."""

    def make(seq: int, *, site: str = "qingshui-wtp", received_ms: int = NOW_MS + 5_000, **changes: object) -> Checked:
        payload = batch_payload(seq, site=site, **changes)
        return check(topic(site, "batch"), payload, received_ms=received_ms)

    return make


@pytest.fixture
def start_ingest(tmp_path: Path) -> Iterator[Callable[[str], CentreUnderTest]]:
    """Start ingest on a broker's address; it stops with the test."""
    with ExitStack() as running:

        def start(url: str) -> CentreUnderTest:
            centre = CentreUnderTest(tmp_path, url)
            running.enter_context(centre.ingest())
            return centre

        yield start
