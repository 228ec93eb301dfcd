"""What the power commands print for people: tables with the target, what is left of it, and what used it up."""

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from rich.console import Console
from rich.table import Table

from analytics.own_files import power_med, power_voltage
from analytics.own_files.local_time import local_text
from analytics.own_files.power_reliability import Answer

MOST_REJECTED = 10
"""Rejected rows that are listed; all are counted."""
MOST_NAMED = 20
"""Units that are named in a line."""

Row = Sequence[str]


def shown(value: float, digits: int) -> str:
    """A number as reports show it, rounded half to even (GB/T 8170); undefined is a dash."""
    if math.isnan(value):
        return "–"
    return str(Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN))


def reliability_text(answer: Answer) -> str:
    """The answer of `steppe power reliability`."""
    q, verdict = answer.question, answer.bounds.verdict(answer.question.target)
    title = f"{local_text(q.start_ms, q.local)} to {local_text(q.end_ms, q.local)}"
    clipped = q.standard == "dlt836"
    attribution = ("hours", "clipped", "to the period") if clipped else ("hours", "whole", "in the period of the start")
    head: list[Row] = [
        ("period", shown(answer.dlt.period_h, 0), "h"),
        ("equivalent customers", shown(answer.dlt.n_eq, 1), ""),
        attribution,
    ]
    if q.merge_gap_s:
        head.append(("merged", f"under {q.merge_gap_s:g}", "s apart"))
    rows = _dlt_rows(answer) if clipped else _ieee_rows(answer)
    index = "RS-1" if clipped else "ASAI"
    judged = [
        (f"target of {index}", shown(q.target, 3), "%"),
        ("verdict", verdict or "undefined", f"margin {shown(answer.bounds.point_pct - q.target, 4)} points"),
    ]
    parts = [_table(title, [*head, *rows, *judged]), _year_text(answer)]
    if answer.regions:
        parts.append(_regions_table(answer))
    if answer.frequent:
        parts.append(f"Interrupted 3 times in 60 days or 5 times in a year: {_some(answer.frequent)}")
    return "\n".join([*parts, *_rejected_lines(answer.as_json()["rejected"])])


def voltage_text(answer: power_voltage.Answer, *, en50160: bool = False) -> str:
    """The answer of `steppe power voltage`."""
    q = answer.question
    title = f"{local_text(q.start_ms, q.local)} to {local_text(q.end_ms, q.local)}"
    parts = [_points_table(answer, title)]
    if answer.class_rates is not None:
        parts.append(_classes_text(answer))
    if answer.low_voltage:
        named = [f"{one.point or 'the point'} {shown(one.hours, 1)} h" for one in answer.low_voltage]
        parts.append(f"Low voltage for more than an hour: {_some(named)}")
    if en50160:
        parts.append(_weeks_table(answer))
    return "\n".join([*parts, *_rejected_lines(answer.as_json()["rejected"])])


def med_text(answer: power_med.Answer) -> str:
    """The answer of `steppe power med`."""
    t = answer.threshold
    rows = [
        ("T_MED", shown(t.t_med, 3), "min"),
        ("alpha", shown(t.alpha, 6), ""),
        ("beta", shown(t.beta, 6), ""),
        ("days used", str(t.days_used), ""),
        ("days without interruption", str(t.zero_days), ""),
        *(
            (
                f"major event day {day}",
                shown(saidi, 2),
                "min, perhaps catastrophic" * (saidi > t.t_catastrophic) or "min",
            )
            for day, saidi in answer.major
        ),
    ]
    return "\n".join([_table("Major event days, 2.5 beta", rows), *_rejected_lines(answer.as_json()["rejected"])])


def _points_table(answer: power_voltage.Answer, title: str) -> str:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("point")
    table.add_column("phase")
    heads = ("minutes", "over", "under", "off-scale", "outage", "invalid", "pass %", "strict %", "coverage %")
    for head in (*heads, "max V", "min V"):
        table.add_column(head, justify="right")
    for point in answer.points:
        c = point.counts
        minutes = [str(int(n)) for n in (c.minutes, c.over, c.under, c.offscale, c.outage, c.invalid)]
        rates = [shown(float(rate), 2) for rate in (c.pass_pct, c.strict_pass_pct, c.coverage_pct)]
        table.add_row(point.point, point.phase, *minutes, *rates, shown(point.max_v, 1), shown(point.min_v, 1))
    return render(table)


