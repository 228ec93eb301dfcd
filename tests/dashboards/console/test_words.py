"""The catalogue: every key in both languages, every key that a template uses, and no bare word in a template."""

import re
from pathlib import Path
from string import Formatter

import pytest

import dashboards.console
from dashboards.console.words import LANGUAGES, catalogue, translate

HERE = Path(dashboards.console.__file__).parent
TEMPLATES = sorted((HERE / "templates").glob("*.html"))
KEY = re.compile(r"""\(?["']([a-z_]+(?:\.[a-z0-9_]+)+)["']\)?\s*\|\s*t\b""")
BARE = re.compile(r">([^<>{}]*[A-Za-z\u4e00-\u9fff]{2,}[^<>{}]*)<")
UNITS_AND_NAMES = re.compile(
    r"\b(?:steppe|kB|MB|kV|kVA|kWh|CSV|Parquet|HTML|XLSX|xlsx|SAIDI|SAIFI|CAIDI|ASAI|RS|ISA|GB|DL|WO|ms)\b|18\.2"
)


@pytest.mark.parametrize("key", sorted(catalogue()))
def test_a_key_has_its_word_in_both_languages_with_the_same_places(key: str) -> None:
    words = catalogue()[key]
    assert set(words) == set(LANGUAGES)
    assert any(word.strip() for word in words.values())
    english, chinese = ({place for _, place, _, _ in Formatter().parse(words[lang]) if place} for lang in ("en", "zh"))
    assert english == chinese


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_key_of_a_template_is_in_the_catalogue(path: Path) -> None:
    used = set(KEY.findall(path.read_text(encoding="utf-8")))
    assert used <= set(catalogue())


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_holds_no_bare_words(path: Path) -> None:
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    found = [UNITS_AND_NAMES.sub("", words).strip() for words in BARE.findall(text) if "?" not in words]
    assert [words for words in found if re.search(r"[A-Za-z\u4e00-\u9fff]{2,}", words)] == []


def test_words_are_put_in_and_an_unknown_key_stays_itself() -> None:
    assert translate("welcome.hello", "en", name="Tana") == "Welcome, Tana"
    assert translate("no.such.key", "zh") == "no.such.key"


def test_what_is_put_in_is_no_format_of_its_own() -> None:
    """A name from the register may hold braces: it is a value, never a pattern."""
    assert translate("welcome.hello", "en", name="{0.__class__}") == "Welcome, {0.__class__}"
