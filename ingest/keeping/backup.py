"""`steppe centre backup`: all of a centre in one file, made while everything runs.

The file is a zip that any computer opens: the centre's folder as it will stand when restored, and `manifest.json`
with the hash of every file and the counts of every table. All databases show one instant (`snapshot.py`). What
InfluxDB holds is not among them: it is exported beside them as lines, which the journal's replay completes.
"""

import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge import VERSION
from edge.errors import BadInput
from ingest.config import Centre, load_centre
from ingest.journal import Journal
from ingest.keeping.belongings import Belongings, belongings
from ingest.keeping.files import Progress, create_private, pieces, sync_folder
from ingest.keeping.lines import LINES_FOLDER, LinesExport
from ingest.keeping.manifest import FORMAT, NAME, KeptDatabase, KeptFile, Manifest, StoreLines, contents
from ingest.keeping.snapshot import at_one_instant, copy, make_one_file
from ingest.sqlite_file import read_only
from ingest.stores import open_store
from ingest.writer import READER

DEFLATE_LEVEL = 1


@dataclass(frozen=True)
class Choices:
    """What a backup holds beyond the databases and the configuration."""

    with_keys: bool = False
    """Keys, passwords and tokens too: whoever has the file can then become any site."""
    store_lines: bool = True
    """InfluxDB: its readings and numbers as lines."""


@dataclass(frozen=True)
class _Taken:
    """What was copied out of the running centre."""

    copies: dict[str, Path]
    databases: dict[str, KeptDatabase]
    lines: StoreLines
    parts: tuple[Path, ...]
    """Files of lines."""


def backup(centre_file: Path, target: Path, choices: Choices, now_ms: int, progress: Progress) -> Manifest:
    """Write a centre's backup into the new file `target`, durable on return. Raises BadInput, StoreDown, StoreRefused.

    Cut short, nothing stands at `target`; lines of InfluxDB that were exported by then are not fetched again.
    """
    if target.exists():
        raise BadInput(f"{target}: something stands there. Name a new file: a backup replaces none")
    if not target.parent.is_dir():
        raise BadInput(f"{target.parent}: there is no such folder")
    centre, found = load_centre(centre_file), belongings(centre_file)
    with _folder_beside(target) as copying:
        taken = _take(centre, found, LinesExport(target) if choices.store_lines else None, copying, now_ms, progress)
        part = copying / "backup"
        manifest = _pack(part, centre_file, found, taken, choices.with_keys, now_ms, progress)
        part.replace(target)
    sync_folder(target.parent)
    LinesExport(target).forget()
    return manifest


@contextmanager
def _folder_beside(target: Path) -> Iterator[Path]:
    """A folder of ours on the disk of `target`; one that a killed backup left goes first."""
    folder = target.with_name(f".{target.name}.copying")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _take(
    centre: Centre, found: Belongings, export: LinesExport | None, copying: Path, now_ms: int, progress: Progress
) -> _Taken:
    if export is None or not centre.store.is_influxdb:
        return _Taken(*_copy_databases(found, copying, progress), StoreLines(), ())
    with closing(open_store(centre.store, Path(centre.data_dir))) as store:
        since_ms = export.begin(store, now_ms)
        copies, databases = _copy_databases(found, copying, progress)
        lines = export.run(store, progress)
    _replay_since(copies[found.journal], since_ms)
    databases[found.journal] = _contents_of(copies[found.journal])
    return _Taken(copies, databases, lines, export.parts())


def _copy_databases(
    found: Belongings, copying: Path, progress: Progress
) -> tuple[dict[str, Path], dict[str, KeptDatabase]]:
    """Return the copies, and what is in them, by name."""
    copies, databases = dict[str, Path](), dict[str, KeptDatabase]()
    with at_one_instant(list(found.databases.values())) as readers:
        for number, (name, path) in enumerate(found.databases.items()):
            copies[name] = copying / str(number)
            copy(readers[path], copies[name], lambda share, name=name: progress(f"copying {name}", share))  # type: ignore[misc]
            readers[path].execute("ROLLBACK")  # lets the write-ahead log of this file be cleared
            databases[name] = _contents_of(copies[name])
    return copies, databases


def _contents_of(path: Path) -> KeptDatabase:
    with read_only(path) as db:
        return contents(db)


def _replay_since(journal_copy: Path, since_ms: int) -> None:
    """Set the store's cursor back to where the export began: what came in since may be missing in the lines."""
    with closing(Journal(journal_copy)) as journal:
        position = journal.cursor(READER)
        journal.rewind(READER, since_ms)
        if journal.cursor(READER) > position:
            journal.advance(READER, position)
    make_one_file(journal_copy)


def _pack(
    part: Path, centre_file: Path, found: Belongings, taken: _Taken, with_keys: bool, now_ms: int, progress: Progress
) -> Manifest:
    sources = found.files | (found.secrets if with_keys else {}) | taken.copies
    sources |= {f"{LINES_FOLDER}/{path.name}": path for path in taken.parts}
    with (
        create_private(part) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=DEFLATE_LEVEL) as packed,
    ):
        kept = [_add_bytes(packed, "centre.toml", found.centre_toml, _mode(centre_file))]
        for number, (name, path) in enumerate(sources.items()):
            progress(f"packing {name}", number / len(sources))
            kept.append(_add(packed, name, path, _mode(found.databases.get(name, path))))
        manifest = Manifest(
            format=FORMAT,
            steppe=VERSION,
            taken_ms=now_ms,
            root=str(centre_file.resolve().parent),
            files=tuple(kept),
            folders=found.folders,
            databases=taken.databases,
            lines=taken.lines,
            left_out=() if with_keys else tuple(found.secrets),
        )
        packed.writestr(NAME, msgspec.json.format(msgspec.json.encode(manifest)))
        packed.close()
        file.flush()
        os.fsync(file.fileno())
    return manifest


def _add_bytes(packed: zipfile.ZipFile, name: str, content: bytes, mode: int) -> KeptFile:
    packed.writestr(name, content)
    return KeptFile(name, len(content), hashlib.sha256(content).hexdigest(), mode)


def _add(packed: zipfile.ZipFile, name: str, path: Path, mode: int) -> KeptFile:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source, packed.open(name, "w", force_zip64=True) as sink:
        for piece in pieces(source):
            digest.update(piece)
            size += sink.write(piece)
    return KeptFile(name, size, digest.hexdigest(), mode)


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777
