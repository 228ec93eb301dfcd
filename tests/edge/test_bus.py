"""One bus: everyone in turn, nobody twice, the dead set aside."""

import asyncio
import contextlib

from hypothesis import given
from hypothesis import strategies as st
from support.meters import FakeLine, SteppedClock

from edge.bus import Bus
from edge.devices import Device, SitePoint
from edge.meter import ModbusMeter
from edge.quarantine import Quarantine
from edge.timetable import Timetable
from edge.wire import Quality, Reading

POINT = SitePoint(name="x_v", table="holding_register", register=0, type="uint16")


class TimedLine(FakeLine):
    """A line on which an answer takes 50 ms and a silence its time-out."""

    def __init__(self, clock: SteppedClock) -> None:
        super().__init__()
        self.clock = clock

    async def read_block(self, unit: int, table: str, register: int, count: int, *, timeout_s: float) -> list[int]:
        await self.clock.sleep(timeout_s if unit in self.silent else 0.05)
        return await super().read_block(unit, table, register, count, timeout_s=timeout_s)


class Stop(BaseException):
    """Ends a bus that would run for ever."""


def run_bus(line: TimedLine, *, devices: int, hours: float, period_s: float = 10.0) -> list[Reading]:
    """Everything that `devices` units on one line report in so many hours."""
    clock, rows = line.clock, []
    meters = [
        ModbusMeter(Device(f"m{unit}", "rtu:///dev/x", unit=unit, poll_every_s=period_s, points=[POINT]), line)
        for unit in range(1, devices + 1)
    ]
    bus = Bus("rtu:///dev/x", meters, [index / devices for index in range(devices)], clock)

    def emit(readings: list[Reading]) -> None:
        rows.extend(readings)
        if clock.elapsed_ms > hours * 3_600_000:
            raise Stop

    try:
        asyncio.run(bus.run(emit))
    except Stop:
        return rows
    raise AssertionError("the bus ended by itself")


def test_polls_are_spread_over_the_interval():
    rows = run_bus(TimedLine(SteppedClock()), devices=4, hours=0.005)
    starts = [row.sampled_ms - 1_700_000_000_000 for row in rows[:5]]
    assert starts == [50, 2550, 5050, 7550, 10_050]


def test_a_dead_meter_costs_the_others_less_than_five_percent_of_their_polls():
    line = TimedLine(SteppedClock())
    line.silent = {3}
    rows = run_bus(line, devices=16, hours=1)
    due = 15 * 360
    assert sum(row.quality is Quality.GOOD for row in rows) >= 0.95 * due


def test_a_dead_meter_yields_a_bad_row_each_cycle():
    line = TimedLine(SteppedClock())
    line.silent = {1}
    rows = [row for row in run_bus(line, devices=2, hours=1) if row.point == "m1.x_v"]
    assert 359 <= len(rows) <= 361
    assert {(row.value, row.quality) for row in rows} == {(None, Quality.BAD_NO_ANSWER)}
    assert len({row.sampled_ms for row in rows}) == len(rows)


