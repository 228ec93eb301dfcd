"""One alarm's life: the state machine of ISA-18.2, pure.

`step(alarm, event, kind)` returns the alarm after the event and what must be done about it. An alarm is a set of
orthogonal flags; the ISA letter is derived from them (out of service G, then suppressed F, then shelved E, then A to
D). While it is shelved, suppressed or out of service it keeps being tracked, in silence.

Source: ISA-18.2-2016 / IEC 62682, figure of the alarm state transitions; OPC UA Part 9 for what is tracked in silence.
"""

import enum
from dataclasses import dataclass, replace

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
from edge.errors import SteppeError


class IllegalTransition(SteppeError):
    """The event is not allowed in this state; nothing has changed. The message is for the person who asked."""


class State(enum.StrEnum):
    """The ISA letter, with the two latched forms apart."""

    NORMAL = "A"
    UNACKNOWLEDGED = "B"
    ACKNOWLEDGED = "C"
    RETURNED_UNACKNOWLEDGED = "D"
    SHELVED = "E"
    SUPPRESSED = "F"
    OUT_OF_SERVICE = "G"
    LATCHED_UNACKNOWLEDGED = "LB"
    LATCHED_ACKNOWLEDGED = "LC"
    DISABLED = "-"


class Effect(enum.Enum):
    """What the engine does about a transition, in the transaction that stores it."""

    OPEN_OCCURRENCE = "open occurrence"
    ANNUNCIATE = "annunciate"
    STOP_ESCALATION = "stop escalation"
    RETURN_NOTICE = "return notice"
    CLOSE_OCCURRENCE = "close occurrence"
    COUNT_CHATTER = "count chatter"


@dataclass(frozen=True)
class Kind:
    """What is decided once for all alarms of a type."""

    latching: bool = False
    """Stays on show after the condition has gone, until a person resets it."""
    auto_acknowledge: bool = False
    """A return to normal needs no acknowledgement: low and advisory alarms."""
    shelvable: bool = True
    suppressible: bool = True
    """False for overflow, gas, chlorine low-low, intrusion: never hidden behind a cause."""
    max_shelve_ms: int = 24 * 3600 * 1000
    merge_window_ms: int = 5 * 60 * 1000
    """A condition back within this time of its return is the same occurrence."""


@dataclass(frozen=True)
class Alarm:
    """One alarm's flags at one instant."""

    condition: bool = False
    """The condition holds, after dead-band and delays."""
    acked: bool = True
    latched: bool = False
    """The condition has gone but the alarm waits for a reset."""
    shelved_until_ms: int | None = None
    suppressed_by: frozenset[str] = frozenset()
    """The causes, plans and windows that hide it now."""
    hidden_ms: int | None = None
    """Since when something hides it. [ms since 1970-01-01T00:00Z]"""
    out_of_service: str | None = None
    """The work order that took it out of service."""
    enabled: bool = True
    severity: Severity = Severity.MEDIUM
    doubtful: bool = False
    """The readings behind it are missing or BAD: the condition is held as it was."""
    occurrence: int = 0
    """Counts its onsets; 0 before the first."""
    fell_ms: int | None = None
    """When the condition last went. [ms since 1970-01-01T00:00Z]"""
    told: int = 0
    """Counts how often people were to be told."""

    @property
    def state(self) -> State:
        """The ISA letter on show."""
        if not self.enabled:
            return State.DISABLED
        if self.out_of_service is not None:
            return State.OUT_OF_SERVICE
        if self.suppressed_by:
            return State.SUPPRESSED
        if self.shelved_until_ms is not None:
            return State.SHELVED
        if self.latched:
            return State.LATCHED_ACKNOWLEDGED if self.acked else State.LATCHED_UNACKNOWLEDGED
        if self.condition:
            return State.ACKNOWLEDGED if self.acked else State.UNACKNOWLEDGED
        return State.NORMAL if self.acked else State.RETURNED_UNACKNOWLEDGED

    @property
    def silent(self) -> bool:
        """Whether it is shelved, suppressed, out of service or disabled: tracked, and nobody is told."""
        return self.state in (State.SHELVED, State.SUPPRESSED, State.OUT_OF_SERVICE, State.DISABLED)


Outcome = tuple[Alarm, tuple[Effect, ...]]


def step(alarm: Alarm, event: Event, kind: Kind) -> Outcome:
    """Return the alarm after `event` and what must be done. Raises IllegalTransition, having changed nothing."""
    if not alarm.enabled and not isinstance(event, Enable):
        raise IllegalTransition("the alarm is disabled: enable it in the configuration first")
    match event:
        case Rose():
            return _rise(alarm, event, kind)
        case Fell():
            return _fall(alarm, event, kind)
        case Doubted():
            return replace(alarm, doubtful=event.doubtful), ()
        case Acknowledge():
            return _acknowledge(alarm)
        case Unacknowledge():
            return _unacknowledge(alarm)
        case Reset():
            return _reset(alarm)
        case Shelve():
            return _shelve(alarm, event, kind)
        case Unshelve():
            return _unshelve(alarm, by_person=True)
        case ShelfExpired():
            return _unshelve(alarm, by_person=False)
        case Suppress():
            return _suppress(alarm, event, kind)
        case Unsuppress():
            return _unsuppress(alarm, event)
        case RemoveFromService():
            return replace(alarm, out_of_service=event.work_order), (Effect.STOP_ESCALATION,)
        case ReturnToService():
            return _return_to_service(alarm)
        case Disable():
            return replace(alarm, enabled=False), (Effect.STOP_ESCALATION,)
        case Enable():
            return _enable(alarm)


