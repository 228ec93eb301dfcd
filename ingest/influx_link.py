"""One InfluxDB server as the store sees it: a piece of lines in, a CSV table out, every answer a reaction.

The dialect is `POST /api/v2/write` and InfluxQL `/query`, which 1.8 and 2.x both speak. influxdb-client is the
transport; its batching mode is not used (it loses data on exit), nor its gzip (level 9 is 17 times slower).

| answer to a write | what follows |
| --- | --- |
| 204 | durable |
| 400, 422 or 500 that names lines ("partial write", "unable to parse", …) | LinesRefused: find the lines |
| 413 | LinesTooLong: send fewer at once |
| 401, 403, 404, any other 4xx | StoreRefused: a person must act |
| 408, 429, 5xx, no answer | StoreDown: try again, not before Retry-After |
"""

import ipaddress
import json
import re
import zlib
from urllib.parse import urlsplit

from influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException
from influxdb_client.service.write_service import WriteService
from urllib3.exceptions import HTTPError

from ingest.store import StoreDown, StoreError, StoreRefused

LINE_FAULTS = ("partial write", "unable to parse", "field type conflict", "points beyond retention", "parsing failed")
TRAILER = "SHOW DATABASES"
PROBE = "SELECT value FROM voltage_v LIMIT 1"
TRAILER_HEADER = b"name,tags,name\n"
GZIP_LEVEL = 1
GZIP_WINDOW = 31
TRY_AGAIN = {408, 429}
REMEDIES = {
    401: "Check token_file: the token (2.x) or user:password (1.8)",
    403: "Give the token permission to read and write this bucket",
    404: "Create the bucket (1.8: the database), or correct [store] url",
}


class LinesRefused(Exception):
    """The server does not take some of the lines of this piece; it may have stored the others."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        found = re.search(r"dropped=(\d+)", reason)
        self.dropped = int(found[1]) if found else None
        """How many lines the server says it dropped; None if it does not say."""


class LinesTooLong(LinesRefused):
    """The piece is larger than the server, or a proxy before it, takes at once."""


class InfluxLink:
    """Connections to one bucket. Threads may share it."""

    def __init__(
        self, url: str, bucket: str, *, org: str, token: str | None, connections: int, timeout_s: float
    ) -> None:
        self.url = url
        self.bucket = bucket
        self._org = org
        self._database, _, self._policy = bucket.partition("/")
        self._packed = not _is_this_machine(url)
        self._client = InfluxDBClient(
            url, token=token, org=org, timeout=int(timeout_s * 1000), connection_pool_maxsize=connections
        )
        self._writes = WriteService(self._client.api_client)

    def write(self, lines: memoryview) -> None:
        """Send lines, durable on return. Raises LinesRefused, LinesTooLong, StoreDown or StoreRefused."""
        body = _gzip(lines) if self._packed else bytes(lines)
        try:
            self._writes.post_write(
                self._org,
                self.bucket,
                body,
                precision="ms",
                content_encoding="gzip" if self._packed else "identity",
                content_type="text/plain; charset=utf-8",
            )
        except ApiException as error:
            raise self._write_error(error) from error
        except (HTTPError, OSError) as error:
            raise self._down(error) from error

    def query(self, select: str) -> bytes:
        """Return the CSV table of one InfluxQL statement, empty if it found nothing. Raises StoreDown or StoreRefused.

        A statement that fails half-way ends its CSV without a word and with HTTP 200. A second statement follows it
        therefore: it is carried out only if the first one went well, so its header proves that the table is whole.
        """
        body = self._post(f"{select}; {TRAILER}", "application/csv")
        table, header, _ = body.rpartition(TRAILER_HEADER)
        if not header or table.startswith(b"error\n"):
            raise self._broken_off(body)
        return table.rstrip(b"\n")

    def version(self) -> str:
        """Return the version that the server names. Raises StoreDown."""
        try:
            answer = self._client.api_client.rest_client.request("GET", f"{self.url}/ping", headers=self._headers())
        except ApiException as error:
            raise self._store_error(error) from error
        except (HTTPError, OSError) as error:
            raise self._down(error) from error
        return str(answer.getheader("X-Influxdb-Version"))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _post(self, statements: str, accept: str) -> bytes:
        where = {"db": self._database, "epoch": "ms"} | ({"rp": self._policy} if self._policy else {})
        try:
            answer = self._client.api_client.rest_client.request(
                "POST",
                f"{self.url}/query",
                query_params=where,
                headers=self._headers() | {"Accept": accept, "Content-Type": "application/x-www-form-urlencoded"},
                post_params={"q": statements},
                _preload_content=False,
            )
            return bytes(answer.data)
        except ApiException as error:
            raise self._store_error(error) from error
        except (HTTPError, OSError) as error:
            raise self._down(error) from error

    def _headers(self) -> dict[str, str]:
        return dict(self._client.api_client.default_headers)

    def _broken_off(self, body: bytes) -> StoreError:
        """Why a table is not whole: JSON answers name the error that CSV answers keep to themselves."""
        answer = self._post(PROBE, "application/json").decode(errors="replace")
        if "not found" in answer or "authoriz" in answer:
            return StoreRefused(f"{self.url} {self.bucket}: {answer.strip()[:300]}. {REMEDIES[404]}")
        end = body[-200:].decode(errors="replace").strip()
        return StoreDown(f"{self.url} {self.bucket}: the answer broke off ({end!r}); the next try may work")

    def _write_error(self, error: ApiException) -> Exception:
        reason = _reason(error)
        if error.status == 413:
            return LinesTooLong(f"larger than the server takes at once: {reason}")
        if error.status in (400, 422, 500) and any(fault in reason for fault in LINE_FAULTS):
            return LinesRefused(reason)
        return self._store_error(error)

    def _store_error(self, error: ApiException) -> StoreError:
        status, reason = int(error.status or 0), _reason(error)
        where = f"{self.url} {self.bucket}: answer {status} {reason}"
        if status in TRY_AGAIN or status >= 500 or status == 0:
            return StoreDown(f"{where}; the next try may work", _retry_after_s(error))
        return StoreRefused(f"{where}. {REMEDIES.get(status, 'Is this an InfluxDB of version 1.8 or later?')}")

    def _down(self, error: Exception) -> StoreDown:
        return StoreDown(f"{self.url}: no answer ({error}). Is InfluxDB running and reachable?")


def _gzip(lines: memoryview) -> bytes:
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_WINDOW)
    return packer.compress(lines) + packer.flush()


def _is_this_machine(url: str) -> bool:
    """Whether packing would only cost time: 0.3 µs a line to save 0.1 µs of loopback."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _reason(error: ApiException) -> str:
    """Return the server's own words: `error` of 1.8, `message` of 2.x, or the whole of any other body."""
    text = error.body if error.body is not None else error.reason
    try:
        said = json.loads(text)
    except (ValueError, TypeError):
        said = None
    if isinstance(said, dict):
        text = said.get("message") or said.get("error") or text
    return (text.decode(errors="replace") if isinstance(text, bytes) else str(text)).strip()[:500]


def _retry_after_s(error: ApiException) -> float | None:
    """Return the seconds of a Retry-After; a date there, which no InfluxDB sends, counts as not said."""
    text = str((error.headers or {}).get("Retry-After", ""))
    return float(text) if text.isdecimal() else None
