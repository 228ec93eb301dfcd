"""`steppe analytics`: keep the numbers up to date, ask for them, and say what people found out."""

import asyncio
import json
import logging
import signal
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from analytics.bounds import RsBounds
from analytics.kpi import service
from analytics.kpi.database import Judgement, KpiDatabase, Verdict
from analytics.kpi.report import GROUPINGS, WHOLE, Grouping, Numbers, numbers_by
from edge.clock import Clock, RealClock
from edge.errors import BadInput
from ingest.config import Centre, load_centre
from ingest.register_files import load_register
from ingest.stopping import when_parent_ends
from ingest.stores import open_store

CENTRE = click.argument("centre_toml", type=click.Path(path_type=Path, dir_okay=False))


@click.group(epilog="Example: steppe analytics run centre.toml")
def analytics() -> None:
    """Keep the numbers up to date (centre)."""


@analytics.command(epilog="Example: steppe analytics run centre.toml")
@CENTRE
@click.option("--period-s", default=service.PERIOD_S, show_default=True, help="Time between two rounds. [s]")
@click.option("--with-parent", is_flag=True, help="End when standard input closes.")
def run(centre_toml: Path, period_s: float, with_parent: bool) -> None:
    """Run the KPI service until SIGTERM or Ctrl-C."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(run_services(load_centre(centre_toml), RealClock(), period_s=period_s, with_parent=with_parent))


async def run_services(
    centre: Centre, clock: Clock, *, period_s: float = service.PERIOD_S, with_parent: bool = False
) -> None:
    """Run until a signal says stop, or the parent has ended."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if with_parent:
        when_parent_ends(lambda: _stop_from_outside(loop, stop))
    Path(centre.data_dir).mkdir(parents=True, exist_ok=True)
    with closing(open_store(centre.store, Path(centre.data_dir))) as store:
        await service.run(centre, store, clock, stop, period_s=period_s)


