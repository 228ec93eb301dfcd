"""A backup is what the disks held at one instant: restored and replayed, nothing that was acknowledged is missing."""

import json
import sqlite3
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.servers import InfluxServer, influxdb, wait_until
from support.small_centre import SmallCentre, instant, stored_instants
from support.wire import NOW_MS

from edge.errors import BadInput
from ingest.cli import centre as centre_command
from ingest.config import load_centre
from ingest.journal import Journal
from ingest.keeping.backup import Choices, backup
from ingest.keeping.lines import LinesExport
from ingest.keeping.manifest import Manifest
from ingest.keeping.restore import fill_store, restore
from ingest.keeping.snapshot import at_one_instant, copy
from ingest.store import StoreDown, StoreRefused
from ingest.stores import open_store
from ingest.writer import READER

EVERYTHING = Choices(with_keys=True)


def silent(_what: str, _share: float) -> None:
    """Progress that nobody watches."""


def taken(centre: SmallCentre, target: Path, choices: Choices = EVERYTHING) -> Manifest:
    return backup(centre.file, target, choices, NOW_MS, silent)


def instants(*numbers: int) -> list[int]:
    return [instant(seq) + 1000 * row for seq in numbers for row in range(3)]


def test_a_restored_centre_holds_every_file_and_every_number(centre: SmallCentre, tmp_path: Path) -> None:
    centre.receive(0, 5)
    centre.write()
    centre.publish({"minutes": 1439.5})
    made = taken(centre, tmp_path / "backup.zip")
    restored = restore(tmp_path / "backup.zip", tmp_path / "again", silent)
    assert made.databases["data/store.db"].rows == {"kpi": 1, "reading": 15, "series": 1} | packed_rows(made)
    assert stored_instants(tmp_path / "again" / "centre.toml") == instants(*range(5))
    settings = load_centre(tmp_path / "again" / "centre.toml")
    with closing(open_store(settings.store, Path(settings.data_dir))) as store:
        [number] = store.read_kpi("voltage", "2025-01-01", "2026-01-01")
    assert number.sums == {"minutes": 1439.5}
    before, after = (files_of(root) for root in (centre.file.parent, tmp_path / "again"))
    assert after.keys() == before.keys()
    differing = {name for name in before if not name.endswith(".db") and before[name] != after[name]}
    assert differing == {"broker/mosquitto.conf"}  # it names the folder
    assert str(tmp_path / "again" / "broker") in after["broker/mosquitto.conf"].decode()
    assert restored.left_out == ()


def packed_rows(made: Manifest) -> dict[str, int]:
    """Tables for old hours, empty here."""
    return {name: rows for name, rows in made.databases["data/store.db"].rows.items() if name == "packed"}


def files_of(root: Path) -> dict[str, bytes]:
    beside = ("-wal", "-shm", ".lock")
    paths = (path for path in root.rglob("*") if path.is_file() and not path.name.endswith(beside))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def test_keys_and_passwords_stay_out_unless_asked_for_and_are_named(centre: SmallCentre, tmp_path: Path) -> None:
    password = centre.data / "token"
    password.write_text("secret-of-the-store")
    password.chmod(0o600)
    centre.receive(0, 1)
    centre.write()
    made = taken(centre, tmp_path / "backup.zip", Choices())
    assert {"authority/ca.key", "broker/broker.key", "data/token"} <= set(made.left_out)
    with zipfile.ZipFile(tmp_path / "backup.zip") as packed:
        contents = b"".join(packed.read(name) for name in packed.namelist())
    assert b"PRIVATE KEY" not in contents
    assert b"secret-of-the-store" not in contents
    assert restore(tmp_path / "backup.zip", tmp_path / "again", silent).left_out == made.left_out
    assert (tmp_path / "backup.zip").stat().st_mode & 0o777 == 0o600


def test_a_backup_while_readings_pour_in_misses_nothing_acknowledged(centre: SmallCentre, tmp_path: Path) -> None:
    """Batches are committed and written all the time; whatever was committed before a backup began is in it."""
    centre.receive(0, 1)
    centre.write()
    stop, acknowledged = threading.Event(), [1]

    def receive() -> None:
        with closing(Journal(centre.data / "journal.db")) as journal:
            while not stop.is_set():
                centre.commit(journal, range(acknowledged[-1], acknowledged[-1] + 7))
                acknowledged.append(acknowledged[-1] + 7)

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(receive), pool.submit(centre.write_until, stop)]
        try:
            for number in range(3):
                seen = acknowledged[-1]
                wait_until(lambda seen=seen: running[0].done() or acknowledged[-1] > seen + 50, 60, "batches come in")
                surely = acknowledged[-1]
                taken(centre, tmp_path / f"{number}.zip")
                restore(tmp_path / f"{number}.zip", tmp_path / f"restored-{number}", silent)
                check_restored(tmp_path / f"restored-{number}", surely)
        finally:
            stop.set()
        for one in running:
            one.result(timeout=60)


