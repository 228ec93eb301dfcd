"""Every question of every panel, asked of a real InfluxDB through the self-test, brings rows."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.fed_county import FedCounty
from support.grafana_peer import TOKEN, GrafanaPeer, grafana_peer

from analytics.alarms.database import AlarmDatabase
from dashboards.grafana.build import build_all
from dashboards.grafana.cli import dashboards
from dashboards.grafana.selftest import ask_panels, check_health
from dashboards.grafana.server import GrafanaFailed, GrafanaServer
from edge.errors import BadInput

pytestmark = pytest.mark.server


@pytest.fixture
def peer(fed: FedCounty) -> Iterator[GrafanaPeer]:
    with grafana_peer(fed.influx.url, fed.influx.database) as running:
        yield running


def test_every_query_of_every_panel_returns_rows(fed: FedCounty, peer: GrafanaPeer) -> None:
    answers = list(ask_panels(GrafanaServer(peer.url, TOKEN), build_all(), now_ms=fed.now_ms))
    assert "\n".join(str(one) for one in answers if not one.ok) == ""
    assert len(answers) == sum(len(panel["targets"]) for one in build_all() for panel in one.model["panels"])


def test_the_choice_of_sites_offers_the_sites_of_each_utility(fed: FedCounty) -> None:
    offered = {}
    for one in build_all():
        for variable in one.model["templating"]["list"]:
            if variable["name"] == "site":
                [result] = json.loads(fed.influx.query(variable["query"]))["results"]
                offered[one.uid] = {value for _, value in result["series"][0]["values"]}
    power = {gateway.site for gateway in fed.county.scenario.county().gateways} - {"works-1", "lift-1"}
    for language in ("en", "zh"):
        assert offered[f"utl-l2-feeder-{language}"] == power
        assert offered[f"utl-l2-water-{language}"] == {"works-1"}
        assert offered[f"utl-l2-sewage-{language}"] == {"lift-1"}


def test_an_alarm_rows_number_is_the_consoles(fed: FedCounty, peer: GrafanaPeer) -> None:
    """The link `/alarms/NUMBER` names an occurrence that `alarms.db` knows under that number."""
    found = json.loads(fed.influx.query('SELECT "id", "alarm" FROM "alarm_occurrence"'))
    rows = {(number, alarm) for _, number, alarm in found["results"][0]["series"][0]["values"]}
    with closing(AlarmDatabase(Path(fed.county.centre.data_dir) / "alarms.db")) as alarms:
        assert rows == {(one.id, one.alarm) for one in alarms.occurrences()}
    assert rows


def test_the_selftest_lists_what_finds_nothing(peer: GrafanaPeer, tmp_path: Path) -> None:
    """The county's readings end in the past, so now every panel that looks back a little is without rows."""
    token = tmp_path / "token"
    token.write_text(TOKEN, encoding="utf-8")
    command = ["selftest", "--url", peer.url, "--token-file", str(token), "--language", "en"]
    told = CliRunner().invoke(dashboards, command)
    assert told.exit_code == 1
    assert told.output.startswith("Grafana 12.4.0, data source steppe-influxdb: datasource is working")
    assert "utl-l1-overview-en panel 1 '1 critical, unacknowledged' A: no rows" in told.output
    plain = json.loads(CliRunner().invoke(dashboards, [*command, "--json"]).output)
    assert 0 < len(plain["empty"]) < plain["queries"]


def test_a_query_that_the_server_refuses_is_told_in_its_words(fed: FedCounty, peer: GrafanaPeer) -> None:
    one = build_all()[0]
    panel = one.model["panels"][0]
    panel["targets"][0]["query"] = "SELECT FROM nothing"
    first = next(iter(ask_panels(GrafanaServer(peer.url, TOKEN), [one], now_ms=fed.now_ms)))
    assert (first.rows, first.ok) == (0, False)
    assert "error parsing query" in first.error


def test_a_server_or_data_source_that_is_ill_is_told(peer: GrafanaPeer) -> None:
    server = GrafanaServer(peer.url, TOKEN)
    assert "36 measurements" in check_health(server)
    peer.health["/datasources/uid/steppe-influxdb/health"] = {"status": "ERROR", "message": "connection refused"}
    with pytest.raises(GrafanaFailed, match="data source steppe-influxdb: connection refused"):
        check_health(server)
    peer.health["/health"] = {"database": "failing"}
    with pytest.raises(GrafanaFailed, match="its own database is 'failing'"):
        check_health(server)
    with pytest.raises(BadInput, match="401"):
        check_health(GrafanaServer(peer.url, "wrong"))
