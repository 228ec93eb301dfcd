"""The alarm state machine: every state and event, then what must hold on any path."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.alarms.events import (
    Acknowledge,
    Disable,
    Doubted,
    Enable,
    Event,
    Fell,
    RemoveFromService,
    Reset,
    ReturnToService,
    Rose,
    Severity,
    ShelfExpired,
    Shelve,
    Suppress,
    Unacknowledge,
    Unshelve,
    Unsuppress,
)
from analytics.alarms.state import Alarm, Effect, IllegalTransition, Kind, State, step

NOW = 1_764_000_000_000
HOUR = 3_600_000
PLAIN, LATCHING = Kind(), Kind(latching=True)

NORMAL = Alarm(occurrence=1, fell_ms=NOW - HOUR)
UNACKED = Alarm(condition=True, acked=False, occurrence=1)
ACKED = replace(UNACKED, acked=True)
RETURNED = Alarm(condition=False, acked=False, occurrence=1, fell_ms=NOW - 1000)
LATCHED_UNACKED = replace(RETURNED, latched=True)
LATCHED_ACKED = replace(LATCHED_UNACKED, acked=True)
SHELVED = replace(UNACKED, shelved_until_ms=NOW + HOUR)
SUPPRESSED = replace(UNACKED, suppressed_by=frozenset({"feeder_1"}))
OUT_OF_SERVICE = replace(UNACKED, out_of_service="WO-7")
DISABLED = replace(UNACKED, enabled=False)

STATES = {
    "A": NORMAL,
    "B": UNACKED,
    "C": ACKED,
    "D": RETURNED,
    "LB": LATCHED_UNACKED,
    "LC": LATCHED_ACKED,
    "E": SHELVED,
    "F": SUPPRESSED,
    "G": OUT_OF_SERVICE,
    "-": DISABLED,
}
EVENTS: dict[str, Event] = {
    "rose": Rose(NOW, Severity.MEDIUM),
    "worse": Rose(NOW, Severity.CRITICAL),
    "fell": Fell(NOW),
    "doubted": Doubted(True),
    "ack": Acknowledge(),
    "unack": Unacknowledge(),
    "reset": Reset(),
    "shelve": Shelve(NOW, NOW + HOUR),
    "unshelve": Unshelve(),
    "expired": ShelfExpired(),
    "suppress": Suppress("plan_9", NOW),
    "unsuppress": Unsuppress("feeder_1"),
    "remove": RemoveFromService("WO-8"),
    "return": ReturnToService(),
    "disable": Disable(),
    "enable": Enable(),
}
# The letter after each event, by state; "x" where it is refused. Rows follow water_alarms 4.1, transitions 1 to 22.
TABLE = """
          A   B   C   D   LB  LC  E   F   G   -
rose      B   B   C   B   B   C   E   F   G   x
worse     B   B   B   B   B   C   E   F   G   x
fell      A   D   A   D   LB  LC  E   F   G   x
doubted   A   B   C   D   LB  LC  E   F   G   x
ack       A   C   C   A   LC  LC  E   F   G   x
unack     x   B   B   x   x   x   E   F   G   x
reset     x   x   x   x   x   A   x   x   x   x
shelve    E   E   E   E   E   E   E   F   G   x
unshelve  x   x   x   x   x   x   C   x   x   x
expired   x   x   x   x   x   x   B   x   x   x
suppress  F   F   F   F   F   F   F   F   G   x
unsuppress x  x   x   x   x   x   x   B   x   x
remove    G   G   G   G   G   G   G   G   G   x
return    x   x   x   x   x   x   x   x   B   x
disable   -   -   -   -   -   -   -   -   -   x
enable    x   x   x   x   x   x   x   x   x   A
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]
PAIRS = [(state, row[0], after) for row in ROWS[1:] for state, after in zip(ROWS[0], row[1:], strict=True)]


@pytest.mark.parametrize(("letter", "name", "after"), PAIRS)
def test_every_pair_of_state_and_event(letter: str, name: str, after: str) -> None:
    assert STATES[letter].state == letter
    kind = LATCHING if letter.startswith("L") else PLAIN
    if after == "x":
        with pytest.raises(IllegalTransition):
            step(STATES[letter], EVENTS[name], kind)
    else:
        assert step(STATES[letter], EVENTS[name], kind)[0].state == after


def test_an_onset_opens_an_occurrence_and_tells_a_person() -> None:
    alarm, effects = step(NORMAL, Rose(NOW, Severity.HIGH), PLAIN)
    assert alarm.occurrence == 2
    assert effects == (Effect.OPEN_OCCURRENCE, Effect.ANNUNCIATE)


