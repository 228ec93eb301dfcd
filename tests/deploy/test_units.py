"""The systemd units: as closed as a service of this kind can be, and complete."""

import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
MOST_EXPOSURE = 2.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A file system on which the units are installed, and nothing else."""
    if not UNITS.is_dir():
        pytest.skip("the units stand in the checkout, not in the wheel")
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not on this machine")
    shutil.copytree(UNITS, tmp_path / "etc" / "systemd" / "system")
    return tmp_path


@pytest.mark.parametrize("service", SERVICES)
def test_a_unit_is_hardened(root: Path, service: str) -> None:
    """What systemd-analyze calls exposure, from 0 (closed) to 10, stays at 2 or below."""
    threshold = str(int(MOST_EXPOSURE * 10))
    command = ["systemd-analyze", "security", "--offline=true", f"--root={root}", f"--threshold={threshold}", service]
    looked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert looked.returncode == 0, looked.stdout[-300:] + looked.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_a_unit_names_a_command_of_ours_and_is_started_with_the_machine(service: str) -> None:
    timer = UNITS / service.replace(".service", ".timer")
    assert "ExecStart=/opt/steppe/bin/steppe " in (UNITS / service).read_text()
    assert "WantedBy=" in (timer if timer.exists() else UNITS / service).read_text()


def test_the_centre_target_wants_every_service_that_is_part_of_it() -> None:
    """One word starts and stops the whole centre."""
    wanted = set((UNITS / "steppe-centre.target").read_text().split("Wants=")[1].splitlines()[0].split())
    assert wanted == {name for name in SERVICES if "PartOf=steppe-centre.target" in (UNITS / name).read_text()}
