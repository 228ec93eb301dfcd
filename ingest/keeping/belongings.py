"""What belongs to a centre and where each of it stands in a restored folder."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from edge.errors import BadInput
from ingest.authority.folder import CentreFolder
from ingest.config import Centre, load_centre

KEY = ".key"
SECRET_BYTES = 64 * 1024
"""A file of mode 600 beside the configuration, up to this size, is taken for a password or a token. [bytes]"""


@dataclass(frozen=True)
class Belongings:
    """Files by their name in the restored folder."""

    databases: dict[str, Path]
    """The ones with long transactions first."""
    journal: str
    """Which of them is the journal."""
    files: dict[str, Path]
    secrets: dict[str, Path]
    """Keys, passwords, tokens."""
    folders: dict[str, int]
    """Their permissions; some are empty."""
    centre_toml: bytes
    """As it holds in the restored folder."""


def belongings(centre_file: Path) -> Belongings:
    """Return what the centre of `centre_file` is made of. Raises BadInput, ConfigError."""
    centre = load_centre(centre_file)
    root, data = centre_file.resolve().parent, Path(centre.data_dir)
    text = centre_file.read_text(encoding="utf-8")
    data_name, text = _place(text, root, data, "data_dir", "data")
    register_name, text = _place(text, root, Path(centre.register), "register", "register")
    databases = {_name(data_name, path.name): path for path in sorted(data.glob("*.db"), key=lambda path: path.name)}
    journal, store = _name(data_name, centre.journal.path), _store_name(centre, data_name)
    for name in filter(None, (journal, store)):
        if name not in databases:
            raise BadInput(f"{data / PurePosixPath(name).name}: there is none, or not in data_dir. Keep it in data_dir")
    first = {store: databases.pop(store)} if store else {}
    last = {journal: databases.pop(journal)}
    roll = {name: path for name, path in _papers(root) if path.suffix == ".db"}
    files = {
        _name(register_name, path.name): path
        for path in sorted(Path(centre.register).iterdir())
        if path.suffix in (".csv", ".toml")
    }
    files |= {path.name: path for path in sorted(root.glob("*.toml")) if path != centre_file.resolve()}
    files |= {name: path for name, path in _papers(root) if path.suffix not in (".db", KEY)}
    secrets = {name: path for name, path in _papers(root) if path.suffix == KEY}
    for name, folder in (data_name, data), (register_name, Path(centre.register)), (".", root):
        secrets |= _passwords(name, folder)
    for name in secrets:
        files.pop(name, None)
    return Belongings(first | databases | roll | last, journal, files, secrets, _folders(root), text.encode())


def _place(text: str, root: Path, folder: Path, key: str, otherwise: str) -> tuple[str, str]:
    """The folder's name in the restored one, and the configuration that says so: what stood elsewhere moves in."""
    if folder.resolve().is_relative_to(root):
        return folder.resolve().relative_to(root).as_posix(), text
    return otherwise, re.sub(rf"^{key}\s*=.*$", f'{key} = "{otherwise}"', text, count=1, flags=re.MULTILINE)


def _name(folder: str, file: str) -> str:
    return (PurePosixPath(folder) / file).as_posix()


def _store_name(centre: Centre, data_name: str) -> str | None:
    return None if centre.store.is_influxdb else _name(data_name, centre.store.url.removeprefix("sqlite:///"))


def _papers(root: Path) -> Iterator[tuple[str, Path]]:
    """Authority, the broker's files, the processes' certificates; not what the broker itself writes."""
    folder = CentreFolder(root)
    for part in (folder.authority, folder.broker, folder.identities):
        for path in sorted(part.rglob("*")):
            if path.is_file() and not path.is_relative_to(folder.broker_state) and not _is_beside(path):
                yield path.relative_to(root).as_posix(), path


def _passwords(name: str, folder: Path) -> dict[str, Path]:
    return {
        _name(name, path.name): path
        for path in sorted(folder.iterdir())
        if path.is_file()
        and path.stat().st_mode & 0o077 == 0
        and path.stat().st_size <= SECRET_BYTES
        and path.suffix not in (".db", ".toml", ".csv")
        and not _is_beside(path)
        and not zipfile.is_zipfile(path)  # an earlier backup
    }


def _folders(root: Path) -> dict[str, int]:
    layout = CentreFolder(root)
    parts = (root, layout.data, layout.register, layout.sites, layout.authority, layout.broker, layout.broker_state)
    found = [part for part in (*parts, layout.identities) if part.is_dir()]
    return {part.relative_to(root).as_posix(): part.stat().st_mode & 0o777 for part in found}


def _is_beside(path: Path) -> bool:
    """What SQLite and locks keep beside a database."""
    return path.name.endswith(("-wal", "-shm", ".lock"))
