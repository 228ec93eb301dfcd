"""`steppe alarms list|show|history|performance|verify-audit`: what stands and what happened."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from analytics.alarms.classes import class_named
from analytics.alarms.cli_common import ALARM, AS_JSON, CENTRE, FROM, TO, find, local_text, opened, period_ms
from analytics.alarms.figures import figures
from analytics.alarms.records import AlarmRecord

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


@click.command("list", epilog="Example: steppe alarms list centre.toml --json")
@CENTRE
@AS_JSON
def list_alarms(centre_toml: Path, as_json: bool) -> None:
    """List the alarms that are not normal, the gravest first."""
    with opened(centre_toml) as (centre, database):
        records = sorted(database.records(only_standing=True), key=lambda r: (-r.alarm.severity, r.id))
        onsets = database.onsets_ms()
    if as_json:
        click.echo(json.dumps({"alarms": [_plain(record, onsets.get(record.id)) for record in records]}))
        return
    for record in records:
        since = local_text(onsets.get(record.id), centre.timezone)
        about = class_named(record.kind)
        hidden = f"  by {', '.join(sorted(record.alarm.suppressed_by))}" if record.alarm.suppressed_by else ""
        click.echo(
            f"{record.alarm.state.value:2} {record.alarm.severity.name:8} {since:16} {about.title_zh} {about.title}  "
            f"{record.id}{hidden}"
        )
    click.echo(f"{len(records)} alarms are not normal")


@click.command(epilog="Example: steppe alarms show centre.toml qingshui-wtp/outlet.turbidity_ntu#high")
@CENTRE
@ALARM
def show(centre_toml: Path, alarm: str) -> None:
    """Show one alarm: state, first action, and its audit trail."""
    with opened(centre_toml) as (centre, database):
        record = find(database, alarm)
        about = class_named(record.kind)
        click.echo(f"{record.id}: {record.alarm.state.name.lower()}, {record.alarm.severity.name}, {about.title}")
        click.echo(f"do: {about.action}  {about.action_zh}")
        for row in reversed(database.audit_rows(alarm=alarm, limit=50)):
            when = local_text(row.at_ms, centre.timezone)
            click.echo(f"{when}  {row.before:2} → {row.after:2} {row.act} by {row.actor} {row.reason}")


@click.command(epilog="Example: steppe alarms history centre.toml --from 2026-06-01 --to 2026-07-01")
@CENTRE
@FROM
@TO
@AS_JSON
def history(centre_toml: Path, from_day: str, to_day: str, as_json: bool) -> None:
    """List the occurrences that began in a period."""
    with opened(centre_toml) as (centre, database):
        start_ms, end_ms = period_ms(from_day, to_day, centre.timezone)
        found = database.occurrences(start_ms=start_ms, end_ms=end_ms)
        late = database.late_spans(start_ms=start_ms, end_ms=end_ms)
    if as_json:
        backlog = [asdict(one) for one in late]
        click.echo(json.dumps({"occurrences": [asdict(one) for one in found], "from_backlogs": backlog}))
        return
    for one in found:
        ends = local_text(one.returned_ms, centre.timezone) or "still there"
        cause = f"  because of {one.cause}" if one.cause else ""
        click.echo(f"{local_text(one.onset_ms, centre.timezone)} – {ends:16} {one.severity.name:8} {one.alarm}{cause}")
    for span in late:
        ends = local_text(span.returned_ms, centre.timezone) or "end not told"
        onset = local_text(span.onset_ms, centre.timezone)
        click.echo(f"{onset} – {ends:16} {span.severity.name:8} {span.alarm}  told by a backlog")
    click.echo(f"{len(found)} occurrences" + (f", and {len(late)} from backlogs" if late else ""))


@click.command("performance", epilog="Example: steppe alarms performance centre.toml --from 2026-06-01 --to 2026-07-01")
@CENTRE
@FROM
@TO
@AS_JSON
def show_performance(centre_toml: Path, from_day: str, to_day: str, as_json: bool) -> None:
    """Print rates, floods, chatter and response of the alarms, beside the limits of IEC 62682."""
    with opened(centre_toml) as (centre, database):
        start_ms, end_ms = period_ms(from_day, to_day, centre.timezone)
        found = figures(database, start_ms, end_ms)
    if as_json:
        click.echo(json.dumps(_without_nan(asdict(found))))
        return
    for name, value in asdict(found).items():
        click.echo(f"{name:22} {value!s:24} {LIMITS.get(name, '')}")


@click.command("verify-audit", epilog="Example: steppe alarms verify-audit centre.toml")
@CENTRE
def verify_audit(centre_toml: Path) -> None:
    """Check the audit trail's chain; exit code 1 where it is broken."""
    with opened(centre_toml) as (_, database):
        broken, rows = database.broken_audit_rows(), database.audit_rows(limit=1)
    if broken:
        click.echo(f"the audit trail is broken at row {', '.join(map(str, broken))}")
        raise SystemExit(1)
    click.echo("the audit trail is whole" + (f", last act {rows[0].act} by {rows[0].actor}" if rows else ", and empty"))


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


def _without_nan(figures: dict[str, Any]) -> dict[str, Any]:
    """NaN becomes null: JSON has no NaN."""
    return {
        name: [None if math.isnan(v) else v for v in value]
        if isinstance(value, tuple)
        else (None if isinstance(value, float) and math.isnan(value) else value)
        for name, value in figures.items()
    }
