"""What the spool's file must stand: a kill at any instant, a full disk, damage, a second owner."""

import contextlib
import random
import resource
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from support.delivery import ack, batch_for, fill, waiting

from edge.errors import SpoolError
from edge.spool_sqlite import SqliteSpool
from edge.wire import Batch, WireError, decode

TESTS = Path(__file__).resolve().parents[1]

WRITER = """
import sys
sys.path[:0] = [{tests!r}, {root!r}]
from pathlib import Path
from support.delivery import batch_for
from edge.spool_sqlite import SqliteSpool

spool = SqliteSpool(Path(sys.argv[1]), max_bytes=10**9)
while True:
    spool.append([batch_for(spool, rows=20)])
    print(spool.next_seq, flush=True)
"""

FILLER = """
import resource, sys
sys.path[:0] = [{tests!r}, {root!r}]
from pathlib import Path
from support.delivery import batch_for, waiting
from edge.errors import SpoolError
from edge.spool_sqlite import SqliteSpool

spool = SqliteSpool(Path(sys.argv[1]), max_bytes=10**9)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
try:
    while True:
        spool.append([batch_for(spool, rows=200)])
except SpoolError as error:
    print(error)
assert waiting(spool) == list(range(spool.next_seq)), "what was kept before is all there"
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
spool.append([batch_for(spool, rows=200)])
print(spool.next_seq)
"""


def child(code: str, path: Path, **options: object) -> "subprocess.Popen[str]":
    program = code.format(tests=str(TESTS), root=str(TESTS.parent))
    return subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True)


def open_spool(path: Path) -> SqliteSpool:
    return SqliteSpool(path, max_bytes=10**9)


def test_a_reopened_spool_is_the_same_spool(tmp_path: Path) -> None:
    spool = open_spool(tmp_path / "spool.db")
    fill(spool, 5)
    spool.forget(ack(spool, 1))
    stream, depth = spool.stream, spool.depth()
    spool.close()
    again = open_spool(tmp_path / "spool.db")
    assert (again.stream, again.next_seq, waiting(again), again.depth()) == (stream, 5, [2, 3, 4], depth)
    again.close()


@pytest.mark.parametrize("after", [1, 7, 40])
def test_everything_whose_append_returned_survives_sigkill(tmp_path: Path, after: int) -> None:
    with child(WRITER, tmp_path / "spool.db") as writer:
        assert writer.stdout is not None
        for _ in range(after):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        promised = max([after, *map(int, writer.stdout.read().split("\n")[:-1])])
    spool = open_spool(tmp_path / "spool.db")
    assert spool.next_seq in (promised, promised + 1), "at most the append under way is there unannounced"
    assert waiting(spool) == list(range(spool.next_seq))
    spool.close()


def test_a_full_disk_is_an_error_and_costs_nothing_sealed(tmp_path: Path) -> None:
    """RLIMIT_FSIZE plays the disk: writes fail, then space returns and the same stream goes on."""
    signal_before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with child(FILLER, tmp_path / "spool.db") as filler:
        assert filler.stdout is not None
        said, last = filler.stdout.read().strip().split("\n")
    assert filler.returncode == 0
    assert "Free space on the disk" in said
    assert int(last) > 5
    assert resource.getrlimit(resource.RLIMIT_FSIZE) == signal_before


def test_a_second_owner_is_refused_with_a_reason(tmp_path: Path) -> None:
    spool = open_spool(tmp_path / "spool.db")
    fill(spool, 1)
    with pytest.raises(SpoolError, match="Another process holds it"):
        open_spool(tmp_path / "spool.db")
    spool.close()


def test_a_file_of_a_newer_version_is_refused_and_left_alone_and_an_unmarked_one_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    spool = open_spool(path)
    fill(spool, 2)
    spool.close()
    set_version(path, 99)
    before = path.read_bytes()
    with pytest.raises(SpoolError, match=r"written by a newer steppe \(version 99, this one knows 1\)"):
        open_spool(path)
    assert path.read_bytes() == before
    set_version(path, 0)
    spool = open_spool(path)
    assert waiting(spool) == [0, 1]
    spool.close()


