"""What an SMS from the crew does: `17 OK` takes the alarm of occurrence 17, `17 NO` hands it back.

Whoever sends it is known by the phone number in `alarms.toml`, and only those count who can be called: on a duty, in a
step of a chain, or the manager. A number that two people share is nobody's.
"""

import re
from dataclasses import dataclass

from analytics.alarms.database import AlarmDatabase
from analytics.alarms.events import Acknowledge, Event, Unacknowledge
from analytics.alarms.planner import Planner
from analytics.alarms.records import Act
from analytics.alarms.replies import parse_reply
from analytics.alarms.rota import Person
from analytics.alarms.settings import AlarmSettings
from analytics.alarms.state import IllegalTransition

NATIONAL_DIGITS = 11
"""Of a Chinese mobile number: `13800000001`, with or without 86 or +86 before it."""


@dataclass(frozen=True)
class Answered:
    """What became of a message."""

    alarm: str
    """Empty where it was about none."""
    done: bool
    detail: str
    """For the log: no phone number and no text."""


def answer(database: AlarmDatabase, planner: Planner, phone: str, text: str, *, now_ms: int) -> Answered:
    """Do what a message asks, if its sender may; whatever it is, it is answered for and never raises."""
    person = sender(planner.settings, phone)
    if person is None:
        return Answered("", False, "from a number of nobody who can be called")
    reply = parse_reply(text)
    if reply is None:
        return Answered("", False, f"{person.name} sent no reply to a notice")
    occurrence = database.occurrence(reply.occurrence)
    if occurrence is None:
        return Answered("", False, f"{person.name}: there is no occurrence #{reply.occurrence}")
    if occurrence.closed_ms is not None:
        return Answered(occurrence.alarm, False, f"{person.name}: #{reply.occurrence} is over")
    event: Event = Acknowledge() if reply.act == "take" else Unacknowledge()
    try:
        planner.act(database, occurrence.alarm, Act(event, now_ms, person.name, "by SMS"), now_ms=now_ms)
    except IllegalTransition as error:
        return Answered(occurrence.alarm, False, f"{person.name}: {error}")
    return Answered(occurrence.alarm, True, f"{person.name}: {reply.act} #{reply.occurrence}")


def sender(settings: AlarmSettings, phone: str) -> Person | None:
    """Return who among those that can be called has this number; None for nobody, and for more than one."""
    number = _national(phone)
    callable_ = _callable(settings)
    found = [one for one in settings.people if one.name in callable_ and one.phone and _national(one.phone) == number]
    return found[0] if number and len(found) == 1 else None


def _callable(settings: AlarmSettings) -> set[str]:
    chains = settings.chains
    steps = [step.person for chain in (chains.critical, chains.high, chains.medium, chains.low) for step in chain.steps]
    on_rotas = [name for rota in settings.rotas for name in rota.order]
    stand_ins = [override.person for rota in settings.rotas for override in rota.overrides]
    return {*steps, *on_rotas, *stand_ins, settings.manager} - {""}


def _national(phone: str) -> str:
    digits = re.sub(r"\D", "", phone)
    return digits.removeprefix("0086").removeprefix("86") if len(digits) > NATIONAL_DIGITS else digits
