"""The stream: a beat, alarms and values when they change, and nothing that a browser saw before."""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pytest
from support.console_browser import Browser

from analytics.alarms.events import Acknowledge
from analytics.alarms.records import Act
from analytics.alarms.state import State
from dashboards.console.live import MOST_POINTS, Event, Hub
from dashboards.console.per_thread import PerThread
from dashboards.console.site import Console
from ingest.columns import join
from ingest.store import Columns, Latest, StoreDown
from ingest.stores import open_store

POINT = "works-1/works.free_chlorine_mg_l"
T = TypeVar("T")


def of(events: list[Event]) -> dict[str, object]:
    """Topic → what was told; values and alarms as JSON."""
    return {one.topic: one.data if one.topic == "beat" else json.loads(one.data) for one in events}


async def told(hub: Hub, browser: AsyncIterator[list[Event]]) -> dict[str, object]:
    """What one browser hears of the next look."""
    return (await all_told(hub, [browser]))[0]


async def all_told(hub: Hub, browsers: list[AsyncIterator[list[Event]]]) -> list[dict[str, object]]:
    """What each browser hears of the next look."""
    hearing = [asyncio.ensure_future(anext(browser)) for browser in browsers]
    await asyncio.sleep(0)
    await hub.look()
    return [of(events) for events in await asyncio.wait_for(asyncio.gather(*hearing), 10)]


def run(scenario: Callable[[Hub], Awaitable[T]], console: Console) -> T:
    return asyncio.run(scenario(Hub(console)))  # type: ignore[arg-type]


def one_more(console: Console, value: float) -> None:
    """A reading of the point comes in, a minute after its newest."""
    with closing(open_store(console.centre.store, console.data_dir)) as store:
        at_ms = store.latest([POINT])[POINT].t_ms + 60_000
        store.append(join([Columns((POINT,), *one_row(at_ms, value))], (POINT,)))


def one_row(at_ms: int, value: float) -> tuple[np.ndarray, ...]:
    return np.zeros(1, np.int32), np.array([at_ms]), np.array([value]), np.zeros(1, np.uint8)


def test_a_new_browser_hears_everything_and_then_only_what_changes(console: Console) -> None:
    async def scenario(hub: Hub) -> None:
        browser = hub.listen([POINT])
        await anext(browser)
        first = await told(hub, browser)
        assert set(first) == {"alarms", "values", "beat"}
        assert first["alarms"]["count"] == len(waiting(console))
        assert set(await told(hub, browser)) == {"beat"}
        one_more(console, 0.42)
        changed = await told(hub, browser)
        assert changed["values"][POINT][1] == 0.42
        assert "alarms" not in changed

    run(scenario, console)


def waiting(console: Console) -> list[str]:
    states = (State.UNACKNOWLEDGED, State.RETURNED_UNACKNOWLEDGED, State.LATCHED_UNACKNOWLEDGED)
    return [one.id for one in console.alarms().records(only_standing=True) if one.alarm.state in states]


def test_an_alarm_that_was_taken_is_told_to_every_browser(console: Console) -> None:
    async def scenario(hub: Hub) -> None:
        browsers = [hub.listen([]) for _ in range(3)]
        for browser in browsers:
            await anext(browser)
        await all_told(hub, browsers)
        before = len(waiting(console))
        act = Act(Acknowledge(), console.now_ms(), "bao")
        console.planner().act(console.alarms(), waiting(console)[0], act, now_ms=console.now_ms())
        heard = await all_told(hub, browsers)
        assert [one["alarms"]["count"] for one in heard] == [before - 1] * 3

    run(scenario, console)


