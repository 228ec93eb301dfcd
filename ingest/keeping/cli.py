"""`steppe centre backup | restore | archive`: what a centre keeps, in safe hands."""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click
import msgspec

from edge.clock import RealClock
from edge.errors import BadInput
from ingest.config import load_centre

CENTRE = click.argument("centre_file", metavar="CENTRE.TOML", type=click.Path(path_type=Path))
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
INSTRUCTIONS = """InfluxDB's readings are not in this backup. Copy them with its own tool now, and keep both:
  2.x: influx backup FOLDER --bucket {bucket}            and back: influx restore FOLDER --bucket {bucket}
  1.8: influxd backup -portable -db {bucket} FOLDER      and back: influxd restore -portable -db {bucket} FOLDER
Where its copy is older than this backup, write again what came in between: steppe ingest replay"""


@click.command(epilog="Example: steppe centre backup centre.toml /mnt/usb/steppe-2026-07-01.zip")
@CENTRE
@click.argument("target", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--with-keys", is_flag=True, help="Keys, passwords and tokens too: keep FILE as safe as them.")
@click.option("--store-instructions", is_flag=True, help="InfluxDB: leave its readings to its own tool, and say how.")
@AS_JSON
def backup(centre_file: Path, target: Path, with_keys: bool, store_instructions: bool, as_json: bool) -> None:
    """Write all of the centre into one file, while everything runs; its archive is not in it (files never change)."""
    from ingest.keeping.backup import Choices, backup

    choices = Choices(with_keys=with_keys, store_lines=not store_instructions)
    with _disk_errors(), _progress() as progress:
        made = backup(centre_file, target, choices, RealClock().now_ms(), progress)
    if as_json:
        click.echo(msgspec.json.encode(made))
        return
    rows = sum(sum(kept.rows.values()) for kept in made.databases.values())
    size_mb = target.stat().st_size / 1e6
    click.echo(f"{target}: {len(made.files)} files, {rows} rows, {made.lines.readings} lines, {size_mb:.1f} MB")
    for name in made.left_out:
        click.echo(f"not in it: {name} (--with-keys)")
    store = load_centre(centre_file).store
    if store.is_influxdb and store_instructions:
        click.echo(INSTRUCTIONS.format(bucket=store.url.rpartition("/")[2]))


@click.command(epilog="Example: steppe centre restore /mnt/usb/steppe-2026-07-01.zip /srv/steppe")
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--fill-store", is_flag=True, help="InfluxDB: write its lines back; again after a cut is safe.")
@AS_JSON
def restore(source: Path, folder: Path, fill_store: bool, as_json: bool) -> None:
    """Make an empty folder what a backup holds: verified first, compared afterwards, whole or not at all."""
    from ingest.keeping import restore as restoring
    from ingest.keeping.lines import LINES_FOLDER

    with _disk_errors(), _progress() as progress:
        if fill_store and (folder / LINES_FOLDER).is_dir():
            filled = restoring.fill_store(folder, progress)
            click.echo(msgspec.json.encode({"lines": filled}) if as_json else f"{filled} lines are in the store")
            return
        restored = restoring.restore(source, folder, progress)
        if fill_store:
            restoring.fill_store(folder, progress)
    if as_json:
        click.echo(msgspec.json.encode(restored))
        return
    for name, rows in restored.rows.items():
        click.echo(f"{name}: {rows} rows, as in the backup")
    if restored.lines and not fill_store:
        click.echo(f"{restored.lines} lines wait for InfluxDB: steppe centre restore {source} {folder} --fill-store")
    for name in restored.left_out:
        click.echo(f"put back by hand, mode 600: {name}")
    click.echo(f"{folder}: {restored.files} files restored and compared")


@click.command(epilog="Example: steppe centre archive centre.toml")
@CENTRE
@AS_JSON
def archive(centre_file: Path, as_json: bool) -> None:
    """Write old days to Parquet files and let the store go of what is verified there, as [retention] says."""
    from ingest.keeping.archive import Archive, counties_of
    from ingest.register_files import load_register
    from ingest.stores import open_store

    centre = load_centre(centre_file)
    data = Path(centre.data_dir)
    if centre.retention.archive_after_days is None:
        raise BadInput(f"{centre_file}: [retention] archive_after_days is not set: nothing is to be archived")
    register = load_register(Path(centre.register), centre.timezone)
    with _disk_errors(), _progress() as progress, closing(open_store(centre.store, data)) as store:
        counties = counties_of(register, store.points())
        folder = data / centre.retention.archive
        done = Archive(folder, store, counties, centre.timezone).run(centre.retention, RealClock().now_ms(), progress)
    if as_json:
        click.echo(msgspec.json.encode(done))
        return
    click.echo(f"{folder}: {done.days} days, {done.files} files, {done.rows} readings written; {done.pruned} pruned")
    if centre.store.is_influxdb and done.upto_day:
        click.echo(f"every day before {done.upto_day} is archived: the bucket's retention may reach back to there")


@contextmanager
def _progress() -> Iterator[Callable[[str, float], None]]:
    """One line that moves, on a terminal; nothing in a pipe."""
    shown = sys.stderr.isatty()

    def tell(what: str, share: float) -> None:
        if shown:
            click.echo(f"\r\033[K{share:4.0%} {what}", nl=False, err=True)

    yield tell
    if shown:
        click.echo("\r\033[K", nl=False, err=True)


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BadInput(
            f"{error.filename or 'the disk'}: {error.strerror or error}. Check space and permissions"
        ) from error
