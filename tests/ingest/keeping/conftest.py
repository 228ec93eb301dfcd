"""A small centre for what looks after it."""

from pathlib import Path

import pytest
from support.small_centre import SmallCentre


@pytest.fixture
def centre(tmp_path: Path) -> SmallCentre:
    """A centre folder as `steppe centre init` makes it, embedded store."""
    return SmallCentre.made(tmp_path / "centre")
