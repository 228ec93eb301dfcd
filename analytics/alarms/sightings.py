"""What the followers of whole plants (works, lift stations) tell the engine."""

from dataclasses import dataclass

from analytics.alarms.records import Act


@dataclass(frozen=True)
class Sighting:
    """A condition of a plant that came, turned out to be of another class, or went."""

    alarm: str
    asset: str
    kind: str
    """Class of the alarm."""
    act: Act
