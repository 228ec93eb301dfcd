"""A release made out of a copy of the checkout, as `make release` makes it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "tests", "docs", "dist", "build")
RELEASE_S = 240


def make_release(folder: Path, *, stamp_s: float) -> Path:
    """Make a release of this checkout with all its files dated `stamp_s`; return its folder."""
    checkout, release = folder / "checkout", folder / "release"
    shutil.copytree(ROOT, checkout, ignore=NOT_COPIED)
    for path in checkout.rglob("*"):
        os.utime(path, (stamp_s, stamp_s))
    command = [sys.executable, "-W", "ignore", str(checkout / "deploy" / "release.py"), str(release)]
    subprocess.run(command, check=True, capture_output=True, timeout=RELEASE_S)
    return release
