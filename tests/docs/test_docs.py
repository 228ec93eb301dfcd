"""The documentation says what is so: its commands run, its generated pages are fresh, its links lead somewhere."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from support.pages import BLOCK, follow, run, with_first

from ingest.register_files import ASSET_COLUMNS, PLAN_COLUMNS, POINT_COLUMNS, REGION_COLUMNS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md"))
WITH_COMMANDS = [page for page in PAGES if BLOCK.search(page.read_text(encoding="utf-8"))]
LONG_BLOCK = re.compile(r"^```sh title=\"takes four minutes\"\n(.*?)^```", re.MULTILINE | re.DOTALL)
PRESENT = pytest.mark.skipif(not DOCS.is_dir(), reason="the documentation stands in the checkout, not in the wheel")
pytestmark = PRESENT


def name_of(page: Path) -> str:
    return page.relative_to(DOCS).as_posix()


def distinct(pages: list[Path]) -> list[Path]:
    """Of pages that show the same commands, as translations do, the first."""
    by_commands: dict[tuple[str, ...], Path] = {}
    for page in pages:
        blocks = tuple(block.group() for block in BLOCK.finditer(page.read_text(encoding="utf-8")))
        by_commands.setdefault(blocks, page)
    return list(by_commands.values())


@pytest.mark.road
@pytest.mark.parametrize("page", distinct(WITH_COMMANDS), ids=name_of)
def test_every_command_of_a_page_does_what_the_page_says(page: Path, tmp_path: Path) -> None:
    """In order, in one folder; what the page runs in a window of its own goes on until the page ends."""
    follow(page.read_text(encoding="utf-8"), tmp_path, with_first(Path(sys.executable).parent))


@pytest.mark.soak
def test_what_a_page_calls_long_ends_well_too(tmp_path: Path) -> None:
    """Each such block once, however many pages show it."""
    blocks = {block for page in PAGES for block in LONG_BLOCK.findall(page.read_text(encoding="utf-8"))}
    assert blocks
    for script in sorted(blocks):
        run(script, tmp_path, with_first(Path(sys.executable).parent), within_s=1200)


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_generated_pages_are_those_of_the_types() -> None:
    """Else run: python docs/generate.py"""
    for name, text in generator().pages().items():
        assert (DOCS / "reference" / name).read_text(encoding="utf-8") == text, name


def test_no_key_and_no_column_is_without_a_meaning() -> None:
    """Else write a docstring below the field."""
    for name, text in generator().pages().items():
        rows = [line for line in text.splitlines() if line.startswith("| `")]
        assert rows, name
        assert [row for row in rows if row.endswith("|  |")] == [], name


def test_every_column_of_the_register_stands_on_its_page() -> None:
    text = generator().pages()["register.md"]
    for required, optional in (REGION_COLUMNS, ASSET_COLUMNS, POINT_COLUMNS, PLAN_COLUMNS):
        assert [column for column in (*required, *optional) if f"| `{column}` | " not in text] == []


def test_every_page_stands_in_both_languages() -> None:
    assert sorted(path.name for path in (DOCS / "zh").iterdir()) == sorted(
        path.name for path in (DOCS / "en").iterdir()
    )


def test_every_test_and_file_that_a_page_names_exists() -> None:
    named = re.compile(r"`((?:tests|edge|ingest|analytics|dashboards|simulators|deploy)/[\w./-]+)`")
    for page in PAGES:
        for path in named.findall(page.read_text(encoding="utf-8")):
            assert (ROOT / path).exists(), f"{name_of(page)}: {path}"


def test_the_site_is_built_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    environment = with_first(Path(sys.executable).parent)
    if shutil.which("mkdocs", path=environment["PATH"]) is None:
        pytest.skip("mkdocs is not installed")
    subprocess.run(
        ["mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)], cwd=ROOT, env=environment, check=True
    )
    loads = re.compile(r"(?:<script[^>]+src|<link[^>]+href|<img[^>]+src)=\"?(https?://[^\"\s>]+)")
    for page in tmp_path.rglob("*.html"):
        assert loads.findall(page.read_text(encoding="utf-8")) == [], page.name
