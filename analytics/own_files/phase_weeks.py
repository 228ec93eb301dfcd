"""EN 50160 weeks of one phase of a file of readings."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from analytics.en50160 import Week, en50160_week, ten_minute_rms
from analytics.own_files.phase_minutes import PhaseMinutes, Question
from analytics.voltage import State
from analytics.voltage_minutes import MS_PER_MINUTE


@dataclass(frozen=True)
class WeekOfPhase:
    """One week of one phase."""

    point: str
    phase: str
    first_day: str
    whole: bool
    week: Week

    @property
    def verdict(self) -> str | None:
        """PASS or FAIL; None for a part of a week, or for one without valid intervals."""
        if not self.whole or self.week.p95_ok is None or self.week.p100_ok is None:
            return None
        return "PASS" if self.week.p95_ok and self.week.p100_ok else "FAIL"

    def as_json(self) -> dict[str, Any]:
        """The keys that `--json` promises for a week."""
        week = {key: getattr(self.week, key) for key in ("n", "n1", "n2", "max_v", "min_v", "p95_ok", "p100_ok")}
        place = {"point": self.point or None, "phase": self.phase or None}
        return {"week": self.first_day, **place, **week, "verdict": self.verdict}


def weeks_of(phase: PhaseMinutes, q: Question) -> Iterator[WeekOfPhase]:
    """Seven local days each; the intervals begin at ticks of ten minutes."""
    usable = np.where(phase.states <= State.OFFSCALE, phase.voltage_v, np.nan)
    first = datetime.fromtimestamp(q.start_ms / 1000, q.local)
    lead = (-q.start_ms // MS_PER_MINUTE) % 10
    while (begin := round(first.timestamp() * 1000)) < q.end_ms:
        following = first + timedelta(days=7)
        end = round(following.timestamp() * 1000)
        a, b = (begin - q.start_ms) // MS_PER_MINUTE + lead, (min(end, q.end_ms) - q.start_ms) // MS_PER_MINUTE
        week = en50160_week(ten_minute_rms(usable[a:b]), phase.nominal_v)
        yield WeekOfPhase(phase.point, phase.phase, first.date().isoformat(), end <= q.end_ms, week)
        first = following
