"""A small county as the console finds it: register, a day and a half of readings, alarms that really rose, numbers.

The readings follow from the simulator's physics and faults; they go through the journal into the alarm engine, and
into the store for the numbers, as they would in a run, only without sockets.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analytics.alarms.channels.port import Answer, Message, Recipient, Verdict
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.engine import Engine
from analytics.alarms.events import Acknowledge, Shelve
from analytics.alarms.records import Act, AlarmRecord
from analytics.alarms.sender import Sender
from analytics.alarms.service import load_plant
from analytics.alarms.state import State
from analytics.kpi.database import KpiDatabase
from analytics.kpi.service import KpiService
from dashboards.console.views.bar import WAITING
from edge.wire import Batch, PointInfo, PointList, Quality, encode, topic
from ingest.changes import Changes
from ingest.check import Checked, check
from ingest.config import Centre, load_centre
from ingest.days import day_numbers, day_text
from ingest.journal import Journal
from ingest.register_files import load_register
from ingest.store import Columns, Store
from ingest.stores import open_store
from simulators.county import Gateway, Size
from simulators.county_files import Ports, read_points, write_county
from simulators.faults import HOUR_MS, dark_intervals
from simulators.scenario import Scenario, make_scenario
from simulators.world import World, gateway_is_dark

SMALL = Size(feeders=2, transformers=3, line_ends=1, works=1)
DAYS = 2
MINUTE_MS, SLOT_MS = 60_000, 10 * 60_000
POLL_MS = MINUTE_MS
"""Voltage is judged by the minute: polled more rarely, a point misses minutes and enters no rate."""
Row = tuple[str, int, float | None, Quality]
"""Point, instant, value, quality."""
NOT_AVAILABLE = 0xFFFFFFFF
"""What the terminals' registers hold where there was no failure yet."""
STREAM, BOOT = "0d5c" * 8, "boot-1"
INTO_OUTAGE_MS = 8 * MINUTE_MS
"""How long the last transformer outage has lasted when the console is looked at."""
ALARMS_TOML = """
manager = "county"
link_base = "http://127.0.0.1:8080/take"
link_key_file = "link.key"
[[channels]]
name = "sms"
kind = "sms_http"
url = "http://127.0.0.1:9"
[[people]]
name = "county"
channels = ["sms"]
phone = "13800000000"
[[people]]
name = "bao"
channels = ["sms"]
phone = "13800000001"
[chains.critical]
steps = [{ after_min = 0, person = "bao" }, { after_min = 15, person = "county" }]
[chains.high]
steps = [{ after_min = 0, person = "bao" }]
[chains.medium]
steps = [{ after_min = 0, person = "bao" }]
"""


@dataclass(frozen=True)
class Story:
    """Which county it is, and how it was looked after."""

    seed: int = 3
    size: Size = SMALL
    live_ms: int = 8 * HOUR_MS
    """So much of the end goes through the journal and the engine; what is older stands only in the store."""
    alone_ms: int = 8 * HOUR_MS
    """So long before the end somebody took alarms for the last time."""
    is_told: bool = False
    """Whether notices go out; otherwise they wait."""
    shelved: str = "feeder-2/gateway.mains_on#lost"
    """An alarm that was put on the shelf in the end."""


@dataclass(frozen=True, eq=False)
class ConsoleCounty:
    """The folder, and what is known of it."""

    folder: Path
    centre: Centre
    scenario: Scenario
    now_ms: int
    """The instant up to which everything has come in. [ms since 1970-01-01T00:00Z]"""

    @property
    def centre_file(self) -> Path:
        return self.folder / "centre.toml"


