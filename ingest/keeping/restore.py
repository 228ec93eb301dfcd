"""`steppe centre restore`: a backup back into a folder, whole or not at all.

Every hash is verified before anything is written; then each database is opened, checked and counted, and only when
all of it is as the manifest says does the folder take its name.
"""

import os
import shutil
import zipfile
import zlib
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from edge.errors import BadInput
from ingest.authority.centre_files import BROKER_USER
from ingest.authority.folder import CentreFolder, give_to, write_whole
from ingest.board import open_link
from ingest.config import load_centre
from ingest.keeping.files import Progress, create_private, pieces, sha256_of, sync_folder
from ingest.keeping.lines import END_MS, LINES_FOLDER, fill, lines_in
from ingest.keeping.manifest import FORMAT, NAME, KeptFile, Manifest, contents
from ingest.sqlite_file import read_only
from ingest.store import StoreRefused
from ingest.stores import open_store


@dataclass(frozen=True)
class Restored:
    """What a restore brought back: all of it equal to the backup."""

    folder: str
    taken_ms: int
    files: int
    rows: dict[str, int]
    """Database → rows in all its tables."""
    left_out: tuple[str, ...]
    """Keys and passwords to put back by hand."""
    lines: int
    """Readings and numbers that wait in the folder for InfluxDB."""


def restore(source: Path, folder: Path, progress: Progress) -> Restored:
    """Make `folder`, which must be empty or absent, what the backup `source` holds. Raises BadInput."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(f"{folder}: something stands there. Give a folder that is empty, or a new one")
    restoring = folder.with_name(f".{folder.name}.restoring")
    shutil.rmtree(restoring, ignore_errors=True)
    try:
        with zipfile.ZipFile(source) as packed:
            manifest = _manifest(packed, source)
            _verify(packed, manifest, progress)
            _unpack(packed, manifest, restoring, progress)
        _compare(manifest, restoring)
        _move_in(manifest, restoring, folder.absolute())
        if folder.exists():
            folder.rmdir()
        restoring.replace(folder)
        sync_folder(folder.parent)
    except FileNotFoundError as error:
        raise BadInput(f"{error.filename}: there is no such file or folder") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError) as error:
        raise BadInput(
            f"{source}: damaged or cut short ({error}). Nothing was restored; take another backup"
        ) from error
    finally:
        shutil.rmtree(restoring, ignore_errors=True)
    return _restored(manifest, folder)


def fill_store(folder: Path, progress: Progress) -> int:
    """Write the lines of a restored folder to its InfluxDB and read them back; return how many.

    Raises BadInput, StoreDown, or StoreRefused: also where fewer readings can be read than were written.
    """
    centre = load_centre(folder / "centre.toml")
    if not centre.store.is_influxdb:
        raise BadInput(f"{folder / 'centre.toml'}: [store] url = {centre.store.url!r} is no InfluxDB: nothing to fill")
    data_dir = Path(centre.data_dir)
    with closing(open_link(centre.store, data_dir)) as link:
        written = fill(link, folder / LINES_FOLDER, progress)
    with closing(open_store(centre.store, data_dir)) as store:
        held = sum(len(rows) for rows in store.stream(store.points(), 0, END_MS))
    wanted = lines_in(folder / LINES_FOLDER).readings
    if held < wanted:
        raise StoreRefused(
            f"{centre.store.url}: holds {held} readings, the backup {wanted}. Make the bucket's retention longer, then "
            "fill it again"
        )
    return written


def _manifest(packed: zipfile.ZipFile, source: Path) -> Manifest:
    text = packed.read(NAME)
    try:
        if msgspec.json.decode(text, type=_Format).format > FORMAT:
            raise BadInput(f"{source}: made by a newer steppe. Restore it with that version")
        manifest = msgspec.json.decode(text, type=Manifest)
    except msgspec.MsgspecError as error:
        raise BadInput(f"{source}: no backup of steppe ({NAME}: {error})") from error
    for name in (*(file.name for file in manifest.files), *manifest.folders):
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise BadInput(f"{source}: {name!r} would be written outside the folder. Nothing was restored")
    return manifest


@dataclass(frozen=True)
class _Format:
    format: int


def _verify(packed: zipfile.ZipFile, manifest: Manifest, progress: Progress) -> None:
    for number, file in enumerate(manifest.files):
        progress(f"verifying {file.name}", number / len(manifest.files))
        with packed.open(file.name) as content:
            if sha256_of(content) != file.sha256:
                raise zipfile.BadZipFile(f"{file.name} is not what the manifest says")


def _unpack(packed: zipfile.ZipFile, manifest: Manifest, restoring: Path, progress: Progress) -> None:
    restoring.mkdir(mode=0o700, parents=True)
    for number, file in enumerate(manifest.files):
        progress(f"writing {file.name}", number / len(manifest.files))
        _unpack_one(packed, file, restoring / file.name)


def _unpack_one(packed: zipfile.ZipFile, file: KeptFile, path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with packed.open(file.name) as content, create_private(path) as written:
        for piece in pieces(content):
            written.write(piece)
        written.flush()
        os.fsync(written.fileno())
    path.chmod(file.mode & 0o777)


def _compare(manifest: Manifest, folder: Path) -> None:
    """Open each database as it was written: it must be sound and hold what the manifest says."""
    for name, said in manifest.databases.items():
        with read_only(folder / name) as db:
            sound = db.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
            found = contents(db)
        if not sound or found != said:
            raise StoreRefused(f"{folder / name}: holds {found}, the backup says {said}. Check the disk and try again")


def _move_in(manifest: Manifest, restoring: Path, folder: Path) -> None:
    """Give folders their permissions and the broker its files, which name the place where they stand."""
    for name, mode in sorted(manifest.folders.items(), reverse=True):
        (restoring / name).mkdir(parents=True, exist_ok=True)
        (restoring / name).chmod(mode & 0o777)
    broker = CentreFolder(restoring).broker
    settings = broker / "mosquitto.conf"
    if settings.is_file():
        write_whole(settings, settings.read_bytes().replace(manifest.root.encode(), str(folder).encode()))
        give_to(broker, BROKER_USER)


def _restored(manifest: Manifest, folder: Path) -> Restored:
    return Restored(
        folder=str(folder),
        taken_ms=manifest.taken_ms,
        files=len(manifest.files),
        rows={name: sum(said.rows.values()) for name, said in manifest.databases.items()},
        left_out=manifest.left_out,
        lines=manifest.lines.readings + manifest.lines.numbers,
    )
