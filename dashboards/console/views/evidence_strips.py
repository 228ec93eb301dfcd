"""Who saw what, drawn: each witness's stretches on one time axis, with a remark in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from analytics.kpi.testimony import RELATIONS, Account, Relation, Said
from dashboards.console.texts import DAY_MS, MINUTE_MS, TimeForm, local_time
from dashboards.console.views.evidence_find import Subject
from dashboards.console.views.kpi_events import Place, place_of
from ingest.register import Plan, Register

PAD_SHARE, LEAST_PAD_MS, MOST_PAD_MS = 0.4, 20 * MINUTE_MS, 180 * MINUTE_MS
MOST_OF: Mapping[Relation, int] = {"here": 3, "below": 4, "above": 2, "beside": 2}
"""How many witnesses of each kind have a strip of their own."""
MOST_TICKS = 130
NEVER_MS = 2**62
STEPS_MS = tuple(minutes * MINUTE_MS for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 240, 720, 1440, 2880, 10080))
MOST_HOURS = 9
"""Marks on the time axis. [count]"""
KIND_OF = {Said.ALIVE: "on", Said.WITHOUT_SUPPLY: "so", Said.ON_RECORD: "so", Said.SILENT: "nd"}


@dataclass(frozen=True)
class Window:
    """The time that the strips show."""

    start_ms: int
    end_ms: int

    def at(self, t_ms: int) -> float:
        """Return where an instant lies, kept within the window. [0..100]"""
        share = (t_ms - self.start_ms) / (self.end_ms - self.start_ms)
        return round(100 * min(max(share, 0.0), 1.0), 3)


@dataclass(frozen=True)
class Sentence:
    """A sentence of the catalogue, with what is put into it."""

    key: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class Bar:
    """One state on a strip."""

    left_pct: float
    width_pct: float
    kind: str
    """on, so, nd or pl."""


@dataclass(frozen=True)
class Tick:
    """A mark on the axis."""

    left_pct: float
    text: str


@dataclass(frozen=True)
class Strip:
    """One witness."""

    device: str
    place: Place
    relation: Relation
    poll_ms: int
    bars: tuple[Bar, ...]
    readings_pct: tuple[float, ...]
    """Where it was read; empty where that is too dense to draw."""
    remark: Sentence


@dataclass(frozen=True)
class Drawing:
    """All strips and what lies behind them."""

    window: Window
    strips: tuple[Strip, ...]
    not_drawn: int
    """Witnesses without a strip of their own."""
    plans: tuple[Bar, ...]
    plan_remark: Sentence
    inferred: tuple[Bar, ...]
    edges: tuple[Bar, ...]
    """The start and the end lie somewhere in here."""
    ticks: tuple[Tick, ...]


def window_of(subject: Subject) -> Window:
    """Return the time that shows a subject with what came before and after it."""
    start_ms, end_ms = subject.start_ms - subject.start_error_ms, subject.end_ms + subject.end_error_ms
    pad_ms = int(min(max(PAD_SHARE * (end_ms - start_ms), LEAST_PAD_MS), MOST_PAD_MS))
    return Window(start_ms - pad_ms, end_ms + pad_ms)


def draw(
    subject: Subject, accounts: Sequence[Account], register: Register, plans: Sequence[Plan], zone: ZoneInfo
) -> Drawing:
    """Return the strips of the witnesses that say most."""
    window = window_of(subject)
    chosen = choose(accounts, subject)
    edges = _edges(subject, accounts)
    near = [plan for plan in plans if plan.start_ms < window.end_ms and plan.end_ms > window.start_ms]
    return Drawing(
        window=window,
        strips=tuple(_strip(one, window, register, zone) for one in chosen),
        not_drawn=len(accounts) - len(chosen),
        plans=tuple(_bar(window, plan.start_ms, plan.end_ms, "pl") for plan in near),
        plan_remark=_plans_in_words(near, zone),
        inferred=_inferred(subject, window, edges),
        edges=tuple(_bar(window, *edge, "edge") for edge in edges),
        ticks=tuple(_ticks(window, zone)),
    )


def choose(accounts: Sequence[Account], subject: Subject) -> list[Account]:
    """Return the witnesses that say most, of each kind a few: those that the inference names come first."""
    named = {device for row in (subject.event.rows if subject.event else ()) for device, _ in row.witnesses}

    def weight(one: Account) -> tuple[bool, bool, bool, str]:
        speaks = one.has(Said.ON_RECORD, Said.WITHOUT_SUPPLY)
        return one.witness.device not in named, not speaks, one.alive_throughout, one.witness.device

    chosen = []
    for relation in RELATIONS:
        mine = sorted((one for one in accounts if one.witness.relation == relation), key=weight)
        chosen += mine[: MOST_OF[relation]]
    return chosen


def clock(t_ms: int, zone: ZoneInfo) -> str:
    """Return an instant as the local clock shows it, to the second."""
    return local_time(t_ms, zone, "clock_second")


def _strip(one: Account, window: Window, register: Register, zone: ZoneInfo) -> Strip:
    bars = [_bar(window, s.start_ms, s.end_ms, KIND_OF[s.said]) for s in one.stretches]
    return Strip(
        device=one.witness.device,
        place=place_of(one.witness.asset, register),
        relation=one.witness.relation,
        poll_ms=one.poll_ms,
        bars=tuple(bars),
        readings_pct=tuple(_readings(one, window)),
        remark=_remark(one, zone),
    )


def _readings(one: Account, window: Window) -> Iterator[float]:
    if not one.poll_ms or (window.end_ms - window.start_ms) / one.poll_ms > MOST_TICKS:
        return
    for stretch in one.stretches:
        if stretch.said is Said.ALIVE:
            for t_ms in range(stretch.start_ms, stretch.end_ms + 1, one.poll_ms):
                yield window.at(t_ms)


def _remark(one: Account, zone: ZoneInfo) -> Sentence:
    def say(key: str, **instants_ms: int | None) -> Sentence:
        clocks = {name: clock(t, zone) for name, t in instants_ms.items() if t is not None}
        return Sentence(f"evidence.remark.{key}", clocks)

    if one.alive_throughout:
        return say("throughout")
    if one.record is not None:
        return say("record", start=one.record.start_ms, end=one.record.end_ms)
    if one.without_supply_ms is not None:
        back = "without_back" if one.alive_after_ms else "without"
        return say(back, start=one.without_supply_ms, end=one.alive_after_ms)
    if one.alive_before_ms is not None and one.alive_after_ms is not None:
        return say("silent", start=one.alive_before_ms, end=one.alive_after_ms)
    if one.alive_before_ms is not None:
        return say("silent_since", start=one.alive_before_ms)
    return say("heard_from", end=one.alive_after_ms) if one.alive_after_ms is not None else say("nothing")


def _plans_in_words(plans: Sequence[Plan], zone: ZoneInfo) -> Sentence:
    if not plans:
        return Sentence("evidence.remark.no_plan", {})
    start, end = (local_time(t_ms, zone, "clock") for t_ms in (plans[0].start_ms, plans[0].end_ms))
    return Sentence("evidence.remark.plan", {"asset": plans[0].asset, "start": start, "end": end})


def _inferred(subject: Subject, window: Window, edges: Sequence[tuple[int, int]]) -> tuple[Bar, ...]:
    sure_from_ms = subject.start_ms + subject.start_error_ms
    sure_to_ms = subject.end_ms - subject.end_error_ms
    kind = {"interruption": "so", "rejected": "on", "unknown": "nd"}[subject.kind]
    if sure_to_ms <= sure_from_ms:
        return (_bar(window, *subject.span_ms, "nd"),)
    return (*(_bar(window, *edge, "nd") for edge in edges), _bar(window, sure_from_ms, sure_to_ms, kind))


def _edges(subject: Subject, accounts: Sequence[Account]) -> list[tuple[int, int]]:
    """Where the start and the end may lie: as inferred, but never beyond a word of life. [ms]"""
    affected = [one for one in accounts if one.witness.relation in ("here", "below")]
    last_ms = max((t for one in affected if (t := one.alive_before_ms) and t <= subject.start_ms), default=0)
    first_ms = min((t for one in affected if (t := one.alive_after_ms) and t >= subject.end_ms), default=NEVER_MS)
    start, end = subject.start_ms, subject.end_ms
    edges = []
    if subject.start_error_ms:
        edges.append((max(start - subject.start_error_ms, last_ms), start + subject.start_error_ms))
    if subject.end_error_ms:
        edges.append((end - subject.end_error_ms, min(end + subject.end_error_ms, first_ms)))
    return edges


def _bar(window: Window, start_ms: int, end_ms: int, kind: str) -> Bar:
    left = window.at(start_ms)
    return Bar(left, round(window.at(end_ms) - left, 3), kind)


def _ticks(window: Window, zone: ZoneInfo) -> Iterator[Tick]:
    span_ms = window.end_ms - window.start_ms
    step_ms = next((step for step in STEPS_MS if span_ms / step <= MOST_HOURS), STEPS_MS[-1])
    form: TimeForm = "clock" if step_ms < DAY_MS else "day"
    first_ms = -(-window.start_ms // step_ms) * step_ms
    for t_ms in range(first_ms, window.end_ms, step_ms):
        yield Tick(window.at(t_ms), local_time(t_ms, zone, form))
