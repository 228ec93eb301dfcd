"""What is installed is what was meant: five top-level names, one command, locked requirements, data in the wheel."""

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("edge", "ingest", "analytics", "dashboards", "simulators")


@pytest.mark.parametrize("name", [*ROOMS, "steppe"])
def test_no_other_distribution_claims_our_top_level_names(name: str) -> None:
    owners = set(importlib.metadata.packages_distributions().get(name, []))
    assert owners <= {"steppe"}


@pytest.mark.parametrize("lock", ["edge", "centre", "dev", "build", "node"])
def test_every_requirement_is_pinned_by_hash_and_names_no_host(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    for entry in re.split(r"\n(?=[a-zA-Z])", text):
        if re.match(r"[a-zA-Z]", entry):
            assert "==" in entry.splitlines()[0], entry.splitlines()[0]
            assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_the_gateway_needs_no_numpy() -> None:
    locked = (ROOT / "requirements" / "edge.txt").read_text(encoding="utf-8")
    assert not re.search(r"^(numpy|scipy|pyarrow)==", locked, re.MULTILINE)


def test_the_edge_runs_without_the_centre_s_packages() -> None:
    """The whole gateway agent is imported with numpy, scipy and pyarrow out of reach."""
    probe = (
        "import sys\n"
        "for name in ('numpy', 'scipy', 'pyarrow', 'rich', 'iotcore'): sys.modules[name] = None\n"
        "import edge.agent, edge.cli\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_command_answers_with_its_version() -> None:
    done = subprocess.run([sys.executable, "-m", "steppe", "--version"], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == f"steppe, version {importlib.metadata.version('steppe')}"
