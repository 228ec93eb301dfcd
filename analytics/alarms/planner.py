"""From what an act did to the notices that follow: who is told, when, by which way; and what is called back.

Everything is queued in the transaction of the act. A later step of an escalation is queued at the onset with its own
time and called back by the acknowledgement, so that no timer lives in memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from analytics.alarms import outbox, texts
from analytics.alarms.classes import class_named
from analytics.alarms.database import AlarmDatabase, Transaction
from analytics.alarms.events import Acknowledge, Severity
from analytics.alarms.links import VALID_MS, Link, LinkRefused, redeem, sign
from analytics.alarms.outbox import Outgoing
from analytics.alarms.records import Act, AlarmRecord, Applied
from analytics.alarms.rota import Step, on_duty
from analytics.alarms.settings import AlarmSettings, Chain
from analytics.alarms.state import Effect, IllegalTransition, Kind
from analytics.alarms.texts import Facts, Purpose
from ingest.register import Register

REPEATS = 5
MINUTE_MS = 60_000
WAITING = ("fired", "escalated", "reminder")


class OccurrenceOver(IllegalTransition):
    """The occurrence that a person saw is not the one that stands; nothing has changed."""


@dataclass(frozen=True)
class Planner:
    """Settings and register, as far as notices need them."""

    settings: AlarmSettings
    register: Register
    timezone: str
    link_key: bytes = b""
    """Secret under which acknowledgement links are signed; empty for no links."""

    def plan(self, change: Transaction, applied: Applied, kind: Kind, *, now_ms: int) -> None:
        """Queue and call back notices for what `applied` did, inside its transaction."""
        alarm, record = applied.record.alarm, applied.record
        told_anew = Effect.ANNUNCIATE in applied.effects
        if told_anew or Effect.STOP_ESCALATION in applied.effects:
            outbox.cancel(change.connection, record.id, alarm.occurrence, WAITING)
        if told_anew:
            outbox.cancel(change.connection, record.id, alarm.occurrence, ("resolved",))
            outbox.queue(change.connection, list(self._calls(change, applied, kind, now_ms)), now_ms=now_ms)
        if Effect.RETURN_NOTICE in applied.effects:
            outbox.queue(change.connection, list(self._returns(change, applied, kind, now_ms)), now_ms=now_ms)

    def act(
        self, database: AlarmDatabase, alarm_id: str, act: Act, *, now_ms: int, occurrence: int | None = None
    ) -> AlarmRecord:
        """Do what a person asks of an alarm. Raises IllegalTransition; the refusal is in the audit trail then.

        Who says which `occurrence` they saw acts on that one only: where another one stands by now, nothing is done
        and OccurrenceOver is raised.
        """
        with database.transaction() as change:
            record = change.record(alarm_id)
            if occurrence not in (None, record.alarm.occurrence):
                raise OccurrenceOver(f"{alarm_id}: it has come again since; look at what stands now")
            kind = class_named(record.kind).kind
            applied = change.apply(record, act, kind, now_ms=now_ms)
            self.plan(change, applied, kind, now_ms=now_ms)
        if applied.refused:
            raise IllegalTransition(f"{alarm_id}: {applied.refused}")
        return applied.record

    def take_by_link(self, database: AlarmDatabase, word: str, *, now_ms: int) -> AlarmRecord:
        """Acknowledge what a link in a notice stands for, once. Raises LinkRefused; nothing was acknowledged then."""
        with database.transaction() as change:
            link = redeem(change.connection, word, self.link_key, now_ms=now_ms)
            record = change.record(link.alarm)
            if record.alarm.occurrence != link.occurrence:
                raise LinkRefused("this link is of an earlier time of this alarm: see what stands now on the console")
            kind = class_named(record.kind).kind
            act = Act(Acknowledge(), now_ms, link.person, "by link")
            applied = change.apply(record, act, kind, now_ms=now_ms)
            self.plan(change, applied, kind, now_ms=now_ms)
        return applied.record

    def report_window(self, change: Transaction, window: str, kept_back: Sequence[str], *, now_ms: int) -> None:
        """Tell the manager what a window that has just shut kept back; nothing where it kept back nothing."""
        manager = self.settings.person(self.settings.manager)
        if manager is None or not kept_back:
            return
        message = texts.window_shut(window, kept_back, language=manager.language)
        notice = Outgoing(
            dedupe_key=f"window/{window}/{now_ms}",
            alarm=f"window:{window}",
            occurrence=0,
            purpose="window",
            severity=Severity.LOW,
            recipient=manager.name,
            channels=tuple(manager.channels),
            title=f"{message.title} {message.key}",
            body=message.body,
            not_before_ms=now_ms,
        )
        outbox.queue(change.connection, [notice], now_ms=now_ms)

    def chain(self, severity: Severity) -> Chain:
        """Return who is told of alarms of that severity."""
        chains = self.settings.chains
        return {
            Severity.CRITICAL: chains.critical,
            Severity.HIGH: chains.high,
            Severity.MEDIUM: chains.medium,
            Severity.LOW: chains.low,
        }[severity]

    def _calls(self, change: Transaction, applied: Applied, kind: Kind, now_ms: int) -> Iterator[Outgoing]:
        """The steps of the chain, each at its time, and the repeats of the last.

        Where a condition only came back within its merge window, those who still believe it stands hear nothing new.
        """
        alarm = applied.record.alarm
        chain = self.chain(alarm.severity)
        hours, zone = chain.only_hours, self.timezone
        came_back = Effect.COUNT_CHATTER in applied.effects
        know = outbox.was_told(change.connection, applied.record.id, alarm.occurrence) if came_back else []
        opens_ms = _within_hours(now_ms, hours, zone)
        first_ms = max(opens_ms, now_ms + self._settle_ms(kind))
        for number, (step, repeat) in enumerate(_steps(chain)):
            at_ms = _within_hours(max(first_ms, opens_ms + int(step.after_min * MINUTE_MS)), hours, zone)
            purpose: Purpose = "reminder" if repeat else "fired" if number == 0 else "escalated"
            name = step.person or on_duty(self.settings.rota(step.rota), at_ms, zone) or self.settings.manager
            if name and not (number == 0 and name in know):
                yield self._outgoing(change, applied, purpose, name, at_ms, f"{alarm.told}/{number}")

    def _returns(self, change: Transaction, applied: Applied, kind: Kind, now_ms: int) -> Iterator[Outgoing]:
        """Word that it is over, to everyone who had word that it began; it waits to see whether it comes back."""
        alarm = applied.record.alarm
        for name in outbox.was_told(change.connection, applied.record.id, alarm.occurrence):
            at_ms = now_ms + self._settle_ms(kind)
            yield self._outgoing(change, applied, "resolved", name, at_ms, f"{alarm.told}/over")

    def _settle_ms(self, kind: Kind) -> int:
        return int(self.settings.settle_s * 1000) if kind.suppressible else 0

    def _outgoing(
        self, change: Transaction, applied: Applied, purpose: Purpose, name: str, at_ms: int, step: str
    ) -> Outgoing:
        person = self.settings.person(name)
        language, channels = (person.language, tuple(person.channels)) if person else ("zh", ())
        alarm = applied.record.alarm
        facts = replace(self._facts(change, applied), link=self._link(applied.record, name, at_ms))
        message = texts.notice(facts, purpose, language=language, timezone=self.timezone)
        return Outgoing(
            dedupe_key=f"{applied.record.id}/{alarm.occurrence}/{step}/{name}",
            alarm=applied.record.id,
            occurrence=alarm.occurrence,
            purpose=purpose,
            severity=alarm.severity,
            recipient=name,
            channels=channels,
            title=f"{message.title} {message.key}",
            body=message.body,
            not_before_ms=at_ms,
        )

    def _link(self, record: AlarmRecord, person: str, at_ms: int) -> str:
        """The address under which this person takes this occurrence with one touch; empty where links are off."""
        if not self.link_key:
            return ""
        link = Link(record.id, record.alarm.occurrence, person, at_ms + VALID_MS)
        return f"{self.settings.link_base.rstrip('/')}/{sign(link, self.link_key)}"

    def _facts(self, change: Transaction, applied: Applied) -> Facts:
        record, alarm = applied.record, applied.record.alarm
        row = change.connection.execute(
            "SELECT id, onset_ms, value, acked_by FROM occurrence WHERE alarm = ? AND number = ?",
            (record.id, alarm.occurrence),
        ).fetchone()
        number, onset_ms, value, acked_by = row if row else (0, alarm.fell_ms or 0, None, None)
        (consequences,) = change.connection.execute(
            "SELECT count(*) FROM occurrence WHERE cause = ? AND closed_ms IS NULL", (record.id,)
        ).fetchone()
        place, place_zh = self._place(record.asset)
        point = record.id.split("#", 1)[0]
        return Facts(
            f"#{number}",
            record.kind,
            place,
            place_zh,
            point,
            alarm.severity,
            onset_ms,
            value,
            consequences,
            acked_by or "",
        )

    def _place(self, asset_id: str) -> tuple[str, str]:
        entries = self.register.assets.get(asset_id)
        if not entries:
            return asset_id, asset_id
        asset = entries[-1]
        region = self.register.regions.get(asset.region)
        if region is None:
            return asset.name, asset.name_zh
        return f"{region.name}, {asset.name}", f"{region.name_zh}{asset.name_zh}"


def _steps(chain: Chain) -> Iterator[tuple[Step, bool]]:
    """The chain's steps, then the repeats of its last one."""
    for step in chain.steps:
        yield step, False
    if chain.steps and chain.repeat_min is not None:
        last = chain.steps[-1]
        for number in range(1, REPEATS + 1):
            after_min = last.after_min + number * chain.repeat_min
            yield Step(after_min=after_min, rota=last.rota, person=last.person), True


def _within_hours(at_ms: int, hours: tuple[time, time] | None, timezone: str) -> int:
    """The instant itself, or the next begin of the hours if it lies outside them."""
    if hours is None:
        return at_ms
    zone = ZoneInfo(timezone)
    local = datetime.fromtimestamp(at_ms / 1000, zone)
    begin = local.replace(hour=hours[0].hour, minute=hours[0].minute, second=0, microsecond=0)
    if begin <= local and local.time() < hours[1]:
        return at_ms
    later = begin if local < begin else begin + timedelta(days=1)
    return int(later.timestamp() * 1000)
