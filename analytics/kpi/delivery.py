"""How much of what the sites of a region promised has come, from the journal's own counts."""

from collections.abc import Iterable
from dataclasses import dataclass

from ingest.sites import Sites


@dataclass(frozen=True)
class Delivery:
    """Expected and received of some sites over a period."""

    sites: int
    expected: float
    """By the point lists that the sites announced. [readings]"""
    received: int
    """Of hours that promised any; what came beyond the promise of an hour is not counted. [readings]"""
    good: int
    """Of these, with a value. [readings]"""
    silent_site_h: int
    """Hours in which a site that had promised readings sent none. [h]"""
    site_h: int
    """Hours of sites that had promised readings. [h]"""

    @property
    def received_pct(self) -> float:
        """Share of the expected readings that came; NaN where none were promised. [%]"""
        return 100 * self.received / self.expected if self.expected else float("nan")

    @property
    def good_pct(self) -> float:
        """Share of the expected readings that came with a value; NaN where none were promised. [%]"""
        return 100 * self.good / self.expected if self.expected else float("nan")


def delivery(sites: Sites, names: Iterable[str], start_ms: int, end_ms: int) -> Delivery:
    """Return the delivery of some sites between two instants. Raises JournalError."""
    expected, received, good, silent, hours, heard = 0.0, 0, 0, 0, 0, 0
    known = set(sites.names())
    for name in names:
        if name not in known:
            continue
        heard += 1
        for hour in sites.hours(name, start_ms, end_ms):
            if hour.expected <= 0:
                continue
            counted = min(hour.received, round(hour.expected))
            expected, received = expected + hour.expected, received + counted
            good += min(hour.received - hour.bad, counted)
            silent, hours = silent + (hour.received == 0), hours + 1
    return Delivery(heard, expected, received, good, silent, hours)
