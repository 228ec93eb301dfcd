"""Whether somebody has saved a file of a folder again."""

import contextlib
import stat
from pathlib import Path

Signature = tuple[tuple[str, int, int], ...]
"""Name, last change [ns since 1970-01-01T00:00Z] and size [bytes] of each file."""


def folder_signature(folder: Path, pattern: str = "*") -> Signature:
    """Return the same as the last time only while no file that fits the pattern was saved, came or went."""
    found = []
    for path in sorted(folder.glob(pattern)):
        with contextlib.suppress(FileNotFoundError):  # gone since it was listed, as while an editor saves
            status = path.stat()
            if stat.S_ISREG(status.st_mode):
                found.append((path.name, status.st_mtime_ns, status.st_size))
    return tuple(found)
