"""A banner with a season of published numbers, readings and alarms, written straight into a centre's files.

Every number follows from a seed, so a report on it is the same each time.
"""

import csv
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from support.wire import STREAM

from analytics.alarms.database import AlarmDatabase
from analytics.alarms.events import Acknowledge, Fell, Rose, Severity
from analytics.alarms.records import Act
from analytics.alarms.state import Kind
from analytics.alarms.work import note_inspection
from analytics.kpi.database import InterruptionRow, KpiDatabase
from edge.wire import Batch, PointInfo, PointList, Quality, encode, topic
from ingest.check import check
from ingest.config import Centre, load_centre
from ingest.days import day_bounds
from ingest.journal import Journal
from ingest.store import Columns, Partial
from ingest.store_sqlite import SqliteStore

ZONE = "Asia/Shanghai"
BANNER = "1501"
HOUR_MS, MINUTE_MS, DAY_MS = 3_600_000, 60_000, 86_400_000
SUMU = (
    ("Hongor Town", "洪戈尔镇"),
    ("Bayanbulag Sumu", "巴彦布拉格苏木"),
    ("Sain-Us Sumu", "赛音乌苏苏木"),
    ("Hujirt Sumu", "胡吉尔特苏木"),
    ("Erdene Sumu", "额尔德尼苏木"),
    ("Nogon Nuur Sumu", "诺贡淖尔苏木"),
)
PEOPLE = ("Bao Lin 宝林", "Suhe 苏和", "Batu 巴图", "Narisu 那日苏")
QUALITY = {"turbidity_ntu": (0.4, 0.25), "free_chlorine_mg_l": (0.55, 0.12), "ph": (7.5, 0.2)}


@dataclass(frozen=True)
class Size:
    """How large the county is."""

    sumu: int = 2
    transformers: int = 3
    """Per sumu."""
    works: int = 1
    """Per sumu, up to two."""
    first_day: str = "2025-01-01"
    days: int = 31
    step_min: int = 15
    """Between two readings of a water works. [min]"""


