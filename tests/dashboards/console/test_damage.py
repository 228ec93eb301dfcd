"""Files that are damaged while the console runs: the page says what cannot be read, and everything else goes on."""

import sqlite3
from contextlib import closing

import pytest

from dashboards.console.site import Console


@pytest.fixture(scope="module")
def damaged(console: Console) -> Console:
    """The console, after somebody took a table out of alarms.db."""
    with closing(sqlite3.connect(console.data_dir / "alarms.db")) as database:
        database.execute("DROP TABLE occurrence")
        database.commit()
    return console


def test_every_page_says_that_the_alarms_cannot_be_read(damaged: Console, client) -> None:
    page = client("viewer").get("/me")
    assert page.status_code == 200
    assert "alarms cannot be read" in page.text


@pytest.mark.parametrize("path", ["/alarms", "/api/v1/alarms"])
def test_what_is_about_alarms_is_away_and_no_mistake_of_ours(damaged: Console, client, path: str) -> None:
    assert client("viewer").get(path).status_code == 503


def test_the_readings_are_still_there(damaged: Console, client) -> None:
    assert client("viewer").get("/register").status_code == 200
