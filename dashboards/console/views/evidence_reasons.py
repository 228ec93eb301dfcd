"""Why we say so, in sentences: why it began and ended when it did, why it is no lost connection, what counts not.

Every sentence names its witness and the instant, so that a person can go and look.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from analytics.kpi.testimony import Account, Said
from dashboards.console.texts import MINUTE_MS
from dashboards.console.views.evidence_find import Subject
from dashboards.console.views.evidence_strips import Sentence, clock
from ingest.register import Plan

MOST_PER_GROUP = 4
NEAR_MS = 30 * 60_000
"""A witness that fell silent longer before the start knows nothing of it. [ms]"""
Volts = Callable[[str, int], str]
"""Device and instant → what it read there with its unit; empty where nothing is stored."""


@dataclass(frozen=True)
class Reasons:
    """The sentences, in groups."""

    began: tuple[Sentence, ...]
    ended: tuple[Sentence, ...]
    not_network: tuple[Sentence, ...]
    """Of an unknown time: what the silence is taken for."""
    no_weight: tuple[Sentence, ...]


def reasons(subject: Subject, told: Sequence[Account], plans: Sequence[Plan], zone: ZoneInfo, volts: Volts) -> Reasons:
    """Return why the subject is what it is."""
    say = _Speaker(zone, volts)
    affected = [one for one in told if one.witness.relation in ("here", "below")]
    return Reasons(
        began=_first(_began(subject, affected, say)),
        ended=_first(_ended(subject, affected, say)),
        not_network=_first(_not_network(subject, affected, told, say)),
        no_weight=_first(_no_weight(subject, affected, plans, say)),
    )


@dataclass(frozen=True)
class _Speaker:
    """Puts instants and readings into words."""

    zone: ZoneInfo
    volts: Volts

    def __call__(self, key: str, /, **values: object) -> Sentence:
        shown = {name: self._shown(name, value) for name, value in values.items()}
        return Sentence(f"evidence.why.{key}", shown)

    def _shown(self, name: str, value: object) -> str:
        return clock(value, self.zone) if name == "at" and isinstance(value, int) else str(value)

    def alive(self, key: str, device: str, t_ms: int) -> Sentence:
        """A word of life, with what was read where that is stored."""
        read = self.volts(device, t_ms)
        return self(f"{key}_read", device=device, at=t_ms, read=read) if read else self(key, device=device, at=t_ms)


def _began(subject: Subject, affected: Sequence[Account], say: _Speaker) -> Iterator[Sentence]:
    for one in affected:
        if one.record is not None:
            yield say("record_start", device=one.witness.device, at=one.record.start_ms)
    for one in affected:
        if one.without_supply_ms is not None:
            word = "without" if one.poll_ms else "mains_lost"
            yield say(word, device=one.witness.device, at=one.without_supply_ms)
    near = [one for one in affected if one.poll_ms and _just_before(one, subject)]
    for one in sorted(near, key=lambda one: -(one.alive_before_ms or 0))[:2]:
        yield say.alive("last_alive", one.witness.device, one.alive_before_ms or 0)


def _ended(subject: Subject, affected: Sequence[Account], say: _Speaker) -> Iterator[Sentence]:
    if subject.event is not None and subject.event.is_open:
        yield say("still_out")
        return
    for one in affected:
        if one.record is not None:
            yield say("record_end", device=one.witness.device, at=one.record.end_ms)
    back = [one for one in affected if one.alive_after_ms is not None and one.alive_after_ms >= subject.start_ms]
    for one in sorted(back, key=lambda one: one.alive_after_ms or 0)[:2]:
        yield say.alive("first_alive", one.witness.device, one.alive_after_ms or 0)


def _not_network(
    subject: Subject, affected: Sequence[Account], told: Sequence[Account], say: _Speaker
) -> Iterator[Sentence]:
    if subject.taken_for is not None:
        yield say(f"taken_{subject.taken_for}")
    silent = [one for one in affected if _fell_silent(one)]
    proving = [one for one in affected if one.has(Said.ON_RECORD, Said.WITHOUT_SUPPLY)]
    if len(affected) > 1 and silent:
        yield say("silent_of", silent=len(silent), of=len(affected), proving=len(proving))
    for one in affected:
        if one.has(Said.WITHOUT_SUPPLY):
            yield say("answered_without", device=one.witness.device)
            break
    counted = [one for one in affected if one.failures_counted]
    for one in counted[:1]:
        yield say("counted", device=one.witness.device, count=one.failures_counted)
    others = [one for one in told if one.witness.relation in ("beside", "above") and one.alive_throughout]
    for one in others[:1]:
        yield say("beside_alive", device=one.witness.device)


def _no_weight(
    subject: Subject, affected: Sequence[Account], plans: Sequence[Plan], say: _Speaker
) -> Iterator[Sentence]:
    deaf = [one for one in affected if _long_before(one, subject)]
    for one in deaf[:2]:
        yield say("silent_before", device=one.witness.device, at=one.alive_before_ms)
    mute = [one for one in affected if not one.has(Said.ALIVE, Said.WITHOUT_SUPPLY, Said.ON_RECORD)]
    if mute:
        yield say("mute", count=len(mute))
    covering = [plan for plan in plans if plan.start_ms < subject.end_ms and plan.end_ms > subject.start_ms]
    nature = subject.event.nature if subject.event else ""
    if nature == "fault" and not covering:
        yield say("no_plan")
    for plan in covering[:1]:
        yield say("plan_fits" if nature != "fault" else "plan_elsewhere", asset=plan.asset, notice=plan.notice_id)


def _fell_silent(one: Account) -> bool:
    """Whether it missed more than one of its readings."""
    longest_ms = max((s.end_ms - s.start_ms for s in one.stretches if s.said is Said.SILENT), default=0)
    return longest_ms > 2 * (one.poll_ms or MINUTE_MS)


def _just_before(one: Account, subject: Subject) -> bool:
    t_ms = one.alive_before_ms
    return t_ms is not None and subject.start_ms - NEAR_MS <= t_ms <= subject.start_ms + subject.start_error_ms


def _long_before(one: Account, subject: Subject) -> bool:
    return one.record is None and one.alive_before_ms is not None and one.alive_before_ms < subject.start_ms - NEAR_MS


def _first(sentences: Iterator[Sentence]) -> tuple[Sentence, ...]:
    return tuple(sentence for sentence, _ in zip(sentences, range(MOST_PER_GROUP), strict=False))