@dataclass(eq=False)
class ReportCounty:
    """A centre's folder; `write` fills it."""

    folder: Path
    size: Size = field(default_factory=Size)
    villages: bool = True
    seed: int = 7

    def write(self) -> Centre:
        """Write every file; return the centre."""
        self._random = np.random.default_rng(self.seed)
        (self.folder / "register").mkdir(parents=True)
        self.centre_file.write_text('data_dir = "data"\nregister = "register"\n', encoding="utf-8")
        (self.folder / "data").mkdir()
        self._write_register()
        with closing(SqliteStore(self.folder / "data" / "store.db")) as store:
            self._write_power(store)
            self._write_readings(store)
        with closing(AlarmDatabase(self.folder / "data" / "alarms.db")) as database:
            self._write_inspections(database)
            self._write_alarms(database)
        self._write_journal()
        return self.centre

    @property
    def centre(self) -> Centre:
        """Its configuration as the centre reads it."""
        return load_centre(self.centre_file)

    @property
    def centre_file(self) -> Path:
        """The configuration."""
        return self.folder / "centre.toml"

    @property
    def days(self) -> list[str]:
        """The local days with numbers."""
        first = date.fromisoformat(self.size.first_day)
        return [(first + timedelta(days=day)).isoformat() for day in range(self.size.days)]

    def transformers(self) -> list[str]:
        """Every transformer's id."""
        return [f"s{s}t{t}" for s in range(self.size.sumu) for t in range(self.size.transformers)]

    def _write_register(self) -> None:
        regions: list[tuple[object, ...]] = [
            ("15", "Naran League", "那仁盟", "league", ""),
            (BANNER, "Altan Tala Banner", "阿拉坦塔拉旗", "banner", "15"),
        ]
        assets, points = list[tuple[object, ...]](), list[tuple[object, ...]]()
        assets.append(("ss1", "substation", "Tala 35 kV substation", "塔拉35千伏变电站", BANNER, "", 0, "", ""))
        points += _phases("ss1/bus", "ss1", "A", "gb12325-10kv-busbar", 10000)
        for s in range(self.size.sumu):
            code, (name, name_zh) = f"{BANNER}{s + 1:02d}", SUMU[s % len(SUMU)]
            regions.append((code, name, name_zh, "sumu", BANNER))
            regions += [(f"{code}{g:02d}", f"{name} gacha {g}", f"{name_zh}{g}嘎查", "gacha", code) for g in (1, 2)]
            self._add_sumu(s, code, assets, points)
        _write(self.folder / "register/regions.csv", ("code", "name", "name_zh", "level", "parent"), regions)
        columns = ("id", "kind", "name", "name_zh", "region", "parent", "customers", "responsible", "inspection_days")
        _write(self.folder / "register/assets.csv", columns, assets)
        _write(self.folder / "register/points.csv", ("point", "asset", "class", "limits", "nominal"), points)
        _write(self.folder / "register/plans.csv", ("asset", "start", "end", "nature"), ())
        if self.villages:
            self._write_villages([str(row[0]) for row in regions if row[3] == "gacha"])

    def _add_sumu(self, s: int, code: str, assets: list[tuple[object, ...]], points: list[tuple[object, ...]]) -> None:
        _, name_zh = SUMU[s % len(SUMU)]
        place = SUMU[s % len(SUMU)][0].split(" ")[0]
        assets.append((f"f{s}", "feeder", f"{place} 10 kV feeder", f"10千伏{name_zh[:2]}线", code, "ss1", 0, "", ""))
        points += _phases(f"s{s}/head", f"f{s}", "C", "gb12325-10kv", 10000)
        for t in range(self.size.transformers):
            here = f"{code}{1 + t % 2:02d}"
            label, label_zh = f"T-{s + 1}{t:03d} {place}", f"{name_zh[:2]}{t + 1}号台区"
            person = PEOPLE[t % len(PEOPLE)]
            assets.append((f"s{s}t{t}", "transformer", label, label_zh, here, f"f{s}", 40 + 5 * (t % 7), person, 90))
            points += _phases(f"s{s}/t{t}", f"s{s}t{t}", "D", "gb12325-220", 220)
        for w in range(self.size.works):
            works, site = f"ww{s}-{w}", f"works{s}-{w}"
            title, title_zh = f"{place} water works {w + 1}", f"{name_zh[:2]}{w + 1}水厂"
            assets.append((works, "water_works", title, title_zh, f"{code}01", f"s{s}t0", 1, PEOPLE[s % 4], 7))
            points += [(f"{site}/outlet.{quantity}", works, "", "works_outlet", "") for quantity in QUALITY]
            points.append((f"{site}/end.free_chlorine_mg_l", works, "", "network_end", ""))
        station = f"{place} lift station", f"{name_zh[:2]}污水提升站"
        assets.append((f"ls{s}", "sewage_station", *station, f"{code}02", f"s{s}t0", 1, PEOPLE[(s + 1) % 4], 14))
        points.append((f"lift{s}/lift.pump1_on", f"ls{s}", "", "lift_station", ""))

    def _write_villages(self, gachas: Sequence[str]) -> None:
        rows = []
        for number, code in enumerate(gachas):
            residents = 300 + 17 * number
            sewage = ("", f"ls{number // 2}", "none", f"ls{number // 2}", "controlled")[number % 5]
            tap = "" if number == 3 else round(residents * (0.78 + 0.01 * (number % 12)))
            rows.append((code, residents, tap, sewage, "yes" if number % 3 == 0 else "no", "2025-03-20", "count 2025"))
        columns = ("region", "residents", "tap_water_residents", "sewage", "waterside", "as_of", "source")
        _write(self.folder / "register/villages.csv", columns, rows)

    def _write_power(self, store: SqliteStore) -> None:
        with closing(KpiDatabase(self.folder / "data" / "kpi.db")) as database:
            for number, day in enumerate(self.days):
                rows = list(self._interruptions(number, day))
                database.save_interruptions(day, [], rows)
                store.write_kpi([*self._supply(day, rows), *self._voltage(day)])
                database.mark_published(day)

    def _interruptions(self, number: int, day: str) -> Iterable[InterruptionRow]:
        """A storm on day 14, planned work, once the grid above, and single transformers otherwise."""
        start_ms = day_bounds(day, ZONE)[0]
        for s in range(self.size.sumu):
            is_storm, is_plan = number % 45 == 13 and s % 3 == 1, (number + 13 * s) % 90 == 4
            if number % 60 == 40:
                yield from self._cut(s, start_ms, start_ms + HOUR_MS, "ss1", "fault", 2)
            elif is_storm or is_plan:
                begin_ms = start_ms + (8 + s) * HOUR_MS
                end_ms = begin_ms + (5 if is_storm else 2) * HOUR_MS
                yield from self._cut(s, begin_ms, end_ms, f"f{s}", "fault" if is_storm else "planned", 4)
            elif self._random.random() < 0.6:
                t = int(self._random.integers(self.size.transformers))
                begin_ms = start_ms + int(self._random.integers(20 * 60)) * MINUTE_MS
                end_ms = begin_ms + int(self._random.integers(10, 200)) * MINUTE_MS
                yield self._row(s, t, begin_ms, end_ms, f"s{s}t{t}", "fault", 3)

    def _cut(
        self, s: int, start_ms: int, end_ms: int, asset: str, nature: str, error_min: int
    ) -> Iterable[InterruptionRow]:
        for t in range(self.size.transformers):
            yield self._row(s, t, start_ms, end_ms, asset, nature, error_min)

    def _row(
        self, s: int, t: int, start_ms: int, end_ms: int, event_asset: str, nature: str, error_min: int
    ) -> InterruptionRow:
        errors_ms = error_min * MINUTE_MS
        customers = 40 + 5 * (t % 7)
        unit = f"s{s}t{t}"
        evidence = "meter_record", (), False
        return InterruptionRow(
            unit,
            start_ms,
            end_ms,
            errors_ms,
            errors_ms,
            evidence[2],
            nature,
            event_asset,
            customers,
            0.95,
            *evidence[:2],
        )

    def _supply(self, day: str, rows: Sequence[InterruptionRow]) -> Iterable[Partial]:
        for unit in self.transformers():
            mine = [row for row in rows if row.asset == unit]
            lost = sum(row.end_ms - row.start_ms for row in mine)
            errors = sum(row.start_error_ms + row.end_error_ms for row in mine)
            unseen = int(self._random.integers(0, 20)) * MINUTE_MS if self._random.random() < 0.05 else 0
            natures = {f"{name}_ms": 0.0 for name in ("fault", "planned", "limit")}
            for row in mine:
                natures[f"{row.nature}_ms"] += row.end_ms - row.start_ms
            customers = 40 + 5 * (int(unit.split("t")[1]) % 7)
            sums = {
                "in_service_ms": DAY_MS,
                "lost_ms": lost,
                "open_ms": unseen,
                "least_ms": max(lost - errors, 0),
                "most_ms": min(lost + errors + unseen, DAY_MS),
                "valued_ms": 0,
                "by_rate_ms": unseen,
                "customer_ms": DAY_MS * customers,
                "transformer_ms": DAY_MS,
                "interruptions": len(mine),
                "edges_ms": errors,
            }
            yield Partial("supply", unit, day, {**sums, **natures}, 1)

    def _voltage(self, day: str) -> Iterable[Partial]:
        names = [("ss1/bus", 3e-4), *((f"s{s}/head", 1e-3) for s in range(self.size.sumu))]
        names += [
            (f"s{s}/t{t}", 2e-3 * (1 + (5 * s + 3 * t) % 11))
            for s in range(self.size.sumu)
            for t in range(self.size.transformers)
        ]
        for place, (device, bad) in enumerate(names):
            invalid = 1000 if place == len(names) - 1 else int(self._random.integers(0, 4))
            told = 1440 - invalid
            over, under = (int(self._random.binomial(told, bad * share)) for share in (0.3, 0.7))
            sums = {"ok": told - over - under, "over": over, "under": under, "offscale": 0, "outage": 0}
            for phase in ("l1", "l2", "l3"):
                yield Partial("voltage", f"{device}.{phase}.voltage_v", day, {**sums, "invalid": invalid}, 1)

    def _write_readings(self, store: SqliteStore) -> None:
        start_ms = day_bounds(self.days[0], ZONE)[0]
        t_ms = start_ms + np.arange(self.size.days * 1440 // self.size.step_min, dtype=np.int64) * (
            self.size.step_min * MINUTE_MS
        )
        for s in range(self.size.sumu):
            for w in range(self.size.works):
                for quantity, (mean, spread) in QUALITY.items():
                    value = mean + spread * np.abs(self._random.standard_normal(len(t_ms)))
                    if quantity == "turbidity_ntu" and s == 1:
                        value[(t_ms - start_ms) // DAY_MS % 40 == 21] += 0.9
                    store.append(_column(f"works{s}-{w}/outlet.{quantity}", t_ms, value))
                heard = self._random.random(len(t_ms)) > 0.3 if s == 0 else np.ones(len(t_ms), np.bool_)
                end = 0.06 + 0.2 * self._random.random(len(t_ms))
                store.append(_column(f"works{s}-{w}/end.free_chlorine_mg_l", t_ms[heard], end[heard]))
            self._write_pump(store, s, t_ms)

    def _write_pump(self, store: SqliteStore, s: int, t_ms: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
        """Facility 1 falls silent after a third of each month."""
        on = ((t_ms // (self.size.step_min * MINUTE_MS)) % 4 == 0).astype(float)
        day = (t_ms - t_ms[0]) // DAY_MS
        heard = (day % 30 < 10) if s == 1 else np.ones(len(t_ms), np.bool_)
        store.append(_column(f"lift{s}/lift.pump1_on", t_ms[heard], on[heard]))

    def _write_inspections(self, database: AlarmDatabase) -> None:
        end_ms = day_bounds(self.days[-1], ZONE)[1]
        works = [f"ww{s}-{w}" for s in range(self.size.sumu) for w in range(self.size.works)]
        with database.transaction() as change:
            for number, asset in enumerate([*self.transformers(), *works]):
                ago_days = (2 if asset.startswith("ww") else 30) + (75 if number % 9 == 4 else 0)
                note_inspection(change.connection, asset, "wang", now_ms=end_ms - ago_days * DAY_MS)
            for s in range(self.size.sumu):
                note_inspection(change.connection, f"ls{s}", "wang", now_ms=end_ms - 3 * DAY_MS)

    def _write_alarms(self, database: AlarmDatabase) -> None:
        """Each day the turbidity of one works rises for an hour, every fifth time critically; taken after minutes."""
        for number, day in enumerate(self.days):
            asset = f"ww{number % self.size.sumu}-0"
            start_ms, critical = day_bounds(day, ZONE)[0] + 10 * HOUR_MS, number % 5 == 0
            severity = Severity.CRITICAL if critical else Severity.MEDIUM
            acts = (
                Act(Rose(start_ms, severity), start_ms),
                Act(Acknowledge(), start_ms + (3 + number % 4) * MINUTE_MS, actor="tana"),
                Act(Fell(start_ms + HOUR_MS), start_ms + HOUR_MS),
            )
            for act in acts:
                with database.transaction() as change:
                    record = change.find(f"{asset}#high", asset=asset, kind="quality")
                    change.apply(record, act, Kind(), now_ms=act.at_ms)

    def _write_journal(self) -> None:
        """Each lift station promises a reading every 15 minutes and keeps it for the first 23 hours of a day."""
        with closing(Journal(self.folder / "data" / "journal.db")) as journal:
            for s in range(self.size.sumu):
                site = f"lift{s}"
                points = PointList(1, site, "boot-1", 0, [PointInfo("lift.pump1_on", 900.0)])
                journal.commit([check(topic(site, "points"), encode(points), received_ms=1)])
                for number, day in enumerate(self.days):
                    batch = self._batch(site, number, day_bounds(day, ZONE)[0])
                    journal.commit([check(topic(site, "batch"), encode(batch), received_ms=batch.t0 + DAY_MS)])

    def _batch(self, site: str, number: int, start_ms: int) -> Batch:
        """A day in one batch: 23 hours of 4 readings, one in the 92 without a value."""
        count = 23 * 4
        return Batch(
            v=1,
            site=site,
            stream=STREAM,
            seq=number,
            boot="boot-1",
            t0=start_ms,
            points=["lift.pump1_on"],
            p=[0] * count,
            dt=[900_000 * row for row in range(count)],
            x=[None, *[1.0] * (count - 1)],
            q=[Quality.BAD_NO_ANSWER, *[Quality.GOOD] * (count - 1)],
        )


def _phases(device: str, asset: str, of_class: str, limits: str, nominal: int) -> list[tuple[object, ...]]:
    return [(f"{device}.{phase}.voltage_v", asset, of_class, limits, nominal) for phase in ("l1", "l2", "l3")]


def _column(
    point: str, t_ms: np.ndarray[tuple[int], np.dtype[np.int64]], value: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> Columns:
    zeros = np.zeros(len(t_ms), np.int32)
    return Columns((point,), zeros, t_ms, value, zeros.astype(np.uint8))


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
