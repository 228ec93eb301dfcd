"""A whole site is polled: real servers, a virtual clock, deadbands, and the gateway's own readings."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.modbus_peers import pymodbustcp_server

from edge.clock import VirtualClock
from edge.devices import Device, SitePoint
from edge.exception_report import Deadband, ExceptionReport
from edge.gateway import MAINS_ON, read_mains
from edge.poll import acquire, point_list
from edge.site import Gateway, Site, Uplink
from edge.wire import Quality, Reading

START_MS = 1_700_000_000_000
POINTS = [
    SitePoint(name="a_v", table="holding_register", register=10, type="uint16", scale=0.1),
    SitePoint(name="b_on", table="coil", register=3, type="bit"),
]


def site_of(*devices: Device, gateway: Gateway | None = None) -> Site:
    return Site("s", Uplink("mqtt://127.0.0.1"), list(devices), gateway=gateway or Gateway())


def poll_until(site: Site, enough: Callable[[list[Reading]], bool], *, speed: float = 200.0) -> list[Reading]:
    """Poll until there are enough readings, or fail after ten seconds."""
    rows: list[Reading] = []

    async def run() -> None:
        clock, done = VirtualClock(START_MS, time.monotonic(), speed), asyncio.Event()

        def emit(readings: Sequence[Reading]) -> None:
            rows.extend(readings)
            if enough(rows):
                done.set()

        task = asyncio.get_running_loop().create_task(acquire(site, clock, emit))
        await asyncio.wait_for(done.wait(), 10)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(run())
    return rows


def test_a_site_is_polled_in_virtual_time():
    with pymodbustcp_server() as port:
        site = site_of(Device("m", f"tcp://127.0.0.1:{port}", poll_every_s=20, points=POINTS))
        rows = poll_until(site, lambda rows: sum(row.point == "m.a_v" for row in rows) >= 5)
    volts = [row for row in rows if row.point == "m.a_v"]
    assert {(row.value, row.quality) for row in volts} == {(3.1, Quality.GOOD)}
    steps = [later.sampled_ms - row.sampled_ms for row, later in itertools.pairwise(volts)]
    assert all(15_000 <= step <= 30_000 for step in steps)
    assert {row.value for row in rows if row.point == "m.b_on"} == {1.0}


def test_a_dead_device_and_a_missing_host_leave_the_others_alone():
    with pymodbustcp_server() as port:
        site = site_of(
            Device("gone", "tcp://127.0.0.1:1", poll_every_s=20, timeout_s=0.05, points=POINTS),
            Device("alive", f"tcp://127.0.0.1:{port}", poll_every_s=20, timeout_s=0.5, points=POINTS),
        )
        rows = poll_until(site, lambda rows: sum(row.point == "gone.a_v" for row in rows) >= 4)
    assert {(r.value, r.quality) for r in rows if r.point == "gone.a_v"} == {(None, Quality.BAD_NO_ANSWER)}
    alive = [row for row in rows if row.point == "alive.a_v"]
    assert len(alive) >= 3
    assert all(row.quality is Quality.GOOD for row in alive)


def test_the_point_list_promises_what_is_polled():
    with pymodbustcp_server() as port:
        deadband = SitePoint(name="a_v", deadband=1.0, max_silence_s=100.0, **without_name(POINTS[0]))
        site = site_of(Device("m", f"tcp://127.0.0.1:{port}", poll_every_s=20, points=[deadband, POINTS[1]]))
        rows = poll_until(site, lambda rows: sum(row.point == "m.b_on" for row in rows) >= 2)
    promised = {info.name: info for info in point_list(site)}
    assert {row.point for row in rows} == set(promised)
    assert (promised["m.a_v"].by_exception, promised["m.a_v"].max_silence_s) == (True, 100.0)
    assert (promised["m.b_on"].by_exception, promised["m.b_on"].period_s) == (False, 20)
    assert promised["gateway.late_polls_count"].counter


def without_name(point: SitePoint) -> dict[str, object]:
    return {"table": point.table, "register": point.register, "type": point.type, "scale": point.scale}


def test_a_lost_mains_supply_is_reported_at_once_and_again_each_period(tmp_path):
    mains = tmp_path / "mains"
    mains.write_text("1\n")
    with pymodbustcp_server() as port:
        site = site_of(
            Device("m", f"tcp://127.0.0.1:{port}", poll_every_s=600, points=POINTS),
            gateway=Gateway(period_s=600, mains_file=str(mains)),
        )

        def enough(rows: list[Reading]) -> bool:
            seen = [row for row in rows if row.point == MAINS_ON]
            if len(seen) == 1:
                mains.write_text("0\n")
            return len(seen) >= 3

        rows = [row for row in poll_until(site, enough) if row.point == MAINS_ON]
    assert [row.value for row in rows] == [1.0, 0.0, 0.0]
    assert rows[1].sampled_ms - rows[0].sampled_ms < 60_000


@pytest.mark.parametrize("text", ["", "on", "2", "0 1"])
def test_a_mains_file_that_says_something_else_is_not_available(tmp_path, text):
    (tmp_path / "mains").write_text(text)
    assert read_mains(tmp_path / "mains", 5) == Reading(MAINS_ON, 5, None, Quality.BAD_NOT_AVAILABLE)
    assert read_mains(tmp_path / "missing", 5).quality is Quality.BAD_NOT_AVAILABLE


BAND = Deadband(absolute=1.0, percent=0.0, max_silence_ms=60_000, period_ms=10_000)


def reported(values: Sequence[float | None], band: Deadband = BAND) -> list[float | None]:
    """What passes of one point polled every period."""
    report = ExceptionReport({"m.x_v": band})
    rows = [
        Reading("m.x_v", n * band.period_ms, v, Quality.GOOD if v is not None else Quality.BAD_NO_ANSWER)
        for n, v in enumerate(values)
    ]
    return [row.value for reading in rows for row in report.filter([reading])]


def test_small_moves_stay_silent_and_add_up():
    assert reported([230.0, 230.5, 230.9, 231.0, 231.5]) == [230.0, 231.0]


def test_percent_counts_from_the_value_last_reported():
    assert reported([100.0, 101.0, 102.0], BAND._replace(absolute=0.0, percent=2.0)) == [100.0, 102.0]


def test_a_steady_value_is_reported_before_its_silence_is_too_long():
    assert reported([5.0] * 13) == [5.0, 5.0, 5.0]


def test_a_clock_that_was_set_back_makes_no_point_silent():
    """By an hour, as when a clock that ran ahead is set: the next reading goes out, and then one in time as ever."""
    report = ExceptionReport({"m.x_v": BAND})
    instants = [3_600_000, *range(0, 130_000, BAND.period_ms)]
    passed = [t_ms for t_ms in instants if report.filter([Reading("m.x_v", t_ms, 5.0)])]
    assert passed == [3_600_000, 0, 60_000, 120_000]


def test_silence_of_the_device_and_its_end_are_reported_each_cycle():
    assert reported([5.0, None, None, 5.0, 5.0]) == [5.0, None, None, 5.0]


@given(st.lists(st.floats(-1000, 1000), min_size=1, max_size=80), st.floats(0.1, 50))
def test_a_reader_of_the_reports_is_never_further_off_than_the_deadband(values, width):
    band = BAND._replace(absolute=width)
    report = ExceptionReport({"m.x_v": band})
    held, silent_since = None, 0
    for n, value in enumerate(values):
        passed = report.filter([Reading("m.x_v", n * band.period_ms, value)])
        held, silent_since = (value, n) if passed else (held, silent_since)
        assert abs(held - value) < width
        assert (n - silent_since) * band.period_ms <= band.max_silence_ms
