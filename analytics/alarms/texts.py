"""The words of a notice, in Chinese and English: what, where, how bad, since when, cause, what to do, who has it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from analytics.alarms.channels.port import Message
from analytics.alarms.classes import class_named
from analytics.alarms.events import Severity

Language = Literal["zh", "en"]
Purpose = Literal["fired", "escalated", "reminder", "resolved", "digest", "heartbeat"]


@dataclass(frozen=True)
class Facts:
    """What is known of an occurrence when it is told."""

    key: str
    """Short mark of the occurrence, such as `#17`."""
    kind: str
    place: str
    """Asset and region in English."""
    place_zh: str
    point: str
    severity: Severity
    since_ms: int
    value: float | None
    consequences: int
    """How many other alarms it explains."""
    taken_by: str = ""
    """Who has acknowledged it."""
    link: str = ""


_SEVERITY = {
    "zh": {Severity.CRITICAL: "紧急", Severity.HIGH: "重要", Severity.MEDIUM: "一般", Severity.LOW: "提示"},
    "en": {Severity.CRITICAL: "CRITICAL", Severity.HIGH: "HIGH", Severity.MEDIUM: "MEDIUM", Severity.LOW: "LOW"},
}
_PURPOSE = {
    "zh": {
        "fired": "",
        "escalated": "无人确认,升级通知:",
        "reminder": "仍未恢复:",
        "resolved": "已恢复:",
        "digest": "汇总:",
        "heartbeat": "",
    },
    "en": {
        "fired": "",
        "escalated": "Nobody has taken it: ",
        "reminder": "Still there: ",
        "resolved": "Over: ",
        "digest": "Digest: ",
        "heartbeat": "",
    },
}
_LABELS = {
    "zh": {
        "point": "测点",
        "value": "数值",
        "since": "开始",
        "with": "关联报警",
        "do": "处置",
        "has": "已接单",
        "take": "接单",
    },
    "en": {
        "point": "Point",
        "value": "Value",
        "since": "Since",
        "with": "With it",
        "do": "Do",
        "has": "Taken by",
        "take": "Take it",
    },
}


def notice(facts: Facts, purpose: Purpose, *, language: Language, timezone: str) -> Message:
    """Return the notice of an occurrence in a person's language."""
    about = class_named(facts.kind)
    zh = language == "zh"
    what, place = (about.title_zh, facts.place_zh) if zh else (about.title, facts.place)
    title = f"{_PURPOSE[language][purpose]}[{_SEVERITY[language][facts.severity]}] {place} {what}"
    since = datetime.fromtimestamp(facts.since_ms / 1000, ZoneInfo(timezone)).strftime("%m-%d %H:%M")
    lines = {
        "point": facts.point,
        "value": "" if facts.value is None else f"{facts.value:g}",
        "since": since,
        "with": str(facts.consequences) if facts.consequences else "",
        "do": (about.action_zh if zh else about.action) if purpose != "resolved" else "",
        "has": facts.taken_by,
        "take": facts.link if purpose != "resolved" else "",
    }
    labels = _LABELS[language]
    body = "\n".join(f"{labels[name]}{':' if zh else ': '}{text}" for name, text in lines.items() if text)
    return Message(title, body, facts.key)


def digest(titles: list[str], *, language: Language) -> Message:
    """Return one notice for many: a robot's limit was reached, or the hour of the daily list has come."""
    head = f"{len(titles)} 条报警" if language == "zh" else f"{len(titles)} alarms"
    return Message(f"{_PURPOSE[language]['digest']}{head}", "\n".join(titles), f"#{len(titles)}")


def window_shut(window: str, kept_back: Sequence[str], *, language: Language) -> Message:
    """Return the word that a maintenance window is over, with the alarms that it kept back."""
    count = len(kept_back)
    zh, en = f"检修窗口 {window} 结束,期间屏蔽 {count} 条报警", f"Window {window} is over: {count} alarms kept back"
    title = zh if language == "zh" else en
    return Message(title, "\n".join(kept_back), f"#{count}")


def heartbeat(channel: str, *, language: Language) -> Message:
    """Return the daily word that a channel works; where it does not come, somebody must look."""
    if language == "zh":
        return Message("steppe 通道自检", f"通道 {channel} 工作正常。若某日未收到此消息,请检查。", "#0")
    return Message(
        "steppe channel check", f"Channel {channel} works. If this does not come one day, look into it.", "#0"
    )
