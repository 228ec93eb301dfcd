"""What one gateway gets: its key, its certificate, whom it trusts, and its `site.toml`, checked before it is packed."""

import hashlib
import io
import os
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import BadInput
from ingest.authority.folder import OPEN_MODE, SECRET_MODE
from ingest.centre import STEPPE

CHECKSUMS = "SHA256SUMS"
IDENTITY = "identity"
SECRETS = (f"{IDENTITY}/site.key",)
DEVICE = re.compile(r"^(?P<name>[^=@]+)=(?P<profile>[^=@]+)@(?P<url>[^#]+)(#(?P<unit>[0-9]+))?$")
SITE_TOML = """\
# The gateway of one site. Every key is explained in edge/site.sample.toml; look with: steppe edge check site.toml

site = "{site}"

[uplink]
url = "{url}"
ca_file = "{state}/identity/ca.crt"
cert_file = "{state}/identity/site.crt"
key_file = "{state}/identity/site.key"

[spool]
path = "{state}/spool.db"
"""
DEVICE_TOML = """
[[devices]]
name = "{name}"
url = "{url}"
profile = "{profile}"
"""
STATE = "/var/lib/steppe"
"""Where a gateway keeps what changes: its spool, and the certificate that it renews itself."""


@dataclass(frozen=True)
class DeviceWish:
    """A meter of the site, read by a shipped profile."""

    name: str
    profile: str
    url: str
    unit: int | None = None


def parse_device(text: str) -> DeviceWish:
    """Return the device of `NAME=PROFILE@URL` or `NAME=PROFILE@URL#UNIT`. Raises BadInput."""
    match = DEVICE.match(text)
    if match is None or '"' in text:
        raise BadInput(f"--device {text}: write NAME=PROFILE@URL, such as feeder1=eastron_sdm630@tcp://10.0.0.21:502#1")
    unit = match["unit"]
    return DeviceWish(match["name"], match["profile"], match["url"], None if unit is None else int(unit))


def site_toml(site: str, broker_url: str, devices: Sequence[DeviceWish], state: str = STATE) -> str:
    """Return the configuration of a gateway with these meters."""
    text = SITE_TOML.format(site=site, url=broker_url, state=state)
    for device in devices:
        text += DEVICE_TOML.format(name=device.name, url=device.url, profile=device.profile)
        text += "" if device.unit is None else f"unit = {device.unit}\n"
    return text


def check_site_toml(text: str) -> None:
    """Have the gateway's own program read a configuration. Raises BadInput with what it says."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "site.toml"
        file.write_text(text, encoding="utf-8")
        checked = subprocess.run(  # noqa: S603
            (*STEPPE, "edge", "check", str(file)), capture_output=True, text=True, check=False
        )
    if checked.returncode != 0:
        raise BadInput(checked.stderr.strip().removeprefix("steppe: ").replace(f"{folder}/", ""))


def write_bundle(path: Path, site: str, files: Mapping[str, bytes]) -> None:
    """Write one gateway's files and their checksums into an archive that only its owner may read."""
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, SECRET_MODE)
    with os.fdopen(handle, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in {**files, CHECKSUMS: sums.encode()}.items():
            entry = tarfile.TarInfo(f"{site}/{name}")
            entry.size, entry.mode = len(content), SECRET_MODE if name in SECRETS else OPEN_MODE
            archive.addfile(entry, io.BytesIO(content))
        file.flush()
        os.fsync(file.fileno())
