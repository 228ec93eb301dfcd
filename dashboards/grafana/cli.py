"""`steppe dashboards`: build, publish and test the Grafana dashboards, and feed what they show.

The foundation SDK takes long to import and is imported only where it builds; the feed runs without it.
"""

import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboards.grafana import feed as feeding
from dashboards.grafana.console_link import CONSOLE_URL
from dashboards.grafana.server import open_server
from dashboards.grafana.words import LANGUAGES
from edge.clock import RealClock
from edge.errors import BadInput
from ingest.config import load_centre
from ingest.stopping import stop_on_signals, when_parent_ends

if TYPE_CHECKING:
    from dashboards.grafana.build import Built

URL = click.option("--url", required=True, help="Of Grafana, such as http://127.0.0.1:3000.")
TOKEN = click.option(
    "--token-file",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Holds a service account's token; mode 600.",
)
CONSOLE = click.option("--console", default=CONSOLE_URL, show_default=True, help="Where alarm rows lead.")
LANGUAGE = click.option("--language", type=click.Choice(LANGUAGES), help="Only this one.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def _dashboards_of(console: str, language: str | None) -> "list[Built]":
    from dashboards.grafana.build import build_all
    from dashboards.grafana.lint import faults

    if not console.startswith(("http://", "https://")):
        raise BadInput(f"--console {console!r}: write it as http://host:8080")
    built = build_all(console.rstrip("/"))
    wrong = faults(built)
    if wrong:
        raise BadInput(f"the dashboards are not fit to be used: {wrong[0]}")
    return [one for one in built if language in (None, one.language)]


@click.group(epilog="Example: steppe dashboards publish --url http://127.0.0.1:3000 --token-file grafana.token")
def dashboards() -> None:
    """Grafana: build, publish and test the dashboards, and feed what they show."""


@dashboards.command(epilog="Example: steppe dashboards build --out deploy/grafana/dashboards")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the JSON files."
)
@CONSOLE
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 where a file is not as it would be built.")
def build(out: Path, console: str, check: bool) -> None:
    """Write every dashboard as a JSON file, for Grafana's file provisioning."""
    from dashboards.grafana.build import write_all

    built = _dashboards_of(console, None)
    if check:
        differ = [one.path(out) for one in built if not _is_written(one, out)]
        for path in differ:
            click.echo(f"{path} is not as it would be built")
        raise SystemExit(1 if differ else 0)
    written = list(write_all(out, built))
    click.echo(f"{len(built)} dashboards in {out}, {len(written)} of them new or changed")


@dashboards.command(epilog="Example: steppe dashboards publish --url http://127.0.0.1:3000 --token-file grafana.token")
@URL
@TOKEN
@CONSOLE
@LANGUAGE
@AS_JSON
def publish(url: str, token_file: Path, console: str, language: str | None, as_json: bool) -> None:
    """Bring the dashboards to a running Grafana; what is there already is not written again."""
    from dashboards.grafana.publish import publish as publish_all

    server = open_server(url, token_file)
    done = []
    for one in publish_all(server, _dashboards_of(console, language)):
        done.append(one)
        if not as_json and one.act != "unchanged":
            click.echo(f"{one.act} {one.uid}")
    written = sum(one.act != "unchanged" for one in done)
    if as_json:
        click.echo(json.dumps({"written": written, "published": [asdict(one) for one in done]}))
    else:
        click.echo(f"{len(done)} folders and dashboards, {written} of them written")


@dashboards.command(epilog="Example: steppe dashboards selftest --url http://127.0.0.1:3000 --token-file grafana.token")
@URL
@TOKEN
@LANGUAGE
@AS_JSON
def selftest(url: str, token_file: Path, language: str | None, as_json: bool) -> None:
    """Ask every question of every panel; list those that find nothing. Exit code 1 where there are such."""
    from dashboards.grafana.selftest import ask_panels, check_health

    server = open_server(url, token_file)
    health = check_health(server)
    answers = list(ask_panels(server, _dashboards_of(CONSOLE_URL, language), now_ms=RealClock().now_ms()))
    empty = [one for one in answers if not one.ok]
    if as_json:
        click.echo(json.dumps({"health": health, "queries": len(answers), "empty": [asdict(one) for one in empty]}))
    else:
        click.echo(health)
        for one in empty:
            click.echo(f"{one.uid} panel {one.panel} {one.title!r} {one.ref_id}: {one.error or 'no rows'}")
        click.echo(f"{len(answers)} queries, {len(empty)} of them without rows")
    raise SystemExit(1 if empty else 0)


@dashboards.command(epilog="Example: steppe dashboards feed centre.toml")
@click.argument("centre_toml", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--with-parent", is_flag=True, help="End when standard input closes.")
def feed(centre_toml: Path, with_parent: bool) -> None:
    """Tell InfluxDB what the panels need beside the readings, once a minute, until SIGTERM or Ctrl-C."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    stop = stop_on_signals()
    if with_parent:
        when_parent_ends(stop.set)
    feeding.run(load_centre(centre_toml), RealClock(), stop)


def _is_written(one: "Built", out: Path) -> bool:
    path = one.path(out)
    return path.exists() and path.read_text(encoding="utf-8") == one.text
