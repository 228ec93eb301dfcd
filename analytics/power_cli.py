"""`steppe power`: supply reliability and voltage compliance of the user's own files."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import click
import msgspec

from analytics.kpi.backfill_cli import backfill
from analytics.own_files.local_time import instant, zone
from analytics.own_files.power_rules import Edition, limits_given, power_rules
from edge.clock import RealClock
from edge.errors import BadInput

FILE = click.Path(path_type=Path, dir_okay=False)
Command = Callable[..., None]

ENDS_IN_PLOT = "Draw to a file ending in .svg or .png."


@click.group()
def power() -> None:
    """Supply reliability and voltage compliance, on your own files too."""


power.add_command(backfill)


def period_options(command: Command) -> Command:
    """Give a command --from, --to, --timezone and --json."""
    for option in reversed(
        [
            click.option("--from", "begin", required=True, metavar="TIME", help="First instant of the period."),
            click.option("--to", "end", required=True, metavar="TIME", help="First instant after the period."),
            click.option(
                "--timezone", default="Asia/Shanghai", show_default=True, help="Zone of times without an offset."
            ),
            click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else."),
        ]
    ):
        command = option(command)
    return command


@power.command(
    epilog="Example: steppe power reliability --ledger june.csv --served 1000 --from 2025-06-01 --to 2025-07-01"
)
@click.option("--ledger", required=True, type=FILE, help="Interruptions: unit, customers, start, end, nature, …")
@click.option("--units", type=FILE, help="Who is served: unit, customers, in_service_from, in_service_to, …")
@click.option("--served", type=click.FloatRange(min=0, min_open=True), help="Customers served, in place of --units.")
@click.option("--target", type=click.FloatRange(0, 100), help="Target of RS-1 [%].  [default: the region's]")
@click.option("--standard", type=click.Choice(["dlt836", "ieee1366"]), default="dlt836", show_default=True)
@click.option("--edition", type=click.Choice(["2012", "2016"]), default="2016", show_default=True, help="Of DL/T 836.")
@click.option(
    "--merge-gap-s", type=click.FloatRange(min=0), default=0.0, help="Interruptions of a unit closer than this are one."
)
@click.option("--plot", type=FILE, help=f"Hours per day by nature. {ENDS_IN_PLOT}")
@period_options
def reliability(
    ledger: Path,
    units: Path | None,
    served: float | None,
    target: float | None,
    standard: Literal["dlt836", "ieee1366"],
    edition: Edition,
    merge_gap_s: float,
    plot: Path | None,
    begin: str,
    end: str,
    timezone: str,
    as_json: bool,
) -> None:
    """RS, AIHC and AITC (DL/T 836) and SAIDI, SAIFI and CAIDI (IEEE 1366) of an interruption ledger."""
    from analytics.own_files import power_reliability as room

    if (units is None) == (served is None):
        raise BadInput("give --units or --served, and not both")
    local = zone(timezone)
    question = room.Question(
        ledger=ledger,
        units=units,
        served=served,
        start_ms=instant(begin, local, "--from"),
        end_ms=instant(end, local, "--to"),
        now_ms=RealClock().now_ms(),
        local=local,
        target=power_rules().target("reliability").value if target is None else target,
        standard=standard,
        edition=edition,
        merge_gap_s=merge_gap_s,
    )
    answer = room.answer(question)
    _say(answer.notes)
    if plot is not None:
        from analytics.own_files.power_plot import plot_daily_hours

        plot_daily_hours(answer, plot)
    if as_json:
        _print_json(answer.as_json())
    else:
        from analytics.own_files.power_text import reliability_text

        click.echo(reliability_text(answer))


@power.command(
    epilog="Example: steppe power voltage --readings d.csv --limits gb12325-220 --from 2025-06-01 --to 2025-07-01"
)
@click.option("--readings", required=True, type=FILE, help="CSV or Parquet: time, voltage_v, point, phase, quality.")
@click.option("--limits", help="Name of a limits profile, such as gb12325-220.")
@click.option("--lo", type=float, help="Lower limit [V], in place of --limits.")
@click.option("--hi", type=float, help="Upper limit [V].")
@click.option("--assess-lo", type=float, help="Below this a minute is off-scale [V].")
@click.option("--assess-hi", type=float, help="Above this a minute is off-scale [V].")
@click.option("--nominal", type=click.FloatRange(min=0, min_open=True), help="Nominal voltage [V].")
@click.option("--pt-ratio", type=click.FloatRange(min=0, min_open=True), default=1.0, help="Of a voltage transformer.")
@click.option("--outages", type=FILE, help="Interruptions: start, end, and unit for the point.")
@click.option("--points", type=FILE, help="Classes: point, class, limits, nominal.")
@click.option("--target", type=click.FloatRange(0, 100), help="Target of the composite [%].  [default: the region's]")
@click.option("--en50160", is_flag=True, help="Also weeks of ten-minute values.")
@click.option("--plot", type=FILE, help=f"Voltage duration curves. {ENDS_IN_PLOT}")
@period_options
def voltage(
    readings: Path,
    limits: str | None,
    lo: float | None,
    hi: float | None,
    assess_lo: float | None,
    assess_hi: float | None,
    nominal: float | None,
    pt_ratio: float,
    outages: Path | None,
    points: Path | None,
    target: float | None,
    en50160: bool,
    plot: Path | None,
    begin: str,
    end: str,
    timezone: str,
    as_json: bool,
) -> None:
    """Voltage compliance by minutes, classes and composite, and EN 50160 weeks."""
    from analytics.own_files import power_voltage as room
    from analytics.own_files.phase_minutes import Question

    local = zone(timezone)
    question = Question(
        readings=readings,
        profile=limits_given(limits, lo, hi, assess_lo, assess_hi, nominal),
        outages=outages,
        points=points,
        start_ms=instant(begin, local, "--from"),
        end_ms=instant(end, local, "--to"),
        now_ms=RealClock().now_ms(),
        local=local,
        target=power_rules().target("composite_voltage").value if target is None else target,
        pt_ratio=pt_ratio,
    )
    answer = room.answer(question)
    _say(answer.notes)
    if plot is not None:
        from analytics.own_files.power_plot import plot_duration_curves

        plot_duration_curves(answer, plot)
    if as_json:
        _print_json(answer.as_json(en50160=en50160))
    else:
        from analytics.own_files.power_text import voltage_text

        click.echo(voltage_text(answer, en50160=en50160))


@power.command(epilog="Example: steppe power med --daily saidi.csv --years 5")
@click.option("--daily", required=True, type=FILE, help="Daily SAIDI: day, saidi_min.")
@click.option("--years", type=click.IntRange(min=1), default=5, show_default=True, help="Latest years to use.")
@click.option("--judge", type=int, metavar="YEAR", help="Judge this year's days by the years before it.")
@click.option("--least-days", type=click.IntRange(min=2), default=36, show_default=True, help="Days needed above zero.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def med(daily: Path, years: int, judge: int | None, least_days: int, as_json: bool) -> None:
    """Threshold and days of major events, 2.5 beta (IEEE 1366)."""
    from analytics.own_files import power_med as room

    answer = room.answer(room.Question(daily, years, judge, least_days))
    _say(answer.notes)
    if as_json:
        _print_json(answer.as_json())
    else:
        from analytics.own_files.power_text import med_text

        click.echo(med_text(answer))


def _say(notes: Iterable[str]) -> None:
    for note in notes:
        click.echo(note, err=True)


def _print_json(answer: dict[str, Any]) -> None:
    """One object; NaN, which JSON has not, as null."""
    click.echo(msgspec.json.encode(answer).decode())
