"""The console's small county in a real InfluxDB, with what the feed tells of it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.console_county import ConsoleCounty, make_console_county
from support.servers import InfluxServer, influxdb

from dashboards.grafana.feed import Feed
from edge.wire import Status, encode, topic
from ingest.board import Board, open_board
from ingest.check import check
from ingest.journal import Journal
from ingest.store import Store
from ingest.stores import open_store

HEARTBEAT_MS = 60_000


@dataclass(frozen=True, eq=False)
class FedCounty:
    """A county whose store Grafana can ask."""

    influx: InfluxServer
    county: ConsoleCounty
    store: Store

    @property
    def now_ms(self) -> int:
        return self.county.now_ms

    def board(self) -> Board:
        """A board of its own, as after a start."""
        return open_board(self.county.centre.store, Path(self.county.centre.data_dir))

    def feed(self, board: Board) -> Feed:
        """A feed that has just started."""
        return Feed(self.county.centre, self.store, board)


@contextmanager
def fed_county(influx_folder: Path, county_folder: Path) -> Iterator[FedCounty]:
    """The county, fed once."""
    with influxdb(influx_folder) as influx:
        county = make_console_county(county_folder, influx.store_url)
        _tell_status(county)
        with closing(open_store(county.centre.store, Path(county.centre.data_dir))) as store:
            fed = FedCounty(influx, county, store)
            with closing(fed.board()) as board:
                fed.feed(board).round(county.now_ms)
            yield fed


def _tell_status(county: ConsoleCounty) -> None:
    """Every gateway was born before the first reading, and one of them has said good-bye since."""
    gateways = county.scenario.county().gateways
    with closing(Journal(Path(county.centre.data_dir) / county.centre.journal.path)) as journal:
        for place, gateway in enumerate(gateways):
            for at_ms, online in ((county.scenario.midnight_ms, True), (county.now_ms - HEARTBEAT_MS, place > 0)):
                status = Status(1, gateway.site, online, "boot-1", at_ms, "0.1.0")
                journal.commit([check(topic(gateway.site, "status"), encode(status), received_ms=at_ms)])
