"""What the tests of the power commands share."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from analytics.power_cli import power

Run = Callable[..., Result]


@pytest.fixture
def run_power() -> Run:
    """Run `steppe power …`; an error of ours rises as it is."""

    def run(*arguments: object) -> Result:
        result = CliRunner().invoke(power, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def power_json(run_power: Run) -> Callable[..., Any]:
    """Run `steppe power … --json` and read the one object it prints."""
    return lambda *arguments: json.loads(run_power(*arguments, "--json").stdout)


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    """Write a table of text lines."""

    def write(name: str, *lines: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
        return path

    return write
