"""One meter: planned, read, and honest about what it did not give."""

import asyncio

from support.meters import FakeLine, SteppedClock

from edge.devices import Device, SitePoint
from edge.meter import REPLAN_MS, ModbusMeter
from edge.wire import Quality


def three_points(**keys: object) -> Device:
    """A device with registers 0, 1 and 2."""
    points = [
        SitePoint(name=f"p{register}_v", table="holding_register", register=register, type="uint16")
        for register in range(3)
    ]
    return Device(**{"name": "m", "url": "tcp://h", "points": points, **keys})


def sweep(meter: ModbusMeter, clock: SteppedClock | None = None) -> dict[str, tuple[float | None, Quality]]:
    readings, _ = asyncio.run(meter.read(clock or SteppedClock()))
    return {reading.point: (reading.value, reading.quality) for reading in readings}


def test_three_neighbours_are_one_request():
    line = FakeLine({0: 10, 1: 11, 2: 12})
    found = sweep(ModbusMeter(three_points(unit=7), line))
    assert found == {f"m.p{n}_v": (10 + n, Quality.GOOD) for n in range(3)}
    assert line.requests == [(7, 0, 3)]


def test_a_refused_block_is_split_down_to_the_bad_point_and_that_is_remembered():
    line = FakeLine({0: 10, 1: 11, 2: 12})
    line.forbidden = {1}
    meter = ModbusMeter(three_points(), line)
    expected = {
        "m.p0_v": (10, Quality.GOOD),
        "m.p1_v": (None, Quality.BAD_CONFIGURATION),
        "m.p2_v": (12, Quality.GOOD),
    }
    assert sweep(meter) == expected
    line.requests.clear()
    assert sweep(meter) == expected
    assert line.requests == [(1, 0, 1), (1, 2, 1)]


def test_after_an_hour_a_refused_register_gets_another_chance():
    line, clock = FakeLine({1: 11}), SteppedClock()
    line.forbidden = {1}
    meter = ModbusMeter(three_points(), line)
    sweep(meter, clock)
    line.forbidden = set()
    assert sweep(meter, clock)["m.p1_v"] == (None, Quality.BAD_CONFIGURATION)
    clock.elapsed_ms += REPLAN_MS
    assert sweep(meter, clock)["m.p1_v"] == (11, Quality.GOOD)


def test_a_register_that_was_asked_for_alone_gets_another_chance_too():
    """Nothing was split here: without the note of the refusal it stayed BAD until the gateway was started again."""
    line, clock = FakeLine({1: 11}), SteppedClock()
    line.forbidden = {1}
    alone = SitePoint(name="p1_v", table="holding_register", register=1, type="uint16")
    meter = ModbusMeter(Device(name="m", url="tcp://h", points=[alone]), line)
    sweep(meter, clock)
    line.forbidden = set()
    clock.elapsed_ms += REPLAN_MS
    assert sweep(meter, clock)["m.p1_v"] == (11, Quality.GOOD)


def test_a_busy_device_is_bad_this_time_and_keeps_its_plan():
    line = FakeLine({0: 10})
    line.exception = 6
    meter = ModbusMeter(three_points(), line)
    assert set(sweep(meter).values()) == {(None, Quality.BAD_REFUSED)}
    line.exception = None
    line.requests.clear()
    assert sweep(meter)["m.p0_v"] == (10, Quality.GOOD)
    assert len(line.requests) == 1


def test_a_device_without_the_function_is_wrongly_configured():
    line = FakeLine({0: 10})
    line.exception = 1
    assert set(sweep(ModbusMeter(three_points(), line)).values()) == {(None, Quality.BAD_CONFIGURATION)}


def test_a_silent_device_costs_one_request_and_gives_only_bad_rows():
    line = FakeLine()
    line.silent = {1}
    meter = ModbusMeter(three_points(max_registers=1), line)
    assert set(sweep(meter).values()) == {(None, Quality.BAD_NO_ANSWER)}
    assert len(line.requests) == 1


def test_a_lost_answer_is_asked_for_again_once():
    line = FakeLine({0: 10})
    meter = ModbusMeter(three_points(), line)
    sweep(meter)
    line.lost_answers = 1
    assert sweep(meter)["m.p0_v"] == (10, Quality.GOOD)
    line.lost_answers = 2
    assert sweep(meter)["m.p0_v"] == (None, Quality.BAD_NO_ANSWER)


def test_what_was_read_before_silence_stays_good():
    """The first of three requests is answered, the others are not: no value is lost, none is made up."""
    line = FakeLine({0: 10})
    meter = ModbusMeter(three_points(max_registers=1), line)

    class Dying(SteppedClock):
        def now_ms(self) -> int:
            line.silent = {1}  # the meter dies once its first answer is stamped
            return super().now_ms()

    assert sweep(meter, Dying()) == {
        "m.p0_v": (10, Quality.GOOD),
        "m.p1_v": (None, Quality.BAD_NO_ANSWER),
        "m.p2_v": (None, Quality.BAD_NO_ANSWER),
    }


def test_each_value_is_stamped_when_its_answer_arrived():
    clock = SteppedClock()

    class SlowLine(FakeLine):
        async def read_block(self, *request: object, **keys: object) -> list[int]:
            await clock.sleep(0.1)
            return await super().read_block(*request, **keys)  # type: ignore[arg-type]

    readings, _ = asyncio.run(ModbusMeter(three_points(max_registers=1), SlowLine()).read(clock))
    assert [reading.sampled_ms - clock.start_ms for reading in readings] == [100, 200, 300]


def test_decimals_that_were_not_read_make_the_value_bad_too():
    point = SitePoint(name="x_m", table="holding_register", register=0, type="uint16", decimals_register=200)
    line = FakeLine({0: 314, 200: 2})
    meter = ModbusMeter(Device("m", "tcp://h", points=[point]), line)
    assert sweep(meter) == {"m.x_m": (3.14, Quality.GOOD)}
    line.forbidden = {200}
    assert sweep(meter) == {"m.x_m": (None, Quality.BAD_CONFIGURATION)}


def test_a_text_is_told_and_never_sent():
    point = SitePoint(name="serial", table="holding_register", register=0, type="string", string_registers=2)
    meter = ModbusMeter(Device("m", "tcp://h", points=[point]), FakeLine({0: 0x4142, 1: 0x4300}))
    assert sweep(meter) == {}
    assert meter.texts == {"m.serial": "ABC"}


def test_a_probe_asks_for_one_cell_and_takes_a_refusal_as_life():
    line = FakeLine()
    meter = ModbusMeter(three_points(), line)
    assert asyncio.run(meter.probe())
    assert line.requests == [(1, 0, 1)]
    line.exception = 4
    assert asyncio.run(meter.probe())
    line.silent = {1}
    assert not asyncio.run(meter.probe())
