"""The centre's configuration: `centre.toml` as frozen types."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge.config import load_toml


class Broker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where readings come in."""

    url: Annotated[str, Meta(pattern=r"^(embedded(:[0-9]+)?|mqtts?://[^/@]+)$")] = "embedded"
    """`embedded` or `embedded:PORT` (loopback only), `mqtt://host:port`, or `mqtts://host:port` with the files."""
    client_id: Annotated[str, Meta(min_length=1, max_length=60)] = "steppe-ingest"
    """One ingest per broker and name: the broker keeps its messages while it is away."""
    ca_file: str | None = None
    """Certificate of who signed the broker's."""
    cert_file: str | None = None
    """The centre's own certificate; its common name is its name at the broker."""
    key_file: str | None = None
    """Its private key, mode 600."""
    username: str | None = None
    """Where the broker asks for a password instead of a certificate."""
    password_file: str | None = None
    """File of mode 600 with that password in it."""

    def __post_init__(self) -> None:
        if self.url.startswith("mqtts://") and not (self.ca_file and self.cert_file and self.key_file):
            raise ValueError("mqtts:// needs ca_file, cert_file and key_file")
        if self.username is not None and self.password_file is None:
            raise ValueError("username needs password_file (secrets stand in files of mode 600)")


class JournalSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The centre's log of checked batches; when it is full, nothing more is acknowledged."""

    path: str = "journal.db"
    """On a disk that survives a power cut: what is acknowledged is here. Counts from data_dir."""
    max_mb: Annotated[float, Meta(ge=8)] = 4096.0
    """When so much is in use, gateways keep their readings. [MB]"""
    keep_days: Annotated[float, Meta(gt=0)] = 30.0
    """Batches that every reader has passed are kept this long, so that a store can be refilled. [days]"""


class StoreSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where readings end up."""

    url: Annotated[str, Meta(pattern=r"^(sqlite:///.+|influxdb\+https?://[^/@]+/[^/]+)$")] = "sqlite:///store.db"
    """`sqlite:///FILE`, or `influxdb+http://host:8086/BUCKET` (1.8: BUCKET is the database, or `db%2Frp`)."""
    token_file: str | None = None
    """InfluxDB: the token (2.x), or `user:password` (1.8)."""
    org: str = ""
    """InfluxDB 2.x: the organisation of the bucket."""
    batch_rows: Annotated[int, Meta(ge=1, le=1_000_000)] = 150_000
    """Readings per write. With 6 000 points in SQLite, 200 000 take 30 % less CPU than 50 000: fewer pages written."""

    @property
    def is_influxdb(self) -> bool:
        """Whether it is a server that Grafana can ask too."""
        return self.url.startswith("influxdb+")


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long raw readings stay, and in which form; numbers and alarms are kept for ever."""

    pack_after_days: Annotated[float, Meta(ge=1)] = 30.0
    """Embedded store: older hours are packed, to about an eighth, whenever nothing waits to be written. [days]"""
    archive_after_days: Annotated[float, Meta(ge=1)] | None = None
    """`steppe centre archive` writes older days to Parquet files, one per county and day. Never if absent. [days]"""
    prune_after_days: Annotated[float, Meta(ge=1)] | None = None
    """Embedded store: `steppe centre archive` deletes what is older and stands verified in a file. Never if absent."""
    archive: str = "archive"
    """Folder of those files; counts from data_dir."""

    def __post_init__(self) -> None:
        if self.prune_after_days is None:
            return
        if self.archive_after_days is None or self.prune_after_days < self.archive_after_days:
            raise ValueError("prune_after_days needs archive_after_days, and no more of them: export, then prune")


class Centre(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything the centre's processes need to know."""

    data_dir: str = "."
    """Folder of the centre's own files; counts from the folder of `centre.toml`."""
    register: str = "register"
    """Folder of regions.csv, assets.csv, points.csv, plans.csv; counts from the folder of `centre.toml`."""
    timezone: str = "Asia/Shanghai"
    """Zone in which a day begins and ends, and of times in the register that have no offset."""
    language: Literal["zh", "en"] = "zh"
    """What operators and crews see first; logs are English."""
    broker: Broker = Broker()
    journal: JournalSettings = JournalSettings()
    store: StoreSettings = StoreSettings()
    retention: Retention = Retention()

    def __post_init__(self) -> None:
        if self.store.is_influxdb and self.retention.prune_after_days is not None:
            raise ValueError(
                "prune_after_days works with the embedded store; for InfluxDB set the bucket's own retention, "
                "longer than archive_after_days"
            )


def load_centre(path: Path) -> Centre:
    """Return the configuration of a `centre.toml`, its two folders made absolute. Raises ConfigError."""
    centre = load_toml(path, Centre, sample="ingest/centre.sample.toml")
    base = path.resolve().parent
    return msgspec.structs.replace(centre, data_dir=str(base / centre.data_dir), register=str(base / centre.register))
