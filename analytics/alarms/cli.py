"""`steppe alarms`: what stands, who has it, what happened, and whether a channel works."""

import json
import logging
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from analytics.alarms import service
from analytics.alarms.channels.make import make_channel
from analytics.alarms.channels.port import Recipient, Verdict
from analytics.alarms.classes import BY_NAME
from analytics.alarms.database import Act, AlarmDatabase, AlarmRecord
from analytics.alarms.events import Acknowledge, Event, RemoveFromService, Reset, ReturnToService, Shelve, Unshelve
from analytics.alarms.performance import performance
from analytics.alarms.planner import Planner
from analytics.alarms.settings import AlarmSettings, load_settings
from analytics.alarms.state import IllegalTransition
from analytics.alarms.texts import heartbeat
from edge.clock import RealClock
from edge.errors import BadInput
from ingest.config import Centre, load_centre
from ingest.register_files import load_register

MINUTE_MS = 60_000
LIMITS = {
    "per_day": "about 150, at most 300",
    "per_hour": "about 6, at most 12",
    "per_10_min": "about 1, at most 2",
    "slots_over_10_share": "below 0.01",
    "hours_over_30_share": "below 0.01",
    "max_per_10_min": "at most 10",
    "flood_share": "below 0.01",
    "top_10_share": "about 0.01, at most 0.05",
    "chattering": "0",
    "stale": "below 5 on any day",
    "priority_share": "low 0.80, medium 0.15, high 0.05, critical below 0.01",
}
"""IEC 62682, for one operator position."""

