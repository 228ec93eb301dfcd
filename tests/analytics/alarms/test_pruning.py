"""The journal and the alarm engine: nothing is pruned that a restarted engine would need, and all that it would not."""

from contextlib import closing
from pathlib import Path

from support.alarm_script import MINUTE_MS, Play, county

from analytics.alarms.engine import READER
from ingest.journal import Journal

FEEDER = "head/meter#supply_lost"
FOREVER_MS = 2**62


def read(play: Play, minutes: int, volts: float = 231.0) -> None:
    for _ in range(minutes):
        play.say("head", meter__voltage_v=volts)
        play.minute()


def test_pruning_never_passes_the_last_snapshot_of_the_alarms(tmp_path: Path) -> None:
    """The store has read everything; the alarms have their snapshot at 20 of 27 entries."""
    play = Play(tmp_path, county(1), snapshot_every_entries=20)
    read(play, 27)
    with closing(Journal(tmp_path / "journal.db")) as journal:
        journal.advance("store", journal.newest())
        assert journal.cursor(READER) == 20
        assert journal.prune(FOREVER_MS) == 20
        assert [entry.position for entry in journal.read(0, 100)] == list(range(21, 28))
    play.kill()
    read(play, 2, volts=0.0)
    assert play.states()[FEEDER] == "B"


def test_an_engine_that_has_only_begun_keeps_the_journal_whole(tmp_path: Path) -> None:
    play = Play(tmp_path, county(1), snapshot_every_entries=20)
    read(play, 5)
    with closing(Journal(tmp_path / "journal.db")) as journal:
        journal.advance("store", journal.newest())
        assert journal.prune(FOREVER_MS) == 0


def test_a_journal_too_small_for_its_day_makes_room_only_behind_the_alarms(tmp_path: Path) -> None:
    """It holds some hundred entries; the alarms follow it with a snapshot every 50: it never fills for good."""
    play = Play(tmp_path, county(1), snapshot_every_entries=50)
    play.journal.close()
    play.journal = Journal(tmp_path / "journal.db", max_bytes=1_000_000)
    rows = {f"meter.x{number}_v": float(number) for number in range(60)}
    oldest = []
    for minute in range(3000):
        play.say_all({"head": {"meter.voltage_v": 231.0, **rows}})
        play.journal.advance("store", play.journal.newest())
        if minute % 10 == 0:
            while play.engine.step(now_ms=play.now_ms):
                pass
            first = play.journal.read(0, 1)[0].position
            oldest.append(first)
            assert first <= play.engine.following.snapshot_at + 1
        play.now_ms += MINUTE_MS
    assert oldest[-1] > 1000


def test_alarms_switched_off_for_good_are_let_go_by_name(tmp_path: Path) -> None:
    play = Play(tmp_path, county(1), snapshot_every_entries=20)
    read(play, 27)
    with closing(Journal(tmp_path / "journal.db")) as journal:
        journal.advance("store", journal.newest())
        assert journal.readers() == {READER: 20, "store": 27}
        journal.forget_reader(READER)
        assert journal.prune(FOREVER_MS) == 27
