"""The gateway's doctor: each check is made to fail by the thing itself, and says what to do."""

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from support.servers import mosquitto

from edge.clock import RealClock
from edge.doctor import examine, look_at_configuration, look_at_meters, look_at_papers, look_at_spool, look_at_writes
from edge.doctor_link import look_at_broker, look_at_certificate, look_at_key
from edge.doctor_machine import (
    disk_under,
    look_at_clock,
    look_at_disk,
    look_at_hardware_watchdog,
    look_at_log_limits,
    look_at_service,
    look_at_wear,
)
from edge.findings import Finding, ok, table, warning, worst, wrong
from edge.mqtt import BrokerAddress
from edge.seal import Sealed
from edge.site import Site, load_site
from edge.spool_sqlite import SqliteSpool
from simulators.processes import free_port

NOW_MS = 1_764_000_000_000
NOW = datetime.fromtimestamp(NOW_MS / 1000, UTC)
SITE = """
site = "ulaan"
[uplink]
url = "mqtt://127.0.0.1:1"
[spool]
max_mb = {max_mb}
[seal]
after_s = {after_s}
[[devices]]
name = "meter"
url = "{url}"
profile = "{profile}"
"""


def site(
    folder: Path,
    *,
    url: str = "tcp://127.0.0.1:1",
    profile: str = "eastron_sdm630",
    max_mb: float = 1.0,
    after_s: float = 5.0,
    more: str = "",
) -> Site:
    file = folder / "site.toml"
    file.write_text(SITE.format(url=url, profile=profile, max_mb=max_mb, after_s=after_s) + more, encoding="utf-8")
    return load_site(file)


def states(findings) -> dict[str, str]:
    return {finding.check: finding.state for finding in findings}