CENTRE = click.argument("centre_toml", type=click.Path(path_type=Path, dir_okay=False))
ALARM = click.argument("alarm")
BY = click.option("--by", required=True, help="Who does it.")
REASON = click.option("--reason", default="", help="Why; kept in the audit trail.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group(epilog="Example: steppe alarms list centre.toml")
def alarms() -> None:
    """Alarms: list, acknowledge, shelve, history, performance."""


@alarms.command(epilog="Example: steppe alarms run centre.toml")
@CENTRE
def run(centre_toml: Path) -> None:
    """Run the alarm engine and send notices until SIGTERM or Ctrl-C."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    service.run(load_centre(centre_toml), RealClock(), stop)


@alarms.command("list", epilog="Example: steppe alarms list centre.toml --json")
@CENTRE
@AS_JSON
def list_alarms(centre_toml: Path, as_json: bool) -> None:
    """List the alarms that are not normal, the gravest first."""
    with _opened(centre_toml) as (_, database):
        records = sorted(database.records(only_standing=True), key=lambda r: (-r.alarm.severity, r.id))
        onsets = database.onsets_ms()
        timezone = load_centre(centre_toml).timezone
    if as_json:
        click.echo(json.dumps({"alarms": [_plain(record, onsets.get(record.id)) for record in records]}))
        return
    for record in records:
        since = _local(onsets.get(record.id), timezone)
        about = BY_NAME[record.kind]
        hidden = f"  by {', '.join(sorted(record.alarm.suppressed_by))}" if record.alarm.suppressed_by else ""
        click.echo(
            f"{record.alarm.state.value:2} {record.alarm.severity.name:8} {since:16} {about.title_zh} {about.title}  "
            f"{record.id}{hidden}"
        )
    click.echo(f"{len(records)} alarms are not normal")


@alarms.command(epilog="Example: steppe alarms show centre.toml qingshui-wtp/outlet.turbidity_ntu#high")
@CENTRE
@ALARM
def show(centre_toml: Path, alarm: str) -> None:
    """Show one alarm: state, first action, and its audit trail."""
    centre = load_centre(centre_toml)
    with _opened(centre_toml) as (_, database):
        record = _find(database, alarm)
        about = BY_NAME[record.kind]
        click.echo(f"{record.id}: {record.alarm.state.name.lower()}, {record.alarm.severity.name}, {about.title}")
        click.echo(f"do: {about.action}  {about.action_zh}")
        for row in reversed(database.audit_rows(alarm=alarm, limit=50)):
            when = _local(row.at_ms, centre.timezone)
            click.echo(f"{when}  {row.before:2} → {row.after:2} {row.act} by {row.actor} {row.reason}")


@alarms.command(
    epilog="Example: steppe alarms ack centre.toml qingshui-wtp/outlet.ph#low --by wang --reason 'on my way'"
)
@CENTRE
@ALARM
@BY
@REASON
def ack(centre_toml: Path, alarm: str, by: str, reason: str) -> None:
    """Acknowledge: somebody has seen it and takes it."""
    _act(centre_toml, alarm, lambda _: Acknowledge(), by, reason)


@alarms.command(
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


@alarms.command(epilog="Example: steppe alarms unshelve centre.toml qingshui-wtp/outlet.ph#low --by li")
@CENTRE
@ALARM
@BY
@REASON
def unshelve(centre_toml: Path, alarm: str, by: str, reason: str) -> None:
    """Bring a shelved alarm back."""
    _act(centre_toml, alarm, lambda _: Unshelve(), by, reason)


@alarms.command(epilog="Example: steppe alarms reset centre.toml lift-3/well.h2s_ppm#gas --by li")
@CENTRE
@ALARM
@BY
@REASON
def reset(centre_toml: Path, alarm: str, by: str, reason: str) -> None:
    """Clear a latched alarm whose condition has gone."""
    _act(centre_toml, alarm, lambda _: Reset(), by, reason)


@alarms.command(epilog="Example: steppe alarms suppress centre.toml lift-3/well.level_m#high --by li --work-order WO-7")
@CENTRE
@ALARM
@BY
@click.option("--work-order", required=True, help="The work it is taken out of service for.")
@REASON
def suppress(centre_toml: Path, alarm: str, by: str, work_order: str, reason: str) -> None:
    """Take an alarm out of service for work."""
    _act(centre_toml, alarm, lambda _: RemoveFromService(work_order), by, reason)


@alarms.command("return", epilog="Example: steppe alarms return centre.toml lift-3/well.level_m#high --by li")
@CENTRE
@ALARM
@BY
@REASON
def return_to_service(centre_toml: Path, alarm: str, by: str, reason: str) -> None:
    """Return an alarm to service when the work is done."""
    _act(centre_toml, alarm, lambda _: ReturnToService(), by, reason)


@alarms.command(epilog="Example: steppe alarms history centre.toml --from 2026-06-01 --to 2026-07-01")
@CENTRE
@click.option("--from", "from_day", required=True, help="First local day, YYYY-MM-DD.")
@click.option("--to", "to_day", required=True, help="Local day after the last, YYYY-MM-DD.")
@AS_JSON
def history(centre_toml: Path, from_day: str, to_day: str, as_json: bool) -> None:
    """List the occurrences that began in a period."""
    with _opened(centre_toml) as (centre, database):
        start_ms, end_ms = _day_ms(from_day, centre.timezone), _day_ms(to_day, centre.timezone)
        found = database.occurrences(start_ms=start_ms, end_ms=end_ms)
    if as_json:
        click.echo(json.dumps({"occurrences": [asdict(one) for one in found]}))
        return
    for one in found:
        ends = _local(one.returned_ms, centre.timezone) or "still there"
        cause = f"  because of {one.cause}" if one.cause else ""
        click.echo(f"{_local(one.onset_ms, centre.timezone)} – {ends:16} {one.severity.name:8} {one.alarm}{cause}")
    click.echo(f"{len(found)} occurrences")


@alarms.command(
    "performance", epilog="Example: steppe alarms performance centre.toml --from 2026-06-01 --to 2026-07-01"
)
@CENTRE
@click.option("--from", "from_day", required=True, help="First local day, YYYY-MM-DD.")
@click.option("--to", "to_day", required=True, help="Local day after the last, YYYY-MM-DD.")
@AS_JSON
def show_performance(centre_toml: Path, from_day: str, to_day: str, as_json: bool) -> None:
    """Print rates, floods, chatter and response of the alarms, beside the limits of IEC 62682."""
    with _opened(centre_toml) as (centre, database):
        start_ms, end_ms = _day_ms(from_day, centre.timezone), _day_ms(to_day, centre.timezone)
        found = [one for one in database.occurrences(end_ms=end_ms) if one.cause is None]
    numbers = {alarm: place for place, alarm in enumerate(dict.fromkeys(one.alarm for one in found))}
    figures = performance(
        [one.onset_ms for one in found],
        [math.nan if one.returned_ms is None else one.returned_ms for one in found],
        [math.nan if one.acked_ms is None else one.acked_ms for one in found],
        [numbers[one.alarm] for one in found],
        [int(one.severity) for one in found],
        start_ms=start_ms,
        end_ms=end_ms,
    )
    if as_json:
        click.echo(json.dumps(_without_nan(asdict(figures))))
        return
    for name, value in asdict(figures).items():
        click.echo(f"{name:22} {value!s:24} {LIMITS.get(name, '')}")


@alarms.command("verify-audit", epilog="Example: steppe alarms verify-audit centre.toml")
@CENTRE
def verify_audit(centre_toml: Path) -> None:
    """Check the audit trail's chain; exit code 1 where it is broken."""
    with _opened(centre_toml) as (_, database):
        broken, rows = database.broken_audit_rows(), database.audit_rows(limit=1)
    if broken:
        click.echo(f"the audit trail is broken at row {', '.join(map(str, broken))}")
        raise SystemExit(1)
    click.echo("the audit trail is whole" + (f", last act {rows[0].act} by {rows[0].actor}" if rows else ", and empty"))


@alarms.command("test-channel", epilog="Example: steppe alarms test-channel centre.toml crew-group --to wang")
@CENTRE
@click.argument("channel")
@click.option("--to", "name", required=True, help="Person in alarms.toml.")
def test_channel(centre_toml: Path, channel: str, name: str) -> None:
    """Send a test message over one channel and print the service's answer; exit code 1 if it was not taken."""
    folder = Path(load_centre(centre_toml).register)
    settings = load_settings(folder / service.SETTINGS_FILE)
    known = {one.name: one for one in settings.channels}
    people = {one.name: one for one in settings.people}
    if channel not in known or name not in people:
        raise BadInput(f"no channel {channel!r} or person {name!r} in {folder / service.SETTINGS_FILE}: see the file")
    person = people[name]
    message = heartbeat(channel, language=person.language)
    to = Recipient(person.name, person.phone, person.email)
    answer = make_channel(known[channel], folder).send(message, to, int(time.time() * 1000))
    click.echo(f"{answer.verdict}: {answer.detail}")
    if answer.verdict is not Verdict.ACCEPTED:
        raise SystemExit(1)


@contextmanager
def _opened(centre_toml: Path) -> Iterator[tuple[Centre, AlarmDatabase]]:
    centre = load_centre(centre_toml)
    path = Path(centre.data_dir) / service.DATABASE_FILE
    if not path.exists():
        raise BadInput(f"{path}: there are no alarms yet. Run `steppe alarms run {centre_toml}` first")
    with closing(AlarmDatabase(path)) as database:
        yield centre, database


def _act(centre_toml: Path, alarm: str, event: Callable[[int], Event], by: str, reason: str) -> None:
    with _opened(centre_toml) as (centre, database):
        _find(database, alarm)
        now_ms = int(time.time() * 1000)
        path = Path(centre.register) / service.SETTINGS_FILE
        settings = load_settings(path) if path.exists() else AlarmSettings()
        planner = Planner(settings, load_register(Path(centre.register), centre.timezone), centre.timezone)
        try:
            record = planner.act(database, alarm, Act(event(now_ms), now_ms, by, reason), now_ms=now_ms)
        except IllegalTransition as error:
            raise BadInput(str(error)) from error
    click.echo(f"{record.id}: {record.alarm.state.name.lower()}")


def _find(database: AlarmDatabase, alarm: str) -> AlarmRecord:
    known = {record.id: record for record in database.records()}
    if alarm not in known:
        raise BadInput(f"there is no alarm {alarm!r}: `steppe alarms list` shows all that stand")
    return known[alarm]


def _plain(record: AlarmRecord, onset_ms: int | None) -> dict[str, object]:
    alarm = record.alarm
    return {
        "id": record.id,
        "asset": record.asset,
        "class": record.kind,
        "state": alarm.state.value,
        "severity": alarm.severity.name.lower(),
        "since_ms": onset_ms,
        "acknowledged": alarm.acked,
        "suppressed_by": sorted(alarm.suppressed_by),
        "doubtful": alarm.doubtful,
    }


def _day_ms(day: str, timezone: str) -> int:
    try:
        local = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=ZoneInfo(timezone))
    except ValueError as error:
        raise BadInput(f"day {day!r}: write it as YYYY-MM-DD") from error
    return int(local.timestamp() * 1000)


def _without_nan(figures: dict[str, Any]) -> dict[str, Any]:
    """NaN becomes null: JSON has no NaN."""
    return {
        name: [None if math.isnan(v) else v for v in value]
        if isinstance(value, tuple)
        else (None if isinstance(value, float) and math.isnan(value) else value)
        for name, value in figures.items()
    }


def _local(at_ms: int | None, timezone: str) -> str:
    return "" if at_ms is None else datetime.fromtimestamp(at_ms / 1000, ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M")
