"""Where everything stands in a centre's folder, and how a file gets there whole."""

import os
import pwd
import tempfile
from dataclasses import dataclass
from pathlib import Path

from edge.errors import BadInput

SECRET_MODE, OPEN_MODE = 0o600, 0o644


@dataclass(frozen=True)
class CentreFolder:
    """The layout that `steppe centre init` makes."""

    root: Path

    @property
    def centre_file(self) -> Path:
        return self.root / "centre.toml"

    @property
    def register(self) -> Path:
        return self.root / "register"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def sites(self) -> Path:
        """Bundles to carry to the gateways."""
        return self.root / "sites"

    @property
    def authority(self) -> Path:
        """What signs: whoever holds `ca.key` can become any site."""
        return self.root / "authority"

    @property
    def broker(self) -> Path:
        """What Mosquitto reads."""
        return self.root / "broker"

    @property
    def broker_state(self) -> Path:
        """What Mosquitto writes."""
        return self.broker / "state"

    @property
    def identities(self) -> Path:
        """Certificates and keys of the centre's own processes."""
        return self.root / "identities"

    def existing(self) -> "CentreFolder":
        """Return this folder. Raises BadInput if no centre was made here."""
        if not (self.authority / "ca.crt").is_file() or not self.centre_file.is_file():
            raise BadInput(f"{self.root}: no centre stands here. Make one with 'steppe centre init {self.root}'")
        return self


def write_whole(path: Path, content: bytes, mode: int = OPEN_MODE) -> None:
    """Put `content` at `path`, durable and all at once; whoever owned the old file owns the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        if os.geteuid() == 0 and path.exists():
            os.chown(name, path.stat().st_uid, path.stat().st_gid)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def give_to(folder: Path, user: str) -> None:
    """Make `user` the owner of a folder and all in it, where that user exists and we may."""
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        return
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid)
