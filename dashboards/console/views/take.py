"""The link in a notice: what it offers, and what became of taking it. Nobody signs in for it; it counts once."""

from dataclasses import dataclass

from analytics.alarms import queries
from analytics.alarms.database import AlarmDatabase
from analytics.alarms.links import Link, LinkRefused, read
from analytics.alarms.planner import Planner
from analytics.alarms.records import Occurrence
from dashboards.console.views.alarm_acts import Answer, acknowledged
from dashboards.console.views.alarms_names import Place, Words, place, steps, title


@dataclass(frozen=True)
class Offer:
    """What a link stands for."""

    person: str
    title: Words
    place: Place
    since_ms: int
    procedure: tuple[Words, ...]
    answer: Answer | None
    """How it stands where it cannot be taken any more, or has just been taken."""


def offer(database: AlarmDatabase, planner: Planner, word: str, *, now_ms: int) -> Offer:
    """Return what a link offers, without using it. Raises LinkRefused where it is forged or too old."""
    link = read(word, planner.link_key, now_ms=now_ms)
    one, newest = _occurrences(database, link)
    answer = None
    if one.id != newest.id:
        answer = Answer("again", "again", one.id, "", newest.onset_ms, newest.acked_by or "", newer=newest.id)
    elif one.acked_by or one.closed_ms is not None:
        record = database.records_of([link.alarm])[link.alarm]
        answer = acknowledged(record, one, one, link.person, now_ms)
    return _offer(planner, database, link, one, answer)


def take(database: AlarmDatabase, planner: Planner, word: str, *, now_ms: int) -> Offer:
    """Acknowledge what a link stands for. Raises LinkRefused where it is forged or too old.

    A link that was used before, or stands for an earlier occurrence, changes nothing; the answer says how it stands.
    """
    link = read(word, planner.link_key, now_ms=now_ms)
    before, _ = _occurrences(database, link)
    try:
        record = planner.take_by_link(database, word, now_ms=now_ms)
    except LinkRefused:
        return offer(database, planner, word, now_ms=now_ms)
    after, _ = _occurrences(database, link)
    return _offer(planner, database, link, after, acknowledged(record, after, before, link.person, now_ms))


def _occurrences(database: AlarmDatabase, link: Link) -> tuple[Occurrence, Occurrence]:
    """The one that the link stands for, and the newest of the same alarm. Raises LinkRefused."""
    with database.reading() as connection:
        one = queries.occurrence_of(connection, link.alarm, link.occurrence)
        newest = queries.newest(connection, [link.alarm]).get(link.alarm)
    if one is None or newest is None:
        raise LinkRefused(f"{link.alarm}: there is no such alarm any more")
    return one, newest


def _offer(planner: Planner, database: AlarmDatabase, link: Link, one: Occurrence, answer: Answer | None) -> Offer:
    record = database.records_of([link.alarm])[link.alarm]
    return Offer(
        link.person,
        title(record.id, record.kind),
        place(planner.register, record.asset),
        one.onset_ms,
        steps(record.kind),
        answer,
    )
