"""`make audit`: what is withdrawn or known to be weak fails it; a service out of reach is said, not passed over."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "requirements" / "audit.py"

pytestmark = pytest.mark.skipif(not SCRIPT.is_file(), reason="the audit stands in the checkout, not in the wheel")


def audit(folder: Path, uv: str) -> subprocess.CompletedProcess[str]:
    """Run it with a uv that answers as `uv`, a shell script, says."""
    program = folder / "uv"
    program.write_text(f"#!/bin/sh\n{uv}\n", encoding="utf-8")
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, str(SCRIPT)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_packages_without_a_known_weakness_pass(tmp_path: Path) -> None:
    done = audit(tmp_path, "exit 0")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_known_weakness_fails(tmp_path: Path) -> None:
    done = audit(tmp_path, 'test "$1" = lock || { echo "jinja2 2.10 has 1 known vulnerability"; exit 1; }')
    assert done.returncode == 1
    assert "jinja2" in done.stdout


def test_a_withdrawn_package_fails(tmp_path: Path) -> None:
    done = audit(tmp_path, "test $1 != lock || echo 'warning: x==1 is yanked (broken)' >&2")
    assert (done.returncode, "withdrawn" in done.stdout) == (1, True)


@pytest.mark.parametrize(("uv", "service"), [("exit 2", "index"), ('test "$1" = lock || exit 2', "known weaknesses")])
def test_a_service_out_of_reach_is_said(tmp_path: Path, uv: str, service: str) -> None:
    done = audit(tmp_path, uv)
    assert done.returncode == 0
    assert "NOT AUDITED" in done.stderr
    assert service in done.stderr
