"""The plot of a run: what the director does, and at which instant of the county's time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulators.faults import DAY_MS, HOUR_MS, Fault, dark_intervals
from simulators.scenario import Scenario

BOOT_MS = 60_000
"""A gateway that gets its mains back is up again after this."""

Verb = Literal["kill", "start", "mains_off", "mains_on", "cut", "freeze", "delay", "restore", "fill", "free", "say"]


@dataclass(frozen=True)
class Act:
    """One thing to do."""

    at_ms: int
    """[ms since 1970-01-01T00:00Z]"""
    verb: Verb
    target: str
    """A site, `ingest` or `broker`."""
    words: str
    """What a spectator is told."""


def fault_acts(scenario: Scenario) -> list[Act]:
    """What the scripted faults ask of the director: links, mains and batteries; the rest happens in the physics."""
    county = scenario.county()
    acts = [act for fault in scenario.faults for act in _acts_of(fault)]
    for gateway in county.gateways:
        for start_ms, end_ms in dark_intervals(county, scenario.faults, gateway.site):
            acts.append(Act(start_ms, "mains_off", gateway.site, f"{gateway.site} runs on its battery"))
            acts.append(Act(end_ms, "mains_on", gateway.site, f"{gateway.site} has its mains back"))
            empty_ms = start_ms + int(gateway.battery_s * 1000)
            if empty_ms < end_ms:
                acts.append(Act(empty_ms, "kill", gateway.site, f"{gateway.site}: the battery is empty"))
                acts.append(Act(end_ms + BOOT_MS, "start", gateway.site, f"{gateway.site} boots"))
    return sorted(acts, key=lambda act: act.at_ms)


def chaos_acts(scenario: Scenario) -> list[Act]:
    """Kill a gateway, ingest and the broker once a day without warning; each is back two minutes later."""
    rng = np.random.default_rng([scenario.seed, 7])
    sites = [gateway.site for gateway in scenario.county().gateways if gateway.site.startswith("feeder")]
    acts = []
    for day in range(scenario.days):
        midnight_ms = scenario.midnight_ms + day * DAY_MS
        victims = (str(rng.choice(sites)), "ingest", "broker", "ingest")
        for victim, hour in zip(victims, (4.2, 8.9, 12.4, 20.6), strict=True):
            at_ms = midnight_ms + int((hour + rng.uniform(-0.3, 0.3)) * HOUR_MS)
            acts.append(Act(at_ms, "kill", victim, f"SIGKILL {victim}"))
            acts.append(Act(at_ms + 2 * BOOT_MS, "start", victim, f"{victim} is started again"))
    return acts


def _acts_of(fault: Fault) -> Sequence[Act]:
    words = f"{fault.kind.replace('_', ' ')}: {fault.target}"
    minutes = round((fault.end_ms - fault.start_ms) / 60_000)
    if fault.kind == "backhaul_loss":
        return (
            Act(fault.start_ms, "cut", fault.target, f"{words}, {minutes} min"),
            Act(fault.end_ms, "restore", fault.target, f"{fault.target} is reachable again"),
        )
    return (Act(fault.start_ms, "say", fault.target, f"{words}, {minutes} min"),)
