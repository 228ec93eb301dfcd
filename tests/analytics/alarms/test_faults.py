"""Random faults of a small county: one page, about the right cause, and nothing critical hidden."""

from pathlib import Path

import pytest
from support.fault_scenarios import play_fault


@pytest.mark.parametrize("seed", [*range(18), 57, 183])
def test_a_random_fault_is_one_page_about_its_cause(tmp_path: Path, seed: int) -> None:
    """57 and 183: a feeder's sites without a gateway point of their own fell silent after their batteries."""
    verdict = play_fault(seed, tmp_path)
    assert verdict.right, verdict
