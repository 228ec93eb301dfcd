"""The meters of the soak's county as a process: `python soak_meters.py FOLDER SITES`; ports go to FOLDER/ports.json."""

import asyncio
import json
import sys
import time
from pathlib import Path

from soak_county import meter_links, site_names  # a script finds its own folder first

from simulators.child import PORTS_FILE, end_with_parent, write_whole
from simulators.serve import serve


async def answer(folder: Path, sites: int) -> None:
    """Serve every meter, by the machine's clock, until this process is ended."""
    async with serve(meter_links(site_names(sites)), lambda: time.time_ns() // 1_000_000) as ports:
        write_whole(folder / PORTS_FILE, json.dumps(ports))
        await asyncio.Event().wait()


if __name__ == "__main__":
    end_with_parent()
    asyncio.run(answer(Path(sys.argv[1]), int(sys.argv[2])))
