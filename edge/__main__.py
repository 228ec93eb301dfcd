"""The gateway's process: `python -P -m edge site.toml`, which is what `steppe edge run` turns into.

Nothing else is in it: the command line takes a MiB and the HTTP client behind paho's way through proxies nearly two,
and a gateway uses neither.
"""

import asyncio
import importlib
import os
import sys
import urllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from edge.errors import BadInput, SteppeError
from edge.timesync import ClockState


def become_the_gateway(site_file: Path) -> NoReturn:
    """Let the gateway of `site_file` take the place of this process, under the same process id."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-P", "-m", "edge", str(site_file)])  # noqa: S606 (no shell)


def run_gateway(site_file: Path, clock_state: Callable[[], ClockState] | None = None) -> None:
    """Read and deliver until stopped; `clock_state` as in `edge.agent.run`. Raises SteppeError."""
    load_when_used("request")
    from edge.agent import run
    from edge.clock import RealClock
    from edge.site import load_site

    asyncio.run(run(load_site(site_file), site_file.resolve().parent, RealClock(), clock_state=clock_state))


def load_when_used(name: str) -> None:
    """Put a placeholder where the module `urllib.<name>` would be, until somebody takes something out of it."""
    full_name = f"urllib.{name}"
    placeholder = ModuleType(full_name)

    def take(attribute: str) -> object:
        if sys.modules.get(full_name) is placeholder:
            del sys.modules[full_name]
        return getattr(importlib.import_module(full_name), attribute)

    placeholder.__getattr__ = take  # type: ignore[method-assign]
    sys.modules.setdefault(full_name, placeholder)
    setattr(urllib, name, sys.modules[full_name])


if __name__ == "__main__":
    try:
        run_gateway(Path(sys.argv[1]))
    except SteppeError as error:
        sys.stderr.write(f"steppe: {error}\n")
        sys.exit(2 if isinstance(error, BadInput) else 1)
