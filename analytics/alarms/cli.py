"""`steppe alarms`: what stands, who has it, what happened, and whether a channel works."""

import logging
import signal
import threading
from pathlib import Path

import click

from analytics.alarms import cli_act, cli_look, cli_work, service
from analytics.alarms.cli_common import CENTRE
from edge.clock import RealClock
from ingest.config import load_centre
from ingest.stopping import when_parent_ends


@click.group(epilog="Example: steppe alarms list centre.toml")
def alarms() -> None:
    """Alarms: list, acknowledge, shelve, history, performance."""


@alarms.command(epilog="Example: steppe alarms run centre.toml")
@CENTRE
@click.option("--with-parent", is_flag=True, help="End when standard input closes.")
def run(centre_toml: Path, with_parent: bool) -> None:
    """Run the alarm engine and send notices until SIGTERM or Ctrl-C."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if with_parent:
        when_parent_ends(stop.set)
    service.run(load_centre(centre_toml), RealClock(), stop)


for command in (
    cli_look.list_alarms,
    cli_look.show,
    cli_act.ack,
    cli_act.unack,
    cli_act.shelve,
    cli_act.unshelve,
    cli_act.reset,
    cli_act.suppress,
    cli_act.return_to_service,
    cli_look.history,
    cli_look.show_performance,
    cli_look.verify_audit,
    cli_act.test_channel,
    cli_work.work_group,
    cli_work.show_upkeep,
    cli_work.inspected,
    cli_work.register_check,
):
    alarms.add_command(command)
