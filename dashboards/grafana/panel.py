"""A panel as its author thinks of it: what it says, what it asks, what is abnormal. `render.py` makes JSON of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from dashboards.grafana.influxql import Ask
from dashboards.grafana.targets import Band
from dashboards.grafana.words import Words

Kind = Literal["stat", "timeseries", "table", "geomap", "state-timeline", "status-history"]

BACKGROUND, PANEL, TEXT = "#d9d9d6", "#ececea", "#222222"
SERIES, TARGET = "#5a6066", "#9aa0a6"
P1, P2, P3, BAD = "#c00000", "#f2b600", "#a7c6e8", "#b000b0"
PALETTE = frozenset({BACKGROUND, PANEL, TEXT, SERIES, TARGET, P1, P2, P3, BAD})
"""`screens.md`: grey where all is well; no green."""

NOW = "15m"
"""A panel of what is now looks back so far and no further: what is older shows as no data."""
NUMBERS = "2h"
"""The same for numbers, which are told every 15 min."""


@dataclass(frozen=True)
class Mark:
    """How a value is written: colour never alone."""

    words: Words
    colour: str


@dataclass(frozen=True)
class Column:
    """One column of a table, or one field of a panel."""

    heading: Words
    unit: str = ""
    decimals: int | None = None
    marks: Mapping[str, Mark] = field(default_factory=dict)
    steps: tuple[tuple[float | None, str], ...] = ()
    is_link: bool = False
    """Leads to the alarm on the console; the row has a column `id`."""
    is_hidden: bool = False
    width: int | None = None


@dataclass(frozen=True)
class Panel:
    """One panel of a dashboard."""

    kind: Kind
    title: Words
    about: Words
    at: tuple[int, int, int, int]
    """x, y, width, height; 24 columns."""
    asks: tuple[Ask, ...]
    unit: str
    decimals: int | None = None
    steps: tuple[tuple[float | None, str], ...] = ()
    """From which value on which colour; the first begins at None."""
    marks: Mapping[str, Mark] = field(default_factory=dict)
    columns: Mapping[str, Column] = field(default_factory=dict)
    window: str = ""
    """Looks back so far, whatever the page shows; empty for the page's own time."""
    sparkline: bool = False
    is_bars: bool = False
    """A time series of counts."""
    low: float | None = None
    high: float | None = None
    """Ends of the axis."""


def above(limit: float, colour: str = P2) -> tuple[tuple[float | None, str], ...]:
    """Abnormal from `limit` on."""
    return (None, PANEL), (limit, colour)


def below(limit: float, colour: str = P2) -> tuple[tuple[float | None, str], ...]:
    """Abnormal below `limit`."""
    return (None, colour), (limit, PANEL)


def outside(band: Band, colour: str = P2) -> tuple[tuple[float | None, str], ...]:
    """Abnormal outside a band; a side without a limit has none."""
    if band.low is None:
        return above(band.high, colour) if band.high is not None else ((None, PANEL),)
    return below(band.low, colour) + (((band.high, colour),) if band.high is not None else ())


def line_at(target: float) -> tuple[tuple[float | None, str], ...]:
    """A dashed line at a target, without judging."""
    return (None, PANEL), (target, TARGET)


NORMAL: tuple[tuple[float | None, str], ...] = ((None, PANEL),)


def limit_lines(*bands: Band) -> tuple[tuple[float | None, str], ...]:
    """A dashed line at each limit of a time series."""
    limits = sorted({limit for band in bands for limit in (band.low, band.high) if limit is not None})
    return ((None, PANEL), *((limit, P2) for limit in limits))
