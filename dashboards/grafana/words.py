"""Words in both languages: a panel is written once, and built once for each."""

from dataclasses import dataclass
from typing import Literal, get_args

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@dataclass(frozen=True)
class Words:
    """The same said in English and in Chinese."""

    en: str
    zh: str

    def said_in(self, language: Language) -> str:
        """Return the words of one language."""
        return self.zh if language == "zh" else self.en


NO_DATA = Words("? no data", "? 无数据")
"""What stands where nothing was heard: never an old value that looks good."""
