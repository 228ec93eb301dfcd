"""Counters that wrap or are reset: what arrives at the centre neither invents consumption nor loses it."""

import itertools
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.counters import CounterWatch
from edge.devices import Device, SitePoint
from edge.exception_report import Deadband, ExceptionReport
from edge.poll import point_list
from edge.site import Site, Uplink
from edge.wire import Quality, Reading

PERIOD_MS = 10_000
GOOD, DOUBTFUL, SILENT = Quality.GOOD, Quality.UNCERTAIN_RANGE, Quality.BAD_NO_ANSWER


def readings(values: list[float | None]) -> list[Reading]:
    return [
        Reading("m.import.energy_kwh", number * PERIOD_MS, value, SILENT if value is None else GOOD)
        for number, value in enumerate(values)
    ]


def judged(values: list[float | None]) -> list[Reading]:
    watch = CounterWatch(["m.import.energy_kwh"])
    return [each for reading in readings(values) for each in watch.judged([reading])]


def test_the_reading_after_a_wrap_is_as_the_meter_shows_it_and_doubtful_once(caplog):
    found = judged([6553.4, 6553.5, 0.1, 0.2])
    assert [(reading.value, reading.quality) for reading in found] == [
        (6553.4, GOOD),
        (6553.5, GOOD),
        (0.1, DOUBTFUL),
        (0.2, GOOD),
    ]
    assert "m.import.energy_kwh fell from 6553.5 to 0.1" in caplog.text


def test_a_silence_does_not_hide_a_reset_and_is_none_itself():
    assert [reading.quality for reading in judged([5.0, None, 5.0, None, 1.0])] == [
        GOOD,
        SILENT,
        GOOD,
        SILENT,
        DOUBTFUL,
    ]


def test_a_clock_in_doubt_stays_so_beside_the_fall():
    watch = CounterWatch(["c"])
    watch.judged([Reading("c", 0, 2.0, Quality.UNCERTAIN_CLOCK)])
    (fallen,) = watch.judged([Reading("c", 1, 1.0, Quality.UNCERTAIN_CLOCK)])
    assert fallen.quality is Quality.UNCERTAIN_CLOCK_AND_RANGE


def test_what_is_no_counter_may_fall():
    watch = CounterWatch(["c"])
    low = [Reading("level_m", 1, 1.0)]
    watch.judged([Reading("level_m", 0, 2.0)])
    assert watch.judged(low) is low


@pytest.mark.parametrize(
    ("keys", "wraps_at"),
    [
        ({"type": "uint16", "scale": 0.1}, 6553.6),
        ({"type": "uint32", "scale": 0.01}, 42_949_672.96),
        ({"type": "bcd32", "scale": 0.01}, 1_000_000.0),
        ({"type": "uint32", "wraps_at": 1_000_000.0}, 1_000_000.0),
        ({"type": "uint64"}, None),
        ({"type": "float32"}, None),
        ({"type": "uint32", "decimals_register": 9}, None),
        ({"type": "uint16", "counter": False}, None),
    ],
)
def test_the_point_list_says_where_a_counter_begins_again(keys, wraps_at):
    point = SitePoint(**{"name": "x_kwh", "table": "holding_register", "register": 0, "counter": True, **keys})
    site = Site("s", Uplink("mqtt://c"), [Device("m", "tcp://h", points=[point])])
    info = {info.name: info for info in point_list(site)}["m.x_kwh"]
    assert info.counter is keys.get("counter", True)
    assert info.wraps_at == (None if wraps_at is None else pytest.approx(wraps_at))


def consumed(stood: list[float]) -> float:
    """What a reader makes of a counter that began at 0 and starts at 0 again whenever it falls."""
    return sum(now - before if now >= before else now for before, now in itertools.pairwise([0.0, *stood]))


@given(
    st.lists(st.one_of(st.integers(0, 30), st.just("reset"), st.just("silence")), min_size=1, max_size=60),
    st.integers(1, 50),
)
def test_no_deadband_swallows_what_was_counted_before_a_reset(steps, width):
    """Everything up to the last report is in the reports, to the last unit; nothing is there that was not counted."""
    logging.getLogger("edge.counters").setLevel(logging.ERROR)
    watch = CounterWatch(["m.import.energy_kwh"])
    band = Deadband(float(width), 0.0, 10**12, PERIOD_MS, is_counter=True)
    report, values, total = ExceptionReport({"m.import.energy_kwh": band}), [], 0
    for step in steps:
        total = 0 if step == "reset" else total + (step if isinstance(step, int) else 0)
        values.append(None if step == "silence" else float(total))
    passed = [each for reading in readings(values) for each in report.filter(watch.judged([reading]))]
    reported = sorted((reading for reading in passed if reading.value is not None), key=lambda each: each.sampled_ms)
    until_ms = reported[-1].sampled_ms if reported else -1
    all_values = [r.value for r in readings(values) if r.value is not None and r.sampled_ms <= until_ms]
    assert consumed([reading.value for reading in reported]) == consumed(all_values)
    assert len({reading.sampled_ms for reading in passed}) == len(passed)