def set_version(path: Path, version: int) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {version}")


def test_a_folder_that_is_not_there_is_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match=r"no-such/spool\.db: the spool failed"):
        open_spool(tmp_path / "no-such" / "spool.db")


def test_what_was_sealed_for_a_file_that_is_gone_is_refused_by_the_new_one(tmp_path: Path) -> None:
    """A folder that was away for a while. A batch that names the old stream would never be acknowledged in the new."""
    card = tmp_path / "card"
    card.mkdir()
    spool = open_spool(card / "spool.db")
    fill(spool, 2)
    card.rename(tmp_path / "away")
    with pytest.raises(SpoolError):
        spool.start_over("an old copy")
    card.mkdir()
    sealed = batch_for(spool)
    with pytest.raises(SpoolError, match="do not continue the stream at 0"):
        spool.append([sealed])
    fill(spool, 1)
    assert waiting(spool) == [0]
    spool.close()


def test_a_damaged_file_is_set_aside_and_a_new_stream_begins(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    spool = open_spool(path)
    fill(spool, 3)
    old = spool.stream
    spool.close()
    damaged = b"not a database at all".ljust(4096, b"!") + path.read_bytes()[4096:]
    path.write_bytes(damaged)
    spool = open_spool(path)
    assert (spool.stream != old, spool.next_seq, spool.set_aside) == (True, 0, "spool.db.damaged-1")
    assert (tmp_path / "spool.db.damaged-1").read_bytes() == damaged
    fill(spool, 1)
    assert waiting(spool) == [0]
    spool.close()


def test_a_second_damaged_file_does_not_overwrite_the_first(tmp_path: Path) -> None:
    for _ in range(2):
        (tmp_path / "spool.db").write_bytes(b"!" * 4096)
        spool = open_spool(tmp_path / "spool.db")
        spool.close()
    assert spool.set_aside == "spool.db.damaged-2"
    assert (tmp_path / "spool.db.damaged-1").exists()


def test_damage_that_leaves_the_rows_readable_is_reported_with_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    spool = open_spool(path)
    fill(spool, 3)
    old = spool.stream
    spool.close()
    _spoil_stream_number(path)
    spool = open_spool(path)
    assert [(gap.stream, gap.first_seq, gap.last_seq) for gap in spool.dropped(10)] == [(old, 0, 2)]
    spool.close()


def _spoil_stream_number(path: Path) -> None:
    import contextlib
    import sqlite3

    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE stream SET next_seq = 1")
        db.commit()


@pytest.mark.parametrize("seed", range(60))
def test_no_flipped_bytes_keep_the_gateway_from_working(tmp_path: Path, seed: int) -> None:
    """Wherever the damage is, the spool opens, takes batches, and gives out only what can be decoded or is reported."""
    path = tmp_path / "spool.db"
    spool = open_spool(path)
    fill(spool, 30, rows=40)
    stream = spool.stream
    spool.close()
    _flip(path, random.Random(seed))
    spool = open_spool(path)
    _use(spool)
    survived = spool.stream == stream
    assert survived == (spool.set_aside is None)
    spool.close()


def _flip(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    start = chance.randrange(len(content))
    length = chance.choice([1, 16, 512, 4096])
    content[start : start + length] = chance.randbytes(len(content[start : start + length]))
    path.write_bytes(content)


def _use(spool: SqliteSpool) -> None:
    """Do what the uplink does: append, read to the end, forget."""
    for _ in range(3):  # damage that only shows in use sets the file aside at the first call
        try:
            spool.append([batch_for(spool)])
            start = 0
            while (batch := spool.oldest(start, spool.next_seq)) is not None:
                start = batch.seq + 1
                assert decode(batch.payload, Batch).seq == batch.seq
            spool.forget(ack(spool, spool.next_seq - 1))
            return
        except (SpoolError, WireError):
            continue
    raise AssertionError("the spool does not come back to work")
