"""Everything that follows the journal in memory: conditions, works and lift stations, with one snapshot for all.

What they remember is rebuilt from a snapshot in `alarms.db` and the journal entries after it; so they depend on the
journal alone, and a restarted engine has the same before it.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from analytics.alarms.database import AlarmDatabase, Transaction
from analytics.alarms.detection import Detection, works_of
from analytics.alarms.evaluate import Evaluation, Turn
from analytics.alarms.lifts import Lifts, lifts_of
from analytics.alarms.planner import Planner
from analytics.alarms.sightings import Sighting
from analytics.alarms.watch import Watch
from ingest.decode import chunks
from ingest.journal import Entry

CONDITIONS, WORKS, LIFTS, AT = "snapshot", "works_snapshot", "lifts_snapshot", "snapshot_at"


@dataclass(frozen=True)
class News:
    """What some entries changed."""

    turns: list[Turn] = field(default_factory=list)
    late: list[Turn] = field(default_factory=list)
    """What a backlog told: history."""
    sightings: list[Sighting] = field(default_factory=list)


class Following:
    """The followers of one watch and register."""

    def __init__(self, watch: Watch, planner: Planner) -> None:
        self.evaluation = Evaluation(watch)
        self.detection = Detection(works_of(planner.register))
        self.lifts = Lifts(lifts_of(planner.register, planner.settings.lift_stations))
        self.snapshot_at = 0
        """Journal position of the snapshot in `alarms.db`; 0 for none that can be used."""

    @property
    def ids(self) -> set[str]:
        """Of the alarms that may be raised here."""
        return {alarm.id for alarm in self.evaluation.watch.alarms} | self.detection.ids | self.lifts.ids

    def take(self, entries: Sequence[Entry]) -> News:
        """Take the batches among `entries` one by one, in the order of their arrival."""
        news = News()
        for entry in entries:
            if entry.kind == "batch":
                for chunk in chunks([entry], 1):
                    turns, late = self.evaluation.take(chunk.rows, entry.received_ms)
                    news.turns.extend(turns)
                    news.late.extend(late)
                    news.sightings.extend(self.detection.take(chunk.rows, entry.received_ms))
                    news.sightings.extend(self.lifts.take(chunk.rows, entry.received_ms))
        return news

    def differing(self, database: AlarmDatabase, *, now_ms: int) -> Iterator[Sighting]:
        """Yield what works and lift stations say that is other than the alarms on record."""
        records = database.records()
        yield from self.detection.differing(records, now_ms=now_ms)
        yield from self.lifts.differing(records, now_ms=now_ms)

    def keep(self, change: Transaction, position: int) -> None:
        """Keep a snapshot of all that was taken up to a position, inside the caller's transaction."""
        change.set_meta(CONDITIONS, base64.b64encode(self.evaluation.snapshot()).decode())
        change.set_meta(WORKS, self.detection.snapshot())
        change.set_meta(LIFTS, self.lifts.snapshot())
        change.set_meta(AT, str(position))
        self.snapshot_at = position

    def restore(self, database: AlarmDatabase) -> None:
        """Take the snapshot that is kept, if this version can read it."""
        kept = database.meta(CONDITIONS)
        if kept and self.evaluation.restore(base64.b64decode(kept)):
            self.detection.restore(database.meta(WORKS, "{}"))
            self.lifts.restore(database.meta(LIFTS, "{}"))
            self.snapshot_at = int(database.meta(AT, "0"))
