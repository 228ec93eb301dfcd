"""Files in pieces, private from the start, and durable where they stand."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, BinaryIO

PIECE_BYTES = 1024 * 1024
Progress = Callable[[str, float], None]
"""Called with what is being done and the share of it that is done."""


def pieces(source: IO[bytes]) -> Iterator[bytes]:
    """Give what can still be read, in bounded pieces."""
    return iter(lambda: source.read(PIECE_BYTES), b"")


def sha256_of(source: IO[bytes]) -> str:
    """Return the hash of what can still be read."""
    digest = hashlib.sha256()
    for piece in pieces(source):
        digest.update(piece)
    return digest.hexdigest()


def create_private(path: Path) -> BinaryIO:
    """Make a new file that nobody else can read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
