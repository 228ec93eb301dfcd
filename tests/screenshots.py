"""Take a picture of every page in both languages, at a desk and on a phone: `make screenshots` fills docs/screens.

The county is that of the tests, larger and looked after, at the same instant each time, so that a picture changes when
its page does.
"""

import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser
from support.chromium import DESK, HEIGHTS, LOCALES, PHONE, Window, chromium, window
from support.console_county import ConsoleCounty, Story, make_console_county
from support.console_pages import Shown, find_pages
from support.console_server import console_server
from support.servers import ROOT

from simulators.county import Size

SCREENS = ROOT / "docs" / "screens"
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
STORY = Story(
    seed=7,
    size=Size(feeders=4, transformers=5, line_ends=2, works=2),
    live_ms=26 * HOUR_MS,
    alone_ms=5 * HOUR_MS + 15 * MINUTE_MS,
    is_told=True,
    shelved="works-1/works.free_chlorine_mg_l#low",
)
PEOPLE = {"zh": ("tana", "塔娜"), "en": ("bataar", "Bataar")}
"""Who looks, by the language of the page: name and full name."""
COLOURS = 128
"""More are not told apart on these pages, and a picture has a third of the bytes."""
SCRATCH = Path(tempfile.gettempdir()) / "steppe-screens"
"""One name for all runs: a page shows where its store is."""
DRAWN = ("point-day", "point-year")
"""Pages that fetch a series and draw it."""
TALLEST = 2600
"""Longer pages are cut off here. [px]"""
SETTLED_MS = 500
"""Some parts fetch themselves once the page stands."""


def main(names: list[str]) -> None:
    """Take the named pages, all of them by default."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(SCRATCH, ignore_errors=True)
    county = make_console_county(SCRATCH, story=STORY)
    with chromium() as browser:
        for language, width in product(LOCALES, (DESK, PHONE)):
            for path, picture in _pictures(browser, county, language, width, names):
                path.write_bytes(picture)
                sys.stdout.write(f"{path.relative_to(ROOT)} {len(picture) / 1000:.0f} kB\n")
    shutil.rmtree(SCRATCH)


def _pictures(
    browser: Browser, county: ConsoleCounty, language: str, width: int, names: list[str]
) -> Iterator[tuple[Path, bytes]]:
    """Each time of a console that has just begun: values grow old while it runs."""
    with (
        console_server(county.folder, county.now_ms) as server,
        window(browser, server.url, width, language=language) as shown,
    ):
        shown.enter(server.link("admin", *PEOPLE[language]))
        for one in find_pages(shown.fetch):
            if not names or one.name in names:
                yield SCREENS / f"{one.name}.{language}.{width}.png", _picture(shown, one)


def _picture(shown: Window, one: Shown) -> bytes:
    """The page as high as it is, in few colours."""
    shown.page.set_viewport_size({"width": shown.width, "height": HEIGHTS[shown.width]})
    shown.go(one.path)
    if one.name in DRAWN:
        shown.page.locator(".uplot canvas").first.wait_for()
    height = min(int(shown.page.evaluate("document.documentElement.scrollHeight")), TALLEST)
    shown.page.set_viewport_size({"width": shown.width, "height": height})
    shown.page.wait_for_timeout(SETTLED_MS)
    drawn = Image.open(io.BytesIO(shown.page.screenshot())).convert("RGB")
    packed = io.BytesIO()
    drawn.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
    return packed.getvalue()


if __name__ == "__main__":
    main(sys.argv[1:])
