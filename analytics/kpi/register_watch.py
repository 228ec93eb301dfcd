"""The register's folder, looked at again and again: a change that loads is taken up, one that does not is told once."""

import logging
from pathlib import Path

from edge.errors import BadInput
from ingest.register import Register
from ingest.register_files import load_register

log = logging.getLogger(__name__)

Signature = tuple[tuple[str, int, int], ...]


class RegisterWatch:
    """The register as it is now, or as it last was when it could be loaded."""

    def __init__(self, folder: Path, timezone: str) -> None:
        """Load it. Raises BadInput naming the file and the remedy."""
        self._folder, self._timezone = folder, timezone
        self._seen = _signature(folder)
        self._register = load_register(folder, timezone)

    @property
    def register(self) -> Register:
        """What was loaded last."""
        return self._register

    def look(self) -> bool:
        """Load the register again if a file of it changed; return whether there is another one now."""
        signature = _signature(self._folder)
        if signature == self._seen:
            return False
        self._seen = signature
        try:
            self._register = load_register(self._folder, self._timezone)
        except BadInput as error:
            log.warning("the register has changed and cannot be used, going on with the old one: %s", error)
            return False
        log.info("the register has changed; for days before today run steppe power backfill")
        return True


def _signature(folder: Path) -> Signature:
    """Every table's last change and size."""
    found = [(path.name, path.stat()) for path in sorted(folder.glob("*.csv"))]
    return tuple((name, status.st_mtime_ns, status.st_size) for name, status in found)
