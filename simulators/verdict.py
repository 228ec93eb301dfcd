"""Truth beside numbers, row by row: what had to hold, and whether it did."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from analytics.bounds import RsBounds, Verdict
from analytics.voltage import MinuteCounts
from simulators.checker import Findings
from simulators.faults import DAY_MS
from simulators.numbers import FoundAlarm, FoundInterruption, Numbers
from simulators.sensing import PROMPT, Sensing
from simulators.truth import AlarmTruth, Truth, VoltageTruth

TARGET_RS_PCT = 99.83
SAME_SPAN = 0.75
"""Share of the longer span that a true condition and a found one must have in common."""
ROUNDING_MS = 1_000
SHOWN_PCT = 0.0005
"""Half of the last digit that the table shows. [%]"""


Minutes = Mapping[tuple[str, int], MinuteCounts]
"""(point, day) → minutes by state."""


@dataclass(frozen=True)
class Row:
    """One line of the final table."""

    name: str
    truth: str
    computed: str
    problems: tuple[str, ...] = ()
    """What is wrong; empty where all is right."""

    @property
    def ok(self) -> bool:
        """Whether it held."""
        return not self.problems


def judge(truth: Truth, numbers: Numbers, findings: Findings, sensing: Sensing = PROMPT) -> list[Row]:
    """Every row of the table; the run is good if all of them are.

    `sensing` is how late gateways noticed their mains: a virtual clock magnifies the machine's own delays.
    """
    return [
        *_delivery(findings),
        _reliability("RS-1, transformers", truth.rs1_pct, numbers.rs_mv, _slack_pct(truth, sensing, mv=True)),
        _reliability("RS-1, customers", truth.rs1_lv_pct, numbers.rs_lv, _slack_pct(truth, sensing, mv=False)),
        _interruptions(truth, numbers, sensing),
        _voltage(truth.voltage, numbers.voltage),
        _alarms(truth.alarms, numbers.alarms),
    ]


def pooled_voltage_pct(truth: Sequence[VoltageTruth], computed: Minutes) -> tuple[float, float]:
    """Minutes within limits of all minutes monitored, in truth and as computed. [%]"""
    ok, monitored = sum(one.ok for one in truth), sum(one.ok + one.over + one.under for one in truth)
    found_ok = sum(int(one.ok) for one in computed.values())
    found = sum(int(one.monitored) for one in computed.values())
    return 100.0 * ok / monitored, 100.0 * found_ok / found if found else float("nan")


def _delivery(findings: Findings) -> Iterator[Row]:
    for what in ("lost", "duplicated", "invented", "changed"):
        yield _nothing(f"readings {what}", getattr(findings, what), findings.examples)
    yield _nothing("batches unaccounted", findings.unaccounted, findings.examples)


def _nothing(name: str, count: int, examples: tuple[str, ...]) -> Row:
    return Row(name, "0", str(count), examples or (f"{count}",) if count else ())


def _slack_pct(truth: Truth, sensing: Sensing, *, mv: bool) -> float:
    """By how much late gateways can move RS-1: the interruptions of what feeds them, each seen so much later. [%]"""
    weights = [float(unit.is_transformer) if mv else float(unit.customers) for unit in truth.units]
    counts = [len(unit.interruptions) if unit.asset in sensing.assets else 0 for unit in truth.units]
    late = sum(weight * count for weight, count in zip(weights, counts, strict=True)) * sensing.lag_ms
    return 100.0 * late / (sum(weights) * truth.days * DAY_MS)


def _reliability(name: str, truth_pct: float, bounds: RsBounds, slack_pct: float) -> Row:
    """The bounds must hold the truth, and a verdict that is passed must be the right one."""
    verdict = bounds.verdict(TARGET_RS_PCT)
    problems = []
    if not bounds.low_pct - slack_pct <= truth_pct <= bounds.high_pct + slack_pct:
        problems.append("the bounds do not hold the truth")
    is_clear = abs(truth_pct - TARGET_RS_PCT) > slack_pct and verdict is not Verdict.INDETERMINATE
    if is_clear and (verdict is Verdict.PASS) != (truth_pct >= TARGET_RS_PCT):
        problems.append(f"{verdict} is the wrong verdict")
    late = f" (±{slack_pct:.3f} late mains)" if slack_pct >= SHOWN_PCT else ""
    computed = f"{bounds.low_pct:.3f} … {bounds.point_pct:.3f} … {bounds.high_pct:.3f} %{late} {verdict}"
    return Row(name, f"{truth_pct:.3f} %", computed, tuple(problems))


def _interruptions(truth: Truth, numbers: Numbers, sensing: Sensing) -> Row:
    """Each interruption longer than the method's resolution is found once, at its instants; nothing else is."""
    true = [(unit.asset, one.start_ms, one.end_ms) for unit in truth.units for one in unit.interruptions]
    left = list(numbers.interruptions)
    missed = []
    for asset, start_ms, end_ms in true:
        match = next((one for one in left if _is_same(one, asset, start_ms, end_ms, sensing)), None)
        if match is not None:
            left.remove(match)
        elif end_ms - start_ms > numbers.resolution_ms:
            missed.append(f"missed {asset} {start_ms}–{end_ms}")
    false = [f"not true: {one.asset} {one.start_ms}–{one.end_ms}" for one in left]
    return Row("interruptions of units", str(len(true)), str(len(numbers.interruptions)), (*missed, *false))


