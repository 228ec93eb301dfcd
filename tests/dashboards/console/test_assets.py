"""The files for browsers: all of them ours or pinned, small, kept by their digest, and nothing beside them."""

import gzip
import json
from pathlib import Path

import pytest
from support.console_browser import Browser

import dashboards.console
from dashboards.console.assets import FOREVER, load_assets

HERE = Path(dashboards.console.__file__).parent
LIBRARIES = ("vendor/htmx.min.js", "vendor/uPlot.iife.min.js", "vendor/uPlot.min.css")
MOST_BYTES = 120_000
"""First load of any page, compressed."""


def test_the_libraries_and_their_licences_are_installed() -> None:
    """A checkout gets them by `make`, a wheel carries them: nobody needs Node to run the console."""
    files = load_assets().files
    for name in (*LIBRARIES, "vendor/htmx.LICENSE.txt", "vendor/uPlot.LICENSE.txt"):
        assert len(files[name].body) > 500, name


def test_the_lock_file_pins_by_integrity_and_names_no_registry() -> None:
    text = (HERE / "package-lock.json").read_text(encoding="utf-8")
    assert "://" not in text
    packages = json.loads(text)["packages"]
    assert packages["node_modules/htmx.org"]["version"].startswith("2.")
    assert all(entry["integrity"].startswith("sha512-") for name, entry in packages.items() if name)


def test_all_files_together_are_below_the_first_load_that_a_phone_may_cost() -> None:
    assert sum(len(asset.packed) for asset in load_assets().files.values()) < MOST_BYTES


def test_a_file_asked_for_by_its_digest_is_kept_for_good(stranger: Browser) -> None:
    url = load_assets().url("steppe.css")
    answer = stranger.http.get(url)
    assert answer.headers["cache-control"] == FOREVER
    assert answer.headers["content-encoding"] == "gzip"
    assert stranger.http.get("/static/steppe.css").headers["cache-control"] == "no-store"


def test_a_browser_that_takes_no_gzip_gets_the_plain_file(stranger: Browser) -> None:
    answer = stranger.http.get("/static/steppe.css", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in answer.headers
    assert gzip.decompress(load_assets().files["steppe.css"].packed) == answer.content


@pytest.mark.parametrize(
    "name",
    [
        "../site.py",
        "%2e%2e/site.py",
        "..%2fsite.py",
        "/etc/passwd",
        "vendor/../../console.db",
        "",
        "nothing.js",
        "%00",
    ],
)
def test_no_path_leads_out_of_the_folder(stranger: Browser, name: str) -> None:
    assert stranger.http.get(f"/static/{name}").status_code == 404


def test_style_sheets_load_nothing_from_elsewhere_and_hold_no_data() -> None:
    for name, asset in load_assets().files.items():
        if name.endswith(".css"):
            assert b"data:" not in asset.body, name
            assert b"//" not in asset.body.replace(b"/*", b"").replace(b"*/", b""), name
