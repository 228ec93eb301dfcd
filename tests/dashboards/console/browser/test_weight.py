"""How much a page costs on a 50 kB/s link: at its first load, and while it is watched."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from playwright.sync_api import expect
from support.chromium import Window
from support.console_pages import WATER, Shown, find_pages

Open = Callable[..., AbstractContextManager[Window]]
POINT = f"/points/{WATER}"
DRAWN = ("point-day", "point-year")
"""Pages that fetch a series and draw it."""

FIRST_LOAD_BYTES = 120_000
LIVE_BYTES_PER_S = 500.0
WATCHED_S, SETTLED_S = 20.0, 1.0


class Meter:
    """What came over the network, compressed and with its headers, as the browser counts it."""

    def __init__(self, shown: Window) -> None:
        session = shown.context.new_cdp_session(shown.page)
        self._streamed = self._finished = 0
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        session.on("Network.loadingFinished", self._finish)
        session.on("Network.dataReceived", self._receive)

    def _finish(self, told: dict[str, float]) -> None:
        self._finished += int(told["encodedDataLength"])

    def _receive(self, told: dict[str, float]) -> None:
        self._streamed += int(told["encodedDataLength"])

    def loaded(self) -> int:
        """Bytes of everything that has come whole since the last time this was asked."""
        found, self._finished = self._finished, 0
        return found

    def streamed(self) -> int:
        """Bytes of every piece that has come since the last time this was asked."""
        found, self._streamed = self._streamed, 0
        return found


def test_the_first_load_of_each_page_is_light(opened: Open) -> None:
    """With style sheets, scripts and everything that the page asks for by itself; nothing is cached."""
    with opened(role="admin") as shown:
        meter = Meter(shown)
        weights = {one.name: weigh(shown, meter, one) for one in find_pages(shown.fetch)}
    print("\nfirst load [kB]:", ", ".join(f"{name} {weight / 1000:.1f}" for name, weight in weights.items()))
    assert max(weights.values()) <= FIRST_LOAD_BYTES


def weigh(shown: Window, meter: Meter, one: Shown) -> int:
    """Load a page as a stranger's browser would."""
    meter.loaded()
    shown.go(one.path)
    expect(shown.page.locator(".htmx-request")).to_have_count(0)
    if one.name in DRAWN:
        expect(shown.page.locator(".uplot canvas").first).to_be_visible()
    return meter.loaded()


def test_a_page_that_is_watched_costs_little(opened: Open) -> None:
    """Two readers, 20 s: one has the overview before him, one a point with its values."""
    with opened() as one, opened() as other:
        watched = {"overview": (one, Meter(one)), "point": (other, Meter(other))}
        for path, (shown, _) in zip(("/", POINT), watched.values(), strict=True):
            shown.go(path)
            shown.page.wait_for_timeout(SETTLED_S * 1000)
        for _, meter in watched.values():
            meter.streamed()
        began_s = time.monotonic()
        one.page.wait_for_timeout(WATCHED_S * 1000)
        seconds = time.monotonic() - began_s
        rates = {name: meter.streamed() / seconds for name, (_, meter) in watched.items()}
    print("\nwatched [B/s]:", ", ".join(f"{name} {rate:.0f}" for name, rate in rates.items()))
    assert min(rates.values()) > 0
    assert max(rates.values()) <= LIVE_BYTES_PER_S