def check_restored(folder: Path, surely: int) -> None:
    """No cursor is ahead; what is behind the cursor is stored; replayed, all that was acknowledged is stored."""
    with closing(Journal(folder / "data" / "journal.db")) as journal:
        cursor, newest = journal.cursor(READER), journal.newest()
        held = journal.ack("qingshui-wtp")
    assert cursor <= newest
    assert newest >= surely
    assert held is not None
    assert held.upto == newest - 1
    assert stored_instants(folder / "centre.toml")[: 3 * cursor] == instants(*range(cursor))
    SmallCentre(folder / "centre.toml").write()
    assert stored_instants(folder / "centre.toml") == instants(*range(newest))


def test_writes_do_not_make_a_copy_begin_again(centre: SmallCentre, tmp_path: Path) -> None:
    centre.receive(0, 400)
    journal = centre.data / "journal.db"
    shares: list[float] = []

    def meanwhile(share: float) -> None:
        shares.append(share)
        centre.receive(1000 + len(shares), 1)

    with at_one_instant([journal]) as readers:
        centre.receive(500, 20)
        copy(readers[journal], tmp_path / "copy.db", meanwhile)
    assert shares == sorted(shares)
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copied:
        assert copied.execute("SELECT count(*) FROM entry").fetchone() == (400,)


