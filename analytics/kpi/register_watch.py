"""The register's folder, looked at again and again: a change that loads is taken up, one that does not is told once."""

import logging
from pathlib import Path

from edge.errors import BadInput
from ingest.folder_signature import folder_signature
from ingest.register import Register
from ingest.register_files import load_register

log = logging.getLogger(__name__)

TABLES = "*.csv"
"""Files of the register that numbers depend on."""


class RegisterWatch:
    """The register as it is now, or as it last was when it could be loaded."""

    def __init__(self, folder: Path, timezone: str) -> None:
        """Load it. Raises BadInput naming the file and the remedy."""
        self._folder, self._timezone = folder, timezone
        self._seen = folder_signature(folder, TABLES)
        self._register = load_register(folder, timezone)

    @property
    def register(self) -> Register:
        """What was loaded last."""
        return self._register

    def look(self) -> bool:
        """Load the register again if a file of it changed; return whether there is another one now."""
        signature = folder_signature(self._folder, TABLES)
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
