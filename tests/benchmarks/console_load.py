"""The console of a county of 2 000 points with a year of numbers: how long each page takes, and 50 browsers watching.

The county's year of daily sums, interruptions and alarms stands in its files; every point has two days of readings.
Each page is asked for one request at a time, as one reader does; the first answers, which fill caches, count too.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import numpy as np
import psutil
from benchmarks.table import Row
from support.console_browser import Browser
from support.console_pages import FIXED, Shown
from support.console_server import ConsoleServer, console_server
from support.report_county import ReportCounty, Size

from ingest.days import DAY_MS, day_bounds
from ingest.register_files import load_register
from ingest.store import Columns
from ingest.store_sqlite import SqliteStore

SIZE = Size(sumu=6, transformers=105, works=2, first_day="2025-01-01", days=365, step_min=60)
READ_MS, READ_DAYS = 10 * 60_000, 2
ASKED = 20
PAGE_MS = 100.0
WATCHERS, WATCHED_S = 50, 20.0
FOLLOWED = [f"s0/t{number}.l1.voltage_v" for number in range(10)]
MORE_PAGES = (
    Shown("kpi, a finished month", "/kpi?month=2025-10"),
    Shown("performance, a year", "/alarms/performance?from=2025-01-01&to=2025-12-31"),
    Shown("region, a sumu", "/regions/150102"),
    Shown("site", "/sites/works0-0"),
    Shown("point, a day", "/points/works0-0/outlet.ph"),
    Shown("point, a year as a table", "/points/works0-0/outlet.ph?span=year&table=1"),
    Shown("series of a point, a year", "/api/v1/points/works0-0/outlet.ph/series?span=year"),
    Shown("asset", "/register/assets/s0t1"),
)


def measure() -> list[Row]:
    """Ask each page, then let the browsers watch."""
    with tempfile.TemporaryDirectory() as scratch:
        county = ReportCounty(Path(scratch) / "county", SIZE)
        county.folder.mkdir()
        centre = county.write()
        now_ms = day_bounds(county.days[-1], centre.timezone)[1]
        points = len(_read_everything(county, now_ms))
        with console_server(county.folder, now_ms) as server, closing(httpx2.Client(base_url=server.url)) as http:
            _enter(server, http)
            rows = [*_pages(http), *_watch(server, http)]
    return [Row("points of the county", points, "", f"{SIZE.days} days of numbers"), *rows]


def _read_everything(county: ReportCounty, now_ms: int) -> list[str]:
    """Give every voltage two days of readings; return every point's name."""
    register = load_register(county.folder / "register", "Asia/Shanghai")
    volts = [name for name in register.points if name.endswith("voltage_v")]
    t_ms = np.arange(now_ms - READ_DAYS * DAY_MS, now_ms, READ_MS, dtype=np.int64)
    made = np.random.default_rng(1)
    with closing(SqliteStore(county.folder / "data" / "store.db")) as store:
        for name in volts:
            value = register.points[name].nominal or 220.0
            good = np.zeros(len(t_ms), np.uint8)
            store.append(Columns((name,), good.astype(np.int32), t_ms, made.normal(value, 2, len(t_ms)), good))
    return list(register.points)


def _enter(server: ConsoleServer, http: httpx2.Client) -> None:
    path = server.link("admin").removeprefix(server.url)
    browser = Browser(http)  # type: ignore[arg-type]
    assert browser.post(path).status_code == 303


def _pages(http: httpx2.Client) -> Iterator[Row]:
    for page in (*FIXED, *MORE_PAGES):
        took_ms = sorted(_ask_ms(http, page.path) for _ in range(ASKED))
        p95 = took_ms[round(0.95 * ASKED) - 1]
        yield Row(f"p95 of {page.name}", p95, "ms", f"limit {PAGE_MS:.0f}; median {took_ms[ASKED // 2]:.0f}")


def _ask_ms(http: httpx2.Client, path: str) -> float:
    began = time.perf_counter()
    answer = http.get(path, timeout=30)
    took_ms = (time.perf_counter() - began) * 1000
    assert answer.status_code < 500, f"{path}: {answer.status_code}"
    return took_ms


def _watch(server: ConsoleServer, http: httpx2.Client) -> Iterator[Row]:
    """CPU, memory and network of many streams that each follow ten points and get a beat a second."""
    process = psutil.Process(server.pid)
    before = process.cpu_times()
    heard = asyncio.run(_listen(server.port, str(http.cookies["steppe"])))
    after = process.cpu_times()
    used_s = after.user + after.system - before.user - before.system
    yield Row(f"{WATCHERS} browsers watch: CPU", 100 * used_s / WATCHED_S, "% of a core", "limit 50")
    yield Row(f"{WATCHERS} browsers watch: memory", process.memory_info().rss / 2**20, "MiB", "with a year's sums")
    yield Row("a browser that watches", heard / WATCHERS / WATCHED_S, "B/s", "limit 500")


async def _listen(port: int, word: str) -> int:
    """Bytes that all streams together told."""
    return sum(await asyncio.gather(*(_stream(port, word) for _ in range(WATCHERS))))


async def _stream(port: int, word: str) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    query = "&".join(f"points={point}" for point in FOLLOWED)
    asked = f"GET /live?{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: steppe={word}\r\n\r\n"
    writer.write(asked.encode())
    count, loop = 0, asyncio.get_running_loop()
    ends_s = loop.time() + WATCHED_S
    while (left_s := ends_s - loop.time()) > 0:
        try:
            count += len(await asyncio.wait_for(reader.read(65_536), left_s))
        except TimeoutError:
            break
    writer.close()
    return count
