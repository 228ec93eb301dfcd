"""Nothing is compiled on a gateway or a centre of 64-bit ARM: every locked package has a wheel for it."""

import json
import re
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements"
OLDEST_GLIBC = {(3, 11): 36, (3, 12): 39, (3, 13): 41}
"""Python and glibc of Debian 12, Ubuntu 24.04 and Debian 13."""
ENTRY = re.compile(r"^(?P<pin>[A-Za-z0-9._-]+==[^\s;\\]+)(?: *; *(?P<marker>[^\\\n]+?))? *\\?$", re.MULTILINE)

pytestmark = pytest.mark.skipif(not REQUIREMENTS.is_dir(), reason="the locks stand in the checkout, not in the wheel")


def tags(python: tuple[int, int], glibc: int) -> set[Tag]:
    """What pip would take on Linux on aarch64."""
    platforms = [*(f"manylinux_2_{minor}_aarch64" for minor in range(17, glibc + 1)), "manylinux2014_aarch64"]
    return {
        *cpython_tags(python, platforms=platforms),
        *compatible_tags(python, f"cp{python[0]}{python[1]}", platforms),
    }


def is_wanted(marker: str | None, python: tuple[int, int]) -> bool:
    version = f"{python[0]}.{python[1]}"
    machine = {
        "python_version": version,
        "python_full_version": f"{version}.2",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "platform_machine": "aarch64",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
    }
    return marker is None or Marker(marker).evaluate(machine)


def without_a_wheel(lock: str, listed: dict[str, str], python: tuple[int, int]) -> list[str]:
    """The pins of a lock that would have to be compiled."""
    text = (REQUIREMENTS / f"{lock}.txt").read_text(encoding="utf-8")
    hashes = set(re.findall(r"sha256:([0-9a-f]{64})", text))
    fitting = tags(python, OLDEST_GLIBC[python])
    held = set()
    for file, digest in listed.items():
        name, version, _, file_tags = parse_wheel_filename(file)
        if digest in hashes and file_tags & fitting:
            held.add(f"{name}=={version}")
    wanted = [entry["pin"] for entry in ENTRY.finditer(text) if is_wanted(entry["marker"], python)]
    assert wanted, f"{lock}.txt names no package"
    return [pin for pin in wanted if pin.lower().replace("_", "-") not in held]


@pytest.fixture(scope="module")
def listed() -> dict[str, str]:
    return json.loads((REQUIREMENTS / "wheel_tags.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("python", OLDEST_GLIBC, ids=lambda version: f"{version[0]}.{version[1]}")
@pytest.mark.parametrize("lock", ["edge", "centre"])
def test_no_package_needs_a_compiler_on_aarch64(lock: str, python: tuple[int, int], listed: dict[str, str]) -> None:
    assert without_a_wheel(lock, listed, python) == [], "run `make lock`; if it stays, pin a version that has a wheel"


def test_a_package_without_such_a_wheel_is_found(listed: dict[str, str]) -> None:
    """As a newer msgspec that came as source alone would be."""
    others = {file: digest for file, digest in listed.items() if not file.startswith("msgspec-")}
    assert [pin.partition("==")[0] for pin in without_a_wheel("edge", others, (3, 11))] == ["msgspec"]
