"""The centre's doctor: each check is made to fail by the thing itself, and says what to do."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from support.secured_centre import secured_centre
from support.servers import influxdb, wait_until
from support.wire import NOW_MS, STREAM, batch_payload

from analytics.alarms.doctor import examine as examine_alarms
from edge import VERSION
from edge.clock import RealClock
from edge.doctor_link import look_at_broker
from edge.wire import Status, encode, topic
from ingest.authority.centre_files import Wishes, make_centre
from ingest.authority.folder import CentreFolder
from ingest.authority.office import open_office
from ingest.check import check
from ingest.config import Centre, load_centre
from ingest.deadletter import DeadLetters, Refused, dead_letters_path
from ingest.doctor.centre import (
    CLIENT_ID,
    examine,
    look_at_papers,
    look_at_register,
    look_at_revocations,
    look_at_storage,
    look_at_store,
)
from ingest.doctor.kept import look_at_journal, look_at_letters
from ingest.doctor.sites import look_at_roll, look_at_sites
from ingest.journal import Journal
from simulators.processes import free_port

SITE = "qingshui-wtp"
DAY_MS = 86_400_000
MINUTE_MS = 60_000


def states(findings) -> dict[str, str]:
    """State by check; the last where one check found several things."""
    return {finding.check: finding.state for finding in findings}


def texts(findings) -> str:
    return "\n".join(finding.what.en for finding in findings)


@pytest.fixture
def centre(tmp_path: Path) -> Centre:
    file = tmp_path / "centre.toml"
    file.write_text('language = "en"\n[journal]\nmax_mb = 8\n', encoding="utf-8")
    return load_centre(file)


def journal_of(centre: Centre) -> Path:
    return Path(centre.data_dir) / centre.journal.path


def keep(centre: Centre, *messages: tuple[str, bytes], received_ms: int = NOW_MS) -> None:
    """Keep messages as ingest would: (leaf, payload) of the site."""
    with closing(Journal(journal_of(centre))) as journal:
        journal.commit([check(topic(SITE, leaf), said, received_ms=received_ms) for leaf, said in messages])


def status(**changes: object) -> tuple[str, bytes]:
    said = {"v": 1, "site": SITE, "online": True, "boot": "b", "at_ms": NOW_MS, "version": VERSION} | changes
    return "status", encode(Status(**said))


# Configuration, store, register


def test_a_file_that_does_not_load_is_a_finding(tmp_path: Path) -> None:
    file = tmp_path / "centre.toml"
    file.write_text("surprise = 1\n", encoding="utf-8")
    assert states(examine(file, RealClock(), tmp_path))["configuration"] == "wrong"


def test_a_store_that_does_not_answer_is_wrong_and_one_not_made_yet_is_well(centre: Centre) -> None:
    assert states(look_at_store(centre, NOW_MS)) == {"store": "ok"}
    away = msgspec.structs.replace(centre.store, url=f"influxdb+http://127.0.0.1:{free_port()}/steppe")
    assert states(look_at_store(msgspec.structs.replace(centre, store=away), NOW_MS)) == {"store": "wrong"}


def test_a_damaged_store_is_wrong(centre: Centre) -> None:
    (Path(centre.data_dir) / "store.db").write_text("no database, and longer than a header " * 9, encoding="utf-8")
    assert states(look_at_store(centre, NOW_MS)) == {"store": "wrong"}


@pytest.mark.server
def test_the_clock_of_a_real_influxdb_is_compared_with_ours(centre: Centre, tmp_path: Path) -> None:
    with influxdb(tmp_path) as server:
        store = msgspec.structs.replace(centre.store, url=server.store_url)
        there = msgspec.structs.replace(centre, store=store)
        now_ms = RealClock().now_ms()
        assert states(look_at_store(there, now_ms)) == {"store": "ok", "store clock": "ok"}
        assert states(look_at_store(there, now_ms - 20_000))["store clock"] == "warning"
        assert states(look_at_store(there, now_ms + 3_600_000))["store clock"] == "wrong"


def test_every_problem_of_the_register_is_told(centre: Centre) -> None:
    folder = Path(centre.register)
    folder.mkdir()
    (folder / "points.csv").write_text("point,asset,class,limits,nominal\n" + "x/y.voltage_v,nobody,,,\n" * 7)
    found = list(look_at_register(centre))
    assert {finding.state for finding in found} == {"wrong"}
    assert "points.csv" in texts(found)
    assert "more problems" in found[-1].what.en


def test_a_disk_without_room_for_the_journal_is_wrong(centre: Centre, tmp_path: Path) -> None:
    assert states(look_at_storage(centre, tmp_path))["disk space"] == "ok"
    journal = msgspec.structs.replace(centre.journal, max_mb=1e12)
    assert states(look_at_storage(msgspec.structs.replace(centre, journal=journal), tmp_path))["disk space"] == "wrong"


# What ingest keeps


def test_a_centre_that_never_ran_is_told_of(centre: Centre) -> None:
    assert states(look_at_journal(centre, NOW_MS)) == {"journal": "warning"}
    assert not journal_of(centre).exists(), "looking must not make it"


@pytest.mark.parametrize(("share", "state"), [(0.5, "ok"), (0.9, "warning"), (1.0, "wrong")])
def test_a_journal_is_judged_by_its_level(centre: Centre, share: float, state: str) -> None:
    keep(centre, status())
    with closing(Journal(journal_of(centre))) as journal:
        bound = msgspec.structs.replace(centre.journal, max_mb=journal.size_bytes() / 1e6 / share)
    assert states(look_at_journal(msgspec.structs.replace(centre, journal=bound), NOW_MS))["journal"] == state


@pytest.mark.parametrize(("late_min", "state"), [(1, "ok"), (11, "warning"), (1441, "wrong")])
def test_a_reader_is_judged_by_how_long_its_next_entry_has_waited(centre: Centre, late_min: int, state: str) -> None:
    keep(centre, status())
    with closing(Journal(journal_of(centre))) as journal:
        journal.advance("alarms", 0)
        journal.advance("store", journal.newest())
    found = states(look_at_journal(centre, NOW_MS + late_min * MINUTE_MS))
    assert (found["reader alarms"], found["reader store"]) == (state, "ok")


def test_a_damaged_journal_is_wrong_and_an_incident_is_told_of_for_a_week(centre: Centre) -> None:
    keep(centre, status())
    with closing(sqlite3.connect(journal_of(centre))) as db, db:
        db.execute("INSERT INTO incident VALUES (?, 'journal.db was damaged: 3 entries lost')", (NOW_MS,))
    assert states(look_at_journal(centre, NOW_MS + DAY_MS))["journal incident"] == "warning"
    assert "journal incident" not in states(look_at_journal(centre, NOW_MS + 8 * DAY_MS))
    journal_of(centre).write_bytes(b"no database, and longer than a header " * 99)
    assert states(look_at_journal(centre, NOW_MS))["journal"] == "wrong"


def test_dead_letters_are_told_of_with_the_newest_reason(centre: Centre) -> None:
    assert list(look_at_letters(centre)) == []
    with closing(DeadLetters(dead_letters_path(centre))) as letters:
        assert states(look_at_letters(centre)) == {"dead letters": "ok"}
        letters.add([Refused("steppe/v1/x/batch", b"{", "not JSON", NOW_MS)])
    [found] = look_at_letters(centre)
    assert (found.state, "not JSON" in found.what.en) == ("warning", True)


# Sites


def test_sites_that_are_well_are_one_line(centre: Centre) -> None:
    keep(centre, status(), ("batch", batch_payload(0)))
    assert states(look_at_sites(centre, NOW_MS)) == {"sites": "ok"}


@pytest.mark.parametrize(
    ("said", "later_min", "text"),
    [
        ({"online": False}, 1, "offline"),
        ({}, 16, "nothing heard for 16 min"),
        ({"at_ms": NOW_MS - 3_600_000}, 1, "-3600 s"),
        ({"clock": "unsynced"}, 1, "not synchronised"),
        ({"version": "0.0.1"}, 1, "runs 0.0.1"),
        ({"set_aside": "spool.db.damaged-1"}, 1, "damaged spool"),
        ({"stream": STREAM, "next_seq": 3}, 1, "3 batches"),
    ],
)
def test_what_is_wrong_with_a_site_is_told(centre: Centre, said: dict[str, object], later_min: int, text: str) -> None:
    keep(centre, status(**said))
    found = list(look_at_sites(centre, NOW_MS + later_min * MINUTE_MS))
    assert [finding.check for finding in found] == [f"site {SITE}"]
    assert text in found[0].what.en
    assert found[0].remedy is not None


# Papers and the roll


@pytest.fixture
def founded(tmp_path: Path) -> CentreFolder:
    return make_centre(tmp_path / "county", Wishes(["127.0.0.1"], language="en"), NOW_MS)


def test_the_centre_s_own_papers_are_looked_at(founded: CentreFolder) -> None:
    centre = load_centre(founded.centre_file)
    assert set(states(look_at_papers(centre, founded, NOW_MS)).values()) == {"ok"}
    (founded.authority / "ca.key").chmod(0o644)
    found = states(look_at_papers(centre, founded, NOW_MS + 400 * DAY_MS))
    assert (found["certificate ingest"], found["certificate broker"], found["key authority"]) == ("wrong",) * 3


def test_a_list_of_the_revoked_that_ends_is_told_of_before_the_broker_refuses_everybody(founded: CentreFolder) -> None:
    file = founded.broker / "crl.pem"
    days = (0, 3_640, 3_660)
    assert [look_at_revocations(file, NOW_MS + day * DAY_MS).state for day in days] == ["ok", "warning", "wrong"]
    file.write_text("no list")
    assert look_at_revocations(file, NOW_MS).state == "wrong"


def test_a_site_whose_certificate_ends_and_one_never_heard_are_told_of(founded: CentreFolder) -> None:
    centre = load_centre(founded.centre_file)
    with open_office(founded) as office:
        office.admit(SITE, NOW_MS, days=90)
    keep(centre, status())
    assert list(look_at_roll(founded, centre, NOW_MS)) == []
    assert states(look_at_roll(founded, centre, NOW_MS + 80 * DAY_MS)) == {f"certificate {SITE}": "warning"}
    assert states(look_at_roll(founded, centre, NOW_MS + 91 * DAY_MS)) == {f"certificate {SITE}": "wrong"}
    with open_office(founded) as office:
        office.admit("lift-3", NOW_MS)
        office.admit("gone", NOW_MS)
        office.revoke("gone", NOW_MS)
    assert states(look_at_roll(founded, centre, NOW_MS)) == {"site lift-3": "warning"}


def test_a_centre_without_certificates_is_told_of(centre: Centre, founded: CentreFolder) -> None:
    open_broker = msgspec.structs.replace(centre.broker, url="mqtt://10.0.0.5")
    found = look_at_papers(msgspec.structs.replace(centre, broker=open_broker), founded, NOW_MS)
    assert states(found) == {"encryption": "warning"}


@pytest.mark.server
def test_a_revoked_site_learns_from_its_doctor_that_the_broker_refuses_it(tmp_path: Path) -> None:
    with secured_centre(tmp_path, RealClock().now_ms()) as made:
        mine = made.admit("ulaan", tmp_path / "papers")
        assert look_at_broker(mine, "ulaan-doctor").state == "ok"
        assert look_at_broker(made.own("steppe-ingest"), CLIENT_ID).state == "ok"
        assert made.office.revoke("ulaan", RealClock().now_ms())
        wait_until(lambda: look_at_broker(mine, "ulaan-doctor").state == "wrong", 20.0, "the broker refuses the site")


# Alarms


def test_alarms_that_reach_nobody_and_settings_that_do_not_load_are_told_of(founded: CentreFolder) -> None:
    assert states(examine_alarms(founded.centre_file, RealClock())) == {"alarms": "warning"}
    (founded.register / "alarms.toml").write_text('[[channels]]\nname = "crew"\nkind = "dingtalk"\n', encoding="utf-8")
    [found] = examine_alarms(founded.centre_file, RealClock())
    assert (found.state, "token_file" in found.what.en) == ("wrong", True)


# The command


def test_the_command_speaks_the_centre_s_language_and_ends_in_1_where_something_is_wrong(founded: CentreFolder) -> None:
    command = [sys.executable, "-m", "steppe", "doctor", str(founded.centre_file)]
    plain = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (plain.returncode, plain.stderr) == (1, "")
    assert "WRONG    broker" in plain.stdout
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False, timeout=60)
    answer = msgspec.json.decode(done.stdout)
    assert answer["state"] == "wrong"
    assert {"broker", "store", "register", "alarms"} <= {finding["check"] for finding in answer["findings"]}
