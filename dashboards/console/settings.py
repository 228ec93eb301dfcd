"""The console's configuration: `console.toml` beside `centre.toml`, as frozen types. Without the file, the defaults."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from edge.config import load_toml

FILE = "console.toml"


class ConsoleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the console listens, and how long it trusts a browser."""

    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    """Where it listens; one that others reach needs cert_file and key_file, or public_url."""
    port: Annotated[int, Meta(ge=0, le=65535)] = 8080
    """0 takes any free one and says which."""
    public_url: Annotated[str, Meta(pattern=r"^(https?://[^/\s]+)?$")] = ""
    """Address as browsers reach it, such as `https://steppe.example`; empty for `http://host:port`."""
    cert_file: str | None = None
    """Certificate for TLS of its own; counts from the folder of `console.toml`."""
    key_file: str | None = None
    """Its private key, mode 600."""
    session_hours: Annotated[float, Meta(gt=0, le=720)] = 12.0
    """A browser signs in again after this long, whatever it does. [h]"""
    idle_hours: Annotated[float, Meta(gt=0, le=720)] = 8.0
    """And after this long without a request. [h]"""
    wrong_passwords: Annotated[int, Meta(ge=3, le=100)] = 5
    """Per user and address within 15 minutes; the next try has to wait."""
    store_wait_s: Annotated[float, Meta(gt=0, le=30)] = 2.0
    """A page waits this long for the store, then shows what it had, marked old. [s]"""

    def __post_init__(self) -> None:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together: give both or neither")
        if not self.public_url and not self.cert_file and not is_loopback(self.host):
            raise ValueError(
                f"host {self.host} is reached by others: give cert_file and key_file, or in public_url the address "
                "of the proxy before it"
            )

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach it by TLS, here or at a proxy."""
        return self.cert_file is not None or self.public_url.startswith("https://")

    def url(self, port: int | None = None) -> str:
        """Return the address as browsers reach it; `port` as it was bound, where the setting leaves it open."""
        scheme = "https" if self.cert_file else "http"
        return self.public_url or f"{scheme}://{self.host}:{port or self.port}"


def load_console(centre_file: Path) -> ConsoleSettings:
    """Return the settings beside a `centre.toml`, file paths made absolute. Raises ConfigError."""
    path = centre_file.resolve().with_name(FILE)
    if not path.exists():
        return ConsoleSettings()
    settings = load_toml(path, ConsoleSettings, sample="dashboards/console/console.sample.toml")
    absolute = {
        name: str(path.parent / value)
        for name in ("cert_file", "key_file")
        if (value := getattr(settings, name)) is not None
    }
    return msgspec.structs.replace(settings, **absolute)


def is_loopback(host: str) -> bool:
    """Whether an address is only reached from this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
