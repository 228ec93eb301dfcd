"""`/metrics`: what Prometheus reads, and who may ask."""

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient
from support.console_browser import Browser

from dashboards.console.app import build_app
from dashboards.console.site import Console


def samples(text: str) -> dict[str, float]:
    return {
        one.name + "".join(f"{{{key}={value}}}" for key, value in sorted(one.labels.items())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


@pytest.fixture
def near(console: Console):
    """Prometheus on the same machine."""
    with TestClient(build_app(console), client=("127.0.0.1", 1)) as http:
        yield http


def test_requests_are_counted_by_route_and_not_by_what_stands_in_it(near: TestClient) -> None:
    for word in ("a", "b"):
        near.get(f"/welcome/{word}")
    found = samples(near.get("/metrics").text)
    name = "steppe_console_request_seconds_count{method=GET}{route=/welcome/{word}}{status=404}"
    assert found[name] == 2


def test_methods_that_nobody_knows_are_counted_as_one(near: TestClient) -> None:
    """Whoever reaches the port makes them up: a count of each would fill the memory of a console on a wall."""
    for number in range(3):
        near.request(f"MADEUP{number}", "/")
    counted = [name for name in samples(near.get("/metrics").text) if "_count{method=" in name]
    assert len([name for name in counted if "method=other" in name]) == 1
    assert not [name for name in counted if "MADEUP" in name]


def test_the_alarms_that_wait_are_counted(near: TestClient, console: Console) -> None:
    found = samples(near.get("/metrics").text)
    waiting = [found[f"steppe_alarms_waiting{{priority={priority}}}"] for priority in (1, 2, 3)]
    assert sum(waiting) > 0
    assert found["steppe_alarms_oldest_waiting_seconds"] > 0
    assert found["steppe_console_sessions"] >= 0


def test_another_machine_needs_a_token(stranger: Browser, console: Console) -> None:
    assert stranger.get("/metrics").status_code == 303
    word = console.database.tokens.new("prometheus", ["read"], days=1, now_ms=console.wall.now_ms())
    answer = stranger.http.get("/metrics", headers={"authorization": f"Bearer {word}"})
    assert answer.status_code == 200
