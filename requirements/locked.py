"""The pins of a lock file, and a project for uv that depends on exactly these."""

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PIN = re.compile(r"^([A-Za-z0-9._-]+==[^\\\n]+?) *\\?$", re.MULTILINE)
PROJECT = """
[project]
name = "locked"
version = "0"
requires-python = ">=3.11"
dependencies = {pins}
"""


def text_of(lock: str) -> str:
    """Return the text of `edge`, `centre` or another lock file."""
    return (FOLDER / f"{lock}.txt").read_text(encoding="utf-8")


@contextmanager
def locked_project(lock: str) -> Iterator[Path]:
    """Give the folder of a project that depends on the pins of a lock, markers and all."""
    with tempfile.TemporaryDirectory() as folder:
        project = PROJECT.format(pins=json.dumps(PIN.findall(text_of(lock)), indent=1))
        (Path(folder) / "pyproject.toml").write_text(project, encoding="utf-8")
        yield Path(folder)
