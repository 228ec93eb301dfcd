"""A release of this checkout, made once for all tests of the room, and whether its packages can be fetched."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.release import RELEASE_S, ROOT, make_release
from support.servers import missing


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `make release` writes."""
    if os.environ.get("STEPPE_INSTALLED") or not (ROOT / "deploy" / "release.py").is_file():
        pytest.skip("releases are made from a checkout, with what builds it")
    return make_release(tmp_path_factory.mktemp("release"), stamp_s=1_700_000_000)


@pytest.fixture(scope="session")
def index_answers(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip where the locked packages cannot be fetched."""
    folder = str(tmp_path_factory.mktemp("fetched"))
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, "click"]
    if subprocess.run(command, check=False, capture_output=True, timeout=RELEASE_S).returncode != 0:
        missing("the package index cannot be reached")
