"""`steppe power backfill`: recompute a span of days from the store or from Parquet."""

from pathlib import Path

import click


@click.command(epilog="Example: steppe power backfill centre.toml --from 2025-06-01 --to 2026-06-01 --workers 2")
@click.argument("centre_toml", type=click.Path(path_type=Path, dir_okay=False), default="centre.toml")
@click.option("--from", "from_day", required=True, help="First local day, YYYY-MM-DD.")
@click.option("--to", "to_day", required=True, help="Local day after the last; today at the latest.")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes on this machine.")
@click.option("--scheduler", help="Address of a Dask scheduler, tcp://host:port, in place of --workers.")
@click.option(
    "--parquet",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Read <county>/<day>.parquet in this folder, in place of the store.",
)
@click.option("--restart", is_flag=True, help="Begin anew where an earlier backfill of the same span was stopped.")
def backfill(
    centre_toml: Path,
    from_day: str,
    to_day: str,
    workers: int,
    scheduler: str | None,
    parquet: Path | None,
    restart: bool,
) -> None:
    """Recompute every number of a span of days, county by county and day by day.

    Stopped, it goes on where it was when started again. The result equals the service's, bit for bit.
    """
    from analytics.kpi.backfill_run import Order, run

    click.echo(run(Order(centre_toml, from_day, to_day, workers, scheduler, parquet, restart)))
