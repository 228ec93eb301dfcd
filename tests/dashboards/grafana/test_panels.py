"""Every question of every panel, asked of a real InfluxDB through the self-test, brings rows."""

import pytest
from support.grafana_peer import TOKEN, grafana_peer

from dashboards.grafana.build import build_all
from dashboards.grafana.selftest import ask_panels
from dashboards.grafana.server import GrafanaServer

pytestmark = pytest.mark.server


def test_every_query_of_every_panel_returns_rows(fed) -> None:
    with grafana_peer(fed.influx.url, fed.influx.database) as peer:
        answers = list(ask_panels(GrafanaServer(peer.url, TOKEN), build_all(), now_ms=fed.now_ms))
    assert "\n".join(str(one) for one in answers if not one.ok) == ""
    assert len(answers) == sum(len(panel["targets"]) for one in build_all() for panel in one.model["panels"])
