"""The feed: what stands in the centre's own files, told to the store once more for Grafana to ask.

A process of its own that only reads the centre's files, so whatever becomes of it or of the store, numbers and alarms
go on. A row is named by measurement, tags and instant: rounds may repeat, and a start tells the last weeks again.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from analytics.alarms.database import AlarmDatabase
from analytics.alarms.records import Occurrence
from analytics.alarms.service import DATABASE_FILE
from dashboards.grafana.alarm_rows import (
    day_rows,
    gravest_by_site,
    occurrence_rows,
    occurrences_to_tell,
    standing_rows,
    week_rows,
)
from dashboards.grafana.kpi_rows import kpi_rows
from dashboards.grafana.registry import checked
from dashboards.grafana.site_rows import hour_rows, places, site_rows
from edge.clock import Clock
from edge.errors import BadInput
from ingest.board import Board, BoardRow, open_board
from ingest.config import Centre
from ingest.days import day_bounds
from ingest.register import Register
from ingest.register_files import load_register
from ingest.sites import Sites
from ingest.store import Store, StoreDown
from ingest.stores import open_store

log = logging.getLogger(__name__)

ROUND_S = 60.0
KPI_EVERY_MS = 15 * 60_000
FIRST_LOOK_DAYS, LATER_LOOK_DAYS = 35, 2
SHORTEST_S = 1.0
"""However fast a virtual clock runs, the machine rests this long between two rounds. [s of real time]"""


class Feed:
    """Rounds that tell what is known; each opens the centre's files anew, and none of them is written."""

    def __init__(self, centre: Centre, store: Store, board: Board) -> None:
        self._centre, self._store, self._board = centre, store, board
        self._data = Path(centre.data_dir)
        self._is_first = True
        self._open: Sequence[Occurrence] = ()
        """Occurrences that were open when they were told last: what becomes of them is told too, however old."""
        self._opening: Sequence[Occurrence] = ()
        self._kpi_ms = 0

    def round(self, now_ms: int) -> int:
        """Tell what is new; return how many rows were written. Raises BadInput or StoreError."""
        register = load_register(Path(self._centre.register), self._centre.timezone)
        is_kpi_due = not 0 <= now_ms - self._kpi_ms < KPI_EVERY_MS  # below 0 the clock was set back
        rows = [checked(row) for row in self._rows(register, now_ms)]
        if is_kpi_due:
            rows += [checked(row) for row in self._kpi_rows(register, now_ms)]
        written = self._board.write(rows)
        self._is_first, self._open = False, self._opening
        self._kpi_ms = now_ms if is_kpi_due else self._kpi_ms
        return written

    def _rows(self, register: Register, now_ms: int) -> Iterator[BoardRow]:
        gravest: dict[str, int] = {}
        if (self._data / DATABASE_FILE).exists():
            with closing(AlarmDatabase(self._data / DATABASE_FILE)) as alarms:
                gravest = gravest_by_site(alarms)
                yield from self._alarm_rows(alarms, register, now_ms)
        journal = self._data / self._centre.journal.path
        if journal.exists():
            where = places(register)
            with closing(Sites(journal)) as sites:
                yield from site_rows(sites, self._store, where, gravest, now_ms)
                yield from hour_rows(sites, where, day_bounds(self._days(now_ms)[0], self._centre.timezone)[0], now_ms)

    def _alarm_rows(self, alarms: AlarmDatabase, register: Register, now_ms: int) -> Iterator[BoardRow]:
        days, zone = self._days(now_ms), self._centre.timezone
        since_ms = 0 if self._is_first else day_bounds(days[0], zone)[0]
        told = occurrences_to_tell(alarms, self._open, since_ms=since_ms)
        yield from occurrence_rows(alarms, register, told, now_ms=now_ms)
        self._opening = [one for one in told if one.closed_ms is None]
        yield from standing_rows(alarms, now_ms=now_ms)
        yield from day_rows(alarms, days, zone, now_ms=now_ms)
        yield from week_rows(alarms, day_bounds(days[-1], zone)[0], zone, now_ms=now_ms)

    def _kpi_rows(self, register: Register, now_ms: int) -> Iterator[BoardRow]:
        today = self._days(now_ms)[-1]
        tomorrow = (datetime.fromisoformat(today) + timedelta(days=1)).date().isoformat()
        return kpi_rows(self._store, register, today, tomorrow, self._centre.timezone, now_ms=now_ms)

    def _days(self, now_ms: int) -> list[str]:
        """The local days that a round looks at, today last."""
        look_days = FIRST_LOOK_DAYS if self._is_first else LATER_LOOK_DAYS
        today = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(self._centre.timezone)).date()
        return [(today - timedelta(days=back)).isoformat() for back in range(look_days, -1, -1)]


def run(centre: Centre, clock: Clock, stop: threading.Event) -> None:
    """Tell what is new once a minute until `stop` is set; a store that is down is tried again at the next round.

    Raises BadInput where Grafana cannot ask the store, StoreRefused where a person must act first.
    """
    data_dir = Path(centre.data_dir)
    with closing(open_board(centre.store, data_dir)) as board, closing(open_store(centre.store, data_dir)) as store:
        feed = Feed(centre, store, board)
        while not stop.is_set():
            _round(feed, clock.now_ms())
            stop.wait(max(clock.real_s(ROUND_S), SHORTEST_S))


def _round(feed: Feed, now_ms: int) -> None:
    try:
        log.info("%d rows for Grafana", feed.round(now_ms))
    except StoreDown as down:
        log.warning("store down, told again at the next round: %s", down)
    except BadInput as error:
        log.warning("the register cannot be used, told again at the next round: %s", error)
