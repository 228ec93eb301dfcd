"""What Mosquitto reads: its configuration, who may do what, and who is revoked.

Nothing is allowed that is not written: a certificate of ours without lines in `acl` can connect and do nothing.
"""

import importlib.resources
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

UP, DOWN = ("batch", "points", "status", "csr"), ("ack", "cert")
"""What a site writes, and what it reads: both only under its own name."""
INGEST, AUTHORITY, MONITOR = "steppe-ingest", "steppe-authority", "steppe-monitor"
CENTRE_RULES = {
    INGEST: (*(f"read steppe/v1/+/{leaf}" for leaf in ("batch", "points", "status")), "write steppe/v1/+/ack"),
    AUTHORITY: ("read steppe/v1/+/csr", "write steppe/v1/+/cert"),
    MONITOR: ("read $SYS/#",),
}
ACL_HEAD = "# Written by `steppe site`: changes by hand are lost. A site writes and reads only under its own name.\n"
PID_FILE = "mosquitto.pid"


@dataclass(frozen=True)
class BrokerPlace:
    """Where Mosquitto listens, and where its files stand on its machine."""

    folder: Path
    state: Path
    listener: str = "8883"
    """`PORT`, or `PORT ADDRESS` to listen on one address only."""
    log: str = "syslog"

    @property
    def pid_file(self) -> Path:
        return self.state / PID_FILE


def configuration(place: BrokerPlace) -> str:
    """Return `mosquitto.conf` for one place."""
    template = importlib.resources.files("ingest.authority").joinpath("mosquitto.conf").read_text(encoding="utf-8")
    return template.format(
        listener=place.listener, folder=place.folder, state=place.state, pid_file=place.pid_file, log=place.log
    )


def access_rules(sites: Iterable[str]) -> str:
    """Return `acl`: the centre's own processes, then four lines to write and two to read for each site."""
    blocks = [_block(name, rules) for name, rules in CENTRE_RULES.items()]
    for site in sorted(sites):
        rules = [f"write steppe/v1/{site}/{leaf}" for leaf in UP] + [f"read steppe/v1/{site}/{leaf}" for leaf in DOWN]
        blocks.append(_block(site, rules))
    return ACL_HEAD + "".join(blocks)


def tell_broker(pid_file: Path) -> bool:
    """Ask the Mosquitto of this machine to read its files again; False where none runs that we may signal."""
    try:
        os.kill(int(pid_file.read_text(encoding="ascii")), signal.SIGHUP)
    except (OSError, ValueError):
        return False
    return True


def _block(name: str, rules: Iterable[str]) -> str:
    return f"\nuser {name}\n" + "".join(f"topic {rule}\n" for rule in rules)
