"""`steppe console run` at another time than the machine's: CENTRE_TOML PORT START_MS, as a process of the tests."""

import logging
import sys
import time
from pathlib import Path

from dashboards.console.server import serve
from dashboards.console.settings import ConsoleSettings
from edge.clock import VirtualClock
from ingest.config import load_centre


def main(centre_file: str, port: str, start_ms: str) -> None:
    """Serve until told to stop; time begins at `start_ms` and goes as fast as it does."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    clock = VirtualClock(int(start_ms), time.monotonic(), 1.0)
    serve(load_centre(Path(centre_file)), ConsoleSettings(port=int(port)), clock)


if __name__ == "__main__":
    main(*sys.argv[1:])
