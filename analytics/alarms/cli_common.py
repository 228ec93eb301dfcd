"""What the commands of `steppe alarms` share: their arguments, the opened database, days and times."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from analytics.alarms import service
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.records import AlarmRecord
from edge.errors import BadInput
from ingest.config import Centre, load_centre

CENTRE = click.argument("centre_toml", type=click.Path(path_type=Path, dir_okay=False))
ALARM = click.argument("alarm")
BY = click.option("--by", required=True, help="Who does it.")
REASON = click.option("--reason", default="", help="Why; kept in the audit trail.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
FROM = click.option("--from", "from_day", required=True, help="First local day, YYYY-MM-DD.")
TO = click.option("--to", "to_day", required=True, help="Local day after the last, YYYY-MM-DD.")


@contextmanager
def opened(centre_toml: Path) -> Iterator[tuple[Centre, AlarmDatabase]]:
    """Open the alarms of a centre. Raises BadInput where there are none yet."""
    centre = load_centre(centre_toml)
    path = Path(centre.data_dir) / service.DATABASE_FILE
    if not path.exists():
        raise BadInput(f"{path}: there are no alarms yet. Run `steppe alarms run {centre_toml}` first")
    with closing(AlarmDatabase(path)) as database:
        yield centre, database


def find(database: AlarmDatabase, alarm: str) -> AlarmRecord:
    """Return an alarm. Raises BadInput with what to do where there is none of that id."""
    known = {record.id: record for record in database.records()}
    if alarm not in known:
        raise BadInput(f"there is no alarm {alarm!r}: `steppe alarms list` shows all that stand")
    return known[alarm]


def period_ms(from_day: str, to_day: str, timezone: str) -> tuple[int, int]:
    """Return the first instant of `from_day` and of `to_day`. Raises BadInput. [ms since 1970-01-01T00:00Z]"""
    start_ms, end_ms = _day_ms(from_day, timezone), _day_ms(to_day, timezone)
    if end_ms <= start_ms:
        raise BadInput(f"the period is empty: --to is the day after the last, so {from_day} alone ends a day later")
    return start_ms, end_ms


def local_text(at_ms: int | None, timezone: str) -> str:
    """Return an instant as local time; empty for None."""
    return "" if at_ms is None else datetime.fromtimestamp(at_ms / 1000, ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M")


def _day_ms(day: str, timezone: str) -> int:
    try:
        local = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=ZoneInfo(timezone))
    except ValueError as error:
        raise BadInput(f"day {day!r}: write it as YYYY-MM-DD") from error
    return int(local.timestamp() * 1000)