def make_console_county(folder: Path, store_url: str = "sqlite:///store.db", story: Story = Story()) -> ConsoleCounty:
    """Write every file of the county into `folder`, and its readings into the store."""
    scenario = make_scenario(story.seed, story.size, DAYS, before_ms=HOUR_MS, after_ms=HOUR_MS)
    county, first_day = scenario.county(), scenario.first_day
    write_county(folder, county, scenario.faults, _no_ports(scenario), store_url=store_url, first_day=first_day)
    (folder / "register" / "alarms.toml").write_text(ALARMS_TOML, encoding="utf-8")
    (folder / "register" / "link.key").write_text("a key of the tests\n", encoding="utf-8")
    centre = load_centre(folder / "centre.toml")
    data = Path(centre.data_dir)
    data.mkdir()
    now_ms = max(f.start_ms for f in scenario.faults if f.kind == "transformer_outage") + INTO_OUTAGE_MS
    with closing(open_store(centre.store, data)) as store:
        _compute(centre, store, _live(centre, scenario, now_ms, story), now_ms)
    return ConsoleCounty(folder, centre, scenario, now_ms)


def _live(centre: Centre, scenario: Scenario, now_ms: int, story: Story) -> Columns:
    """Send every reading through the journal and the engine, and return them all."""
    world, data = scenario.world(), Path(centre.data_dir)
    lines = [_Line(world, gateway) for gateway in world.county.gateways]
    plant = load_plant(centre, now_ms=scenario.midnight_ms)
    with closing(Journal(data / centre.journal.path)) as journal, closing(AlarmDatabase(data / "alarms.db")) as alarms:
        engine = Engine(journal, alarms, plant.watch, plant.where, plant.planner, gap_ms=2 * SLOT_MS)
        sender = Sender(alarms, {"sms": _Taking()}, plant.planner)
        live_ms = now_ms - story.live_ms
        engine.start(now_ms=live_ms)
        for line in lines:
            line.keep(live_ms)
        journal.commit([line.point_list() for line in lines])
        for end_ms in range(live_ms + SLOT_MS, now_ms + 1, SLOT_MS):
            journal.commit([arrival for line in lines for arrival in line.send(end_ms)])
            while engine.step(now_ms=end_ms):
                pass
            engine.tick(now_ms=end_ms)
            if story.is_told:
                sender.send_due(now_ms=end_ms)
            if end_ms <= now_ms - story.alone_ms:
                _take(alarms, engine, _waiting(alarms), end_ms)
        _act(alarms, engine, now_ms, story.shelved)
    return _columns([row for line in lines for row in line.sent])


def _act(alarms: AlarmDatabase, engine: Engine, now_ms: int, shelved: str) -> None:
    """Somebody put an alarm on the shelf for an hour, and took the first of the others that still stand."""
    standing = {one.id: one for one in _waiting(alarms) if one.alarm.state is State.UNACKNOWLEDGED}
    shelve = Act(Shelve(now_ms, now_ms + HOUR_MS), now_ms, "bao", "crew is on its way")
    engine.planner.act(alarms, standing.pop(shelved).id, shelve, now_ms=now_ms)
    _take(alarms, engine, list(standing.values())[:1], now_ms)


class _Taking:
    """A service that takes every message."""

    def send(self, message: Message, recipient: Recipient, now_ms: int) -> Answer:
        return Answer(Verdict.ACCEPTED, "taken")


def _waiting(alarms: AlarmDatabase) -> list[AlarmRecord]:
    return [one for one in alarms.records(only_standing=True) if one.alarm.state in WAITING]


def _take(alarms: AlarmDatabase, engine: Engine, records: Sequence[AlarmRecord], now_ms: int) -> None:
    for record in records:
        act = Act(Acknowledge(), now_ms, "bao", "crew is on its way")
        engine.planner.act(alarms, record.id, act, now_ms=now_ms)


def _compute(centre: Centre, store: Store, rows: Columns, now_ms: int) -> None:
    """Keep the readings, and bring the numbers up to date."""
    store.append(rows)
    data, register = Path(centre.data_dir), load_register(Path(centre.register), centre.timezone)
    days = day_numbers(rows.t_ms, centre.timezone)
    with closing(Changes(data / "changes.db")) as changes, closing(KpiDatabase(data / "kpi.db")) as database:
        pairs = {(point, day) for point, day in zip(rows.index.tolist(), days.tolist(), strict=True)}
        changes.mark(sorted((rows.points[point], day_text(day)) for point, day in pairs))
        KpiService(store, changes, database, register, centre.timezone).step(now_ms)