def _classes_text(answer: power_voltage.Answer) -> str:
    rates = answer.class_rates
    assert rates is not None, "asked for only where classes were given"
    composite, target = rates.composite, answer.question.target
    rows = [
        *((f"class {name}", shown(rate, 2), "%") for name, rate in rates.by_class.items()),
        (f"composite of {composite.basis or 'nothing'}", shown(composite.pct, 4), "%"),
        ("target", shown(target, 3), "%"),
        ("verdict", answer.verdict or "undefined", f"margin {shown(composite.pct - target, 4)} points"),
        *((f"not in its class: {point}", "", "no readings, or too few") for point in rates.excluded),
    ]
    if composite.basis and not composite.comparable:
        rows.append(("no class A", "", "not comparable with other regions"))
    return _table("Classes", rows)


def _weeks_table(answer: power_voltage.Answer) -> str:
    table = Table(title="EN 50160 weeks (RMS of minute means: a lower bound)", title_justify="left", box=None)
    for head in (
        "week from",
        "point",
        "phase",
        "intervals",
        "outside 10 %",
        "outside all",
        "max V",
        "min V",
        "verdict",
    ):
        table.add_column(head)
    for week in answer.weeks():
        w = week.week
        numbers = (str(w.n), str(w.n1), str(w.n2), shown(w.max_v, 1), shown(w.min_v, 1))
        table.add_row(week.first_day, week.point, week.phase, *numbers, week.verdict or "–")
    return render(table)


def _dlt_rows(answer: Answer) -> list[Row]:
    d = answer.dlt
    return [
        ("customer-hours out", shown(d.customer_hours, 2), "h"),
        ("RS-1, every interruption", shown(d.rs1, 3), "%"),
        ("RS-2, without external influence", shown(d.rs2, 3), "%"),
        ("RS-3, without shortage of generation", shown(d.rs3, 3), "%"),
        ("ASAI-4, without short interruptions", shown(d.asai4, 3), "%"),
        ("AIHC-1", shown(d.aihc1_h, 2), "h per customer"),
        ("  by fault", shown(d.saidi_f_h, 2), "h per customer"),
        ("  by arrangement", shown(d.saidi_s_h, 2), "h per customer"),
        ("AITC-1", shown(d.aitc1, 3), "per customer"),
        ("  longer than 3 min", shown(d.aitc_long, 3), "per customer"),
    ]


def _ieee_rows(answer: Answer) -> list[Row]:
    i = answer.ieee
    return [
        ("SAIDI", shown(i.saidi_min, 2), "min per customer"),
        ("SAIFI", shown(i.saifi, 4), "per customer"),
        ("CAIDI", shown(i.caidi_min, 2), "min per interruption"),
        ("ASAI", shown(i.asai_pct, 4), "%"),
        ("MAIFI", shown(i.maifi, 4), "per customer"),
        ("CTAIDI", shown(i.ctaidi_min, 2), "min per interrupted customer"),
        ("CAIFI", shown(i.caifi, 3), "per interrupted customer"),
        ("ASIDI", shown(answer.load[1], 2), "min, weighted by kVA"),
        ("ASIFI", shown(answer.load[0], 4), "weighted by kVA"),
    ]


def _regions_table(answer: Answer) -> str:
    table = Table(title="Regions, each the sum of its units", title_justify="left", box=None, pad_edge=False)
    table.add_column("region")
    for head in ("customers", "customer-hours", "RS-1 %", "AIHC-1 h"):
        table.add_column(head, justify="right")
    for row in answer.regions:
        numbers = (shown(row.n_eq, 1), shown(row.customer_hours, 2), shown(row.rs1, 3), shown(row.aihc1_h, 2))
        table.add_row(row.region or "(no region)", *numbers)
    return render(table)


def _year_text(answer: Answer) -> str:
    year = answer.year
    rows: list[Row] = [
        ("allowance", shown(year.allowance_h, 3), "h per customer"),
        ("used, by this ledger", shown(year.used_h, 3), "h per customer"),
        ("left" if year.left_h >= 0 else "overdrawn by", shown(abs(year.left_h), 3), "h per customer"),
        *((f"  {label}", shown(hours, 3), f"{hours / year.used_h:.0%} of use") for label, hours in year.uses),
    ]
    return _table(f"Year {year.year} at {shown(answer.question.target, 3)} %", rows)


def _rejected_lines(rejected: Sequence[dict[str, object]]) -> list[str]:
    if not rejected:
        return []
    lines = [f"{len(rejected)} rows rejected:"]
    lines += [f"  row {entry['row']}: {entry['reason']}" for entry in rejected[:MOST_REJECTED]]
    return [*lines, f"  … and {len(rejected) - MOST_REJECTED} more"] if len(rejected) > MOST_REJECTED else lines


def _some(names: Sequence[str]) -> str:
    """The first names, and how many there are beside them."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def _table(title: str, rows: Sequence[Row]) -> str:
    """Name, number and unit in three columns."""
    table = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return render(table)


def render(table: Table) -> str:
    """A table as text, never wider than it needs to be and never cut."""
    console = Console(width=200, color_system=None, force_terminal=False, highlight=False, markup=False)
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())
