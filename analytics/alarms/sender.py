"""Carry notices from the outbox to people, within what each service takes.

What a service has taken in the last minute is counted in the outbox itself, so a restart forgets no limit. Where more
waits than may go, critical alarms go one by one and the rest as one digest. A notice that no channel takes is an alarm
of its own.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from analytics.alarms import outbox, texts
from analytics.alarms.channels.port import Answer, Channel, Message, Recipient, Verdict
from analytics.alarms.classes import BY_NAME
from analytics.alarms.database import AlarmDatabase, Transaction
from analytics.alarms.events import Event, Fell, Rose, Severity
from analytics.alarms.outbox import Queued
from analytics.alarms.planner import Planner
from analytics.alarms.records import Act
from analytics.alarms.rota import Person

log = logging.getLogger(__name__)

MINUTE_MS = 60_000
LEASED_AT_ONCE = 50
UNDELIVERED = "steppe/notices#undelivered"


@dataclass(frozen=True)
class Sender:
    """One worker over one outbox."""

    database: AlarmDatabase
    channels: Mapping[str, Channel]
    planner: Planner

    def send_due(self, *, now_ms: int) -> int:
        """Try what is due, once; return how many notices were taken by a service."""
        with self.database.transaction() as change:
            leased = outbox.lease(change.connection, now_ms=now_ms, limit=LEASED_AT_ONCE)
        taken = 0
        for channel, recipient, notices in _by_way(leased):
            taken += self._send_group(channel, recipient, notices, now_ms)
        return taken

    def _send_group(self, channel: str, recipient: str, notices: list[Queued], now_ms: int) -> int:
        """Send one person's notices over one channel: singly as far as the limit goes, the rest as a digest."""
        settings = self.planner.settings.channel(channel)
        person = self.planner.settings.person(recipient)
        if settings is None or person is None:
            return self._send(channel, recipient, None, notices, now_ms)
        with self.database.transaction() as change:
            used = outbox.sent_within(change.connection, channel, now_ms - MINUTE_MS)
        left, left_for_critical = settings.per_minute - settings.kept_for_critical - used, settings.per_minute - used
        taken = 0
        for group in _groups(notices, left, left_for_critical):
            if group.send:
                taken += self._send(channel, recipient, person, group.notices, now_ms)
            else:
                with self.database.transaction() as change:
                    for notice in group.notices:
                        outbox.put_back(change.connection, notice, until_ms=now_ms + MINUTE_MS // settings.per_minute)
        return taken

    def _send(self, channel: str, recipient: str, person: Person | None, leased: list[Queued], now_ms: int) -> int:
        """Send one message for one notice or a digest of several, and write down what became of each.

        A notice that was called back since it was leased stays here: an acknowledgement stops what it can still stop.
        """
        with self.database.transaction() as change:
            notices = outbox.wanted(change.connection, leased)
        if not notices:
            return 0
        answer = self._ask(channel, person, notices, now_ms)
        log.info("%d to %s over %s: %s (%s)", len(notices), recipient, channel, answer.verdict, answer.detail)
        with self.database.transaction() as change:
            with_ = notices[0].id
            states = [outbox.settle(change.connection, n, answer, now_ms=now_ms, sent_with=with_) for n in notices]
            self._report(change, "dead" in states, answer.verdict is Verdict.ACCEPTED, now_ms)
        return len(notices) if answer.verdict is Verdict.ACCEPTED else 0

    def _ask(self, channel: str, person: Person | None, notices: list[Queued], now_ms: int) -> Answer:
        known = self.channels.get(channel)
        if known is None or person is None:
            return Answer(Verdict.GIVE_UP, f"{notices[0].recipient} or the channel {channel!r} has left alarms.toml")
        titles = [notice.title for notice in notices]
        message = _single(notices[0]) if len(notices) == 1 else texts.digest(titles, language=person.language)
        return known.send(message, Recipient(person.name, person.phone, person.email), now_ms)

    def _report(self, change: Transaction, dead: bool, accepted: bool, now_ms: int) -> None:
        """A notice that reached nobody is an alarm; it ends when a later one is taken."""
        record = change.find(UNDELIVERED, asset="steppe", kind="notice_dead")
        event: Event | None = None
        if dead and not record.alarm.condition:
            event = Rose(now_ms, Severity.HIGH)
        elif accepted and record.alarm.condition:
            event = Fell(now_ms)
        if event is not None:
            kind = BY_NAME["notice_dead"].kind
            applied = change.apply(record, Act(event, now_ms), kind, now_ms=now_ms)
            self.planner.plan(change, applied, kind, now_ms=now_ms)


@dataclass(frozen=True)
class _Group:
    notices: list[Queued]
    send: bool


def _groups(notices: list[Queued], left: int, left_for_critical: int) -> Iterable[_Group]:
    """Critical ones singly while anything is left; of the others all but the last place singly, the rest together."""
    critical = [notice for notice in notices if notice.severity is Severity.CRITICAL]
    others = [notice for notice in notices if notice.severity is not Severity.CRITICAL]
    for place, notice in enumerate(critical):
        yield _Group([notice], place < left_for_critical)
    left = min(left, left_for_critical - len(critical))
    singly = len(others) if len(others) <= left else max(left - 1, 0)
    for notice in others[:singly]:
        yield _Group([notice], True)
    if others[singly:]:
        yield _Group(others[singly:], left > 0)


def _by_way(leased: list[Queued]) -> Iterable[tuple[str, str, list[Queued]]]:
    """Group by channel and person, the gravest group first."""
    ways: dict[tuple[str, str], list[Queued]] = {}
    for notice in leased:
        ways.setdefault((notice.channels[0], notice.recipient), []).append(notice)
    for (channel, recipient), notices in ways.items():
        yield channel, recipient, notices


def _single(notice: Queued) -> Message:
    title, _, key = notice.title.rpartition(" ")
    return Message(title, notice.body, f"{key}-{notice.attempts}" if notice.attempts else key)
