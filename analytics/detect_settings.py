"""How the detector learns: its memories, gates and patience, in rows; one row a minute is meant."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """How the detector learns; the defaults lie on a plateau of one season's labelled and invented disturbances."""

    memory_rows: tuple[float, ...] = (6.0, 12.0, 25.0, 50.0)
    """Memories of the level; the score is the median of what they say."""
    gate: float = 5.0
    """Departures of more spreads than this are outlying: the level does not follow them."""
    reanchor_rows: float = 180.0
    """A channel that stays out so long is believed: its level moves there."""
    spread_rows: float = 1200.0
    spread_cap: float = 4.0
    """A departure counts for at most so many spreads when the spread is learned."""
    step_share: float = 1.1
    """The spread is at least this share of the channel's usual step, so that a coarse instrument is not over-judged."""
    relation_rows: float = 4320.0
    relation_clip: float = 3.5
    relation_ridge: float = 1.0
    relation_every: int = 15
    """Rows between two solutions of the relations among channels."""
    strays_per_day: float = 4.0
    """The usual stray of a channel is what it passes so often a day."""
    stray_gain: float = 0.04
    tail_strays: float = 35.0
    """Strays that the tail remembers."""
    tail_cap: float = 2.0
    quiet_rows: int = 10
    """A stray ends after so many rows below the usual."""
    excuse_score: float = 6.5
    excuse_rows: float = 400.0
    """Rows above `excuse_score` are not learned from, but only so many: after that they are the new normal."""
    second_share: float = 0.3
    """What the second most deviating channel adds to the score of the first."""
