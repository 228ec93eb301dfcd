"""`steppe ingest register | rejected | store`: look at what people keep, and at what the store has and has not."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from ingest.config import load_centre

CENTRE = click.argument("centre_file", metavar="CENTRE.TOML", type=click.Path(path_type=Path))
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")


@click.command(epilog="Example: steppe ingest register centre.toml")
@CENTRE
@AS_JSON
def register(centre_file: Path, as_json: bool) -> None:
    """Check the four files of the register: every bad cell with what to do. Exit code 1 if there is one."""
    from ingest.register_files import read_register

    centre = load_centre(centre_file)
    found, problems = read_register(Path(centre.register), centre.timezone)
    counts = {
        "regions": len(found.regions),
        "assets": len(found.assets),
        "points": len(found.points),
        "plans": len(found.plans),
    }
    if as_json:
        click.echo(msgspec.json.encode(counts | {"problems": problems}))
    else:
        for problem in problems:
            click.echo(str(problem))
        click.echo(", ".join(f"{number} {name}" for name, number in counts.items()) + f", {len(problems)} problems")
    if problems:
        raise SystemExit(1)


@click.command(epilog="Example: steppe ingest rejected --limit 20 centre.toml")
@CENTRE
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Newest rows to show.")
@AS_JSON
def rejected(centre_file: Path, limit: int, as_json: bool) -> None:
    """Show the readings that the store will never take, with the reasons; the journal has them too."""
    from ingest.rejected import Rejected, RejectedRow

    path = Path(load_centre(centre_file).data_dir) / "rejected.db"
    rows, total = list[RejectedRow](), 0
    if path.exists():
        with closing(Rejected(path)) as kept:
            rows, total = kept.rows(limit), len(kept)
    if as_json:
        click.echo(msgspec.json.encode({"total": total, "rows": rows}))
        return
    for row in rows:
        sampled = datetime.fromtimestamp(row.t_ms / 1000, UTC).isoformat(timespec="seconds")
        click.echo(f"{row.point} {sampled} {row.value:g} quality {row.quality}: {row.reason}")
    click.echo(f"{total} rejected rows")


@click.command(epilog="Example: steppe ingest store centre.toml")
@CENTRE
def store(centre_file: Path) -> None:
    """Say in one line which store answers and how much it holds; an error tells what to do."""
    from ingest.stores import open_store

    centre = load_centre(centre_file)
    with closing(open_store(centre.store, Path(centre.data_dir))) as opened:
        click.echo(opened.health())