def test_a_file_that_somebody_holds_for_good_is_named(centre: SmallCentre, tmp_path: Path) -> None:
    centre.receive(0, 1)
    centre.write()
    with closing(sqlite3.connect(centre.data / "changes.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with (
            pytest.raises(StoreDown, match=r"changes\.db: another process holds the file"),
            at_one_instant([centre.data / "changes.db"], wait_s=0.01),
        ):
            pytest.fail("nobody may begin")


@pytest.fixture(scope="module")
def backup_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("whole")
    centre = SmallCentre.made(folder / "centre")
    centre.receive(0, 20)
    centre.write()
    taken(centre, folder / "backup.zip")
    return (folder / "backup.zip").read_bytes()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_file_cut_short_is_refused_and_nothing_is_left(backup_bytes: bytes, tmp_path: Path, share: float) -> None:
    (tmp_path / "cut.zip").write_bytes(backup_bytes[: int(len(backup_bytes) * share)])
    refused(tmp_path / "cut.zip", tmp_path / "again")


@pytest.mark.parametrize("share", [0.02, 0.2, 0.4, 0.6, 0.8, 0.97])
def test_a_spoilt_file_is_refused_and_nothing_is_left(backup_bytes: bytes, tmp_path: Path, share: float) -> None:
    spoilt = bytearray(backup_bytes)
    place = int(len(spoilt) * share)
    spoilt[place : place + 64] = bytes(byte ^ 0x55 for byte in spoilt[place : place + 64])
    (tmp_path / "spoilt.zip").write_bytes(spoilt)
    refused(tmp_path / "spoilt.zip", tmp_path / "again")


def refused(source: Path, folder: Path) -> None:
    with pytest.raises(BadInput, match="damaged or cut short") as error:
        restore(source, folder, silent)
    assert "\n" not in str(error.value)
    assert sorted(path.name for path in folder.parent.iterdir()) == [source.name]


def test_a_file_changed_behind_the_zips_own_sum_is_found_by_its_hash(backup_bytes: bytes, tmp_path: Path) -> None:
    (tmp_path / "whole.zip").write_bytes(backup_bytes)
    with zipfile.ZipFile(tmp_path / "whole.zip") as whole, zipfile.ZipFile(tmp_path / "changed.zip", "w") as changed:
        for name in whole.namelist():
            changed.writestr(name, whole.read(name) + (b"x" if name == "register/assets.csv" else b""))
    with pytest.raises(BadInput, match=r"assets\.csv is not what the manifest says"):
        restore(tmp_path / "changed.zip", tmp_path / "again", silent)


@pytest.mark.parametrize(("changes", "message"), [({"format": 99}, "newer steppe"), ({"files": "none"}, "no backup")])
def test_what_is_no_backup_of_ours_is_refused(
    backup_bytes: bytes, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    (tmp_path / "whole.zip").write_bytes(backup_bytes)
    with zipfile.ZipFile(tmp_path / "whole.zip") as whole, zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("manifest.json", json.dumps(json.loads(whole.read("manifest.json")) | changes))
    with pytest.raises(BadInput, match=message):
        restore(tmp_path / "other.zip", tmp_path / "again", silent)


def test_a_backup_cannot_write_outside_the_folder(tmp_path: Path, backup_bytes: bytes) -> None:
    (tmp_path / "whole.zip").write_bytes(backup_bytes)
    with zipfile.ZipFile(tmp_path / "whole.zip") as whole, zipfile.ZipFile(tmp_path / "evil.zip", "w") as evil:
        manifest = json.loads(whole.read("manifest.json"))
        manifest["files"][0]["name"] = "../outside"
        evil.writestr("manifest.json", json.dumps(manifest))
    with pytest.raises(BadInput, match="outside the folder"):
        restore(tmp_path / "evil.zip", tmp_path / "again", silent)


def test_only_an_empty_folder_and_a_new_file_are_taken(centre: SmallCentre, tmp_path: Path) -> None:
    centre.receive(0, 1)
    centre.write()
    taken(centre, tmp_path / "backup.zip")
    with pytest.raises(BadInput, match="Give a folder that is empty"):
        restore(tmp_path / "backup.zip", tmp_path / "centre", silent)
    with pytest.raises(BadInput, match="Name a new file"):
        taken(centre, tmp_path / "backup.zip")
    (tmp_path / "empty").mkdir()
    assert restore(tmp_path / "backup.zip", tmp_path / "empty", silent).files > 10


def test_folders_that_stood_elsewhere_move_into_the_restored_one(tmp_path: Path) -> None:
    centre = SmallCentre.made(tmp_path / "centre")
    centre.receive(0, 2)
    centre.write()
    (tmp_path / "centre" / "data").rename(tmp_path / "disk")
    text = centre.file.read_text().replace('data_dir = "data"', f'data_dir = "{tmp_path / "disk"}"')
    centre.file.write_text(text)
    taken(centre, tmp_path / "backup.zip", Choices())
    restore(tmp_path / "backup.zip", tmp_path / "again", silent)
    assert load_centre(tmp_path / "again" / "centre.toml").data_dir == str(tmp_path / "again" / "data")
    assert stored_instants(tmp_path / "again" / "centre.toml") == instants(0, 1)


def test_the_commands_print_one_json_object_and_nothing_else(centre: SmallCentre, tmp_path: Path) -> None:
    centre.receive(0, 2)
    centre.write()
    target, again = str(tmp_path / "backup.zip"), str(tmp_path / "again")
    made = CliRunner().invoke(centre_command, ["backup", str(centre.file), target, "--json"])
    restored = CliRunner().invoke(centre_command, ["restore", target, again, "--json"])
    assert json.loads(made.output)["databases"]["data/journal.db"]["rows"]["entry"] == 2
    assert json.loads(restored.output)["rows"]["data/store.db"] == 7


@pytest.fixture
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    with influxdb(tmp_path_factory.mktemp("influxdb")) as server:
        yield server


@pytest.mark.server
def test_what_influxdb_holds_comes_back_line_by_line(influx: InfluxServer, tmp_path: Path) -> None:
    """Destroyed and filled again: same readings, same numbers; what came in during the export is replayed."""
    centre = SmallCentre.made(tmp_path / "centre", influx.store_url)
    centre.receive(0, 30)
    centre.write()
    centre.publish({"minutes": 3.5})
    made = taken(centre, tmp_path / "backup.zip")
    assert (made.lines.readings, made.lines.numbers) == (90, 1)
    influx.empty()
    assert restore(tmp_path / "backup.zip", tmp_path / "again", silent).lines == 91
    assert fill_store(tmp_path / "again", silent) == fill_store(tmp_path / "again", silent) == 91
    assert stored_instants(tmp_path / "again" / "centre.toml") == instants(*range(30))
    settings = load_centre(tmp_path / "again" / "centre.toml")
    with closing(open_store(settings.store, Path(settings.data_dir))) as store:
        assert [number.sums for number in store.read_kpi("voltage", "2025-01-01", "2026-01-01")] == [{"minutes": 3.5}]


@pytest.mark.server
def test_a_bucket_that_forgets_what_is_filled_in_is_named(influx: InfluxServer, tmp_path: Path) -> None:
    centre = SmallCentre.made(tmp_path / "centre", influx.store_url)
    centre.receive(0, 2)
    centre.write()
    taken(centre, tmp_path / "backup.zip")
    restore(tmp_path / "backup.zip", tmp_path / "again", silent)
    [part] = (tmp_path / "again" / "store-lines").glob("readings*")
    part.rename(part.with_name(part.name.replace(".6.", ".7.")))
    with pytest.raises(StoreRefused, match="holds 6 readings, the backup 7"):
        fill_store(tmp_path / "again", silent)


@pytest.mark.server
def test_an_export_goes_on_where_it_was_cut_and_what_came_since_is_replayed(
    influx: InfluxServer, tmp_path: Path
) -> None:
    centre = SmallCentre.made(tmp_path / "centre", influx.store_url)
    centre.receive(0, 10)
    centre.write()
    export = LinesExport(tmp_path / "backup.zip")
    with closing(open_store(centre.settings.store, centre.data)) as store:
        assert export.begin(store, instant(10)) == instant(10)
        export.run(store, silent)
    [part] = [path for path in export.parts() if path.name.startswith("readings")]
    written_ns = part.stat().st_mtime_ns
    centre.receive(10, 5)
    centre.write()
    manifest = backup(centre.file, tmp_path / "backup.zip", Choices(), instant(16), silent)
    assert part.name == f"readings-00000000.{manifest.lines.readings}.lp.gz"
    assert written_ns < (tmp_path / "backup.zip").stat().st_mtime_ns
    assert manifest.lines.readings == 30
    influx.empty()
    restore(tmp_path / "backup.zip", tmp_path / "again", silent)
    fill_store(tmp_path / "again", silent)
    SmallCentre(tmp_path / "again" / "centre.toml").write()
    assert stored_instants(tmp_path / "again" / "centre.toml") == instants(*range(15))
    assert export.parts() == ()
