"""The catalogue: every word that people see, in Chinese and English, from `words/*.toml`.

A page owns its own file. A key is the path of its table: `[alarms.take]` with `en = "Take"` and `zh = "接警"`.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
FOLDER = Path(__file__).with_name("words")


def translate(key: str, language: Language, **values: object) -> str:
    """Return the word of a key with `values` put in; the key itself where the catalogue has none."""
    word = catalogue().get(key, {}).get(language)
    if word is None:
        return key
    return word.format_map(values) if values else word


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Return key → language → word of all files. Raises ValueError where two files hold the same key."""
    found: dict[str, Mapping[str, str]] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        for key, words in _leaves(tomllib.loads(path.read_text(encoding="utf-8"))):
            if key in found:
                raise ValueError(f"{path}: the key {key!r} stands in another file too")
            found[key] = words
    return MappingProxyType(found)


def _leaves(table: dict[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, str]]]:
    for name, value in table.items():
        here = f"{path}.{name}" if path else name
        if all(isinstance(word, str) for word in value.values()):
            yield here, value
        else:
            yield from _leaves(value, here)
