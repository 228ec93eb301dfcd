"""What the feed tells of sites, from the journal's counts alone."""

from contextlib import closing
from pathlib import Path

from support.wire import NOW_MS, make_status

from dashboards.grafana.site_rows import hour_rows
from edge.wire import encode, topic
from ingest.check import HOUR_MS, check
from ingest.journal import Journal
from ingest.sites import Sites, StatusChange

SITE = "qingshui-wtp"
HOUR = NOW_MS // HOUR_MS * HOUR_MS


class WithoutHistory(Sites):
    """A site whose line comes and goes has said so a hundred thousand times after some years."""

    def status_history(self, site: str, from_ms: int, to_ms: int) -> list[StatusChange]:
        raise AssertionError("everything that a site ever said is read at each round")


def test_hours_count_from_a_sites_first_status_whatever_it_has_said_since(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with closing(Journal(path)) as journal, closing(WithoutHistory(path)) as sites:
        for hour, online in ((2, True), (3, False), (4, True)):
            said = encode(make_status(online=online, at_ms=HOUR + hour * HOUR_MS))
            journal.commit([check(topic(SITE, "status"), said, received_ms=HOUR + hour * HOUR_MS)])
        rows = hour_rows(sites, {}, HOUR, HOUR + 6 * HOUR_MS)
        assert [row.t_ms for row in rows] == [HOUR + hour * HOUR_MS for hour in (1, 2, 3, 4)]
        before = hour_rows(sites, {}, HOUR - 3 * HOUR_MS, HOUR)
        assert len(list(before)) == 2, "of the time before all that is known nothing can be left out"
