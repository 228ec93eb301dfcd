"""Alarms that no single reading raises: most devices of a site gone, chatter, too long hidden, no one on duty.

Each function looks at what is known and yields the conditions that hold now; the engine raises what is new and clears
what is no longer among them. Silence and clocks are told by `hearing`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from analytics.alarms import chatter
from analytics.alarms.causes import quorum
from analytics.alarms.conditions import Memory
from analytics.alarms.events import Severity
from analytics.alarms.records import AlarmRecord
from analytics.alarms.rota import gaps
from analytics.alarms.settings import AlarmSettings
from analytics.alarms.watch import Watch

KINDS = (
    *("site_silent", "centre_silent", "clock_wrong", "devices_silent"),
    *("chattering", "hidden_long", "nobody_on_duty"),
)
"""Classes of the alarms made here."""
HIDDEN_MS = 24 * 3600 * 1000
DUTY_MS = 24 * 3600 * 1000
"""So far ahead somebody must be on each duty. [ms]"""


@dataclass(frozen=True)
class Derived:
    """One condition that holds now."""

    id: str
    asset: str
    kind: str
    severity: Severity
    since_ms: int
    value: float | None = None


def silent_buses(watch: Watch, live: Memory) -> Iterator[Derived]:
    """Sites whose gateway speaks and of whose devices so many do not answer that the bus itself must be down."""
    rules = np.flatnonzero(watch.of_answers)
    devices = [watch.alarms[watch.alarm_of[rule]] for rule in rules]
    sites = [device.id.split("/", 1)[0] for device in devices]
    names, group = np.unique(np.array(sites, np.str_), return_inverse=True)
    silent = live.holds[rules]
    for found in quorum(group, silent).tolist():
        mine = (group == found) & silent
        since_ms = int(live.since_ms[rules[mine]].min())
        asset = next(device.asset for device, is_mine in zip(devices, mine, strict=True) if is_mine)
        site = str(names[found])
        yield Derived(f"{site}#devices_silent", asset, "devices_silent", Severity.HIGH, since_ms, float(mine.sum()))


def chattering(watch: Watch, live: Memory) -> Iterator[Derived]:
    """Points of which a condition comes and goes so often that it is held on longer; the value counts its onsets."""
    rules = np.flatnonzero(live.stretched_ms > 0)
    counts = chatter.onsets(live, rules)
    for rule, count in zip(rules.tolist(), counts.tolist(), strict=True):
        alarm = watch.alarms[watch.alarm_of[rule]]
        since_ms = int(live.risen_ms[rule, -count])
        yield Derived(f"{alarm.id}_chattering", alarm.asset, "chattering", Severity.LOW, since_ms, float(count))


def hidden_too_long(records: Iterable[AlarmRecord], *, now_ms: int) -> Iterator[Derived]:
    """One condition for all standing alarms that something has hidden for more than 24 h; the value counts them."""
    since = [
        record.alarm.hidden_ms
        for record in records
        if record.alarm.condition and record.alarm.hidden_ms is not None and now_ms - record.alarm.hidden_ms > HIDDEN_MS
    ]
    if since:
        yield Derived("steppe/alarms#hidden_long", "steppe", "hidden_long", Severity.MEDIUM, min(since), len(since))


def nobody_on_duty(settings: AlarmSettings, timezone: str, *, now_ms: int) -> Iterator[Derived]:
    """Duties that nobody has at some time of the next day."""
    known = [person.name for person in settings.people]
    for rota in settings.rotas:
        found = gaps(rota, now_ms, now_ms + DUTY_MS, timezone, known)
        if found:
            first_ms = found[0].start_ms
            yield Derived(f"steppe/{rota.name}#nobody_on_duty", "steppe", "nobody_on_duty", Severity.MEDIUM, first_ms)


def doubts(records: Iterable[AlarmRecord]) -> Iterator[tuple[AlarmRecord, bool]]:
    """Standing alarms whose readings have stopped, or have come back: (alarm, in doubt now)."""
    standing = [record for record in records if record.alarm.condition and record.alarm.enabled]
    silent = {record.id for record in standing if record.kind in ("site_silent", "device_silent")}
    for record in standing:
        subject = record.id.split("#", 1)[0]
        site, _, name = subject.partition("/")
        of_point = record.kind not in KINDS and record.kind != "device_silent" and bool(name)
        doubtful = of_point and not silent.isdisjoint({f"{site}#silent", f"{site}/{name.split('.', 1)[0]}#silent"})
        if doubtful != record.alarm.doubtful:
            yield record, doubtful
