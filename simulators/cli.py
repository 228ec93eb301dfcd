"""`steppe demo` and `steppe simulate`."""

import asyncio
import contextlib
import json
import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from edge.clock import RealClock
from edge.errors import BadInput
from simulators.county import USUAL_SIZE
from simulators.recording import TimeUnit, default_point_name


@click.command(epilog="Example: steppe demo --days 1 --seed 7")
@click.option("--days", type=click.IntRange(1, 31), default=1, show_default=True, help="Virtual days to run.")
@click.option("--speed", default="auto", show_default=True, help="Virtual seconds per second, or auto.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Makes county and faults.")
@click.option("--chaos/--no-chaos", default=True, show_default=True, help="Kill a gateway, ingest and the broker.")
@click.option("--store", default="sqlite", show_default=True, help="sqlite, or influxdb+http://host:8086/BUCKET.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Keep everything here.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option("--exit", "leave", is_flag=True, help="End after the run.")
def demo(
    days: int, speed: str, seed: int, chaos: bool, store: str, folder: Path | None, as_json: bool, leave: bool
) -> None:
    """Run a virtual county through the whole road, break parts of it, and compare the outcome with the truth.

    The console is up from the first second, at the address that is printed; on a terminal it stays until Ctrl-C.
    Exit code 0 only if nothing was lost, nothing was doubled, and every number holds.
    """
    from simulators.demo import Audience, Outcome, Settings, run_demo, summary
    from simulators.house import console_port
    from simulators.view import problems, spectator, verdict_table

    console = Console(stderr=as_json)
    watching = contextlib.ExitStack()
    stays = console.is_terminal and not as_json and not leave

    def greet(address: str) -> None:
        console.print(f"Console, sign in once: {address}", soft_wrap=True, highlight=False)

    async def linger(outcome: Outcome) -> None:
        watching.close()
        if not as_json:
            console.print(verdict_table(outcome))
        for problem in problems(outcome):
            click.echo(problem, err=True)
        if stays:
            console.print(f"The console stays at http://127.0.0.1:{port} until Ctrl-C; the gateways have gone offline")
            await _signalled()

    with tempfile.TemporaryDirectory(prefix="steppe-demo-") as scratch:
        place, port = folder or Path(scratch), console_port()
        settings = Settings(place, days, _speed(speed), seed, chaos, _store_url(store), console_port=port)
        with watching:
            show = watching.enter_context(spectator(console))
            outcome = asyncio.run(run_demo(settings, Audience(greet, show, linger)))
    if as_json:
        click.echo(json.dumps(summary(outcome)))
    sys.exit(0 if outcome.ok else 1)


async def _signalled() -> None:
    """Return when a person or a supervisor says that it is enough."""
    enough = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, enough.set)
    await enough.wait()


@click.group(epilog="Example: steppe simulate replay readings.csv --folder out")
def simulate() -> None:
    """Make a virtual county, serve its meters, replay recordings."""


@simulate.command(epilog="Example: steppe simulate county ./county --seed 7 --days 2")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Makes county and faults.")
@click.option("--days", type=click.IntRange(1, 31), default=1, show_default=True, help="From today's midnight on.")
@click.option("--broker-port", type=click.IntRange(1, 65_535), default=1883, show_default=True)
@click.option(
    "--first-port", type=click.IntRange(1024, 60_000), default=15_020, show_default=True, help="Of the meters."
)
def county(folder: Path, seed: int, days: int, broker_port: int, first_port: int) -> None:
    """Write a county into FOLDER: register, centre.toml, a site.toml per gateway, and the truth of its days."""
    from simulators.county_files import write_county
    from simulators.faults import HOUR_MS
    from simulators.scenario import fixed_ports, make_scenario, save_scenario, today_ms
    from simulators.truth import find_truth, write_truth

    midnight_ms = today_ms(RealClock().now_ms())
    scenario = make_scenario(seed, USUAL_SIZE, days, before_ms=HOUR_MS, after_ms=HOUR_MS, midnight_ms=midnight_ms)
    ports = fixed_ports(scenario.county(), first_port, broker_port)
    folder.mkdir(parents=True, exist_ok=True)
    first_day = scenario.first_day
    write_county(folder, scenario.county(), scenario.faults, ports, store_url="sqlite:///store.db", first_day=first_day)
    save_scenario(folder, scenario)
    write_truth(find_truth(scenario.world(), scenario.midnight_ms, days), folder / "truth.json")
    click.echo(f"{folder}: {len(scenario.county().gateways)} gateways; next: steppe simulate serve {folder}")


