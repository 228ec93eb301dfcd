"""The commands of the person on site."""

import asyncio
import json

import pytest
from click.testing import CliRunner, Result
from support.dlt645_peer import Dlt645Peer, digits_of
from support.modbus_peers import pymodbustcp_server
from support.serial_peer import SerialPeer, rtu_meter

from edge.cli import edge
from edge.errors import BadInput
from edge.probe import candidates
from edge.scan import scan_units

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


@pytest.mark.parametrize("words", [["check"], ["profiles", "show", "aqualabo_digital"]])
def test_a_sensor_that_wants_to_be_written_to_is_said_to_need_that_from_somebody_else(tmp_path, words):
    site = (
        'site = "s"\nuplink.url = "mqtt://c"\n[[devices]]\nname = "m"\nurl = "tcp://h"\nprofile = "aqualabo_digital"\n'
    )
    (tmp_path / "site.toml").write_text(site)
    arguments = [*words, str(tmp_path / "site.toml")] if words == ["check"] else words
    shown = CliRunner().invoke(edge, arguments).output
    assert "the gateway writes to no meter" in shown
    assert "write 0x001F to register 1" in shown
    assert "writes to no meter" not in run(tmp_path, "check").output


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


@pytest.mark.parametrize(
    "command", ["run", "check", "once", "profiles list", "profiles show", "scan", "probe", "lines"]
)
def test_every_command_has_an_example(command):
    assert "Example: steppe edge" in CliRunner().invoke(edge, [*command.split(), "--help"]).output


def test_lines_shows_what_a_line_went_through(tmp_path):
    with pymodbustcp_server() as port:
        report = json.loads(run(tmp_path, "lines", port, "--json", "--sweeps", "3").output)["lines"][0]
    assert (report["requests"], report["timeouts"], report["refused"]) == (6, 0, 0)
    assert 0 < report["latency50_ms"] <= report["latency95_ms"]


def test_scan_finds_the_units_that_answer(tmp_path):
    async def scenario() -> list[int]:
        peer = SerialPeer(tmp_path / "ttyUSB0", rtu_meter(3))
        peer.plug_in()
        try:
            return [one.unit async for one in scan_units(f"rtu://{peer.path}", range(1, 6), timeout_s=0.05)]
        finally:
            peer.pull_out()

    assert asyncio.run(scenario()) == [3]


def test_probe_puts_the_order_that_fits_the_display_first():
    """36.63 m³/h on a TUF-2000M: its registers are 806B 4212."""
    best = candidates([0x806B, 0x4212, 0, 0], 36.6)[0]
    assert (best.type, best.word_order, best.scale, best.is_near) == ("float32", "CDAB", 1.0, True)


def test_probe_finds_the_scale_of_an_integer_too():
    best = candidates([2304], 230.0)[0]
    assert (best.type, best.scale, best.value) == ("uint16", 0.1, pytest.approx(230.4))


def test_probe_reads_a_meter():
    with pymodbustcp_server() as port:
        result = CliRunner().invoke(edge, ["probe", f"tcp://127.0.0.1:{port}", "--register", "33", "--expect", "1.0"])
    assert result.exit_code == 0
    assert result.output.splitlines()[0] == "registers: 0064 0067 006a 006d"
    assert "near" in result.output.splitlines()[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ["scan", "udp://x"],
        ["probe", "rtu:///dev/x?baud=1", "--register", "0"],
        ["probe", "dlt645://h:1", "--register", "0"],
    ],
)
def test_a_wrong_url_is_bad_input(arguments):
    assert isinstance(CliRunner().invoke(edge, arguments).exception, BadInput)


@pytest.mark.parametrize("arguments", [["--json"], []])
def test_scan_asks_a_dlt645_meter_for_its_address(arguments):
    async def scenario() -> Result:
        peer = Dlt645Peer("202311000042")
        url = f"dlt645+tcp://127.0.0.1:{await peer.start()}"
        try:
            return await asyncio.to_thread(CliRunner().invoke, edge, ["scan", url, "--timeout", "5", *arguments])
        finally:
            await peer.stop()

    result = asyncio.run(scenario())
    assert result.exit_code == 0
    assert "202311000042" in result.output
    assert not arguments or json.loads(result.output) == {"addresses": ["202311000042"]}


def test_once_shows_a_dlt645_meter(tmp_path):
    site = """
site = "s"
uplink.url = "mqtt://127.0.0.1"
[[devices]]
name = "m"
url = "dlt645+tcp://127.0.0.1:{port}"
address = "202311000042"
profile = "dlt645_2007"
only = ["import.energy_kwh"]
timeout_s = 5.0
"""

    async def scenario() -> tuple[Result, Result]:
        peer = Dlt645Peer("202311000042")
        path = tmp_path / "site.toml"
        path.write_text(site.format(port=await peer.start()))
        try:
            read = await asyncio.to_thread(CliRunner().invoke, edge, ["once", str(path), "--json"])
            return read, await asyncio.to_thread(CliRunner().invoke, edge, ["check", str(path)])
        finally:
            await peer.stop()

    read, checked = asyncio.run(scenario())
    (point,) = json.loads(read.output)["points"]
    assert (point["point"], point["value"]) == ("m.import.energy_kwh", digits_of(0x00010000, 1) / 100)
    assert "1 points in   1 requests" in checked.output
