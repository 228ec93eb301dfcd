"""From founding a county office to restoring it after a fire: all of it secured, all by the commands that people type.

Mosquitto with mutual TLS, InfluxDB, a Modbus meter that is not ours, and steppe's own programs as processes.
"""

import getpass
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from support.field import Meter, Office, closed_to_others, command_lines, meter, secrets_of
from support.servers import InfluxServer, Server, find_program, influxdb, port_answers, wait_until

from simulators.processes import free_port

SITE = "ulaan-01"
PHASE_POINTS = [f"{SITE}/meter.l{phase}.voltage_v" for phase in (1, 2, 3)]
SUPPLY_LOST = f"{SITE}/meter#supply_lost"
REGISTER = {
    "regions.csv": "code,name,level,parent\n1501,Example Banner,banner,\n",
    "assets.csv": "id,kind,region,parent,customers,level\nf1,feeder,1501,,0,mv\nt1,transformer,1501,f1,86,lv\n",
    "points.csv": "point,asset,class,limits,nominal\n" + "".join(f"{p},t1,D,gb12325-220,220\n" for p in PHASE_POINTS),
    "plans.csv": "asset,start,end,nature\n",
}
pytestmark = [pytest.mark.road, pytest.mark.server, pytest.mark.timeout(900)]


@contextmanager
def broker(county: Path, port: int) -> Iterator[None]:
    """Mosquitto as the county's folder configures it."""
    server = Server(
        [find_program("mosquitto"), "-c", str(county / "broker" / "mosquitto.conf")],
        county.parent,
        lambda: port_answers(port),
    )
    server.start()
    try:
        yield
    finally:
        server.stop()


def found(office: Office, store_url: str) -> int:
    """Found the centre, with a register of one transformer; return the broker's port."""
    port = free_port()
    office.steppe(
        "centre", "init", "county", "--host", "127.0.0.1", "--port", port, "--listen", "127.0.0.1",
        "--store", store_url, "--language", "en",
    )  # fmt: skip
    county = office.folder / "county"
    for name, text in REGISTER.items():
        (county / "register" / name).write_text(text, encoding="utf-8")
    (county / "console.toml").write_text(f"port = {free_port()}\n", encoding="utf-8")
    with (county / "broker" / "mosquitto.conf").open("a", encoding="utf-8") as file:
        file.write(f"user {getpass.getuser()}\n")  # the test's folder is closed to the user mosquitto
    return port


def admit(office: Office, wall: Meter) -> Path:
    """Admit the site with a certificate that is soon past its half; return the gateway's site.toml."""
    state = office.folder / "gateway"
    device = f"meter=simulated_terminal@tcp://127.0.0.1:{wall.port}"
    office.steppe("site", "add", SITE, "--centre", "county", "--device", device, "--days", "0.002", "--state", state)
    with tarfile.open(office.folder / "county" / "sites" / f"{SITE}.tar.gz") as bundle:
        bundle.extractall(office.folder, filter="data")
    (office.folder / SITE).rename(state)
    site_toml = state / "site.toml"
    site_toml.write_text(site_toml.read_text() + "poll_every_s = 2.0\n\n[seal]\nafter_s = 1.0\n", encoding="utf-8")
    return site_toml


def batches(office: Office) -> int:
    """How many batches the centre has of the site."""
    if not (office.folder / "county" / "data" / "journal.db").exists():
        return 0
    sites = office.json("ingest", "sites", "county/centre.toml")["sites"]
    return int(next((site["batches"] for site in sites if site["site"] == SITE), 0))


def alarms(office: Office) -> dict[str, bool]:
    """Alarms that are not normal, each with whether somebody has taken it."""
    rows = office.json("alarms", "list", "county/centre.toml")["alarms"]
    return {row["id"]: row["acknowledged"] for row in rows}


def numbers(office: Office) -> object:
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    period = ("--from", today, "--to", today + timedelta(days=1))
    return office.json("analytics", "numbers", "county/centre.toml", *period, "--by", "region")


def picture(office: Office) -> tuple[object, dict[str, bool], int]:
    """What people see: the numbers, the alarms, what has arrived."""
    return numbers(office), alarms(office), batches(office)


def back_up(office: Office) -> tuple[object, dict[str, bool], int]:
    """Back the running centre up; return what people saw then: no number moved meanwhile."""
    seen = None

    def held_still() -> bool:
        nonlocal seen
        seen = picture(office)
        (office.folder / "county.backup").unlink(missing_ok=True)
        office.steppe("centre", "backup", "county/centre.toml", "county.backup", "--with-keys")
        return seen == picture(office)

    wait_until(held_still, 180, "a backup between two moves of the numbers")
    assert seen is not None
    return seen


def test_a_county_is_founded_watched_robbed_burnt_and_restored(tmp_path: Path) -> None:
    office = Office(tmp_path)
    with ExitStack() as servers:
        store: InfluxServer = servers.enter_context(influxdb(tmp_path))
        wall = servers.enter_context(meter())
        port = found(office, store.store_url)
        servers.enter_context(broker(tmp_path / "county", port))
        site_toml = admit(office, wall)
        first_certificate = (site_toml.parent / "identity" / "site.crt").read_bytes()
        with office.program("centre", "run", "county/centre.toml"), ExitStack() as gateway:
            gateway.enter_context(office.program("edge", "run", site_toml))
            wait_until(lambda: batches(office) > 0, 150, "readings arrive over mutual TLS")
            wait_until(
                lambda: (site_toml.parent / "identity" / "site.crt").read_bytes() != first_certificate, 60,
                "the gateway has a new certificate",
            )  # fmt: skip
            wall.show(0.0)
            wait_until(lambda: SUPPLY_LOST in alarms(office), 90, "the lost supply is an alarm")
            office.steppe("alarms", "ack", "county/centre.toml", SUPPLY_LOST, "--by", "wang", "--reason", "on my way")
            assert alarms(office)[SUPPLY_LOST]
            wall.show(221.0)

            leaked = secrets_of(tmp_path)
            assert leaked
            assert closed_to_others(tmp_path)
            assert not [line for line in command_lines() if any(secret in line for secret in leaked)]

            office.steppe("site", "revoke", SITE, "--centre", "county")
            wait_until(lambda: "not authorised" in office.said(), 60, "the broker refuses the revoked gateway")
        assert not [secret for secret in leaked if secret in office.said()]
        with office.program("centre", "run", "county/centre.toml"):
            before = back_up(office)
        shutil.rmtree(tmp_path / "county")
        store.empty()
        office.steppe("centre", "restore", "county.backup", "county", "--fill-store")
        assert picture(office) == before
        assert office.json("site", "list", "--centre", "county")["sites"][0]["state"] == "revoked"
