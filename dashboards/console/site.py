"""What every page may ask: the store, the register, the alarms, the numbers, the time, and the console's own file."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from analytics.alarms.database import AlarmDatabase
from analytics.alarms.planner import Planner
from analytics.alarms.service import DATABASE_FILE, load_planner
from analytics.kpi.database import KpiDatabase
from analytics.kpi.published import KeptSums, Published
from dashboards.console.database import FILE, ConsoleDatabase
from dashboards.console.geography import Sheets
from dashboards.console.kept import Kept, KeptViews
from dashboards.console.per_thread import PerThread
from dashboards.console.settings import ConsoleSettings
from dashboards.console.unchanged import Unchanged
from dashboards.console.views.export_jobs import ExportJobs
from dashboards.console.views.register_index import KeptIndex, RegisterIndex
from dashboards.console.views.reports_jobs import ReportJobs
from dashboards.console.watched import Watched
from edge.clock import Clock, RealClock
from ingest.config import Centre
from ingest.folder_signature import folder_signature
from ingest.register import Register
from ingest.sites import Sites
from ingest.store import Store
from ingest.stores import open_store

T = TypeVar("T")
MOST_MONTHS = 60


@dataclass(frozen=True)
class Console:
    """One centre's console. Made by `open_console`; `close` it."""

    centre: Centre
    settings: ConsoleSettings
    clock: Clock
    """The centre's time: of readings, alarms and numbers."""
    database: ConsoleDatabase
    """Users, sessions, tokens, audit."""
    kpi: KpiDatabase
    """Inferred interruptions, judgements and corrections."""
    plans: Watched[Planner]
    stores: PerThread[Store]
    alarm_databases: PerThread[AlarmDatabase]
    deliveries: PerThread[Sites]
    wall: Clock = field(default_factory=RealClock)
    """The machine's time: sessions and tokens end by it, however fast the centre's runs."""
    sums: KeptSums = field(default_factory=KeptSums)
    """Daily sums that were read once; shared by all threads."""
    reports: ReportJobs = field(default_factory=ReportJobs)
    """Reports that are being made."""
    exports: ExportJobs = field(default_factory=ExportJobs)
    """How far exports have come."""
    indexes: KeptIndex = field(default_factory=KeptIndex)
    views: KeptViews = field(default_factory=KeptViews)
    """What pages read last, for while the store does not answer."""
    months: Unchanged[Any] = field(default_factory=lambda: Unchanged(MOST_MONTHS))
    """`views.kpi.KpiMonth` of the months asked for last."""
    sheets: Sheets = field(default_factory=Sheets)
    """The county's map, made once per register."""

    @property
    def data_dir(self) -> Path:
        """Folder of the centre's own files."""
        return Path(self.centre.data_dir)

    @property
    def zone(self) -> ZoneInfo:
        """The centre's local time."""
        return ZoneInfo(self.centre.timezone)

    @property
    def register(self) -> Register:
        """The register as its files stand now, or as it last was when it could be loaded."""
        return self.plans.now().register

    @property
    def index(self) -> RegisterIndex:
        """The register, ready to be searched."""
        return self.indexes.of(self.register)

    def now_ms(self) -> int:
        """The centre's time. [ms since 1970-01-01T00:00Z]"""
        return self.clock.now_ms()

    def store(self) -> Store:
        """This thread's store, for reading. Raises StoreDown or StoreRefused."""
        return self.stores.here()

    def alarms(self) -> AlarmDatabase:
        """This thread's alarms. Raises AlarmDatabaseError."""
        return self.alarm_databases.here()

    def sites(self) -> Sites:
        """This thread's knowledge of each site's delivery. Raises JournalError."""
        return self.deliveries.here()

    def planner(self) -> Planner:
        """Acts on alarms and queues the notices that follow, by `alarms.toml` as it stands now."""
        return self.plans.now()

    def published(self) -> Published:
        """The published numbers as they stand now. Raises StoreDown or StoreRefused."""
        return Published(self.store(), self.kpi, self.register, self.sums)

    def kept(self, question: Hashable, ask: Callable[[], T]) -> Kept[T]:
        """Return what `ask` reads from the store, or its last answer where that fails or is slow. Raises StoreError."""
        return self.views.read(question, ask, wait_s=self.settings.store_wait_s, now_ms=self.now_ms())

    def close(self) -> None:
        """Let go of every file."""
        self.views.close()
        self.stores.close()
        self.alarm_databases.close()
        self.deliveries.close()
        self.kpi.close()
        self.database.close()


def open_console(
    centre: Centre, settings: ConsoleSettings, clock: Clock, *, wall: Clock | None = None, look_every_s: float = 1.0
) -> Console:
    """Return the console of a centre. Raises BadInput where its files cannot be loaded, StoreError for its own file."""
    data_dir, register = Path(centre.data_dir), Path(centre.register)
    data_dir.mkdir(parents=True, exist_ok=True)
    return Console(
        centre,
        settings,
        clock,
        ConsoleDatabase(data_dir / FILE, wrong_passwords=settings.wrong_passwords),
        KpiDatabase(data_dir / "kpi.db"),
        Watched(lambda: load_planner(centre), lambda: folder_signature(register), look_every_s),
        PerThread(lambda: open_store(centre.store, data_dir)),
        PerThread(lambda: AlarmDatabase(data_dir / DATABASE_FILE)),
        PerThread(lambda: Sites(data_dir / centre.journal.path)),
        wall or RealClock(),
    )
