"""A county of one feeder and some stations, played to the alarm engine minute by minute."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from analytics.alarms import outbox
from analytics.alarms.channels.port import Answer, Verdict
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.engine import SNAPSHOT_EVERY_ENTRIES, Engine
from analytics.alarms.events import Event
from analytics.alarms.planner import Planner
from analytics.alarms.records import Act
from analytics.alarms.rota import Person, Step
from analytics.alarms.settings import AlarmSettings, Chain, Chains, ChannelSettings
from analytics.alarms.suppression import places
from analytics.alarms.watch import watch
from analytics.limit_files import load_setpoints
from edge.wire import Batch, Quality, encode, topic
from ingest.check import check
from ingest.journal import Journal
from ingest.register import Asset, Plan, PointEntry, Region, Register

START_MS = 1_764_000_000_000
MINUTE_MS = 60_000
STREAM = "0" * 32

SETTINGS = AlarmSettings(
    channels=[ChannelSettings(name="sms", kind="sms_http", url="http://127.0.0.1:9")],
    people=[Person(name=name, channels=["sms"]) for name in ("crew", "backup", "county")],
    chains=Chains(
        critical=Chain(
            steps=[Step(0, person="crew"), Step(5, person="backup"), Step(30, person="county")], ack_expires_min=60
        ),
        high=Chain(steps=[Step(0, person="crew"), Step(15, person="county")]),
    ),
    manager="county",
    settle_s=30.0,
)


def county(stations: int, plans: tuple[Plan, ...] = ()) -> Register:
    """Feeder 1 with its head meter, and below it stations with a meter and an outlet each."""

    def asset(name: str, kind: str, parent: str | None) -> tuple[Asset, ...]:
        return (Asset(name, kind, name, f"{name}站", "150122", parent, 1, None, None, None, None),)

    assets = {"feeder_1": asset("feeder_1", "feeder", None)}
    points = [PointEntry("head/meter.voltage_v", "feeder_1", "", "", 220.0)]
    points += [PointEntry("head/gateway.mains_on", "feeder_1", "", "", None)]
    for number in range(stations):
        name, site = f"station_{number}", f"st-{number}"
        assets[name] = asset(name, "water_works", "feeder_1")
        points += [
            PointEntry(f"{site}/meter.voltage_v", name, "D", "gb12325-220", 220.0),
            PointEntry(f"{site}/outlet.free_chlorine_mg_l", name, "", "works_outlet", None),
            PointEntry(f"{site}/well.level_m", name, "", "wet_well", None),
            PointEntry(f"{site}/gateway.mains_on", name, "", "", None),
        ]
    regions = {"150122": Region("150122", "Togtoh", "托克托县", "banner", None)}
    return Register(regions, assets, {entry.point: entry for entry in points}, plans)


@dataclass
class Play:
    """The engine, its journal and its database; time moves where the script says so."""

    folder: Path
    register: Register
    settings: AlarmSettings = SETTINGS
    snapshot_every_entries: int = SNAPSHOT_EVERY_ENTRIES
    now_ms: int = START_MS
    _seq: dict[str, int] = field(default_factory=dict)
    _sent: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.journal = Journal(self.folder / "journal.db")
        self.start()

    def start(self) -> None:
        """Start the engine, or start it again after `kill` or with another register."""
        self.database = AlarmDatabase(self.folder / "alarms.db")
        planner = Planner(self.settings, self.register, "Asia/Shanghai")
        watched = watch(self.register, load_setpoints())
        self.engine = Engine(
            Journal(self.folder / "journal.db"),
            self.database,
            watched,
            places(self.register, now_ms=self.now_ms),
            planner,
            snapshot_every_entries=self.snapshot_every_entries,
        )
        self.engine.start(now_ms=self.now_ms)

    def kill(self) -> None:
        """Forget everything the engine had in memory."""
        self.database.close()
        self.start()

    def say(self, site: str, sampled_ms: int | None = None, **values: float | None) -> None:
        """A site's readings of one instant reach the journal; None for no answer. `meter__voltage_v=0.0`."""
        named = {name.replace("__", "."): value for name, value in values.items()}
        self.say_all({site: named}, sampled_ms)

    def say_all(self, sites: Mapping[str, Mapping[str, float | None]], sampled_ms: int | None = None) -> None:
        """Several sites' readings reach the journal together: site → point → value."""
        at_ms = self.now_ms if sampled_ms is None else sampled_ms
        batches = [(site, encode(self._batch(site, values, at_ms))) for site, values in sites.items()]
        self.journal.commit([check(topic(s, "batch"), payload, received_ms=self.now_ms) for s, payload in batches])

    def _batch(self, site: str, values: Mapping[str, float | None], at_ms: int) -> Batch:
        seq = self._seq.get(site, 0)
        self._seq[site] = seq + 1
        rows = list(range(len(values)))
        quality = [Quality.GOOD if value is not None else Quality.BAD_NO_ANSWER for value in values.values()]
        said = list(values.values())
        return Batch(1, site, STREAM, seq, "boot", at_ms, list(values), rows, [0] * len(rows), said, quality)

    def minute(self, minutes: float = 1.0) -> None:
        """The engine takes what has come; then time moves on, and notices leave as they come due."""
        while self.engine.step(now_ms=self.now_ms):
            pass
        end_ms = self.now_ms + int(minutes * MINUTE_MS)
        next_tick_ms = self.now_ms
        while self.now_ms < end_ms:
            if self.now_ms >= next_tick_ms:
                self.engine.tick(now_ms=self.now_ms)
                next_tick_ms += MINUTE_MS
            self.now_ms = min(self.now_ms + 10_000, end_ms)
            self._deliver()

    def _deliver(self) -> None:
        with self.database.transaction() as change:
            for notice in outbox.lease(change.connection, now_ms=self.now_ms, limit=1000):
                self._sent.append((notice.alarm, notice.purpose, notice.recipient))
                outbox.settle(change.connection, notice, Answer(Verdict.ACCEPTED, "ok"), now_ms=self.now_ms)

    def act(self, alarm_id: str, event: Event, person: str) -> None:
        """A person acts on an alarm."""
        self.engine.planner.act(self.database, alarm_id, Act(event, self.now_ms, person), now_ms=self.now_ms)

    def pages(self) -> list[tuple[str, str, str]]:
        """Every notice that has left: (alarm, purpose, recipient)."""
        return self._sent

    def states(self) -> dict[str, str]:
        """Alarm → letter, of those that are not normal."""
        return {record.id: record.alarm.state.value for record in self.database.records(only_standing=True)}
