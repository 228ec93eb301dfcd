"""One export from the console's store to the browser, its progress told on the way."""

from collections.abc import Callable, Iterator

from dashboards.console.site import Console
from dashboards.console.views.export import Format, Wanted, csv_of, parquet_of
from ingest.store import StoreError

MEDIA_TYPES: dict[Format, str] = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


def file_of(console: Console, wanted: Wanted, form: Format, *, job: str = "") -> Iterator[bytes]:
    """Yield a file piece by piece. A store that fails on the way breaks it off: a file cut short is not a whole one."""
    told: Callable[[float, int], None] = console.exports.begin(job) if job else _unheard
    store = console.store()
    pieces = csv_of(store, wanted, console.zone, told) if form == "csv" else parquet_of(store, wanted, told)
    try:
        yield from filter(None, pieces)
    except StoreError as error:
        console.exports.fail(job, str(error))
        raise


def _unheard(share: float, readings: int) -> None:
    """Nobody asked for progress."""