def test_a_meter_that_returns_is_read_again_soon():
    """Dead for an hour; one probe is at most 20 time-outs after the other, so it is back within two cycles."""
    line = TimedLine(SteppedClock())
    line.silent = {1}

    class Returning(SteppedClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            if self.elapsed_ms > 3_600_000:
                line.silent = set()

    line.clock = Returning()
    rows = [row for row in run_bus(line, devices=2, hours=1.1) if row.point == "m1.x_v"]
    first_good = next(row for row in rows if row.quality is Quality.GOOD)
    assert first_good.sampled_ms - line.clock.start_ms - 3_600_000 <= 30_000


def test_an_unforeseen_error_of_one_meter_leaves_the_others_polled(caplog):
    line = TimedLine(SteppedClock())

    class Broken(ModbusMeter):
        async def read(self, clock):
            raise ZeroDivisionError

    meters = [kind(Device(f"m{n}", "tcp://h", points=[POINT]), line) for n, kind in enumerate([Broken, ModbusMeter])]
    bus = Bus("tcp://h", meters, [0.0, 0.5], line.clock)
    rows: list[Reading] = []

    def emit(readings: list[Reading]) -> None:
        rows.extend(readings)
        if len(rows) == 3:
            raise Stop

    with contextlib.suppress(Stop):
        asyncio.run(bus.run(emit))
    assert {row.point for row in rows} == {"m1.x_v"}
    assert "unforeseen" in caplog.text


def test_a_slow_bus_skips_and_says_so():
    """A poll of 25 s every 10 s: due at 0, 30, 60 …; two of three turns are left out, and none is run twice."""
    timetable = Timetable([10.0], [0.0], now_ms=0)
    now_ms = 0
    for _ in range(3):
        due_ms, _ = timetable.next()
        now_ms = max(now_ms, due_ms)
        timetable.done(began_ms=now_ms, now_ms=now_ms + 25_000)
        now_ms += 25_000
    assert timetable.skipped == 6
    assert timetable.late == 0


def test_a_poll_that_waits_for_the_one_before_is_late():
    timetable = Timetable([10.0, 10.0], [0.0, 0.0], now_ms=0)
    timetable.done(began_ms=0, now_ms=3000)
    timetable.done(began_ms=3000, now_ms=3100)
    assert (timetable.late, timetable.skipped) == (1, 0)


@given(
    st.lists(st.tuples(st.integers(1, 60), st.floats(0, 0.99)), min_size=1, max_size=8),
    st.lists(st.integers(0, 40_000), min_size=1, max_size=60),
)
def test_every_turn_is_either_polled_or_counted_as_skipped(devices, durations_ms):
    timetable = Timetable([period for period, _ in devices], [phase for _, phase in devices], now_ms=0)
    polled, now_ms = [0] * len(devices), 0
    for duration_ms in durations_ms:
        due_ms, device = timetable.next()
        now_ms = max(now_ms, due_ms)
        polled[device] += 1
        timetable.done(began_ms=now_ms, now_ms=now_ms + duration_ms)
        now_ms += duration_ms
    turns = 0
    for due_ms, device in timetable._due:
        period_s, phase = devices[device]
        turns += round((due_ms - int(period_s * 1000 * phase)) / (period_s * 1000))
    assert turns == sum(polled) + timetable.skipped


@given(st.integers(1000, 900_000), st.floats(10, 30_000), st.integers(1, 30), st.integers(0, 30))
def test_probes_of_the_dead_never_take_more_than_their_share(period_ms, timeout_ms, dead, alive):
    quarantine = Quarantine(period_ms=period_ms, timeout_ms=timeout_ms)
    for _ in range(30):
        quarantine.failed(0, dead=dead, meters=dead + alive)
    share = max(1 / 20, dead / (dead + alive) / 2)
    longest_ms = max(period_ms, dead * timeout_ms / share)
    assert not quarantine.is_probe_due(int(longest_ms) - 1)
    assert quarantine.is_probe_due(int(longest_ms))


def test_when_one_meter_returns_its_neighbours_are_tried_at_once():
    """Supply returns to a whole feeder: all eight meters are read again within two cycles, not one probe each."""
    line = TimedLine(SteppedClock())
    line.silent = set(range(1, 9))

    class Returning(SteppedClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            if self.elapsed_ms > 3_600_000:
                line.silent = set()

    line.clock = Returning()
    rows = run_bus(line, devices=8, hours=1.1)
    back_ms = [
        next(row.sampled_ms for row in rows if row.point == f"m{unit}.x_v" and row.quality is Quality.GOOD)
        - line.clock.start_ms
        - 3_600_000
        for unit in range(1, 9)
    ]
    assert max(back_ms) <= 30_000
