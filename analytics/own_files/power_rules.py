"""The rules that are data: targets, voltage limits, the composite and the causes that do not count.

They ship as `power_rules.toml` beside this module, each with its source and whether it was verified there.
"""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from analytics.voltage import Limits
from edge.errors import BadInput

Edition = Literal["2012", "2016"]

DEAD_SHARE = 0.05
"""Share of nominal voltage below which a supply is interrupted (EN 50160)."""


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a region must reach in a year. [%]"""

    region: str
    year: int
    indicator: Literal["reliability", "composite_voltage"]
    value: float
    source: str
    verified: bool


class LimitsProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Named set values of a monitoring point. [V]"""

    name: str
    nominal: float
    lo: float
    hi: float
    assess_lo: float
    assess_hi: float
    dead_below: float
    source: str
    verified: bool

    def limits(self) -> Limits:
        """The set values as the core takes them."""
        return Limits(self.lo, self.hi, self.assess_lo, self.assess_hi, self.dead_below)


class CompositeGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Classes whose mean enters the composite with one weight."""

    classes: tuple[str, ...]
    weight: float


class Composite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the classes make the composite rate."""

    source: str
    verified: bool
    least_coverage_pct: float
    """A point with less stays out of its class. [%]"""
    groups: tuple[CompositeGroup, ...]


class NotCounted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cause whose interruptions DL/T 836 leaves out."""

    cause: str
    cause_zh: str
    editions: tuple[Edition, ...]
    reason: str
    verified: bool


class PowerRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything in `power_rules.toml`."""

    targets: tuple[Target, ...]
    limits: tuple[LimitsProfile, ...]
    composite: Composite
    not_counted: tuple[NotCounted, ...]

    def target(self, indicator: str) -> Target:
        """The first target of an indicator."""
        return next(target for target in self.targets if target.indicator == indicator)

    def profile(self, name: str) -> LimitsProfile:
        """The limits of that name."""
        for profile in self.limits:
            if profile.name == name:
                return profile
        known = ", ".join(profile.name for profile in self.limits)
        raise BadInput(f"limits {name!r} are unknown; there are {known}, or give --lo and --hi")

    def causes_not_counted(self, edition: str) -> frozenset[str]:
        """Causes left out in an edition, in both languages."""
        rows = [row for row in self.not_counted if edition in row.editions]
        return frozenset(name for row in rows for name in (row.cause, row.cause_zh))


@cache
def power_rules() -> PowerRules:
    """The rules that ship with steppe."""
    text = files("analytics.own_files").joinpath("power_rules.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), PowerRules)


def limits_given(
    name: str | None,
    lo: float | None,
    hi: float | None,
    assess_lo: float | None = None,
    assess_hi: float | None = None,
    nominal: float | None = None,
) -> LimitsProfile | None:
    """The limits that a person names or spells out; None if neither.

    Limits spelled out have no assessment values unless these are given too; nominal is taken as their middle.
    """
    if name is not None:
        if lo is not None or hi is not None:
            raise BadInput("give --limits, or --lo and --hi, and not both")
        profile = power_rules().profile(name)
    elif lo is None or hi is None:
        if lo is None and hi is None and assess_lo is None and assess_hi is None:
            return None
        raise BadInput("--lo and --hi are needed together")
    else:
        middle = (lo + hi) / 2 if nominal is None else nominal
        no = float("inf")
        profile = LimitsProfile("given", middle, lo, hi, -no, no, DEAD_SHARE * middle, "given by hand", verified=True)
    given = {"assess_lo": assess_lo, "assess_hi": assess_hi, "nominal": nominal}
    profile = msgspec.structs.replace(profile, **{key: value for key, value in given.items() if value is not None})
    try:
        profile.limits()
    except ValueError as error:
        raise BadInput(str(error)) from error
    return profile
