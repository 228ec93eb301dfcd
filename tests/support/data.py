"""Recorded data that stands beside the checkout and is not part of the product."""

import os
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def recording(name: str) -> Path:
    """Return the path of a recording; skip the test where it is not at hand (a failure under CI)."""
    path = DATA / name
    if path.exists():
        return path
    message = f"the recording {name} is not beside the checkout (../shared/data)"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
