"""When readings become a batch, and what a batch says."""

import math
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.delivery import BOOT, NOON_MS, HandClock, reading

from edge.seal import MAX_PENDING, Sealed, Sealer, as_draft, restamped, seal
from edge.site import Sealing
from edge.wire import MAX_WIRE_BYTES, Batch, Quality, Reading, decode
from edge.wire_rules import check_batch

STREAM = "5" * 32


def sealed(readings: list[Reading], *, seq: int = 0) -> list[Sealed]:
    return seal(readings, site="qingshui-wtp", stream=STREAM, seq=seq, boot=BOOT)


def rows(batches: list[Sealed]) -> list[Reading]:
    """Return the readings that the centre gets out of the batches, after its own check."""
    found = []
    for sealed_batch in batches:
        batch = decode(sealed_batch.payload, Batch)
        check_batch(batch, site="qingshui-wtp", received_ms=NOON_MS)
        qualities = batch.q if isinstance(batch.q, list) else [batch.q] * len(batch.p)
        for p, dt, x, q in zip(batch.p, batch.dt, batch.x, qualities, strict=True):
            found.append(Reading(batch.points[p], batch.t0 + dt, x, q))
    return found


def test_a_batch_by_hand() -> None:
    turbid, chlorine = "clearwell.turbidity_ntu", "clearwell.free_chlorine_mg_l"
    readings = [
        Reading(turbid, NOON_MS, 0.31),
        Reading(chlorine, NOON_MS, 0.52),
        Reading(turbid, NOON_MS + 10_000, None, Quality.BAD_NO_ANSWER),
    ]
    (only,) = sealed(readings, seq=4711)
    batch = decode(only.payload, Batch)
    assert batch == Batch(
        1, "qingshui-wtp", STREAM, 4711, BOOT, NOON_MS, [turbid, chlorine], [0, 1, 0], [0, 0, 10_000],
        [0.31, 0.52, None], [Quality.GOOD, Quality.GOOD, Quality.BAD_NO_ANSWER],
    )  # fmt: skip
    assert (only.readings, only.first_ms, only.last_ms) == (3, NOON_MS, NOON_MS + 10_000)


def test_one_quality_for_all_is_one_number() -> None:
    (only,) = sealed([reading(1), reading(2)])
    assert decode(only.payload, Batch).q is Quality.GOOD


def test_a_small_batch_goes_as_text_and_a_large_one_packed() -> None:
    (small,) = sealed([reading()])
    (large,) = sealed([reading(second) for second in range(500)])
    assert small.payload[:1] == b"{"
    assert large.payload[:1] == b"\x78"
    assert len(large.payload) < len(zlib.decompress(large.payload)) / 3


@pytest.mark.parametrize(
    ("given_value", "quality", "kept_as"),
    [
        (math.nan, Quality.GOOD, Quality.BAD_NOT_AVAILABLE),
        (math.inf, Quality.UNCERTAIN_RANGE, Quality.BAD_NOT_AVAILABLE),
        (None, Quality.GOOD, Quality.BAD_NOT_AVAILABLE),
        (7.0, Quality.BAD_REFUSED, Quality.BAD_REFUSED),
    ],
)
def test_an_odd_row_is_kept_as_bad_and_costs_no_batch(
    given_value: float | None, quality: Quality, kept_as: Quality
) -> None:
    odd = Reading("clearwell.turbidity_ntu", NOON_MS, given_value, quality)
    assert rows(sealed([odd, reading(1)])) == [replace_value(odd, kept_as), reading(1)]


def replace_value(odd: Reading, quality: Quality) -> Reading:
    return Reading(odd.point, odd.sampled_ms, None, quality)


def test_what_is_too_long_for_the_wire_becomes_several_batches_in_order() -> None:
    readings = [
        Reading(f"device{number * 7919:020d}.x{number * number}_v", NOON_MS - number, math.sin(number) * 1e-7)
        for number in range(20_000)
    ]
    batches = sealed(readings, seq=9)
    assert len(batches) > 1
    assert [batch.seq for batch in batches] == list(range(9, 9 + len(batches)))
    assert max(len(batch.payload) for batch in batches) <= MAX_WIRE_BYTES
    assert rows(batches) == readings


