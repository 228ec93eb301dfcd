"""A clock that cannot be trusted, and the drafts that wait for one that can."""

from dataclasses import replace
from pathlib import Path

import pytest
from support.delivery import BOOT, NOON_MS, HandClock, reading

from edge.clock import RealClock
from edge.seal import Sealed, as_draft, seal
from edge.timesync import ClockState, Trust, boot_id, machine_clock_state, offset_ms
from edge.wire import Batch, Quality, Reading, decode

PAST_MS = 1_690_000_000_000


def draft(*, boot: str = BOOT, offset: int = PAST_MS) -> Sealed:
    doubtful = as_draft([reading()])
    return replace(seal(doubtful, site="w1", stream="5" * 32, seq=0, boot=boot)[0], offset_ms=offset)


def quality(batch: Sealed) -> object:
    return decode(batch.payload, Batch).q


@pytest.fixture
def states() -> list[ClockState]:
    """What the machine will say of its clock; the last word stands."""
    return ["unsynced"]


@pytest.fixture
def clock() -> HandClock:
    """A gateway's clock after a boot in the past."""
    return HandClock(offset_ms=PAST_MS)


@pytest.fixture
def trust(clock: HandClock, states: list[ClockState]) -> Trust:
    return Trust(clock, BOOT, lambda: states[-1])


def test_trust_comes_once_and_stays(trust: Trust, states: list[ClockState]) -> None:
    assert (trust.given, trust.look()) == (False, False)
    states.append("synced")
    assert (trust.look(), trust.given, trust.look()) == (True, True, False)
    states.append("unsynced")
    assert (trust.look(), trust.given) == (False, True)


def test_where_nobody_can_tell_the_clock_is_taken_as_it_is() -> None:
    assert Trust(HandClock(), BOOT, lambda: "unknown").given


def test_drafts_wait_as_long_as_there_is_hope(trust: Trust) -> None:
    assert trust.finished([draft()], patience_over=False) == []


def test_drafts_of_this_boot_are_stamped_anew_when_the_clock_is_set(
    trust: Trust, clock: HandClock, states: list[ClockState]
) -> None:
    clock.offset_ms = NOON_MS
    states.append("synced")
    trust.look()
    (final,) = trust.finished([draft()], patience_over=False)
    assert final.first_ms == reading().sampled_ms + NOON_MS - PAST_MS
    assert quality(final) is Quality.GOOD


def test_drafts_of_an_earlier_boot_keep_their_mark_for_good(trust: Trust) -> None:
    (final,) = trust.finished([draft(boot="another boot"), draft()], patience_over=False)
    assert (final.boot, final.offset_ms, quality(final)) == ("another boot", None, Quality.UNCERTAIN_CLOCK)


def test_when_the_network_brings_no_time_drafts_go_with_their_mark(trust: Trust) -> None:
    (final,) = trust.finished([draft()], patience_over=True)
    assert (final.offset_ms, quality(final), final.first_ms) == (None, Quality.UNCERTAIN_CLOCK, reading().sampled_ms)


def test_a_stamp_made_just_before_the_clock_was_set_is_replaced(trust: Trust, clock: HandClock) -> None:
    """The answer of a slow meter, begun in the past, is handed over in the present."""
    near = reading()
    clock.offset_ms = near.sampled_ms + 2000
    stray = replace_time(near, PAST_MS)
    assert list(trust.steady([near, stray])) == [near, replace_time(near, clock.now_ms())]


def replace_time(one: Reading, sampled_ms: int) -> Reading:
    return Reading(one.point, sampled_ms, one.value, one.quality)


def test_a_trusted_clock_leaves_every_stamp_alone() -> None:
    old = [reading(-100_000)]
    assert Trust(HandClock(), BOOT, lambda: "synced").steady(old) is old


def test_the_offset_changes_only_when_the_clock_is_set() -> None:
    clock = HandClock(elapsed_ms=5000, offset_ms=PAST_MS)
    assert offset_ms(clock) == PAST_MS
    assert abs(offset_ms(RealClock()) - offset_ms(RealClock())) < 100


def test_timesyncd_or_the_kernel_says_whether_the_clock_is_set(tmp_path: Path) -> None:
    assert machine_clock_state(tmp_path / "synchronized") in ("synced", "unsynced", "unknown")
    (tmp_path / "synchronized").touch()
    assert machine_clock_state(tmp_path / "synchronized") == "synced"


def test_the_boot_has_a_name_even_where_the_kernel_gives_none(tmp_path: Path) -> None:
    assert boot_id() == boot_id()
    assert boot_id(tmp_path / "none") != boot_id(tmp_path / "none")
    assert len(boot_id(tmp_path / "none")) == 36