def test_a_condition_back_within_the_merge_window_is_the_same_occurrence_and_counts_as_chatter() -> None:
    alarm, effects = step(RETURNED, Rose(NOW, Severity.MEDIUM), PLAIN)
    assert alarm.occurrence == RETURNED.occurrence
    assert effects == (Effect.COUNT_CHATTER, Effect.ANNUNCIATE)


def test_a_low_alarm_needs_no_acknowledgement_of_its_return() -> None:
    alarm, effects = step(UNACKED, Fell(NOW), Kind(auto_acknowledge=True))
    assert alarm.state is State.NORMAL
    assert Effect.CLOSE_OCCURRENCE in effects


def test_a_latching_alarm_stays_on_show_until_acknowledged_and_reset() -> None:
    alarm, _ = step(UNACKED, Fell(NOW), LATCHING)
    assert alarm.state is State.LATCHED_UNACKNOWLEDGED
    with pytest.raises(IllegalTransition, match="acknowledge"):
        step(alarm, Reset(), LATCHING)
    alarm, _ = step(alarm, Acknowledge(), LATCHING)
    alarm, effects = step(alarm, Reset(), LATCHING)
    assert alarm.state is State.NORMAL
    assert effects == (Effect.CLOSE_OCCURRENCE,)


def test_a_latched_alarm_that_comes_back_after_the_merge_window_is_told_anew() -> None:
    """Gas that was acknowledged in the morning and returns at night must wake somebody."""
    alarm, effects = step(LATCHED_ACKED, Rose(NOW + HOUR, Severity.CRITICAL), LATCHING)
    assert alarm.state is State.UNACKNOWLEDGED
    assert effects == (Effect.OPEN_OCCURRENCE, Effect.ANNUNCIATE)


def test_missing_data_never_clears_an_alarm() -> None:
    alarm, effects = step(UNACKED, Doubted(True), PLAIN)
    assert (alarm.condition, alarm.doubtful, effects) == (True, True, ())


def test_what_happens_in_silence_is_tracked_and_told_to_nobody() -> None:
    alarm, effects = step(replace(NORMAL, shelved_until_ms=NOW + HOUR), Rose(NOW, Severity.CRITICAL), PLAIN)
    assert alarm.condition
    assert effects == (Effect.OPEN_OCCURRENCE,)


@pytest.mark.parametrize("until_ms", [NOW - 1, NOW, NOW + 25 * HOUR])
def test_a_shelf_has_an_end_within_bounds(until_ms: int) -> None:
    with pytest.raises(IllegalTransition):
        step(UNACKED, Shelve(NOW, until_ms), PLAIN)


def test_what_must_never_be_hidden_cannot_be_shelved_or_suppressed() -> None:
    overflow = Kind(shelvable=False, suppressible=False)
    with pytest.raises(IllegalTransition):
        step(UNACKED, Shelve(NOW, NOW + HOUR), overflow)
    with pytest.raises(IllegalTransition):
        step(UNACKED, Suppress("feeder_1", NOW), overflow)


alarms = st.sampled_from([state for letter, state in STATES.items() if letter != "-"])
events = st.sampled_from(list(EVENTS.values()))


@given(alarms, st.sampled_from(["feeder_1", "plan_9"]))
def test_a_suppression_round_trip_keeps_acked(alarm: Alarm, by: str) -> None:
    """Hidden and shown again with nothing in between: who had taken it still has it."""
    if alarm.suppressed_by or not alarm.condition:
        return
    hidden, _ = step(alarm, Suppress(by, NOW), PLAIN)
    assert step(hidden, Unsuppress(by), PLAIN)[0].acked == alarm.acked


@given(alarms, st.lists(events, max_size=30), st.booleans())
def test_on_any_path_the_flags_agree_with_the_letter(alarm: Alarm, path: list[Event], latching: bool) -> None:
    """A silent alarm tells nobody; an unacknowledged one on show has been told; occurrences only rise."""
    kind = Kind(latching=latching)
    for event in path:
        try:
            after, effects = step(alarm, event, kind)
        except IllegalTransition:
            continue
        assert after.occurrence >= alarm.occurrence
        assert not (after.silent and Effect.ANNUNCIATE in effects)
        assert (Effect.OPEN_OCCURRENCE in effects) == (after.occurrence > alarm.occurrence)
        came_on_show = after.state is State.UNACKNOWLEDGED and alarm.state is not State.UNACKNOWLEDGED
        assert not came_on_show or Effect.ANNUNCIATE in effects or alarm.latched
        alarm = after


@given(alarms, events)
def test_every_event_twice_is_refused_or_changes_nothing_more(alarm: Alarm, event: Event) -> None:
    """Delivery is at least once: a repeated event must not tell a person twice."""
    try:
        once, _ = step(alarm, event, PLAIN)
        twice, effects = step(once, event, PLAIN)
    except IllegalTransition:
        return
    assert twice == once
    assert Effect.ANNUNCIATE not in effects
