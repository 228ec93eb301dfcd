"""From the setting `[store] url` to the store it names."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from edge.config import read_secret
from ingest.config import StoreSettings
from ingest.store import Store


def open_store(settings: StoreSettings, data_dir: Path) -> Store:
    """Return the store of `settings`; relative files count from `data_dir`. Raises ConfigError or StoreError.

    Each adapter is imported only when it is used: a centre that keeps to SQLite loads no pyarrow.
    """
    if settings.url.startswith("sqlite:///"):
        from ingest.store_sqlite import SqliteStore

        return SqliteStore(data_dir / settings.url.removeprefix("sqlite:///"))

    from ingest.store_influx import InfluxStore

    address = urlsplit(settings.url.removeprefix("influxdb+"))
    token = read_secret(data_dir / settings.token_file) if settings.token_file else None
    return InfluxStore(
        f"{address.scheme}://{address.netloc}",
        unquote(address.path.removeprefix("/")),
        org=settings.org,
        token=token,
    )
