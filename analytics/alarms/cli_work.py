"""`steppe alarms work …|upkeep|inspected|register-check`: jobs of crews, and what the register lacks."""

import json
import time
from dataclasses import asdict
from pathlib import Path

import click
import numpy as np

from analytics.alarms import work
from analytics.alarms.cli_common import ALARM, AS_JSON, BY, CENTRE, FROM, TO, local_text, opened, period_ms
from analytics.alarms.register_check import findings
from analytics.alarms.upkeep import HOUR_MS, crow_amsaa, mean_time_to_acknowledge_min, merged, upkeep
from analytics.alarms.work import WorkOrder, WorkState
from edge.errors import BadInput
from ingest.register_files import load_register

NUMBER = click.argument("number", type=int)


@click.group("work", epilog="Example: steppe alarms work list centre.toml")
def work_group() -> None:
    """Work orders: draft, issued, accepted, en-route, on-site, done, verified, closed."""


@work_group.command("list", epilog="Example: steppe alarms work list centre.toml --all")
@CENTRE
@click.option("--all", "closed_too", is_flag=True, help="Closed and cancelled ones too.")
@AS_JSON
def list_orders(centre_toml: Path, closed_too: bool, as_json: bool) -> None:
    """List the jobs, the gravest first, with what is overdue."""
    with opened(centre_toml) as (_, database), database.transaction() as change:
        found = work.orders(change.connection, only_open=not closed_too)
    if as_json:
        click.echo(json.dumps({"orders": [_plain(order) for order in found]}))
        return
    for order in found:
        late = work.overdue(order, now_ms=_now_ms())
        overdue = f"  overdue: {', '.join(late)}" if late else ""
        click.echo(f"{order.id:5} {order.state.value:14} {order.severity.name:8} {order.alarm}{overdue}")
    click.echo(f"{len(found)} work orders")


@work_group.command("show", epilog="Example: steppe alarms work show centre.toml 17")
@CENTRE
@NUMBER
def show_order(centre_toml: Path, number: int) -> None:
    """Show a job: its steps and its clocks."""
    with opened(centre_toml) as (centre, database), database.transaction() as change:
        order = work.find(change.connection, number)
    click.echo(f"work order {order.id}: {order.state.value}, {order.severity.name}, {order.alarm}, asset {order.asset}")
    for step in order.steps:
        click.echo(f"{local_text(step.at_ms, centre.timezone)}  {step.state.value} by {step.actor} {step.note}")
    limits = asdict(work.LIMITS[order.severity])
    for name, hours in asdict(work.clocks(order.steps, now_ms=_now_ms())).items():
        click.echo(f"{name:12} {'–' if hours is None else f'{hours:.1f}':>8} of {limits[name]:g}")


@work_group.command("new", epilog="Example: steppe alarms work new centre.toml st-3/well.level_m#high --by wang")
@CENTRE
@ALARM
@BY
def new_order(centre_toml: Path, alarm: str, by: str) -> None:
    """Draft a job for an alarm; high and critical ones are drafted by themselves."""
    with opened(centre_toml) as (_, database), database.transaction() as change:
        number = work.draft(change.connection, alarm, by, now_ms=_now_ms())
    click.echo(f"work order {number}: draft")


@work_group.command(
    "move", epilog="Example: steppe alarms work move centre.toml 17 done --by wang --note 'fuse replaced'"
)
@CENTRE
@NUMBER
@click.argument("state", type=click.Choice([state.value for state in WorkState]))
@BY
@click.option("--note", default="", help="Why not, what was done, or what the cause was.")
def move_order(centre_toml: Path, number: int, state: str, by: str, note: str) -> None:
    """Move a job to its next state."""
    with opened(centre_toml) as (_, database), database.transaction() as change:
        order = work.move(change.connection, number, WorkState(state), by, note, now_ms=_now_ms())
    click.echo(f"work order {order.id}: {order.state.value}")


@click.command("upkeep", epilog="Example: steppe alarms upkeep centre.toml --from 2026-01-01 --to 2026-07-01")
@CENTRE
@FROM
@TO
@AS_JSON
def show_upkeep(centre_toml: Path, from_day: str, to_day: str, as_json: bool) -> None:
    """Print MTBF with its interval, MTTR, MTTA and the trend, per alarm that is its own cause."""
    with opened(centre_toml) as (centre, database):
        start_ms, end_ms = period_ms(from_day, to_day, centre.timezone)
        end_ms = min(end_ms, _now_ms())
        found = [o for o in database.occurrences(start_ms=start_ms, end_ms=end_ms) if o.cause is None]
    figures = {}
    for alarm in dict.fromkeys(one.alarm for one in found):
        mine = [one for one in found if one.alarm == alarm]
        failures = merged(
            [0] * len(mine), [o.onset_ms for o in mine], [min(o.returned_ms or end_ms, end_ms) for o in mine]
        )
        observed_h = (end_ms - start_ms) / HOUR_MS
        acked = [np.nan if o.first_acked_ms is None else o.first_acked_ms for o in mine]
        figures[alarm] = asdict(upkeep(failures, observed_h=observed_h)) | {
            "mtta_min": mean_time_to_acknowledge_min([o.onset_ms for o in mine], acked),
            "trend_beta": crow_amsaa((failures.onset_ms + 1 - start_ms) / HOUR_MS, observed_h),
        }
    if as_json:
        text = {alarm: {k: v if np.isfinite(v) else None for k, v in row.items()} for alarm, row in figures.items()}
        click.echo(json.dumps({"upkeep": text}))
        return
    for alarm, row in figures.items():
        click.echo(f"{alarm}: " + ", ".join(f"{name} {value:.4g}" for name, value in row.items()))
    click.echo(f"{len(figures)} alarms with failures of their own")


@click.command(epilog="Example: steppe alarms inspected centre.toml qingshui --by wang")
@CENTRE
@click.argument("asset")
@BY
def inspected(centre_toml: Path, asset: str, by: str) -> None:
    """Note that an asset has been inspected."""
    with opened(centre_toml) as (centre, database), database.transaction() as change:
        if asset not in load_register(Path(centre.register), centre.timezone).assets:
            raise BadInput(f"there is no asset {asset!r} in {centre.register}/assets.csv")
        work.note_inspection(change.connection, asset, by, now_ms=_now_ms())
    click.echo(f"{asset}: inspected")


@click.command("register-check", epilog="Example: steppe alarms register-check centre.toml")
@CENTRE
@AS_JSON
def register_check(centre_toml: Path, as_json: bool) -> None:
    """List assets without owner, person or phone, ended contracts and overdue inspections; exit code 1 for any."""
    with opened(centre_toml) as (centre, database), database.transaction() as change:
        register = load_register(Path(centre.register), centre.timezone)
        last_ms = work.inspections_ms(change.connection)
    found = list(findings(register, last_ms, centre.timezone, now_ms=_now_ms()))
    if as_json:
        click.echo(json.dumps({"findings": [{"asset": asset, "finding": text} for asset, text in found]}))
    else:
        for asset, text in found:
            click.echo(f"{asset} {text}")
        click.echo(f"{len(found)} findings")
    if found:
        raise SystemExit(1)


def _plain(order: WorkOrder) -> dict[str, object]:
    steps = [asdict(step) for step in order.steps]
    late = work.overdue(order, now_ms=_now_ms())
    return asdict(order) | {
        "severity": order.severity.name.lower(),
        "steps": steps,
        "state": order.state,
        "overdue": late,
    }


def _now_ms() -> int:
    return int(time.time() * 1000)