class _Line:
    """One gateway: what it has read, and what of it has got through."""

    def __init__(self, world: World, gateway: Gateway) -> None:
        self._world, self._gateway = world, gateway
        self._dark = dark_intervals(world.county, world.faults, gateway.site)
        self._cut = [f for f in world.faults if f.kind == "backhaul_loss" and f.target == gateway.site]
        self._waiting: list[Row] = []
        self._from_ms = world.span.start_ms + HOUR_MS
        self._names = {device.name: [point.name for point in read_points(device)] for device in gateway.devices}
        self._seq = 0
        self.sent: list[Row] = []
        """Every reading that came in, with its full name."""

    def point_list(self) -> Checked:
        """What the gateway promises to read."""
        names = [f"{device.name}.{point.name}" for device in self._gateway.devices for point in read_points(device)]
        infos = [PointInfo(name, POLL_MS / 1000) for name in names]
        said = PointList(1, self._gateway.site, BOOT, self._from_ms, infos)
        return check(topic(self._gateway.site, "points"), encode(said), received_ms=self._from_ms)

    def keep(self, end_ms: int) -> None:
        """Read up to an instant, for the store alone."""
        self._poll(end_ms)
        self._hand_over()

    def send(self, end_ms: int) -> Iterator[Checked]:
        """Read up to an instant; yield what gets through by then."""
        self._poll(end_ms)
        if self._waiting and not any(fault.covers(end_ms) for fault in self._cut):
            yield self._batch(end_ms)
            self._hand_over()

    def _poll(self, end_ms: int) -> None:
        for t_ms in range(self._from_ms, end_ms, POLL_MS):
            if not gateway_is_dark(self._dark, self._gateway, t_ms):
                self._waiting += self._read(t_ms)
        self._from_ms = end_ms

    def _hand_over(self) -> None:
        self.sent += [(f"{self._gateway.site}/{name}", *rest) for name, *rest in self._waiting]
        self._waiting = []

    def _read(self, t_ms: int) -> Iterator[Row]:
        """What the gateway notes at one poll: each device's values, or that it did not answer."""
        site = self._gateway.site
        for device in self._gateway.devices:
            answers = self._world.answers(site, device.name, t_ms)
            values = self._world.values(site, device.name, t_ms) if answers else {}
            for name in self._names[device.name]:
                value = values.get(name)
                if value == NOT_AVAILABLE:
                    yield f"{device.name}.{name}", t_ms, None, Quality.BAD_NOT_AVAILABLE
                    continue
                quality = Quality.GOOD if value is not None else Quality.BAD_NO_ANSWER
                yield f"{device.name}.{name}", t_ms, value, quality
        yield "gateway.mains_on", t_ms, float(self._world.energised(self._gateway.supply, t_ms)), Quality.GOOD

    def _batch(self, received_ms: int) -> Checked:
        site, rows = self._gateway.site, self._waiting
        names = sorted({name for name, *_ in rows})
        place = {name: number for number, name in enumerate(names)}
        t0_ms = rows[0][1]
        said = Batch(
            v=1,
            site=site,
            stream=STREAM,
            seq=self._seq,
            boot=BOOT,
            t0=t0_ms,
            points=names,
            p=[place[name] for name, *_ in rows],
            dt=[t_ms - t0_ms for _, t_ms, *_ in rows],
            x=[value for *_, value, _ in rows],
            q=[quality for *_, quality in rows],
        )
        self._seq += 1
        return check(topic(site, "batch"), encode(said), received_ms=received_ms)


def _columns(rows: list[Row]) -> Columns:
    names = tuple(sorted({name for name, *_ in rows}))
    place = {name: number for number, name in enumerate(names)}
    return Columns(
        names,
        np.array([place[name] for name, *_ in rows], np.int32),
        np.array([t_ms for _, t_ms, *_ in rows], np.int64),
        np.array([np.nan if value is None else value for *_, value, _ in rows], np.float64),
        np.array([quality for *_, quality in rows], np.uint8),
    )


def _no_ports(scenario: Scenario) -> Ports:
    """Nothing listens: the county is only looked at."""
    gateways = scenario.county().gateways
    links = {(gateway.site, link): 1 for gateway in gateways for link in gateway.links()}
    return Ports(links, {gateway.site: 1 for gateway in gateways}, 1)
