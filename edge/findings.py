"""What a look at a gateway or a centre found: how things stand, and what to do about it, in both languages."""

from collections.abc import Sequence
from typing import Literal

import msgspec

State = Literal["ok", "warning", "wrong"]
Language = Literal["zh", "en"]

SEVERITY: dict[State, int] = {"ok": 0, "warning": 1, "wrong": 2}
STATE_WORDS: dict[Language, dict[State, str]] = {
    "en": {"ok": "ok", "warning": "warning", "wrong": "WRONG"},
    "zh": {"ok": "正常", "warning": "注意", "wrong": "有错"},
}
REMEDY_MARK: dict[Language, str] = {"en": "do: ", "zh": "处理："}
MARK_WIDTH, CHECK_WIDTH = 9, 22


class Said(msgspec.Struct, frozen=True):
    """One sentence in both languages."""

    en: str
    zh: str

    def in_(self, language: Language) -> str:
        """Return the sentence in one language."""
        return self.en if language == "en" else self.zh


class Finding(msgspec.Struct, frozen=True):
    """How one thing stands."""

    check: str
    """What was looked at: the same word in every version, for programs to go by."""
    state: State
    what: Said
    remedy: Said | None = None
    """What a person should do; None where all is well."""


def ok(check: str, en: str, zh: str) -> Finding:
    """Return that all is well."""
    return Finding(check, "ok", Said(en, zh))


def warning(check: str, what: tuple[str, str], remedy: tuple[str, str]) -> Finding:
    """Return what works today and will not for long; both texts as (English, Chinese)."""
    return Finding(check, "warning", Said(*what), Said(*remedy))


def wrong(check: str, what: tuple[str, str], remedy: tuple[str, str]) -> Finding:
    """Return what does not work; both texts as (English, Chinese)."""
    return Finding(check, "wrong", Said(*what), Said(*remedy))


def worst(findings: Sequence[Finding]) -> State:
    """Return the worst state among the findings; "ok" where there are none."""
    return max((finding.state for finding in findings), key=SEVERITY.__getitem__, default="ok")


def table(findings: Sequence[Finding], language: Language) -> str:
    """Return the findings for people: a line each, the remedy below it where there is one."""
    return "\n".join(line for finding in findings for line in _lines(finding, language))


def _lines(finding: Finding, language: Language) -> list[str]:
    state = STATE_WORDS[language][finding.state]
    padding = " " * (MARK_WIDTH - _width(state))
    lines = [f"{state}{padding}{finding.check:{CHECK_WIDTH}} {finding.what.in_(language)}"]
    if finding.remedy is not None:
        lines.append(" " * (MARK_WIDTH + CHECK_WIDTH + 1) + REMEDY_MARK[language] + finding.remedy.in_(language))
    return lines


def _width(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text)
