"""`steppe water`: event detection, disinfection and limits, on the user's own files."""

import dataclasses
import json
import math
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.errors import BadInput

if TYPE_CHECKING:
    from analytics.events import Event, Findings, Watch
    from analytics.limits import Setpoint
    from analytics.scoring import DetectionScores
    from analytics.series_files import Series

FILE = click.Path(path_type=Path, dir_okay=False)
ROWS_AT_A_TIME = 5000


@click.group()
def water() -> None:
    """Water quality: limits, disinfection, event detection."""


@water.command(epilog="Example: steppe water detect --series waterworks.parquet --labels EVENT")
@click.option(
    "--series", required=True, type=FILE, help="Parquet or CSV: a time column, one numeric column per channel."
)
@click.option("--labels", metavar="COLUMN", help="Column of known events (0 or 1); prints scores against it.")
@click.option("--state", type=FILE, help="Go on from what this file holds, and keep the new state in it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def detect(series: Path, labels: str | None, state: Path | None, as_json: bool) -> None:
    """Events on all channels of a file together: start, end, class, score and the channels that moved.

    One row a minute is meant. The first day is only learned from, unless --state brings what was learned before.
    """
    from analytics.events import Watch, events_of
    from analytics.scoring import detection_scores
    from analytics.series_files import read_series

    data = read_series(series, labels)
    watch = Watch(data.names) if state is None or not state.exists() else _restored(state, data.names)
    findings = _watched(watch, data)
    if state is not None:
        _replace(state, watch.save())
    events = events_of(findings, data.names)
    scores = None if data.label is None else detection_scores(findings.active, data.label, data.time_s)
    if as_json:
        click.echo(json.dumps({"events": [_event(e, data) for e in events], "scores": _plain(scores)}))
        return
    for event in events:
        click.echo(_event_line(event, data))
    click.echo(f"{len(events)} events in {len(data.time_us)} rows of {len(data.names)} channels")
    if scores is not None:
        click.echo(_score_line(scores))


@water.command(epilog="Example: steppe water ct --chlorine 0.5 --temp 5 --ph 7.5 --flow 60 --volume 500 --baffling 0.5")
@click.option("--chlorine", required=True, type=click.FloatRange(min=0), help="Free chlorine at the outlet [mg/L].")
@click.option("--temp", required=True, type=float, help="Water temperature [°C].")
@click.option("--ph", required=True, type=click.FloatRange(0, 14), help="pH.")
@click.option("--flow", required=True, type=click.FloatRange(min=0, min_open=True), help="Peak flow [m³/h].")
@click.option("--volume", required=True, type=click.FloatRange(min=0, min_open=True), help="Water in the tank [m³].")
@click.option(
    "--baffling",
    default=0.3,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True, max=1),
    help="0.1 unbaffled, 0.3 poor, 0.5 average, 0.7 superior, 1 pipe.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def ct(chlorine: float, temp: float, ph: float, flow: float, volume: float, baffling: float, as_json: bool) -> None:
    """Contact time times chlorine, what 3-log Giardia needs, and their ratio. Exit code 1 if it is below 1."""
    from analytics.disinfection import contact_ct, required_ct

    given = float(contact_ct([chlorine], volume, [flow], baffling)[0])
    needed = float(required_ct([chlorine], [temp], [ph])[0])
    ratio = given / needed
    if as_json:
        click.echo(json.dumps({"ct_mg_min_l": given, "required_ct_mg_min_l": needed, "inactivation_ratio": ratio}))
    else:
        click.echo(f"CT {given:.0f} of {needed:.0f} mg·min/L needed: inactivation ratio {ratio:.2f}")
        click.echo("disinfected" if ratio >= 1 else "NOT disinfected: more chlorine, more time or better baffling")
    if ratio < 1:
        sys.exit(1)


@water.command(epilog="Example: steppe water limits --profile works_outlet --series outlet.csv")
@click.option("--standard", help="List the limits of a standard that count on --day, such as 'GB 18918-2002'.")
@click.option("--grade", default="", help="Class of the effluent (1A) or of the building.")
@click.option("--profile", help="List the alarm set-points of a profile, such as works_outlet.")
@click.option("--series", type=FILE, help="Check this file's columns against the profile's set-points.")
@click.option("--own", type=FILE, multiple=True, help="Own rows in the form of the shipped files; they go first.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Day on which limits must count.  [default: today]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def limits(
    standard: str | None,
    grade: str,
    profile: str | None,
    series: Path | None,
    own: tuple[Path, ...],
    day: Any,
    as_json: bool,
) -> None:
    """Limits and set-points with their sources, or a file's excursions beyond them."""
    if (standard is None) == (profile is None):
        raise BadInput("give --standard or --profile, and not both")
    if standard is not None:
        rows = _limit_rows(standard, grade, own, datetime.now(UTC).date() if day is None else day.date())
    elif profile is not None and series is None:
        rows = [dataclasses.asdict(s) | {"mark": s.marked} for s in _setpoints(profile, own)]
    elif profile is not None and series is not None:
        rows = _excursions(_setpoints(profile, own), series)
    if as_json:
        click.echo(json.dumps({"rows": [_plain(row) for row in rows]}, default=str))
        return
    for row in rows:
        click.echo("  ".join(_cell(value) for value in row.values() if _cell(value)))


def _watched(watch: "Watch", data: "Series") -> "Findings":
    import numpy as np

    from analytics.events import Findings

    starts = range(0, len(data.values), ROWS_AT_A_TIME)
    parts = []
    with click.progressbar(starts, label="rows", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        for start in bar:
            parts.append(watch.run(data.values[start : start + ROWS_AT_A_TIME]))
    if not parts:
        raise BadInput("the series has no rows: give at least one")
    columns = ([getattr(part, name) for part in parts] for name in ("score", "channel", "active"))
    return Findings(*(np.concatenate(column) for column in columns))


def _restored(state: Path, names: tuple[str, ...]) -> "Watch":
    from analytics.events import Watch

    try:
        watch = Watch.restore(state.read_bytes())
    except (ValueError, KeyError, OSError) as error:
        raise BadInput(f"{state}: not a state of this version ({error}). Remove it to start anew") from error
    if watch.names != names:
        raise BadInput(f"{state}: learned from {', '.join(watch.names)}, the file has {', '.join(names)}. Use another")
    return watch


def _replace(path: Path, content: bytes) -> None:
    """Put `content` at `path`, whole or not at all."""
    beside = path.with_name(path.name + ".new")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        raise BadInput(f"{path}: the state cannot be written ({error.strerror})") from error


def _event(event: "Event", data: "Series") -> dict[str, Any]:
    return {
        "start": data.iso(event.start_row),
        "end": data.iso(event.end_row),
        "class": event.event_class,
        "score": round(event.score, 2),
        "channels": {name: round(share, 2) for name, share in event.channels},
    }


def _event_line(event: "Event", data: "Series") -> str:
    moved = ", ".join(f"{name} {share:+.1f}" for name, share in event.channels)
    return f"{data.iso(event.start_row)}  {data.iso(event.end_row)}  {event.event_class:16} {event.score:6.1f}  {moved}"


def _score_line(scores: "DetectionScores") -> str:
    return (
        f"precision {scores.precision:.2f}  recall {scores.recall:.2f}  F1 {scores.f1:.2f}  "
        f"events found {scores.events_found}/{scores.events}  median delay {scores.median_delay_min:.0f} min  "
        f"false {scores.false_per_day:.2f}/day"
    )


def _limit_rows(standard: str, grade: str, own: tuple[Path, ...], day: date) -> list[dict[str, Any]]:
    from analytics.limit_files import load_limits
    from analytics.limits import in_force

    every = load_limits(*own)
    rows = in_force(every, day, standard=standard, grade=grade)
    if not rows:
        known = ", ".join(sorted({r.standard for r in every}))
        raise BadInput(f"no limit of '{standard}' counts on {day}. Known standards: {known}")
    return [dataclasses.asdict(row) | {"mark": row.marked(day)} for row in rows]


def _setpoints(profile: str, own: tuple[Path, ...]) -> list["Setpoint"]:
    from analytics.limit_files import load_setpoints
    from analytics.limits import profile_names

    every = load_setpoints(*own)
    rows = [s for s in every if s.profile == profile]
    if not rows:
        raise BadInput(f"no profile '{profile}'. Known profiles: {', '.join(profile_names(every))}")
    return rows


def _excursions(setpoints: list["Setpoint"], path: Path) -> list[dict[str, Any]]:
    """Each stretch in which a column was in alarm under the profile, with its delays and dead-bands."""
    from analytics.limits import excursions
    from analytics.series_files import read_series

    data = read_series(path)
    checked = [s for s in setpoints if s.quantity in data.names]
    if not checked:
        wanted = ", ".join(sorted({s.quantity for s in setpoints}))
        raise BadInput(f"{path}: no column of this profile's quantities ({wanted}); rename the columns")
    rows = []
    for setpoint in checked:
        for start, end in excursions(setpoint, data.channel(setpoint.quantity), data.time_s):
            rows.append(
                {
                    "quantity": setpoint.quantity,
                    "level": setpoint.level,
                    "value": setpoint.value,
                    "class": setpoint.alarm_class,
                    "priority": setpoint.priority,
                    "start": data.iso(start),
                    "end": None if end is None else data.iso(end),
                    "source": setpoint.source,
                    "mark": setpoint.marked,
                }
            )
    return sorted(rows, key=lambda row: str(row["start"]))


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _plain(value: Any) -> Any:
    """A record as JSON can say it: NaN becomes null."""
    if value is None:
        return None
    record = value if isinstance(value, dict) else dataclasses.asdict(value)
    return {key: None if isinstance(cell, float) and math.isnan(cell) else cell for key, cell in record.items()}