def put(file: Path, text: str = "") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def papers(folder: Path, *, first: datetime, last: datetime) -> tuple[Path, Path]:
    """A certificate that holds from `first` to `last`, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ulaan")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    signed = builder.serial_number(7).not_valid_before(first).not_valid_after(last).sign(key, hashes.SHA256())
    certificate, secret = folder / "site.crt", folder / "site.key"
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    secret.write_bytes(pem)
    secret.chmod(0o600)
    return certificate, secret


def batch(seq: int, *, size: int = 1000, first_ms: int = NOW_MS) -> Sealed:
    return Sealed(
        seq=seq, payload=bytes(size), readings=1, first_ms=first_ms, last_ms=first_ms, boot="b", offset_ms=None
    )


# What is said


def test_the_worst_finding_is_how_it_stands() -> None:
    good, early, bad = ok("a", "x", "甲"), warning("b", ("x", "甲"), ("y", "乙")), wrong("c", ("x", "甲"), ("y", "乙"))
    assert [worst([]), worst([good]), worst([good, early]), worst([bad, early, good])] == [
        "ok",
        "ok",
        "warning",
        "wrong",
    ]


@pytest.mark.parametrize(("language", "words"), [("en", ("WRONG", "do: y")), ("zh", ("有错", "处理：乙"))])
def test_a_finding_is_told_with_its_remedy_in_the_person_s_language(language, words) -> None:
    told = table([wrong("c", ("x", "甲"), ("y", "乙"))], language)
    assert all(word in told for word in words)


# Configuration, meters, papers


def test_a_file_that_does_not_load_is_a_finding_and_the_machine_is_looked_at_all_the_same(tmp_path: Path) -> None:
    found = states(examine(put(tmp_path / "site.toml", 'site = "ulaan"\nsurprise = 1\n'), RealClock(), tmp_path))
    assert found["configuration"] == "wrong"
    assert {"clock", "service", "hardware watchdog"} <= found.keys()
    assert "broker" not in found


def test_a_meter_that_needs_somebody_else_is_told_of(tmp_path: Path) -> None:
    assert look_at_configuration(site(tmp_path)).state == "ok"
    assert look_at_configuration(site(tmp_path, profile="aqualabo_digital")).state == "warning"


@pytest.mark.parametrize(
    ("url", "state"), [("tcp://127.0.0.1:{closed}", "warning"), ("rtu:///nowhere/ttyUSB0?baud=9600", "wrong")]
)
def test_a_meter_that_cannot_be_reached_is_told_of(tmp_path: Path, url: str, state: str) -> None:
    [found] = look_at_meters(site(tmp_path, url=url.format(closed=free_port())))
    assert (found.check, found.state) == ("meter meter", state)


def test_a_meter_whose_name_cannot_be_resolved_is_wrong(tmp_path: Path) -> None:
    [found] = look_at_meters(site(tmp_path, url="tcp://nobody.invalid:502"))
    assert found.state == "wrong"


def test_a_meter_that_answers_is_well(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as meter:
        [found] = look_at_meters(site(tmp_path, url=f"tcp://127.0.0.1:{meter.getsockname()[1]}"))
    assert found.state == "ok"


def test_a_modem_that_dials_in_is_not_dialled(tmp_path: Path) -> None:
    assert list(look_at_meters(site(tmp_path, url="tcp+listen://127.0.0.1:5020"))) == []


def test_readings_without_encryption_are_told_of(tmp_path: Path) -> None:
    assert states(look_at_papers(site(tmp_path), tmp_path, NOW_MS)) == {"encryption": "warning"}


@pytest.mark.parametrize(
    ("first_day", "last_day", "state"),
    [(-10, 80, "ok"), (-61, 29, "warning"), (-91, -1, "wrong"), (1, 91, "wrong")],
    ids=["young", "not renewed", "ended", "not begun"],
)
def test_a_certificate_is_judged_by_its_days(tmp_path: Path, first_day: int, last_day: int, state: str) -> None:
    certificate, _ = papers(tmp_path, first=NOW + timedelta(first_day), last=NOW + timedelta(last_day))
    assert look_at_certificate("gateway", certificate, NOW_MS).state == state


def test_a_certificate_that_is_not_there_or_damaged_is_wrong(tmp_path: Path) -> None:
    damaged = put(tmp_path / "damaged.crt", "-----BEGIN")
    assert [look_at_certificate("x", file, NOW_MS).state for file in (tmp_path / "no.crt", damaged)] == ["wrong"] * 2


def test_a_key_is_ours_alone_and_belongs_to_its_certificate(tmp_path: Path) -> None:
    certificate, key = papers(tmp_path, first=NOW, last=NOW + timedelta(1))
    assert look_at_key("gateway", certificate, key).state == "ok"
    key.chmod(0o644)
    assert "chmod 600" in str(look_at_key("gateway", certificate, key).remedy)
    (tmp_path / "other").mkdir()
    _, foreign = papers(tmp_path / "other", first=NOW, last=NOW + timedelta(1))
    assert look_at_key("gateway", certificate, foreign).state == "wrong"
    assert look_at_key("gateway", certificate, tmp_path / "none.key").state == "wrong"


# The broker


@pytest.mark.server
def test_a_broker_that_takes_us_is_well_and_one_that_refuses_us_is_wrong(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as (_, port):
        assert look_at_broker(BrokerAddress(f"mqtt://127.0.0.1:{port}"), "ulaan-doctor").state == "ok"
    (tmp_path / "closed").mkdir()
    with mosquitto(tmp_path / "closed", "allow_anonymous false") as (_, port):
        refused = look_at_broker(BrokerAddress(f"mqtt://127.0.0.1:{port}"), "ulaan-doctor")
    assert refused.state == "wrong"
    assert "refused" in refused.what.en


def test_a_broker_that_is_not_there_and_papers_that_are_not_there_are_told_apart(tmp_path: Path) -> None:
    gone = look_at_broker(BrokerAddress(f"mqtt://127.0.0.1:{free_port()}"), "ulaan-doctor")
    assert (gone.state, "refused" in gone.what.en) == ("wrong", True)
    bare = look_at_broker(BrokerAddress("mqtts://127.0.0.1:1", tmp_path / "ca.crt"), "ulaan-doctor")
    assert "ca.crt" in bare.what.en


# The spool


def test_a_spool_is_judged_by_its_level_and_by_what_waits(tmp_path: Path) -> None:
    one = site(tmp_path, max_mb=0.01)
    assert states(look_at_spool(one, NOW_MS)) == {"spool": "ok"}  # not made yet
    with closing(SqliteSpool(Path(one.spool.path), max_bytes=10_000)) as spool:
        spool.append([batch(0, size=6_000, first_ms=NOW_MS - 2 * 3_600_000)])
    assert states(look_at_spool(one, NOW_MS)) == {"spool": "warning", "spool age": "warning"}


def test_a_spool_that_the_agent_holds_is_judged_by_its_file(tmp_path: Path) -> None:
    one = site(tmp_path)
    with closing(SqliteSpool(Path(one.spool.path), max_bytes=1_000_000)):
        assert states(look_at_spool(one, NOW_MS)) == {"spool": "ok"}


def test_a_damaged_spool_is_wrong_and_one_set_aside_is_told_of(tmp_path: Path) -> None:
    one = site(tmp_path)
    put(Path(one.spool.path), "not a database at all, and longer than a header of a hundred bytes " * 3)
    assert states(look_at_spool(one, NOW_MS)) == {"spool": "wrong"}
    with closing(SqliteSpool(Path(one.spool.path), max_bytes=1_000_000)):
        assert states(look_at_spool(one, NOW_MS))["spool set aside"] == "warning"


def test_the_doctor_changes_nothing_in_a_spool(tmp_path: Path) -> None:
    one = site(tmp_path)
    with closing(sqlite3.connect(one.spool.path)) as db:
        db.execute("CREATE TABLE batch (weight INTEGER, first_ms INTEGER)")
    before = Path(one.spool.path).read_bytes()
    assert states(look_at_spool(one, NOW_MS)) == {"spool": "ok"}
    assert Path(one.spool.path).read_bytes() == before


def test_settings_that_wear_out_a_card_are_told_of(tmp_path: Path) -> None:
    """A poll every 0.5 s, sealed as soon, is 172 800 batches a day; at 17 kB each, 2.9 GB, and the readings beside."""
    assert look_at_writes(site(tmp_path)).state == "ok"
    assert look_at_writes(site(tmp_path, after_s=0.1)).state == "ok"  # no more batches than polls
    hasty = look_at_writes(
        site(tmp_path, after_s=0.5, more="poll_every_s = 0.5\ntimeout_s = 0.4\nonly = ['l1.voltage_v']")
    )
    assert (hasty.state, "2.95 GB" in hasty.what.en) == ("warning", True)


# The machine


def test_a_clock_that_something_keeps_and_a_battery_holds_is_well(tmp_path: Path) -> None:
    put(tmp_path / "run/systemd/timesync/synchronized")
    put(tmp_path / "sys/class/rtc/rtc0/name")
    assert states(look_at_clock(tmp_path)) == {"clock": "ok", "time service": "ok", "battery clock": "ok"}


def test_a_machine_without_time_service_and_battery_is_told_of(tmp_path: Path) -> None:
    found = states(look_at_clock(tmp_path))
    assert (found["time service"], found["battery clock"]) == ("warning", "warning")


def test_a_disk_without_room_for_the_spool_is_wrong(tmp_path: Path) -> None:
    assert look_at_disk(tmp_path / "not" / "yet", 1.0).state == "ok"
    assert look_at_disk(tmp_path, 1e18).state == "wrong"


def card(root: Path, *, life: str | None = None, early: str = "0x01", sectors: int = 0, up_s: float = 90_000) -> Path:
    """Lay down what the kernel shows of a card that holds `root`; the folder looked at is on its partition."""
    device = root.stat().st_dev
    disk = root / "sys/devices/mmcblk0"
    put(disk / "stat", f"1 0 8 0 1 0 {sectors} 0 0 0 0\n")
    put(disk / "mmcblk0p2" / "partition", "2\n")
    if life is not None:
        put(disk / "device/life_time", life)
        put(disk / "device/pre_eol_info", early)
    link = root / "sys/dev/block" / f"{os.major(device)}:{os.minor(device)}"
    link.parent.mkdir(parents=True)
    link.symlink_to(disk / "mmcblk0p2")
    put(root / "proc/uptime", f"{up_s} 1.0\n")
    return root


@pytest.mark.parametrize(
    ("life", "early", "state"),
    [("0x01 0x02\n", "0x01", "ok"), ("0x03 0x08\n", "0x01", "warning"), ("0x02 0x02\n", "0x02", "warning"),
     ("0x0b 0x01\n", "0x03", "wrong")],
)  # fmt: skip
def test_a_card_s_wear_is_what_the_kernel_shows(tmp_path: Path, life: str, early: str, state: str) -> None:
    assert states(look_at_wear(tmp_path, card(tmp_path, life=life, early=early)))["disk wear"] == state


@pytest.mark.parametrize(("gigabytes", "state"), [(1.0, "ok"), (5.0, "warning")])
def test_what_was_written_to_a_card_since_the_start_is_counted(tmp_path: Path, gigabytes: float, state: str) -> None:
    root = card(tmp_path, sectors=int(gigabytes * 1e9 / 512), up_s=86_400)
    assert states(look_at_wear(tmp_path, root)) == {"disk wear": "ok", "disk writes": state}


def test_a_disk_that_tells_nothing_is_no_fault(tmp_path: Path) -> None:
    assert disk_under(tmp_path, tmp_path) is None
    assert states(look_at_wear(tmp_path, tmp_path)) == {"disk wear": "ok"}


@pytest.mark.parametrize(("watchdog", "state"), [("180", "ok"), ("3min", "ok"), ("60", "wrong"), ("0", "warning")])
def test_the_watchdog_waits_longer_than_three_periods(tmp_path: Path, watchdog: str, state: str) -> None:
    unit = put(tmp_path / "etc/systemd/system/steppe-edge.service", f"[Service]\nWatchdogSec={watchdog}\n")
    put(unit.parent / "steppe-.service.d/hardening.conf")
    assert states(look_at_service(unit.name, 180.0, tmp_path)) == {"service": "ok", "watchdog": state}


def test_a_service_that_is_not_there_or_bare_and_a_log_without_limit_are_told_of(tmp_path: Path) -> None:
    assert states(look_at_service("steppe-edge.service", 180.0, tmp_path)) == {"service": "warning"}
    put(tmp_path / "etc/systemd/system/steppe-edge.service", "[Service]\nWatchdogSec=180\n")
    found = states(look_at_service("steppe-edge.service", 180.0, tmp_path))
    assert found == {"service": "warning", "watchdog": "ok"}
    assert look_at_log_limits(tmp_path).state == "warning"
    put(tmp_path / "etc/systemd/journald.conf.d/steppe.conf")
    assert look_at_log_limits(tmp_path).state == "ok"


def test_a_hardware_watchdog_that_nobody_feeds_is_told_of(tmp_path: Path) -> None:
    assert look_at_hardware_watchdog(tmp_path).state == "ok"
    put(tmp_path / "dev/watchdog")
    assert look_at_hardware_watchdog(tmp_path).state == "warning"
    put(tmp_path / "etc/systemd/system.conf.d/watchdog.conf", "[Manager]\nRuntimeWatchdogSec=10\n")
    assert look_at_hardware_watchdog(tmp_path).state == "ok"


# The command


def doctor(*words: object, code: str = "") -> subprocess.CompletedProcess[str]:
    program = f"import sys; {code}import steppe; steppe.main()"
    command = [sys.executable, "-c", program, "doctor", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_on_a_gateway_the_command_needs_nothing_of_the_centre_and_ends_in_1_where_something_is_wrong(tmp_path) -> None:
    site(tmp_path)
    block = "[sys.modules.__setitem__(n, None) for n in ('numpy', 'scipy', 'pyarrow', 'ingest', 'analytics')]; "
    done = doctor("--json", tmp_path / "site.toml", code=block)
    answer = msgspec.json.decode(done.stdout)
    assert (done.returncode, answer["state"], done.stderr) == (1, "wrong", "")
    found = msgspec.convert(answer["findings"], list[Finding])
    assert states(found)["broker"] == "wrong"
    assert all(finding.remedy for finding in found if finding.state != "ok")


def test_a_file_that_is_none_of_ours_is_bad_use(tmp_path: Path) -> None:
    done = doctor(tmp_path / "nothing.toml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nothing.toml" in done.stderr
