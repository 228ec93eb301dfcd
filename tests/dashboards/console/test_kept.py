"""A store that is down or slow: pages show what they had, marked old, and nobody waits long."""

import dataclasses
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from starlette.testclient import TestClient
from support.console_browser import Browser
from support.servers import wait_until

from dashboards.console.app import build_app
from dashboards.console.kept import MOST, KeptViews
from dashboards.console.per_thread import PerThread
from dashboards.console.site import Console
from ingest.store import Store, StoreDown

SHORT_S = 0.05


@pytest.fixture
def views() -> Iterator[KeptViews]:
    with closing(KeptViews()) as opened:
        yield opened


def down() -> str:
    raise StoreDown("store: no answer")


def test_a_store_that_fails_leaves_the_last_answer_with_its_time_and_the_reason(views: KeptViews) -> None:
    assert views.read("a", lambda: "first", wait_s=5.0, now_ms=1).trouble == ""
    kept = views.read("a", down, wait_s=5.0, now_ms=2)
    assert (kept.view, kept.read_ms, kept.trouble) == ("first", 1, "store: no answer")
    assert views.read("a", lambda: "second", wait_s=5.0, now_ms=3).view == "second"


def test_without_an_earlier_answer_the_failure_rises(views: KeptViews) -> None:
    with pytest.raises(StoreDown, match="no answer"):
        views.read("a", down, wait_s=5.0, now_ms=1)


def test_nobody_waits_longer_than_the_limit_and_the_late_answer_is_kept(views: KeptViews) -> None:
    go = threading.Event()

    def slow() -> str:
        go.wait(10)
        return "late"

    with pytest.raises(StoreDown, match="more than"):
        views.read("a", slow, wait_s=SHORT_S, now_ms=1)
    go.set()
    wait_until(lambda: _last(views) == "late", 10, "the late answer is kept")


def _last(views: KeptViews) -> str | None:
    try:
        return views.read("a", down, wait_s=5.0, now_ms=2).view
    except StoreDown:
        return None


def test_what_was_longest_unseen_is_forgotten(views: KeptViews) -> None:
    for number in range(MOST + 1):
        views.read(number, lambda: "x", wait_s=5.0, now_ms=1)
    with pytest.raises(StoreDown):
        views.read(0, down, wait_s=5.0, now_ms=2)


def _no_store() -> Store:
    raise StoreDown("store: no answer")


def test_pages_say_so_and_keep_what_they_have(console: Console) -> None:
    """Seen while the store answered: shown as it was then. Not seen: one sentence and a way back. Never 500."""
    views = KeptViews()
    healthy = dataclasses.replace(console, views=views)
    broken = dataclasses.replace(console, views=views, stores=PerThread(_no_store))
    seen = ["/points/works-1/works.ph", "/sites/works-1", "/register/assets/ww1"]
    with TestClient(build_app(healthy), follow_redirects=False) as http:
        browser = Browser(http)
        browser.enter(healthy, "viewer")
        assert [browser.get(path).status_code for path in seen] == [200, 200, 200]
        cookies = http.cookies
    with TestClient(build_app(broken), follow_redirects=False, cookies=cookies) as http:
        for path in seen:
            page = http.get(path)
            assert page.status_code == 200
            assert "The store does not answer. Shown as it was at" in page.text
        assert http.get("/points/works-1/works.flow_m3_h").status_code == 503
        assert http.get("/register").status_code == 200
        assert http.get("/register/points").status_code == 200
        assert http.get("/api/v1/points/works-1/works.ph/series").status_code == 503
    views.close()