@simulate.command(epilog="Example: steppe simulate serve ./county")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--first-port", type=click.IntRange(1024, 60_000), default=15_020, show_default=True)
def serve(folder: Path, first_port: int) -> None:
    """Serve every meter of the county in FOLDER on Modbus TCP until Ctrl-C; the mains files follow its faults."""
    from simulators.county_meters import link_name
    from simulators.live import serve_live
    from simulators.scenario import fixed_ports, load_scenario

    scenario = load_scenario(folder)
    links = fixed_ports(scenario.county(), first_port, broker=0).links
    ports = {link_name(*link): port for link, port in links.items()}

    def ready(meters: int) -> None:
        click.echo(f"{meters} meters answer on 127.0.0.1 from port {first_port} on; Ctrl-C ends them")

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve_live(folder, scenario, RealClock(), ports, ready))


@simulate.command(epilog="Example: steppe simulate replay meter.csv --column voltage_v --from 2007-04-28 --folder out")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="Of everything it makes."
)
@click.option("--column", "columns", multiple=True, help="COLUMN or COLUMN=POINT, such as Cl=free_chlorine_mg_l.")
@click.option("--time", "time_column", help="The time column; without it the one of type timestamp.")
@click.option("--time-unit", type=click.Choice(["ms", "s", "min", "h", "d"]), default="s", show_default=True)
@click.option("--from", "start", type=click.DateTime(), help="First instant to play, as the file writes it.")
@click.option("--to", "end", type=click.DateTime(), help="First instant not to play.")
@click.option("--site", default="replay", show_default=True)
@click.option("--store", default="sqlite", show_default=True, help="sqlite, or influxdb+http://host:8086/BUCKET.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def replay(
    file: Path,
    folder: Path,
    columns: tuple[str, ...],
    time_column: str | None,
    time_unit: TimeUnit,
    start: datetime | None,
    end: datetime | None,
    site: str,
    store: str,
    as_json: bool,
) -> None:
    """Send a recording (CSV or Parquet) through Modbus registers and the whole road into a store."""
    from simulators import replay as road
    from simulators.recording import load_recording

    names = dict(_column_and_point(text) for text in columns)
    recording = load_recording(file, time_column=time_column, columns=list(names), time_unit=time_unit)
    played = recording.between(_ms(start), _ms(end))
    if not len(played.t_ms):
        raise BadInput(f"{file}: no rows between --from and --to")
    result = road.replay(played, folder, names=names or None, site=site, store_url=_store_url(store))
    if as_json:
        click.echo(json.dumps(road.summary(result)))
    else:
        found = result.findings
        click.echo(f"{result.rows} rows played, {found.stored} readings in the store beside {result.centre}")
        click.echo(f"lost {found.lost}, duplicated {found.duplicated}, changed {found.changed}")
    sys.exit(0 if result.findings.ok else 1)


def _speed(text: str) -> float | None:
    if text == "auto":
        return None
    try:
        speed = float(text)
    except ValueError as error:
        raise BadInput(f"--speed {text!r}: give a number or auto") from error
    if not 1.0 <= speed <= 2000.0:
        raise BadInput(f"--speed {text}: give 1 to 2000, or auto")
    return speed


def _store_url(text: str) -> str:
    if text == "sqlite":
        return "sqlite:///store.db"
    if not text.startswith(("sqlite:///", "influxdb+http://", "influxdb+https://")):
        raise BadInput(f"--store {text!r}: give sqlite, or influxdb+http://host:8086/BUCKET")
    return text


def _column_and_point(text: str) -> tuple[str, str]:
    column, _, point = text.partition("=")
    return column, point or default_point_name(column)


def _ms(instant: datetime | None) -> int | None:
    return None if instant is None else int(instant.replace(tzinfo=UTC).timestamp() * 1000)
