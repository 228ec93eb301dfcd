"""DL/T 645-2007: frames by hand, anything around them, a meter on a bad line, and a server that others wrote."""

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Iterator

import pytest
from dlt645.service.serversvc.server_service import MeterServerService
from hypothesis import given
from hypothesis import strategies as st
from support.dlt645_peer import CLEAN, Dlt645Peer, answer_frame, bcd_bytes, digits_of
from support.meters import SteppedClock

from edge.clock import RealClock
from edge.devices import Device, SitePoint
from edge.dlt645 import ANY_ADDRESS, Dlt645Framer, Dlt645Request
from edge.dlt645_meter import ASK_AGAIN_MS, Dlt645Meter, read_address
from edge.errors import DeviceError
from edge.lines import open_dlt645
from edge.linestats import LineStatistics
from edge.wire import Quality
from simulators.processes import free_port

ADDRESS = "202311000042"
VOLTAGE, ENERGY = 0x02010100, 0x00010000
TIMEOUT_S = 0.1


def asked(identifier: int = VOLTAGE, size: int = 2) -> Dlt645Framer:
    framer = Dlt645Framer(LineStatistics())
    framer.build(Dlt645Request(ADDRESS, identifier, size))
    return framer


def answer(digits: int, identifier: int = VOLTAGE, size: int = 2, address: str = ADDRESS, control: int = 0x91) -> bytes:
    return answer_frame(address, control, identifier.to_bytes(4, "little") + bcd_bytes(digits, size))


def test_a_question_by_hand():
    """Voltage of phase A: FE ×4, 68, 42 00 00 11 23 20, 68, 11, 04, 00 01 01 02 + 33 each, sum, 16."""
    sent = Dlt645Framer(LineStatistics()).build(Dlt645Request(ADDRESS, VOLTAGE, 2))
    assert sent.hex(" ") == "fe fe fe fe 68 42 00 00 11 23 20 68 11 04 33 34 34 35 4b 16"


def test_an_answer_by_hand():
    """230.4 V arrives as 04 23, each byte with 33 added."""
    arrived = bytes.fromhex("fefe 68 420000112320 68 91 06 33343435 3756 5a16".replace(" ", ""))
    used, content = asked().take(arrived)
    assert (used, content) == (len(arrived), b"\x91\x04\x23")


@pytest.mark.parametrize("control", [0x11, 0x13])
def test_only_reads_can_be_asked(control):
    address = ADDRESS if control == 0x11 else ANY_ADDRESS
    assert Dlt645Request(address, VOLTAGE, 2).encode()[8] == control


@pytest.mark.parametrize(
    "data",
    [
        answer(2304, address="202311000043"),
        answer(2304, identifier=0x02010200),
        answer(2304, control=0xB1),
        answer(2304, control=0x11),
        answer(2304, size=3),
        answer(23, size=1),
        answer(2304)[:-1] + b"\x17",
        answer(2304)[:-2] + bytes([answer(2304)[-2] ^ 1]) + b"\x16",
    ],
    ids=["address", "identifier", "more follows", "question", "too long", "too short", "no end", "checksum"],
)
def test_what_does_not_fit_is_left_out(data):
    assert asked().take(data)[1] is None


def test_a_refusal_is_an_answer():
    assert asked().take(answer_frame(ADDRESS, 0xD1, b"\x02"))[1] == b"\xd1\x02"


@given(st.binary(max_size=30), st.integers(0, 9999), st.binary(max_size=30))
def test_the_answer_is_found_in_any_garbage(before, digits, after):
    found = asked().take(before + answer(digits) + after)[1]
    assert found in (b"\x91" + bcd_bytes(digits, 2), None)


@given(st.integers(0, 99_999_999), st.data())
def test_an_answer_in_any_pieces_is_put_together(digits, data):
    framer, whole, buffer, found = asked(ENERGY, 4), b"\xfe\xfe" + answer(digits, ENERGY, 4), b"", []
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        buffer += whole[begin:end]
        used, content = framer.take(buffer)
        buffer = buffer[used:]
        found += [content] if content is not None else []
    assert found == [b"\x91" + bcd_bytes(digits, 4)]


@given(st.integers(0, 9999), st.integers(0, 17), st.integers(0, 7))
def test_no_flipped_bit_gets_through(digits, place, bit):
    damaged = bytearray(answer(digits))
    damaged[place % len(damaged)] ^= 1 << bit
    assert asked().take(bytes(damaged))[1] is None


def device(port: int, **keys: object) -> Device:
    point = SitePoint(name="import.energy_kwh", table="data_identifier", register=ENERGY, type="bcd32", scale=0.01)
    given_keys = {"points": [point], "timeout_s": TIMEOUT_S, **keys}
    return Device(name="m", url=f"dlt645+tcp://127.0.0.1:{port}", address=ADDRESS, **given_keys)  # type: ignore[arg-type]


