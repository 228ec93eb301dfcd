"""Monitoring classes A to D and the composite compliance rate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

COVERAGE_PCT = 90.0
"""A point with less stays out of its class. [%]"""
GROUPS: tuple[tuple[str, float], ...] = (("A", 0.5), ("BCD", 0.5))
"""Classes whose mean enters the composite with one weight."""


@dataclass(frozen=True)
class CompositeRate:
    """The composite and what it rests on."""

    pct: float
    """[%]"""
    basis: str
    """The classes that have points, such as `ACD`."""

    @property
    def comparable(self) -> bool:
        """Without class A the number means something else than in other regions."""
        return "A" in self.basis


def class_pct(pass_pct: ArrayLike, coverage_pct: ArrayLike, *, least_coverage_pct: float = COVERAGE_PCT) -> float:
    """Return the compliance rate of a class in a month: the mean over its points, not over their minutes. [%]

    Parameters
    ----------
    pass_pct : array_like, shape (points,)
        Compliance rate of each point. [%]
    coverage_pct : array_like, shape (points,)
        Coverage of each point. [%]
    least_coverage_pct : float
        A point with less coverage does not enter. [%]

    Returns
    -------
    float
        NaN where no point enters. [%]

    Raises
    ------
    ValueError
        If the columns do not broadcast.

    Notes
    -----
    ::

        V_class = Σ V_point / n

    Examples
    --------
    >>> class_pct([99.0, 97.0, 10.0], [100.0, 90.0, 89.9])
    98.0

    References
    ----------
    .. [1] GB/T 12325-2008, annex (from memory, not verified).
    """
    rates, coverage = np.broadcast_arrays(np.asarray(pass_pct, np.float64), np.asarray(coverage_pct, np.float64))
    entering = rates[(coverage >= least_coverage_pct) & ~np.isnan(rates)]
    return float(entering.mean()) if entering.size else float("nan")


def mean_of_months_pct(monthly_pct: ArrayLike) -> float:
    """Return a class's rate over several months: the mean of the months that have one. [%]

    Parameters
    ----------
    monthly_pct : array_like, shape (months,)
        Rates of the class; NaN for a month without. [%]

    Returns
    -------
    float
        NaN where no month has a rate. [%]

    Notes
    -----
    ::

        V(year) = Σ V(month) / months

    Examples
    --------
    >>> mean_of_months_pct([99.0, float("nan"), 98.0])
    98.5

    References
    ----------
    .. [1] GB/T 12325-2008, "Power quality - Deviation of supply voltage".
       The yearly mean is from memory.
    """
    rates = np.asarray(monthly_pct, dtype=np.float64)
    known = rates[~np.isnan(rates)]
    return float(known.mean()) if known.size else float("nan")


def composite_rate(
    by_class: Mapping[str, float], groups: Sequence[tuple[Sequence[str], float]] = GROUPS
) -> CompositeRate:
    """Return the composite compliance rate of the classes that have one.

    Parameters
    ----------
    by_class : mapping of str to float
        Rate of each class; a class that is missing or NaN does not enter. [%]
    groups : sequence of (classes, weight)
        A group enters with the mean of its classes that have a rate; the weights of empty groups are left out.

    Returns
    -------
    CompositeRate
        NaN with an empty basis where no class has a rate. [%]

    Notes
    -----
    ::

        V = 0.5·V_A + 0.5·(V_B + V_C + V_D)/3

    Examples
    --------
    >>> round(composite_rate({"A": 99.95, "B": 99.90, "C": 99.80, "D": 99.20}).pct, 6)
    99.791667
    >>> without_b = composite_rate({"A": 99.95, "C": 99.80, "D": 99.20})
    >>> round(without_b.pct, 6), without_b.basis
    (99.725, 'ACD')

    References
    ----------
    .. [1] The state grid's composite (from memory, not verified; a row of `power_rules.toml`).
    """
    known = {name: rate for name, rate in by_class.items() if not np.isnan(rate)}
    weighted, weights, basis = 0.0, 0.0, ""
    for classes, weight in groups:
        present = [name for name in classes if name in known]
        if present:
            weighted += weight * sum(known[name] for name in present) / len(present)
            weights += weight
            basis += "".join(present)
    return CompositeRate(weighted / weights if weights else float("nan"), basis)
