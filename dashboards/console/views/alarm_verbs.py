"""What a person may do about an alarm: the words, who may, and in which states each makes sense."""

from collections.abc import Mapping
from typing import Literal

from analytics.alarms.state import Alarm, Kind
from dashboards.console.people import Role

Verb = Literal[
    "acknowledge", "hand_back", "comment", "reset", "shelve", "unshelve", "out_of_service", "return_to_service"
]
ROLE: Mapping[Verb, Role] = {
    "acknowledge": "crew",
    "hand_back": "crew",
    "comment": "crew",
    "reset": "crew",
    "shelve": "operator",
    "unshelve": "operator",
    "out_of_service": "operator",
    "return_to_service": "operator",
}
NEEDS_REASON: tuple[Verb, ...] = ("comment", "shelve")
"""Who hides something, or says something, says why or what."""


def allows(alarm: Alarm, kind: Kind, verb: Verb) -> bool:
    """Whether a verb does anything to an alarm as it stands; the state machine has the last word."""
    on_show = not alarm.silent
    return {
        "acknowledge": not alarm.acked and on_show,
        "hand_back": alarm.acked and alarm.condition and on_show,
        "comment": True,
        "reset": alarm.latched and alarm.acked,
        "shelve": kind.shelvable and on_show and (alarm.condition or not alarm.acked),
        "unshelve": alarm.shelved_until_ms is not None,
        "out_of_service": alarm.out_of_service is None,
        "return_to_service": alarm.out_of_service is not None,
    }[verb]
