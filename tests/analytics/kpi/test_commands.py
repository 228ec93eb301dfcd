"""`steppe analytics`: the commands on a small centre."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.tiny_centre import ZONE

from analytics.cli import analytics
from analytics.kpi import service
from analytics.kpi.database import Correction, KpiDatabase
from edge.clock import RealClock
from edge.errors import BadInput
from ingest.config import load_centre
from ingest.store import Partial
from ingest.store_sqlite import SqliteStore

H_MS = 3_600_000


@pytest.fixture
def centre_toml(tmp_path: Path) -> Path:
    register = tmp_path / "register"
    register.mkdir()
    (register / "regions.csv").write_text("code,name,level\n1501,Qingshui,banner\n")
    (register / "assets.csv").write_text("id,kind,region,customers\nt1,transformer,1501,40\n")
    (register / "points.csv").write_text("point,asset\n")
    (register / "plans.csv").write_text("asset,start,end,nature\n")
    path = tmp_path / "centre.toml"
    path.write_text(f'timezone = "{ZONE}"\n')
    return path


def ask(centre_toml: Path, *words: str):
    return CliRunner().invoke(analytics, [words[0], str(centre_toml), *words[1:]])


def test_numbers_are_one_json_object(centre_toml: Path) -> None:
    """One transformer of 40 customers over a day of 24 h, 0.012 h out for certain."""
    times = dict.fromkeys(("open_ms", "valued_ms", "by_rate_ms"), 0.0)
    out = 0.012 * H_MS
    sums = times | {"in_service_ms": 24.0 * H_MS, "lost_ms": out, "least_ms": out, "most_ms": out}
    sums |= {"customer_ms": 40 * 24.0 * H_MS, "transformer_ms": 24.0 * H_MS, "interruptions": 1.0}
    with closing(SqliteStore(centre_toml.parent / "store.db")) as store:
        store.write_kpi([Partial("supply", "t1", "2026-06-01", sums, 0)])
    said = ask(centre_toml, "numbers", "--from", "2026-06-01", "--to", "2026-06-02", "--json")
    answer = json.loads(said.output)
    assert answer["rs1"]["lv"]["point"] == pytest.approx(99.95)
    assert answer["rs1"]["mv"]["verdict"] == "PASS"
    assert answer["voltage"]["pass_pct"] is None


def test_no_numbers_yet_are_null_not_zero(centre_toml: Path) -> None:
    said = ask(centre_toml, "numbers", "--from", "2026-06-01", "--to", "2026-06-02", "--json")
    assert json.loads(said.output)["rs1"]["lv"] == {
        "low": None,
        "point": None,
        "high": None,
        "coverage": None,
        "target": 99.83,
        "verdict": None,
    }


def test_numbers_are_rolled_up_by_region_and_by_month_as_sums(centre_toml: Path) -> None:
    """t1 out for an hour of a day of 40 customers in one gacha, t2 never of 10 in another; R10: 1 h·40 of 24 h·50."""
    register = centre_toml.parent / "register"
    (register / "regions.csv").write_text("code,name,level,parent\n15,Q,banner,\n151,E,gacha,15\n152,W,gacha,15\n")
    (register / "assets.csv").write_text("id,kind,region,customers\nt1,transformer,151,40\nt2,transformer,152,10\n")
    with closing(SqliteStore(centre_toml.parent / "store.db")) as store:
        for asset, customers, out_h, day in (("t1", 40, 1, "2026-06-01"), ("t2", 10, 0, "2026-06-01"),
                                             ("t2", 10, 0, "2026-07-01")):  # fmt: skip
            times = dict.fromkeys(("lost_ms", "least_ms", "most_ms"), float(out_h * H_MS))
            sums = times | {"in_service_ms": 24.0 * H_MS, "customer_ms": customers * 24.0 * H_MS}
            store.write_kpi([Partial("supply", asset, day, sums | {"transformer_ms": 24.0 * H_MS}, 0)])
    span = ("--from", "2026-06-01", "--to", "2026-08-01")
    regions = json.loads(ask(centre_toml, "numbers", *span, "--by", "region", "--json").output)
    points = {code: group["rs1"]["lv"]["point"] for code, group in regions["region"].items()}
    assert points["151"] == pytest.approx(100 * 23 / 24)
    assert points["152"] == 100.0
    assert points["15"] == regions["rs1"]["lv"]["point"] == pytest.approx(100 * (1 - 40 / (24 * 40 + 48 * 10)))
    months = json.loads(ask(centre_toml, "numbers", *span, "--by", "month", "--json").output)["month"]
    assert months["2026-06"]["rs1"]["lv"]["point"] == pytest.approx(100 * (1 - 40 / (24 * 50)))
    assert list(months) == ["2026-06", "2026-07"]
    text = ask(centre_toml, "numbers", *span, "--by", "region").output
    assert "151 E\n" in text
    assert "2, 100.00% of them resolved for 90 % of the time" in text


@pytest.mark.parametrize("verdict", ["confirm", "correct"])
def test_a_second_person_may_say_otherwise_and_both_are_kept(centre_toml: Path, verdict: str) -> None:
    span = ("--asset", "t1", "--start", "2026-06-01T08:00", "--end", "2026-06-01T09:00")
    true = ("--true-end", "2026-06-01T08:40") if verdict == "correct" else ()
    ask(centre_toml, "judge", "reject", *span, "--who", "A. Bat", "--why", "lights were on")
    said = ask(centre_toml, "judge", verdict, *span, *true, "--who", "B. Tuya", "--why", "switch log")
    assert said.exit_code == 0, said.output
    with closing(KpiDatabase(centre_toml.parent / "kpi.db")) as database:
        first, second = database.judgements()
    assert (first.verdict, first.who, second.verdict, second.who) == ("reject", "A. Bat", verdict, "B. Tuya")
    assert second.end_ms - second.start_ms == (H_MS if verdict == "confirm" else 40 * 60_000)


def test_a_judgement_is_kept_with_who_when_and_why(centre_toml: Path) -> None:
    span = ("--asset", "t1", "--start", "2026-06-01T08:00", "--end", "2026-06-01T09:00")
    said = ask(centre_toml, "judge", "reject", *span, "--who", "A. Bat", "--why", "on site")
    assert said.exit_code == 0, said.output
    with closing(KpiDatabase(centre_toml.parent / "kpi.db")) as database:
        [kept] = database.judgements()
    assert (kept.asset, kept.verdict, kept.who, kept.why) == ("t1", "reject", "A. Bat", "on site")
    assert kept.was_end_ms - kept.was_start_ms == H_MS


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--asset", "nobody", "--start", "2026-06-01T08:00", "--end", "2026-06-01T09:00"), "not in the register"),
        (("--asset", "t1", "--start", "yesterday", "--end", "2026-06-01T09:00"), "write it as YYYY-MM-DDTHH:MM"),
        (("--asset", "t1", "--start", "2026-06-01T10:00", "--end", "2026-06-01T09:00"), "an end after its start"),
    ],
)
def test_a_judgement_of_nothing_says_what_to_do(centre_toml: Path, words: tuple[str, ...], hint: str) -> None:
    said = ask(centre_toml, "judge", "confirm", *words, "--who", "A. Bat", "--why", "on site")
    assert isinstance(said.exception, BadInput)
    assert hint in str(said.exception)


def test_corrections_are_listed_with_old_new_and_why(centre_toml: Path) -> None:
    with closing(KpiDatabase(centre_toml.parent / "kpi.db")) as database:
        one = Correction(0, "supply", "t1", "2026-06-01", "lost_ms", 0.0, 60_000.0, "readings of 2026-06-02", 5)
        database.correct([one])
        database.correct([one])
    said = ask(centre_toml, "corrections")
    assert said.output.splitlines() == [
        "1970-01-01T08:00:00+08:00  2026-06-01 supply t1 lost_ms: 0 → 60000  (readings of 2026-06-02)"
    ]


@contextmanager
def serving(centre_toml: Path, period_s: float) -> Iterator[Callable[[Callable[[], bool]], None]]:
    """Run the service in a loop of its own; what is yielded waits until something holds."""
    centre, stop = load_centre(centre_toml), asyncio.Event()

    async def serve_until(holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not await asyncio.to_thread(holds):
                assert not running.done(), running.exception()
                await asyncio.sleep(0.02)

    with closing(SqliteStore(centre_toml.parent / "store.db")) as store, asyncio.Runner() as runner:
        running = runner.get_loop().create_task(service.run(centre, store, RealClock(), stop, period_s=period_s))
        yield lambda holds: runner.run(serve_until(holds))
        stop.set()
        runner.run(asyncio.wait_for(running, 30))


def published(centre_toml: Path) -> dict[str, dict[str, float]]:
    """The supply of every asset on the one day there is."""
    with closing(SqliteStore(centre_toml.parent / "store.db")) as store:
        return {p.subject: dict(p.sums) for p in store.read_kpi("supply", "2000-01-01", "2199-01-01")}


def test_the_service_publishes_a_round_and_stops_when_told(centre_toml: Path) -> None:
    """A centre without readings: today is in service and unresolved."""
    with serving(centre_toml, 3600) as wait_until:
        wait_until(lambda: bool(published(centre_toml)))
    today = published(centre_toml)["t1"]
    assert today["open_ms"] == today["in_service_ms"] > 0


def test_a_changed_register_is_taken_up_and_a_broken_one_is_told_and_the_old_one_kept(
    centre_toml: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assets = centre_toml.parent / "register" / "assets.csv"
    with serving(centre_toml, 0.02) as wait_until:
        wait_until(lambda: set(published(centre_toml)) == {"t1"})
        assets.write_text("id,kind,region,customers\nt1,transformer,nowhere,40\n")
        wait_until(lambda: "going on with the old one" in caplog.text)
        known = published(centre_toml)["t1"]["in_service_ms"]
        wait_until(lambda: published(centre_toml)["t1"]["in_service_ms"] > known)
        assets.write_text("id,kind,region,customers\nt1,transformer,1501,40\nt2,transformer,1501,7\n")
        wait_until(lambda: set(published(centre_toml)) == {"t1", "t2"})
    assert caplog.text.count("going on with the old one") == 1
    assert "assets.csv" in caplog.text
