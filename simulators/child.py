"""The processes of a run: `python -m simulators.child edge | ingest | alarms | console | broker | meters …`.

Each is the product's own program on the run's clock; the edge's spool leaves a ledger for the checker, and the meters
are the virtual county's. A child ends when its standard input does: its parent has died.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.clock import Clock
from edge.errors import BadInput, SteppeError
from simulators.clock import EndingClock, parse_clock

if TYPE_CHECKING:
    from simulators.serve import Link

SITE_FILE, LEDGER_FILE, PORTS_FILE = "site.toml", "ledger", "ports.json"
READY_FILE = "ready"
"""Touched by a child that has loaded everything and only waits for time to begin."""
SPARE_THREADS = 4
"""Beside the one in which each gateway delivers."""

clock_option = click.option("--clock", "clock_text", default="real", show_default=True)
until_option = click.option("--until", "until_ms", type=int, help="Time stands still from here on.")


@click.group()
def child() -> None:
    """One process of a run; `simulators.processes` starts them."""


@child.command()
@click.argument("folders", type=click.Path(path_type=Path), nargs=-1, required=True)
@clock_option
def edge(folders: tuple[Path, ...], clock_text: str) -> None:
    """The gateway whose site.toml stands in each of FOLDERS; several share the process and nothing else."""
    from edge.agent import open_spool, run
    from edge.site import load_site
    from simulators.ledger import RecordingSpool

    sites = [load_site(folder / SITE_FILE) for folder in folders]
    spools = [
        RecordingSpool(open_spool(site, folder), folder / LEDGER_FILE)
        for site, folder in zip(sites, folders, strict=True)
    ]
    for folder in folders:
        (folder / READY_FILE).touch()
    clock = parse_clock(clock_text)
    gateways = zip(sites, folders, spools, strict=True)
    asyncio.run(_run_together([run(site, folder, clock, spool=spool) for site, folder, spool in gateways]))


@child.command()
@click.argument("centre_file", type=click.Path(path_type=Path))
@clock_option
def ingest(centre_file: Path, clock_text: str) -> None:
    """The centre's ingest with its store writer."""
    from ingest.config import load_centre
    from ingest.receive import run

    centre = load_centre(centre_file)
    centre_file.with_name(READY_FILE).touch()
    run(centre, parse_clock(clock_text))


@child.command()
@click.argument("centre_file", type=click.Path(path_type=Path))
@clock_option
@until_option
def alarms(centre_file: Path, clock_text: str, until_ms: int | None) -> None:
    """The centre's alarm engine."""
    from analytics.alarms.service import run
    from ingest.config import load_centre

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    run(load_centre(centre_file), _clock(clock_text, until_ms), stop)


@child.command()
@click.argument("centre_file", type=click.Path(path_type=Path))
@click.option("--period-s", type=float, required=True)
@clock_option
@until_option
def numbers(centre_file: Path, period_s: float, clock_text: str, until_ms: int | None) -> None:
    """The centre's numbers."""
    from analytics.cli import run_services
    from ingest.config import load_centre

    asyncio.run(run_services(load_centre(centre_file), _clock(clock_text, until_ms), period_s=period_s))


@child.command()
@click.argument("centre_file", type=click.Path(path_type=Path))
@click.option("--port", type=int, required=True)
@clock_option
@until_option
def console(centre_file: Path, port: int, clock_text: str, until_ms: int | None) -> None:
    """The centre's console."""
    from dashboards.console.server import serve
    from dashboards.console.settings import ConsoleSettings
    from ingest.config import load_centre

    serve(load_centre(centre_file), ConsoleSettings(port=port), _clock(clock_text, until_ms))


@child.command()
@click.option("--port", type=int, required=True)
def broker(port: int) -> None:
    """The embedded broker."""
    from ingest.broker import run_broker

    run_broker(port)


@child.command()
@click.argument("folder", type=click.Path(path_type=Path))
@clock_option
def meters(folder: Path, clock_text: str) -> None:
    """Every meter of the county in FOLDER; their ports are written to ports.json."""
    from simulators.county_meters import county_links
    from simulators.scenario import load_scenario

    links = county_links(load_scenario(folder).world())
    asyncio.run(_serve_until_signal(links, clock_text, folder / PORTS_FILE))


async def _run_together(gateways: Sequence[Coroutine[None, None, None]]) -> None:
    """Run gateways until one of them ends; a signal reaches one, and the others leave with it."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(len(gateways) + SPARE_THREADS))
    running = [asyncio.create_task(gateway) for gateway in gateways]
    ended, others = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    for gateway in others:
        gateway.cancel()
    await asyncio.wait(running)
    for gateway in ended:
        gateway.result()


async def _serve_until_signal(links: "Mapping[str, Link]", clock_text: str, ports_file: Path) -> None:
    """Bind the ports, say which, and answer once time has begun."""
    from simulators.serve import serve

    finished = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, finished.set)
    clock: asyncio.Future[Clock] = loop.create_future()
    async with serve(links, lambda: clock.result().now_ms()) as ports:
        write_whole(ports_file, json.dumps(ports))
        clock.set_result(await asyncio.to_thread(parse_clock, clock_text))
        await finished.wait()


def _clock(text: str, until_ms: int | None) -> Clock:
    clock = parse_clock(text)
    return clock if until_ms is None else EndingClock(clock, until_ms)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader finds all of it or none."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def end_with_parent() -> None:
    """End this process as soon as its standard input does."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        os._exit(3)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def main() -> None:
    """Run one child; what goes wrong is one line in its log."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    end_with_parent()
    with contextlib.suppress(KeyboardInterrupt):
        try:
            child.main(standalone_mode=False)
        except (BadInput, SteppeError) as error:
            click.echo(f"steppe: {error}", err=True)
            sys.exit(2)


if __name__ == "__main__":
    main()
