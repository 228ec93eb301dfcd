"""Rows that Grafana reads beside the readings: numbers, alarms and states of sites, kept in the same bucket.

Grafana asks InfluxDB and nothing else, so what stands in the centre's SQLite files is told there once more. A row is
named by measurement, tags and instant; writing it again replaces it, so a feed may be killed and started at any line.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from edge.config import read_secret
from edge.errors import BadInput
from ingest.config import StoreSettings
from ingest.influx_link import InfluxLink, LinesRefused
from ingest.store import RowsRefused

ROWS_PER_REQUEST = 5_000
TIMEOUT_S = 30.0

Value = int | float | str
"""A field keeps its type for good: whole numbers are `int`, all others `float`."""


@dataclass(frozen=True)
class BoardRow:
    """One row of one measurement."""

    measurement: str
    tags: Mapping[str, str]
    fields: Mapping[str, Value]
    t_ms: int
    """[ms since 1970-01-01T00:00Z]"""


class Board:
    """The bucket that Grafana reads, as its writer sees it."""

    def __init__(self, link: InfluxLink) -> None:
        self._link = link
        self._held: dict[bytes, bytes] = {}
        """Digest of what names a row → digest of its fields, of the last call: what is the same is not sent again."""

    def write(self, rows: Iterable[BoardRow]) -> int:
        """Keep `rows`, durable on return; return how many were new or different from the call before.

        Raises StoreDown or StoreRefused, and RowsRefused where the server does not take a type or a name.
        """
        held: dict[bytes, bytes] = {}
        lines: list[str] = []
        for row in rows:
            name, fields = _head(row), _fields(row)
            key, content = _digest(f"{name} {row.t_ms}"), _digest(fields)
            if self._held.get(key) != content:
                lines.append(f"{name} {fields} {row.t_ms}\n")
            held[key] = content
        for first in range(0, len(lines), ROWS_PER_REQUEST):
            self._send("".join(lines[first : first + ROWS_PER_REQUEST]))
        self._held = held
        return len(lines)

    def close(self) -> None:
        """Close the connection."""
        self._link.close()

    def _send(self, text: str) -> None:
        try:
            self._link.write(memoryview(text.encode()))
        except LinesRefused as refused:
            raise RowsRefused({0: str(refused)}) from refused


def open_board(settings: StoreSettings, data_dir: Path) -> Board:
    """Return the board of the store. Raises BadInput where the store is none that Grafana can ask."""
    if not settings.is_influxdb:
        raise BadInput(
            f"[store] url = {settings.url!r}: Grafana cannot ask this store. Use influxdb+http://host:8086/BUCKET, "
            "or look at the console"
        )
    return Board(open_link(settings, data_dir))


def open_link(settings: StoreSettings, data_dir: Path) -> InfluxLink:
    """Return a connection to the bucket of an InfluxDB store."""
    address = urlsplit(settings.url.removeprefix("influxdb+"))
    token = read_secret(data_dir / settings.token_file) if settings.token_file else None
    bucket = unquote(address.path.removeprefix("/"))
    url = f"{address.scheme}://{address.netloc}"
    return InfluxLink(url, bucket, org=settings.org, token=token, connections=1, timeout_s=TIMEOUT_S)


def _head(row: BoardRow) -> str:
    tags = "".join(f",{_tag(name)}={_tag(text)}" for name, text in sorted(row.tags.items()) if text)
    return _tag(row.measurement) + tags


def _fields(row: BoardRow) -> str:
    return ",".join(f"{_tag(name)}={_plain(value)}" for name, value in row.fields.items() if value == value)


def _plain(value: Value) -> str:
    if isinstance(value, str):
        text = " ".join(value.split()).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{text}"'
    return f"{value}i" if isinstance(value, int) else repr(float(value))


def _tag(text: str) -> str:
    """A name as line protocol takes it; a backslash at its end would swallow what follows."""
    plain = " ".join(text.split()).replace("\\", "/")
    for mark in ",= ":
        plain = plain.replace(mark, "\\" + mark)
    return plain


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=12).digest()
