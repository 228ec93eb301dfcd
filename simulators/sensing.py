"""How late the gateways noticed that their mains went away: what a fast virtual clock makes of the machine's delays."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ingest.store import Store
from simulators.county import Gateway
from simulators.faults import dark_intervals
from simulators.scenario import Scenario


@dataclass(frozen=True)
class Sensing:
    """The longest delay, and whose interruptions it can have shifted."""

    lag_ms: int
    assets: frozenset[str]
    """What feeds a gateway: its own mains sensing is evidence of that supply."""


PROMPT = Sensing(0, frozenset())
"""Everything was noticed at once."""


def measure_sensing(store: Store, scenario: Scenario) -> Sensing:
    """Compare the plot with the gateways' own readings of their mains."""
    county = scenario.county()
    lags = [lag_ms for gateway in county.gateways for lag_ms in _lags_ms(store, scenario, gateway)]
    return Sensing(max(lags, default=0), frozenset(gateway.supply for gateway in county.gateways))


def _lags_ms(store: Store, scenario: Scenario, gateway: Gateway) -> Iterator[int]:
    """Per loss, and per return that its battery lasted for: from the plot to the first reading that says so."""
    rows = store.read([f"{gateway.site}/gateway.mains_on"], 0, 2**53)
    for start_ms, end_ms in dark_intervals(scenario.county(), scenario.faults, gateway.site):
        lasted = end_ms - start_ms <= gateway.battery_s * 1000
        for change_ms, state in ((start_ms, 0.0), (end_ms, 1.0)) if lasted else ((start_ms, 0.0),):
            said = rows.t_ms[(rows.t_ms >= change_ms) & (rows.value == state)]
            if len(said):
                yield int(np.min(said)) - change_ms
