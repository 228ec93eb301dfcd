"""The documentation says what is so: its commands run, its generated pages are fresh, its links lead somewhere."""

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType

import pytest
from support.servers import wait_until

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md"))
BLOCK = re.compile(
    r"^```sh(?P<window> title=\"in a window of its own\")?\n(?P<script>.*?)^```", re.MULTILINE | re.DOTALL
)
WITH_COMMANDS = [page for page in PAGES if BLOCK.search(page.read_text(encoding="utf-8"))]
PRESENT = pytest.mark.skipif(not DOCS.is_dir(), reason="the documentation stands in the checkout, not in the wheel")
STEP_S = 240.0
pytestmark = PRESENT


def name_of(page: Path) -> str:
    return page.relative_to(DOCS).as_posix()


@pytest.mark.road
@pytest.mark.parametrize("page", WITH_COMMANDS, ids=name_of)
def test_every_command_of_a_page_does_what_the_page_says(page: Path, tmp_path: Path) -> None:
    """In order, in one folder; what the page runs in a window of its own goes on until the page ends."""
    text = page.read_text(encoding="utf-8")
    with ExitStack() as windows:
        for block in BLOCK.finditer(text):
            if block["window"]:
                windows.enter_context(window(block["script"], tmp_path))
            else:
                run(block["script"], tmp_path)


def run(script: str, folder: Path) -> None:
    """Run a block's lines; a line that fails because a server in another window is not up yet is tried again."""

    def done() -> bool:
        nonlocal answer
        answer = subprocess.run(
            ["bash", "-eu"], input=script, cwd=folder, env=environment(), capture_output=True, text=True, timeout=STEP_S
        )
        return answer.returncode == 0

    answer: subprocess.CompletedProcess[str] | None = None
    try:
        wait_until(done, 60, "the block ends well")
    except TimeoutError:
        assert answer is not None
        pytest.fail(f"{script}\n{answer.stdout[-1000:]}{answer.stderr[-2000:]}")


@contextmanager
def window(script: str, folder: Path) -> Iterator[None]:
    """A program that goes on running."""
    program = subprocess.Popen(
        shlex.split(script), cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
        assert program.poll() is None, f"{script.strip()} ended with {program.returncode}"
    finally:
        program.terminate()
        program.wait(30)


def environment() -> dict[str, str]:
    """The machine's, with this project's `steppe` first."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


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
    if shutil.which("mkdocs", path=environment()["PATH"]) is None:
        pytest.skip("mkdocs is not installed")
    subprocess.run(
        ["mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)], cwd=ROOT, env=environment(), check=True
    )
    loads = re.compile(r"(?:<script[^>]+src|<link[^>]+href|<img[^>]+src)=\"?(https?://[^\"\s>]+)")
    for page in tmp_path.rglob("*.html"):
        assert loads.findall(page.read_text(encoding="utf-8")) == [], page.name
