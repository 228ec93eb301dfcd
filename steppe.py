"""steppe: rural power and water, from the meter to the number an operator answers for.

The one command. Each word below names a room's own `cli.py`, imported only when it is used, so a gateway needs no
numpy and `--help` stays quick.
"""

import importlib
import itertools
import os
import sys
import tomllib
from pathlib import Path
from typing import get_args

import click
import msgspec

from edge import VERSION
from edge.clock import RealClock
from edge.errors import BadInput, SteppeError
from edge.findings import Language, table, worst

ROOMS = ("edge", "ingest", "analytics", "dashboards", "simulators")

COMMANDS = {
    "edge": ("edge.cli:edge", "Read meters and carry readings to the centre (gateway)."),
    "ingest": ("ingest.cli:ingest", "Receive, check, keep and store readings (centre)."),
    "centre": ("ingest.cli:centre", "Run the centre's processes together."),
    "site": ("ingest.authority.cli:site", "Admit gateways to the centre, renew and revoke them."),
    "doctor": ("steppe:doctor", "Look a gateway or a centre over: what is wrong, and what to do about it."),
    "power": ("analytics.power_cli:power", "Supply reliability and voltage compliance, on your own files too."),
    "water": ("analytics.water_cli:water", "Water quality: limits, disinfection, event detection."),
    "alarms": ("analytics.alarms.cli:alarms", "Alarms: list, acknowledge, shelve, run the engine."),
    "analytics": ("analytics.cli:analytics", "Keep the numbers up to date (centre)."),
    "dashboards": ("dashboards.grafana.cli:dashboards", "Grafana: build, publish and test the dashboards, feed them."),
    "console": ("dashboards.console.cli:console", "The web console: run it, say who may come in."),
    "report": (
        "dashboards.report.cli:report",
        "The report of a region: figures with their doubt, A4 page or workbook.",
    ),
    "demo": ("simulators.cli:demo", "A virtual county through the whole road, checked against the truth."),
    "simulate": ("simulators.cli:simulate", "Make a virtual county, serve its meters, replay recordings."),
}
DOCTORS = {"gateway": ("edge.doctor",), "centre": ("ingest.doctor.centre", "analytics.alarms.doctor")}
"""Modules with an `examine`, each of the room that knows what can go wrong there."""


class LazyGroup(click.Group):
    """A group whose subcommands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        try:
            command = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] in ROOMS:
                raise
            raise BadInput(f"'{cmd_name}' needs the package {error.name}: pip install 'steppe[centre]'") from error
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: steppe demo --days 1",
)
@click.version_option(VERSION, prog_name="steppe")
def steppe() -> None:
    """Rural power and water, from the meter to the number an operator answers for."""


@click.command(epilog="Example: steppe doctor /etc/steppe/site.toml")
@click.argument("file", metavar="SITE.TOML|CENTRE.TOML", type=click.Path(path_type=Path))
@click.option(
    "--language", type=click.Choice(get_args(Language)), help="As centre.toml or the locale says, if not given."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def doctor(file: Path, language: Language | None, as_json: bool) -> None:
    """Look a gateway or a centre over: what is wrong, and what to do about it. Changes nothing.

    Exit code 0: nothing is wrong; 1: something is; 2: the file is not one of ours.
    """
    kind, spoken = _kind_and_language(file)
    looks = (importlib.import_module(module).examine(file, RealClock()) for module in DOCTORS[kind])
    findings = list(itertools.chain.from_iterable(looks))
    if as_json:
        click.echo(msgspec.json.encode({"file": str(file), "state": worst(findings), "findings": findings}))
    else:
        click.echo(table(findings, language or spoken))
    if worst(findings) == "wrong":
        sys.exit(1)


def _kind_and_language(file: Path) -> tuple[str, Language]:
    """Return whose file it is, and in which language to speak of it. Raises BadInput."""
    try:
        keys = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{file}: not a site.toml or centre.toml that can be read ({error})") from error
    if "site" in keys:
        return "gateway", "zh" if os.environ.get("LANG", "").startswith("zh") else "en"
    return "centre", "en" if keys.get("language") == "en" else "zh"


def main() -> None:
    """Run the command line; bad input ends in one clear line and exit code 2."""
    try:
        steppe(prog_name="steppe")
    except BadInput as error:
        click.echo(f"steppe: {error}", err=True)
        sys.exit(2)
    except SteppeError as error:
        click.echo(f"steppe: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
