"""The daily word over each channel: where it does not arrive, somebody must look. A channel that fails is an alarm."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

from analytics.alarms import outbox, texts
from analytics.alarms.database import Transaction
from analytics.alarms.events import Severity
from analytics.alarms.outbox import Outgoing
from analytics.alarms.settings import AlarmSettings

HOUR = time(8, 3)
"""A few minutes past the hour: messengers are slow on full and half hours."""


def plan_heartbeats(change: Transaction, settings: AlarmSettings, timezone: str, *, now_ms: int) -> None:
    """Queue the day's word for each channel once its hour has come, to the manager."""
    manager = settings.person(settings.manager)
    if manager is None:
        return
    zone = ZoneInfo(timezone)
    local = datetime.fromtimestamp(now_ms / 1000, zone)
    if local.time() < HOUR:
        return
    words = [
        _word(
            name, texts.heartbeat(name, language=manager.language).body, manager.name, local.date().isoformat(), now_ms
        )
        for name in (channel.name for channel in settings.channels)
    ]
    outbox.queue(change.connection, words, now_ms=now_ms)


def _word(channel: str, body: str, recipient: str, day: str, now_ms: int) -> Outgoing:
    return Outgoing(
        dedupe_key=f"heartbeat/{channel}/{day}",
        alarm="steppe/notices#undelivered",
        occurrence=0,
        purpose="heartbeat",
        severity=Severity.LOW,
        recipient=recipient,
        channels=(channel,),
        title=f"steppe {day} #0",
        body=body,
        not_before_ms=now_ms,
    )