@analytics.command(epilog="Example: steppe analytics numbers centre.toml --from 2026-06-01 --to 2026-07-01 --by region")
@CENTRE
@click.option("--from", "from_day", required=True, help="First local day, YYYY-MM-DD.")
@click.option("--to", "to_day", required=True, help="Local day after the last, YYYY-MM-DD.")
@click.option("--by", type=click.Choice(GROUPINGS), help="Also each region, day, month, quarter or year.")
@click.option("--target", default=99.83, show_default=True, help="Target of supply reliability. [%]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def numbers(centre_toml: Path, from_day: str, to_day: str, by: Grouping | None, target: float, as_json: bool) -> None:
    """Print supply reliability with its bounds, and voltage compliance."""
    centre = load_centre(centre_toml)
    register = load_register(Path(centre.register), centre.timezone)
    with closing(open_store(centre.store, Path(centre.data_dir))) as store:
        groups = numbers_by(store, register, _day(from_day), _day(to_day), by)
    if as_json:
        plain = {label: _plain_numbers(one, target) for label, one in groups.items()}
        click.echo(json.dumps(plain.pop(WHOLE) | ({by: plain} if by else {})))
        return
    for label, one in groups.items():
        name = register.regions[label].name if label in register.regions else ""
        if by:
            click.echo(f"{label} {name}".strip())
        _print_numbers(one, target)


@analytics.command(
    epilog="Example: steppe analytics judge centre.toml reject --asset f1-t03 --start 2026-06-03T08:10 "
    "--end 2026-06-03T09:00 --who 'A. Bat' --why 'crew on site, lights were on'"
)
@CENTRE
@click.argument("verdict", type=click.Choice(["confirm", "correct", "reject"]))
@click.option("--asset", required=True, help="The asset whose interruption it is; what it supplies is included.")
@click.option("--start", required=True, help="Start of the inferred interruption, local time.")
@click.option("--end", required=True, help="End of the inferred interruption, local time.")
@click.option("--true-start", help="correct: when it really began.")
@click.option("--true-end", help="correct: when it really ended.")
@click.option("--who", required=True)
@click.option("--why", required=True)
def judge(
    centre_toml: Path,
    verdict: Verdict,
    asset: str,
    start: str,
    end: str,
    true_start: str | None,
    true_end: str | None,
    who: str,
    why: str,
) -> None:
    """Confirm, correct or reject an inferred interruption: kept for good, and the numbers follow."""
    centre = load_centre(centre_toml)
    if asset not in load_register(Path(centre.register), centre.timezone).assets:
        raise BadInput(f"--asset {asset}: not in the register {centre.register}. Take an id from assets.csv")
    instant = _instants(centre.timezone)
    was = instant("--start", start), instant("--end", end)
    true = instant("--true-start", true_start or start), instant("--true-end", true_end or end)
    try:
        judgement = Judgement(asset, verdict, *was, *true, who, time.time_ns() // 1_000_000, why)
    except ValueError as error:
        raise BadInput(f"{asset}: {error}") from error
    with closing(KpiDatabase(Path(centre.data_dir) / "kpi.db")) as database:
        database.judge(judgement)
    click.echo(f"{verdict} of {asset} kept; the next round of the service brings it into the numbers")


@analytics.command(epilog="Example: steppe analytics corrections centre.toml")
@CENTRE
def corrections(centre_toml: Path) -> None:
    """List every published number that changed afterwards: old, new, why."""
    centre = load_centre(centre_toml)
    zone = ZoneInfo(centre.timezone)
    with closing(KpiDatabase(Path(centre.data_dir) / "kpi.db")) as database:
        for c in database.corrections():
            when = datetime.fromtimestamp(c.at_ms / 1000, zone).isoformat(timespec="seconds")
            click.echo(f"{when}  {c.day} {c.kpi} {c.subject} {c.sum}: {c.old:g} → {c.new:g}  ({c.why})")


def _stop_from_outside(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Set `stop` from another thread; a loop that has closed has stopped already."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(stop.set)


def _day(text: str) -> str:
    try:
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError as error:
        raise BadInput(f"day {text!r}: write it as YYYY-MM-DD") from error


def _instants(timezone: str) -> Callable[[str, str], int]:
    def instant(option: str, text: str) -> int:
        try:
            when = datetime.fromisoformat(text)
        except ValueError as error:
            raise BadInput(f"{option} {text!r}: write it as YYYY-MM-DDTHH:MM") from error
        aware = when if when.tzinfo else when.replace(tzinfo=ZoneInfo(timezone))
        return int(aware.timestamp() * 1000)

    return instant


def _print_numbers(one: Numbers, target: float) -> None:
    supply, voltage = one.supply, one.voltage
    for name, bounds in (("RS-1, customers", supply.rs_lv), ("RS-1, transformers", supply.rs_mv)):
        click.echo(
            f"{name:20} {bounds.low_pct:9.4f} … {bounds.point_pct:9.4f} … {bounds.high_pct:9.4f} %  "
            f"{bounds.verdict(target) or 'undefined'} against {target} %, coverage {bounds.coverage:.4f}"
        )
    click.echo(f"{'units':20} {supply.units}, {supply.covered_units:.2%} of them resolved for 90 % of the time")
    if supply.edges_are_uncertain:
        click.echo(f"{'starts and ends':20} uncertain by {supply.edge_share:.0%} of the hours out: read with care")
    click.echo(f"{'voltage':20} {float(voltage.pass_pct):9.4f} %, coverage {float(voltage.coverage_pct):.2f} %")


def _plain_numbers(one: Numbers, target: float) -> dict[str, object]:
    supply, voltage = one.supply, one.voltage
    return {
        "rs1": {"lv": _plain(supply.rs_lv, target), "mv": _plain(supply.rs_mv, target)},
        "interruptions": supply.interruptions,
        "voltage": {"pass_pct": _number(float(voltage.pass_pct)), "coverage_pct": _number(float(voltage.coverage_pct))},
        "covered_units": _number(supply.covered_units),
        "edge_share": _number(supply.edge_share),
        "edges_are_uncertain": supply.edges_are_uncertain,
    }


def _plain(bounds: RsBounds, target: float) -> dict[str, object]:
    return {
        "low": _number(bounds.low_pct),
        "point": _number(bounds.point_pct),
        "high": _number(bounds.high_pct),
        "coverage": _number(bounds.coverage),
        "target": target,
        "verdict": bounds.verdict(target),
    }


def _number(value: float) -> float | None:
    return None if value != value else value
