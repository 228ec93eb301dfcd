"""A release is whole, the same for the same checkout, and says what it is made of."""

import hashlib
import json
import re
import zipfile
from pathlib import Path

import pytest
from support.release import ROOT, make_release

NAMES = {"edge.txt", "centre.txt", "install-gateway.sh", "install-centre.sh", "SHA256SUMS"}


def contents(folder: Path) -> dict[str, str]:
    """Hash by name of every file."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_two_builds_of_one_checkout_are_equal_byte_by_byte(release: Path, tmp_path: Path) -> None:
    """Another folder, other dates of the files: wheel, bills of materials and sums are the same."""
    again = make_release(tmp_path, stamp_s=1_600_000_000)
    assert contents(again) == contents(release)


def test_a_release_holds_what_an_installation_takes_and_a_sum_of_each_file(release: Path) -> None:
    files = contents(release)
    assert NAMES | {"systemd/steppe-edge.service", "systemd/steppe-.service.d/hardening.conf"} <= files.keys()
    sums = dict(reversed(line.split("  ")) for line in (release / "SHA256SUMS").read_text().splitlines())
    assert sums == {name: digest for name, digest in files.items() if name != "SHA256SUMS"}


def test_the_wheel_holds_the_rooms_and_no_test(release: Path) -> None:
    [wheel] = release.glob("steppe-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "edge", "ingest", "analytics", "dashboards", "simulators", "steppe.py",
    }  # fmt: skip


@pytest.mark.parametrize("lock", ["edge", "centre"])
def test_the_bill_of_materials_names_every_locked_package_with_its_version(release: Path, lock: str) -> None:
    bill = json.loads((release / f"steppe-{lock}.cdx.json").read_text())
    assert (bill["bomFormat"], bill["metadata"]["component"]["name"]) == ("CycloneDX", "steppe")
    listed = {f"{part['name']}=={part['version']}" for part in bill["components"] if "pkg:pypi" in part["purl"]}
    locked = re.findall(r"^([A-Za-z0-9._-]+==[^\s;\\]+)", (ROOT / "requirements" / f"{lock}.txt").read_text(), re.M)
    assert listed == set(locked)


def test_the_centre_s_bill_names_what_is_sent_to_browsers(release: Path) -> None:
    bill = json.loads((release / "steppe-centre.cdx.json").read_text())
    assert {part["name"] for part in bill["components"] if "pkg:npm" in part["purl"]} == {"htmx.org", "uplot"}