def test_a_browser_that_comes_back_hears_what_it_missed_and_no_more(console: Console) -> None:
    async def scenario(hub: Hub) -> None:
        before = hub.listen([POINT])
        await anext(before)
        await told(hub, before)
        last = (await anext(hub.listen([POINT])))[-1].id
        still = hub.listen([POINT])
        await anext(still)
        assert set(of(await anext(hub.listen([POINT], last)))) == {"beat"}
        one_more(console, 0.43)
        await hub.look()
        assert set(of(await anext(hub.listen([POINT], last)))) == {"values", "beat"}
        for unknown in ("", "other-5", f"{last}x", "-", "é", last.split("-")[0] + "-" + "9" * 400):
            assert {"alarms", "values"} <= set(of(await anext(hub.listen([POINT], unknown)))), unknown

    run(scenario, console)


def test_a_beat_and_a_changed_value_stay_far_below_half_a_kilobyte(console: Console) -> None:
    async def scenario(hub: Hub) -> int:
        browser = hub.listen([POINT])
        await anext(browser)
        await told(hub, browser)
        one_more(console, 0.44)
        return sum(len(topic) + len(str(data)) + 40 for topic, data in (await told(hub, browser)).items())

    assert run(scenario, console) < 300


def test_nobody_is_followed_for_a_browser_that_has_gone(console: Console) -> None:
    async def scenario(hub: Hub) -> None:
        browser = hub.listen([POINT])
        await anext(browser)
        assert hub.followed == 1
        await browser.aclose()
        assert hub.followed == 0

    run(scenario, console)


def test_a_page_cannot_follow_more_than_a_person_reads(client) -> None:
    query = "&".join(f"points=p{n}" for n in range(MOST_POINTS + 1))
    answer = client("viewer").http.get(f"/live?{query}")
    assert answer.status_code == 400
    assert "200 points" in answer.text


def test_the_bar_says_how_many_wait_and_since_when(client, console: Console) -> None:
    text = client("viewer").get("/bar").text
    assert f'<span class="n v">{len(waiting(console))}</span>' in text
    assert "data-age=" in text


@pytest.mark.parametrize("path", ["/live", "/bar"])
def test_the_stream_is_only_for_those_who_signed_in(stranger: Browser, path: str) -> None:
    assert stranger.get(path).status_code == 303


def test_a_store_that_is_away_for_hours_is_told_of_once_and_when_it_is_back(
    console: Console, caplog: pytest.LogCaptureFixture
) -> None:
    """It is looked at once a second: a line each time would push everything else out of the journal."""
    caplog.set_level(logging.INFO, "dashboards.console.live")

    class AwayStore:
        is_away = True

        def latest(self, points: list[str]) -> dict[str, Latest]:
            if self.is_away:
                raise StoreDown("http://store: no answer")
            return {}

        def close(self) -> None: ...

    store = AwayStore()

    async def scenario(hub: Hub) -> None:
        browser = hub.listen([POINT])
        await anext(browser)
        for _ in range(3):
            assert str((await told(hub, browser))["beat"]).endswith(" store")
        store.is_away = False
        await told(hub, browser)

    asyncio.run(scenario(Hub(replace(console, stores=PerThread(lambda: store)))))
    assert [record.getMessage() for record in caplog.records] == [
        "the store cannot be read: http://store: no answer",
        "the store can be read again",
    ]


def test_a_store_that_keeps_one_waiting_does_not_stop_the_beat(console: Console) -> None:
    """Else every page would say that the server is lost where only the store is slow."""
    answered = threading.Event()

    class SlowStore:
        def latest(self, points: list[str]) -> dict[str, Latest]:
            answered.wait(30)
            return {POINT: Latest(console.now_ms(), 0.5, 0)}

        def close(self) -> None: ...

    async def scenario(hub: Hub) -> None:
        browser = hub.listen([POINT])
        await anext(browser)
        slow = await told(hub, browser)
        assert str(slow["beat"]).endswith(" store")
        assert "values" not in slow
        answered.set()
        assert (await told(hub, browser))["values"][POINT][1] == 0.5
        assert not str((await told(hub, browser))["beat"]).endswith(" store")

    asyncio.run(scenario(Hub(replace(console, stores=PerThread(SlowStore)))))
