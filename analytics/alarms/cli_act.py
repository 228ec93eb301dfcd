"""`steppe alarms ack|unack|shelve|unshelve|reset|suppress|return|test-channel`: what people do about alarms."""

import time
from collections.abc import Callable
from pathlib import Path

import click

from analytics.alarms import service
from analytics.alarms.channels.make import make_channel
from analytics.alarms.channels.port import Recipient, Verdict
from analytics.alarms.cli_common import ALARM, BY, CENTRE, REASON, find, opened
from analytics.alarms.events import (
    Acknowledge,
    Event,
    RemoveFromService,
    Reset,
    ReturnToService,
    Shelve,
    Unacknowledge,
    Unshelve,
)
from analytics.alarms.records import Act
from analytics.alarms.settings import load_settings
from analytics.alarms.state import IllegalTransition
from analytics.alarms.texts import heartbeat
from edge.errors import BadInput
from ingest.config import load_centre

MINUTE_MS = 60_000


@click.command(
    epilog="Example: steppe alarms ack centre.toml qingshui-wtp/outlet.ph#low --by wang --reason 'on my way'"
)
@CENTRE
@ALARM
@BY
@REASON
def ack(centre_toml: Path, alarm: str, by: str, reason: str) -> None:
    """Acknowledge: somebody has seen it and takes it."""
    _act(centre_toml, alarm, lambda _: Acknowledge(), by, reason)


@click.command(epilog="Example: steppe alarms unack centre.toml qingshui-wtp/outlet.ph#low --by wang --reason 'no car'")
@CENTRE
@ALARM
@BY
@REASON
def unack(centre_toml: Path, alarm: str, by: str, reason: str) -> None:
    """Hand an alarm back: who is on duty is called again."""
    _act(centre_toml, alarm, lambda _: Unacknowledge(), by, reason)


@click.command(
    epilog="Example: steppe alarms shelve centre.toml qingshui-wtp/outlet.ph#low --by li --minutes 60 --reason probe"
)
@CENTRE
@ALARM
@BY
@click.option("--minutes", type=click.FloatRange(min=1), required=True, help="How long. [min]")
@click.option("--reason", required=True, help="Why; kept in the audit trail.")
def shelve(centre_toml: Path, alarm: str, by: str, minutes: float, reason: str) -> None:
    """Hide an alarm for a time; it comes back by itself."""
    _act(centre_toml, alarm, lambda now_ms: Shelve(now_ms, now_ms + int(minutes * MINUTE_MS)), by, reason)


@click.command(epilog="Example: steppe alarms unshelve centre.toml qingshui-wtp/outlet.ph#low --by li")
@CENTRE
@ALARM
@BY
@REASON
def unshelve(centre_toml: Path, alarm: str, by: str, reason: str) -> None:
    """Bring a shelved alarm back."""
    _act(centre_toml, alarm, lambda _: Unshelve(), by, reason)


@click.command(epilog="Example: steppe alarms reset centre.toml lift-3/well.h2s_ppm#gas --by li")
@CENTRE
@ALARM
@BY
@REASON
def reset(centre_toml: Path, alarm: str, by: str, reason: str) -> None:
    """Clear a latched alarm whose condition has gone."""
    _act(centre_toml, alarm, lambda _: Reset(), by, reason)


@click.command(epilog="Example: steppe alarms suppress centre.toml lift-3/well.level_m#high --by li --work-order WO-7")
@CENTRE
@ALARM
@BY
@click.option("--work-order", required=True, help="The work it is taken out of service for.")
@REASON
def suppress(centre_toml: Path, alarm: str, by: str, work_order: str, reason: str) -> None:
    """Take an alarm out of service for work."""
    _act(centre_toml, alarm, lambda _: RemoveFromService(work_order), by, reason)


@click.command("return", epilog="Example: steppe alarms return centre.toml lift-3/well.level_m#high --by li")
@CENTRE
@ALARM
@BY
@REASON
def return_to_service(centre_toml: Path, alarm: str, by: str, reason: str) -> None:
    """Return an alarm to service when the work is done."""
    _act(centre_toml, alarm, lambda _: ReturnToService(), by, reason)


@click.command("test-channel", epilog="Example: steppe alarms test-channel centre.toml crew-group --to wang")
@CENTRE
@click.argument("channel")
@click.option("--to", "name", required=True, help="Person in alarms.toml.")
def test_channel(centre_toml: Path, channel: str, name: str) -> None:
    """Send a test message over one channel and print the service's answer; exit code 1 if it was not taken."""
    folder = Path(load_centre(centre_toml).register)
    settings = load_settings(folder / service.SETTINGS_FILE)
    known, person = settings.channel(channel), settings.person(name)
    if known is None or person is None:
        raise BadInput(f"no channel {channel!r} or person {name!r} in {folder / service.SETTINGS_FILE}: see the file")
    message = heartbeat(channel, language=person.language)
    to = Recipient(person.name, person.phone, person.email)
    answer = make_channel(known, folder).send(message, to, int(time.time() * 1000))
    click.echo(f"{answer.verdict}: {answer.detail}")
    if answer.verdict is not Verdict.ACCEPTED:
        raise SystemExit(1)


def _act(centre_toml: Path, alarm: str, event: Callable[[int], Event], by: str, reason: str) -> None:
    with opened(centre_toml) as (centre, database):
        find(database, alarm)
        now_ms = int(time.time() * 1000)
        planner = service.load_planner(centre)
        try:
            record = planner.act(database, alarm, Act(event(now_ms), now_ms, by, reason), now_ms=now_ms)
        except IllegalTransition as error:
            raise BadInput(str(error)) from error
    click.echo(f"{record.id}: {record.alarm.state.name.lower()}")
