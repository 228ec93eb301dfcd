"""What every test shares: fixtures of real servers, and a check that the packaged run tests the wheel."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

import edge

settings.register_profile("steppe", deadline=None, print_blob=True)
settings.load_profile("steppe")

ROOT = Path(__file__).resolve().parents[1]


def pytest_configure() -> None:
    """Refuse to test the checkout where the installed wheel was asked for."""
    if os.environ.get("STEPPE_INSTALLED") and Path(edge.__file__).is_relative_to(ROOT / "edge"):
        raise RuntimeError("STEPPE_INSTALLED is set, but `edge` comes from the checkout: run with `python -Im pytest`")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The plays of many processes first: they mostly wait, and the last of them would be waited for alone."""
    items.sort(key=lambda item: "road" not in item.keywords)
