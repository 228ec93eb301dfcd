"""The wheel with a gateway's packages alone, on every Python we name: it works, and needs no numpy."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.release import ROOT

PYTHONS = ("3.11", "3.12", "3.13")
INSTALL_S = 300
IMPORT_TIME = """
import sys, time
began = time.perf_counter()
import edge.cli, edge.agent
print(time.perf_counter() - began, "numpy" in sys.modules)
"""
MOST_IMPORT_S = 5.0
"""Ten times what an idle machine takes: tests run beside others."""
MOST_MB = 60.0


def interpreter(version: str) -> str:
    """A Python of that version, or skip."""
    here = ".".join(map(str, sys.version_info[:2]))
    if version == here:
        return sys.executable
    pyenv = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    found = str(pyenv[-1]) if pyenv else shutil.which(f"python{version}")
    return found or pytest.skip(f"Python {version} is not on this machine")


def call(*command: object) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, timeout=INSTALL_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in (folder, *folder.rglob("*")) if path.is_file()) / 1e6


@pytest.fixture(scope="module", params=PYTHONS)
def gateway(
    request: pytest.FixtureRequest, release: Path, index_answers: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """An empty environment with the wheel and what edge.txt pins."""
    home = tmp_path_factory.mktemp(f"python{request.param}") / "steppe"
    call(interpreter(request.param), "-m", "venv", home)
    pip = (home / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    call(*pip, "--only-binary", ":all:", "--require-hashes", "-r", release / "edge.txt")
    call(*pip, "--no-deps", *release.glob("steppe-*.whl"))
    yield home
    shutil.rmtree(home)


@pytest.mark.parametrize("sample", ["edge/site.sample.toml"])
def test_the_sample_is_checked_by_a_gateway_s_packages_alone(gateway: Path, sample: str) -> None:
    plan = json.loads(call(gateway / "bin" / "steppe", "edge", "check", "--json", ROOT / sample))
    assert plan["points"] > 0


def test_a_gateway_has_no_numpy_loads_quickly_and_is_small(gateway: Path) -> None:
    packages = next((gateway / "lib").glob("python*")) / "site-packages"
    assert not (packages / "numpy").exists()
    seconds, has_numpy = call(gateway / "bin" / "python", "-I", "-c", IMPORT_TIME).split()
    ours = sum(size_mb(packages / part) for part in packages.iterdir() if part.name not in ("pip", "setuptools"))
    print(f"{packages.parent.name}: agent imported in {float(seconds):.2f} s, {ours:.1f} MB installed")
    assert has_numpy == "False"
    assert float(seconds) < MOST_IMPORT_S
    assert ours < MOST_MB


def test_the_doctor_runs_on_a_gateway_s_packages_alone(gateway: Path) -> None:
    command = [str(gateway / "bin" / "steppe"), "doctor", "--json", str(ROOT / "edge" / "site.sample.toml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=INSTALL_S)
    assert done.returncode in (0, 1), done.stderr
    assert json.loads(done.stdout)["findings"]
