"""Measure, and print one table: `make bench`, or `python -m benchmarks NAME…` for some of it.

Every figure is measured in this run on this machine; a ratio compares with a peer or a limit of the same run.
"""

import importlib
import os
import platform
import sys
import time

from rich.console import Console
from rich.table import Table

MODULES = {
    "power_speed": "classification, counting and ledgers beside NumPy, pandas, polars and DuckDB",
    "power_calibration": "simulated county-months: do the bounds contain the truth?",
    "backfill_speed": "a county's days recomputed on one and on two workers",
    "store_rates": "readings into SQLite and InfluxDB",
    "road_rates": "sealed batches to the store, beside Telegraf where it is installed",
    "console_load": "each page of a county of 2 000 points, and 50 browsers that watch",
    "console_trend": "a year of one point opened and exported",
    "edge_cost": "memory and CPU of a gateway",
    "alarm_cost": "alarms of 10 000 points, and 200 random faults: one page, the right cause",
    "alarm_road": "from a register that changes to the notice that leaves, every program at work",
    "water_cost": "detection and signals",
}


def main(names: list[str]) -> None:
    """Run the named modules, all of them by default, and print their rows."""
    unknown = [name for name in names if name not in MODULES]
    if unknown:
        sys.exit(f"no bench named {unknown[0]}; there are: {', '.join(MODULES)}")
    console = Console(width=None if sys.stdout.isatty() else 140)
    table = Table(title=f"steppe on {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for heading, justify in (("figure", "left"), ("value", "right"), ("unit", "left"), ("beside it", "left")):
        table.add_column(heading, justify="right" if justify == "right" else "left")
    for name in names or MODULES:
        began = time.monotonic()
        console.print(f"{name}: {MODULES[name]} …", style="dim", highlight=False)
        for row in importlib.import_module(f"benchmarks.{name}").measure():
            table.add_row(row.name, f"{row.value:,.4g}", row.unit, row.reference)
        console.print(f"  {time.monotonic() - began:.0f} s", style="dim", highlight=False)
        table.add_section()
    console.print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
