"""What a channel measures, read from its name, and what is believed of such an instrument before it has been seen.

The beliefs are the strays of one season at a waterworks, taken without its labels and rounded; ten strays of a channel
weigh as much. An unknown name gets a cautious belief.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Kind:
    """A kind of instrument."""

    name: str
    pattern: str
    """Found in the lower-case names of its channels."""
    usual: float
    """Departure, in spreads, that it passes four times a day."""
    tail: float
    """Mean of ln(peak / usual) over such strays: how much further it goes when it goes."""


KINDS = (
    Kind("pressure", r"press|druck|kpa|mpa\b", 3.0, 0.25),
    Kind("flow", r"flow|m3_h|^fm|durchfluss|pump|valve|level", 1.7, 0.60),
    Kind("chlorine", r"chlor|(^|_)cl(_?\d)?($|_)|cl2|clo2", 1.4, 0.15),
    Kind("turbidity", r"turb|trueb|ntu", 1.2, 0.45),
    Kind("conductivity", r"cond|leit|us_cm", 1.3, 0.17),
    Kind("organic", r"toc|cod|uv254|doc", 3.0, 0.25),
    Kind("redox", r"redox|orp", 0.9, 0.17),
    Kind("ph", r"^ph|[._]ph", 2.0, 0.22),
    Kind("temperature", r"temp|^tp$|_c$", 0.8, 0.12),
)
OTHER = Kind("other", "", 3.0, 0.25)


def kind_of(name: str) -> Kind:
    """The kind of a channel by its name.

    Examples
    --------
    >>> [kind_of(name).name for name in ("clearwell.free_chlorine_mg_l", "Leit", "flow_m3_h", "pH", "x")]
    ['chlorine', 'conductivity', 'flow', 'ph', 'other']
    """
    lower = name.lower()
    return next((kind for kind in KINDS if re.search(kind.pattern, lower)), OTHER)


def first_beliefs(names: Sequence[str]) -> tuple[Floats, Floats]:
    """The usual stray and the tail to begin with, each of shape (channels,).

    Examples
    --------
    >>> first_beliefs(["pH", "Leit"])
    (array([2. , 1.3]), array([0.22, 0.17]))
    """
    kinds = [kind_of(name) for name in names]
    return np.array([kind.usual for kind in kinds]), np.array([kind.tail for kind in kinds])
