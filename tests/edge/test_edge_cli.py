"""The commands of the person on site."""

import json

import pytest
from click.testing import CliRunner, Result
from support.modbus_peers import pymodbustcp_server

from edge.cli import edge
from edge.errors import BadInput

SITE = """
site = "s"
uplink.url = "mqtt://127.0.0.1"
[[devices]]
name = "m"
url = "tcp://127.0.0.1:{port}"
timeout_s = 0.5
[[devices.points]]
name = "level_m"
table = "holding_register"
register = 33
type = "uint16"
scale = 0.01
[[devices.points]]
name = "pump_on"
table = "coil"
register = 4
type = "bit"
states = {{ 0 = "stopped", 1 = "running" }}
"""


def run(tmp_path, command: str, port: int = 502, *options: str) -> Result:
    path = tmp_path / "site.toml"
    path.write_text(SITE.format(port=port))
    return CliRunner().invoke(edge, [command, str(path), *options])


def test_once_shows_value_quality_registers_and_meaning(tmp_path):
    with pymodbustcp_server() as port:
        result = run(tmp_path, "once", port)
    assert result.exit_code == 0
    level, pump = result.output.splitlines()
    assert level.split()[:3] == ["m.level_m", "1", "GOOD"]
    assert "0064" in level
    assert pump.endswith("stopped")


def test_once_as_json_is_one_object(tmp_path):
    with pymodbustcp_server() as port:
        result = run(tmp_path, "once", port, "--json")
    points = json.loads(result.output)["points"]
    assert [(point["point"], point["value"], point["registers"]) for point in points] == [
        ("m.level_m", 1.0, [100]),
        ("m.pump_on", 0.0, [0]),
    ]


def test_once_fails_where_a_value_is_bad(tmp_path):
    result = run(tmp_path, "once", 1)
    assert result.exit_code == 1
    assert "BAD_NO_ANSWER" in result.output


def test_check_shows_the_plan_without_touching_a_meter(tmp_path):
    result = run(tmp_path, "check")
    assert result.exit_code == 0
    assert "2 points in   2 requests" in result.output
    plan = json.loads(run(tmp_path, "check", 502, "--json").output)
    assert (plan["site"], plan["points"], plan["buses"][0]["devices"][0]["requests"]) == ("s", 4, 2)


def test_a_wrong_file_is_bad_input(tmp_path):
    result = CliRunner().invoke(edge, ["check", str(tmp_path / "nowhere.toml")])
    assert isinstance(result.exception, BadInput)


def test_profiles_are_listed_and_shown():
    listed = json.loads(CliRunner().invoke(edge, ["profiles", "list", "--json"]).output)["profiles"]
    assert {"eastron_sdm630", "simulated_terminal"} <= {profile["name"] for profile in listed}
    shown = CliRunner().invoke(edge, ["profiles", "show", "eastron_sdm630"]).output
    assert "l1.voltage_v" in shown
    assert "source: volkszaehler/mbmd" in shown
    assert isinstance(CliRunner().invoke(edge, ["profiles", "show", "nothing"]).exception, BadInput)


@pytest.mark.parametrize("command", ["run", "check", "once", "profiles list", "profiles show"])
def test_every_command_has_an_example(command):
    assert "Example: steppe edge" in CliRunner().invoke(edge, [*command.split(), "--help"]).output