@given(
    st.lists(
        st.builds(
            Reading,
            st.sampled_from(["a.voltage_v", "b.voltage_v", "a.current_a"]),
            st.integers(NOON_MS - 10**9, NOON_MS),
            st.floats(allow_nan=False, allow_infinity=False),
            st.sampled_from([Quality.GOOD, Quality.UNCERTAIN_CLOCK, Quality.UNCERTAIN_RANGE]),
        ),
        min_size=1,
        max_size=50,
    )
)
def test_what_goes_in_comes_out(readings: list[Reading]) -> None:
    assert rows(sealed(readings)) == readings


def sealer(clock: HandClock, *, after_s: float = 5.0, readings: int = 500, urgent: tuple[str, ...] = ()) -> Sealer:
    return Sealer(Sealing(after_s=after_s, readings=readings, urgent=list(urgent)), clock)


def test_readings_are_due_after_five_seconds_of_clock_time() -> None:
    clock = HandClock()
    pending = sealer(clock)
    assert pending.due_s() is None
    pending.add([reading()])
    assert pending.due_s() == 5.0
    clock.elapsed_ms = 3000
    pending.add([reading(3)])
    assert pending.due_s() == 2.0
    clock.elapsed_ms = 6000
    assert pending.due_s() == 0.0


def test_readings_are_due_at_once_when_there_are_enough() -> None:
    pending = sealer(HandClock(), readings=3)
    pending.add([reading(1), reading(2)])
    assert pending.due_s() == 5.0
    pending.add([reading(3), reading(4)])
    assert pending.due_s() == 0.0
    assert [len(group) for group in pending.groups()] == [3, 1]


def test_many_readings_are_written_once_a_second() -> None:
    """Three readings are enough, but each write wears the card: the next ones wait for a second to be over."""
    clock = HandClock()
    pending = sealer(clock, readings=3)
    pending.add([reading(number) for number in range(3)])
    pending.done()
    pending.add([reading(number) for number in range(3)])
    assert pending.due_s() == 1.0
    clock.elapsed_ms = 1000
    assert pending.due_s() == 0.0


def test_a_change_of_an_urgent_point_is_due_at_once_and_its_repetition_is_not() -> None:
    pending = sealer(HandClock(), urgent=("gateway.mains_on",))
    for value, due_s in [(1.0, 0.0), (1.0, 5.0), (0.0, 0.0), (None, 0.0)]:
        pending.add([reading(point="gateway.mains_on", value=value)])
        assert pending.due_s() == due_s
        pending.done()


def test_readings_stay_pending_until_the_spool_has_them() -> None:
    pending = sealer(HandClock())
    pending.add([reading()])
    assert pending.groups() == pending.groups() == [[reading()]]
    pending.done()
    assert (len(pending), pending.groups(), pending.due_s()) == (0, [], None)


def test_while_the_spool_fails_memory_is_bounded_and_the_overflow_is_counted() -> None:
    pending = sealer(HandClock())
    pending.add([reading(second) for second in range(MAX_PENDING)])
    pending.add([reading(-1), reading(-2)])
    assert (len(pending), pending.overflowed) == (MAX_PENDING, 2)
    assert pending.groups()[0][0] == reading(2)


def test_a_draft_is_moved_to_the_true_time_and_loses_its_doubt() -> None:
    doubtful = as_draft([reading(0), reading(1, value=None)])
    assert [each.quality for each in doubtful] == [Quality.UNCERTAIN_CLOCK, Quality.BAD_NO_ANSWER]
    draft = replace(sealed(doubtful)[0], offset_ms=NOON_MS)
    final = restamped(draft, NOON_MS - 3_600_000)
    assert rows([final]) == [reading(-3600), reading(-3599, value=None)]
    assert (final.offset_ms, final.first_ms, final.last_ms) == (None, NOON_MS - 3_600_000, NOON_MS - 3_599_000)
    assert final.seq == draft.seq
