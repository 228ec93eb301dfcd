"""From what people said to facts that the evidence takes: the last word on each instant counts."""

from collections.abc import Iterable, Mapping

import numpy as np

from analytics.kpi.database import Judgement
from analytics.live_path import NOTHING_JUDGED, Judged
from analytics.spans import Int, Spans, join, spans, subtract, union
from analytics.topology import Facts, Topology, descend

MARGIN_MS = 60_000
"""People tell the time to the minute: what they say settles the edges of an interruption too. [ms]"""


def judged_facts(judgements: Iterable[Judgement], number: Mapping[str, int], topology: Topology) -> Judged:
    """Return what people found out, on the assets they named and on everything those supply.

    Confirmed: lost as inferred. Corrected: lost as they say, supplied for the rest of what was inferred. Rejected:
    supplied throughout.
    """
    facts = NOTHING_JUDGED
    for one in judgements:
        if one.asset not in number:
            continue
        margin = [one.was_start_ms - MARGIN_MS], [one.was_end_ms + MARGIN_MS]
        was = spans([number[one.asset]], *margin)
        lost = spans([number[one.asset]], [one.start_ms], [one.end_ms])
        if one.verdict == "reject":
            supplied, lost = was, NOTHING_JUDGED.lost
        else:
            supplied = subtract(was, lost)
        supplied, lost = _below(supplied, topology), _below(lost, topology)
        facts = Judged(
            supplied=union(join(subtract(facts.supplied, lost), supplied)),
            lost=union(join(subtract(facts.lost, supplied), lost)),
        )
    return facts


def _below(said: Spans, topology: Topology) -> Spans:
    source: Int = np.zeros(len(said.key), np.int64)
    return union(descend(Facts(said, source), topology).spans)