def _is_same(found: FoundInterruption, asset: str, start_ms: int, end_ms: int, sensing: Sensing) -> bool:
    slack_ms = ROUNDING_MS + (sensing.lag_ms if asset in sensing.assets else 0)
    return (
        found.asset == asset
        and abs(found.start_ms - start_ms) <= found.start_error_ms + slack_ms
        and abs(found.end_ms - end_ms) <= found.end_error_ms + slack_ms
    )


def _voltage(truth: Sequence[VoltageTruth], computed: Minutes) -> Row:
    """Point by point: minutes per state agree up to those not observed and one per change of state."""
    problems = [problem for one in truth for problem in _voltage_problems(one, computed.get((one.point, one.day)))]
    true_pct, found_pct = pooled_voltage_pct(truth, computed)
    return Row("voltage within limits", f"{true_pct:.3f} %", f"{found_pct:.3f} %", tuple(problems))


def _voltage_problems(truth: VoltageTruth, counts: MinuteCounts | None) -> Iterator[str]:
    if counts is None:
        yield f"{truth.point}: no readings"
        return
    slack = int(counts.invalid) + truth.changes + abs(int(counts.outage) - truth.outage)
    for state in ("ok", "over", "under"):
        difference = int(getattr(counts, state)) - getattr(truth, state)
        if abs(difference) > slack:
            yield f"{truth.point}: {state} differs by {difference} min, {slack} allowed"


def _alarms(truth: Sequence[AlarmTruth], found: Sequence[FoundAlarm]) -> Row:
    left = list(found)
    problems = []
    for one in truth:
        match = next((other for other in left if other.watch == one.watch and _is_same_span(one, other)), None)
        if match is None:
            problems.append(f"missed {one.watch}")
        else:
            left.remove(match)
    problems += [f"not true: {one.watch}" for one in left]
    return Row("water alarms", str(len(truth)), str(len(found)), tuple(problems))


def _is_same_span(truth: AlarmTruth, found: FoundAlarm) -> bool:
    """Whether the two share most of their time: a value that hovers about its level begins and ends by chance."""
    shared_ms = min(truth.end_ms, found.end_ms) - max(truth.start_ms, found.start_ms)
    return shared_ms > SAME_SPAN * max(truth.end_ms - truth.start_ms, found.end_ms - found.start_ms)
