"""Write which wheels of the locked packages a 64-bit ARM gateway or centre would install; `make lock` calls it.

    python requirements/wheel_tags.py

Asks uv for the files that the index has of each pinned version, and keeps those whose hash is locked and whose tags say
"any" or Linux on aarch64. `tests/test_wheel_tags.py` reads the list without a network.
"""

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator

from locked import FOLDER, locked_project, text_of

LOCK = "centre"
"""Holds what a gateway needs too."""
LIST = FOLDER / "wheel_tags.json"


def main() -> None:
    """Write the list."""
    hashes = set(re.findall(r"sha256:([0-9a-f]{64})", text_of(LOCK)))
    wheels = {name: digest for name, digest in _wheels() if digest in hashes and _is_for_aarch64(name)}
    LIST.write_text(json.dumps(dict(sorted(wheels.items())), indent=1) + "\n", encoding="utf-8")


def _wheels() -> Iterator[tuple[str, str]]:
    """Yield file name and hash of every wheel of the pinned versions."""
    with locked_project(LOCK) as folder:
        subprocess.run(["uv", "lock", "--quiet", "--project", str(folder)], check=True)  # noqa: S603, S607
        packages = tomllib.loads((folder / "uv.lock").read_text(encoding="utf-8"))["package"]
    for package in packages:
        for wheel in package.get("wheels", []):
            yield wheel["url"].rpartition("/")[2], wheel["hash"].removeprefix("sha256:")


def _is_for_aarch64(name: str) -> bool:
    platform = name.removesuffix(".whl").rpartition("-")[2]
    return platform == "any" or ("manylinux" in platform and platform.endswith("aarch64"))


if __name__ == "__main__":
    main()