def test_eight_hundred_exchanges_on_a_bad_line_bring_no_wrong_value():
    """Every fault of the line but its silence is either mended or a BAD row; a clean line is used again at once."""
    outcomes: Counter[tuple[str, bool]] = Counter()

    async def read_much(seed: int) -> None:
        peer = Dlt645Peer(ADDRESS, seed=seed, fault_share=0.4, late_s=1.2 * TIMEOUT_S)
        where = device(await peer.start())
        line, failed_clean = open_dlt645(where.url), 0
        try:
            for _ in range(100):
                before = peer.serial
                meter = Dlt645Meter(where, line)  # a new one repeats nothing
                (reading,), _ = await meter.read(RealClock())
                outcomes[peer.last_fault, reading.quality is Quality.GOOD] += 1
                if reading.quality is Quality.GOOD:
                    assert reading.value == digits_of(ENERGY, peer.serial) / 100, peer.last_fault
                else:
                    assert (reading.value, reading.quality) == (None, Quality.BAD_NO_ANSWER)
                was_clean = peer.last_fault == CLEAN and peer.serial > before
                failed_clean = failed_clean + 1 if was_clean and reading.quality.is_bad else 0
                assert failed_clean < 3, "a clean line was not used again"
        finally:
            line.close()
            await peer.stop()

    async def scenario() -> None:
        async with asyncio.TaskGroup() as tasks:
            for seed in range(8):
                tasks.create_task(read_much(seed))

    asyncio.run(scenario())
    assert len({fault for fault, _ in outcomes}) == 16
    for mended in ("garbage_after", "split", "echo", "doubled", "no_preamble"):
        assert outcomes[mended, True] > outcomes[mended, False], mended


def test_a_meter_is_read_and_what_it_does_not_know_is_not_asked_again_for_an_hour():
    async def scenario() -> None:
        peer, clock = Dlt645Peer(ADDRESS), SteppedClock()
        where = device(await peer.start(), timeout_s=5.0)
        line = open_dlt645(where.url)
        meter = Dlt645Meter(where, line)
        try:
            (reading,), answered = await meter.read(clock)
            assert (reading.value, reading.quality, answered) == (digits_of(ENERGY, 1) / 100, Quality.GOOD, True)
            peer.unknown = {ENERGY}
            assert [(await meter.read(clock)).readings[0].quality for _ in range(3)] == [Quality.BAD_CONFIGURATION] * 3
            assert peer.serial == 2
            assert await meter.probe()
            peer.unknown = set()
            clock.elapsed_ms += ASK_AGAIN_MS
            assert (await meter.read(clock)).readings[0].quality is Quality.GOOD
            assert await read_address(line, timeout_s=5.0) == ADDRESS
        finally:
            line.close()
            await peer.stop()

    asyncio.run(scenario())


def test_digits_that_are_none_are_not_available():
    """A meter fills what it does not measure with FF."""
    content = b"\xff\xff\xff\xff"
    framer = asked(ENERGY, 4)
    found = framer.take(answer_frame(ADDRESS, 0x91, ENERGY.to_bytes(4, "little") + content))[1]
    assert found == b"\x91" + content
    judge = Dlt645Meter(device(1), open_dlt645("dlt645+tcp://127.0.0.1:1"))._items[0][2]
    assert judge(int.from_bytes(content, "little"), ()) == (None, Quality.BAD_NOT_AVAILABLE)


@pytest.fixture
def other_server() -> Iterator[int]:
    """A meter served by the package dlt645, and its port."""
    logging.getLogger("dlt645").setLevel(logging.CRITICAL)
    port = free_port()
    server = MeterServerService.new_tcp_server("127.0.0.1", port)
    server.set_address(bytes.fromhex(ADDRESS)[::-1])  # as on the wire
    server.set_02(VOLTAGE, 230.4)
    server.set_02(0x02030000, -1.2345)
    server.set_00(ENERGY, 123456.78)
    assert server.start()
    try:
        yield port
    finally:
        server.stop()


def test_a_server_that_others_wrote_is_read_through_the_shipped_profile(other_server):
    only = ["l1.voltage_v", "import.energy_kwh", "total.active_power_kw"]
    where = device(other_server, points=[], profile="dlt645_2007", only=only, timeout_s=5.0)

    async def scenario() -> dict[str, tuple[float | None, Quality]]:
        line = open_dlt645(where.url)
        try:
            readings = (await Dlt645Meter(where, line).read(RealClock())).readings
            return {reading.point: (reading.value, reading.quality) for reading in readings}
        finally:
            line.close()

    assert asyncio.run(scenario()) == {
        "m.l1.voltage_v": (230.4, Quality.GOOD),
        "m.import.energy_kwh": (123456.78, Quality.GOOD),
        "m.total.active_power_kw": (-1.2345, Quality.GOOD),
    }


def test_a_line_where_nobody_answers_says_so():
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        where = device(deaf.getsockname()[1])

        async def scenario() -> None:
            line = open_dlt645(where.url)
            try:
                with pytest.raises(DeviceError, match="no answer to 'read address'"):
                    await read_address(line, timeout_s=TIMEOUT_S)
            finally:
                line.close()

        asyncio.run(scenario())
