"""The report's words in Chinese and English, from `words.toml`."""

import tomllib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Literal

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
Translate = Callable[..., str]


def translate(language: Language) -> Translate:
    """Return what turns a key and its values into words: `t("head.to", name="…")`."""

    def t(key: str, **values: object) -> str:
        return catalogue()[key][language].format(**values)

    return t


def has(key: str) -> bool:
    """Whether there are words for a key."""
    return key in catalogue()


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Every key with its words by language."""
    text = files("dashboards.report").joinpath("words.toml").read_text(encoding="utf-8")
    tables: dict[str, dict[str, dict[str, str]]] = tomllib.loads(text)
    return {f"{table}.{key}": words for table, keys in tables.items() for key, words in keys.items()}
