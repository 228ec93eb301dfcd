"""Load a TOML file into frozen types: a file that loads is a file that can run."""

import tomllib
from pathlib import Path
from typing import TypeVar

import msgspec

from edge.errors import ConfigError

T = TypeVar("T")


def load_toml(path: Path, kind: type[T], *, sample: str) -> T:
    """Return the file at `path` as a `kind`; `sample` names the file in which every key is explained.

    Raises ConfigError with the file, the place and the remedy.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: cannot be read ({error}). Save it as UTF-8 text where this user may read it"
        ) from error
    try:
        return msgspec.convert(tomllib.loads(text), kind)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}. Compare it with {sample}") from error
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {error}. Every key is explained in {sample}") from error


def read_secret(path: Path) -> str:
    """Return the secret kept in the file at `path`, without the line end."""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(
            f"{path}: the secret cannot be read ({error.strerror}). Create the file with mode 600"
        ) from error
    if not secret:
        raise ConfigError(f"{path}: the secret file is empty. Put the token or password in it")
    return secret