def _rise(alarm: Alarm, event: Rose, kind: Kind) -> Outcome:
    if alarm.condition and event.severity <= alarm.severity:
        return replace(alarm, severity=event.severity, doubtful=False), ()
    up = replace(alarm, condition=True, latched=False, severity=event.severity, doubtful=False)
    if alarm.condition:
        return _told(replace(up, acked=False))
    merges = alarm.fell_ms is not None and event.at_ms - alarm.fell_ms < kind.merge_window_ms
    if merges and alarm.latched:
        return up, ()
    if merges and not alarm.acked:
        return _told(up, Effect.COUNT_CHATTER)
    return _told(replace(up, acked=False, occurrence=alarm.occurrence + 1), Effect.OPEN_OCCURRENCE)


def _fall(alarm: Alarm, event: Fell, kind: Kind) -> Outcome:
    if not alarm.condition:
        return alarm, ()
    down = replace(alarm, condition=False, doubtful=False, fell_ms=event.at_ms)
    if kind.latching:
        return replace(down, latched=True), ()
    if alarm.acked or kind.auto_acknowledge:
        return replace(down, acked=True), (Effect.STOP_ESCALATION, Effect.RETURN_NOTICE, Effect.CLOSE_OCCURRENCE)
    return down, (Effect.STOP_ESCALATION, Effect.RETURN_NOTICE)


def _acknowledge(alarm: Alarm) -> Outcome:
    if alarm.acked:
        return alarm, ()
    closes = not alarm.condition and not alarm.latched
    effects = (Effect.STOP_ESCALATION, Effect.CLOSE_OCCURRENCE) if closes else (Effect.STOP_ESCALATION,)
    return replace(alarm, acked=True), effects


def _unacknowledge(alarm: Alarm) -> Outcome:
    if not alarm.condition:
        raise IllegalTransition("only an alarm whose condition holds can be handed back")
    if not alarm.acked:
        return alarm, ()
    return _told(replace(alarm, acked=False))


def _reset(alarm: Alarm) -> Outcome:
    if not alarm.latched:
        raise IllegalTransition("there is nothing to reset: the alarm is not latched")
    if not alarm.acked:
        raise IllegalTransition("acknowledge the alarm before resetting it")
    return replace(alarm, latched=False), (Effect.CLOSE_OCCURRENCE,)


def _shelve(alarm: Alarm, event: Shelve, kind: Kind) -> Outcome:
    if not kind.shelvable:
        raise IllegalTransition("alarms of this kind cannot be shelved")
    if not event.at_ms < event.until_ms <= event.at_ms + kind.max_shelve_ms:
        raise IllegalTransition(f"a shelf ends after now and within {kind.max_shelve_ms // 3_600_000} h")
    return replace(alarm, shelved_until_ms=event.until_ms), (Effect.STOP_ESCALATION,)


def _unshelve(alarm: Alarm, *, by_person: bool) -> Outcome:
    if alarm.shelved_until_ms is None:
        raise IllegalTransition("the alarm is not shelved")
    # A person who unshelves has seen it (C); an expiry brings it back unseen (B). ISA-18.2, 11.7.3
    return _back(replace(alarm, shelved_until_ms=None), acked=by_person)


def _suppress(alarm: Alarm, event: Suppress, kind: Kind) -> Outcome:
    if not kind.suppressible:
        raise IllegalTransition("alarms of this kind are never suppressed")
    since_ms = event.at_ms if alarm.hidden_ms is None else alarm.hidden_ms
    hidden = replace(alarm, suppressed_by=alarm.suppressed_by | {event.by}, hidden_ms=since_ms)
    return hidden, (Effect.STOP_ESCALATION,)


def _unsuppress(alarm: Alarm, event: Unsuppress) -> Outcome:
    if event.by not in alarm.suppressed_by:
        raise IllegalTransition(f"the alarm is not suppressed by {event.by}")
    left = replace(alarm, suppressed_by=alarm.suppressed_by - {event.by})
    return (left, ()) if left.suppressed_by else _back(replace(left, hidden_ms=None), acked=alarm.acked)


def _return_to_service(alarm: Alarm) -> Outcome:
    if alarm.out_of_service is None:
        raise IllegalTransition("the alarm is in service")
    return _back(replace(alarm, out_of_service=None), acked=False)


def _enable(alarm: Alarm) -> Outcome:
    if alarm.enabled:
        raise IllegalTransition("the alarm is enabled")
    return Alarm(severity=alarm.severity, occurrence=alarm.occurrence, told=alarm.told), ()


def _back(alarm: Alarm, *, acked: bool) -> Outcome:
    """Out of the silence: normal if the condition has gone, else on show, unseen unless `acked`."""
    if not alarm.condition and not alarm.latched:
        closes = (Effect.CLOSE_OCCURRENCE,) if not alarm.acked else ()
        return replace(alarm, acked=True), closes
    if acked:
        return replace(alarm, acked=True), ()
    return _told(replace(alarm, acked=False))


def _told(alarm: Alarm, *effects: Effect) -> Outcome:
    """Tell a person, unless the alarm is silent now."""
    if alarm.silent:
        return alarm, effects
    return replace(alarm, told=alarm.told + 1), (*effects, Effect.ANNUNCIATE)
