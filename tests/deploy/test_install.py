"""The install scripts, below a folder instead of /: whole, safe to repeat, and refusing what cannot work."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.release import ROOT

from edge.clock import RealClock
from edge.site import load_site
from ingest.authority.bundle import parse_device, site_toml, write_bundle
from ingest.authority.centre_files import Wishes, make_centre
from ingest.authority.folder import CentreFolder
from ingest.authority.office import open_office

SITE = "ulaan"
METER = "feeder1=eastron_sdm630@tcp://127.0.0.1:1"
INSTALL_S = 600
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


def install(script: str, *words: object, first_on_path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run an install script; programs in `first_on_path` stand in for the system's."""
    path = os.pathsep.join([*([str(first_on_path)] if first_on_path else []), os.environ["PATH"]])
    command = ["bash", str(ROOT / "deploy" / script / "install.sh"), *map(str, words)]
    environment = {**os.environ, "PATH": path}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=INSTALL_S)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> CentreFolder:
    return make_centre(tmp_path_factory.mktemp("centre") / "county", Wishes(["127.0.0.1"]), RealClock().now_ms())


@pytest.fixture(scope="module")
def bundle(county: CentreFolder) -> Path:
    """What `steppe site add` gives for the site."""
    text = site_toml(SITE, "mqtts://127.0.0.1:8883", [parse_device(METER)]).encode()
    return bundle_of(county, {"site.toml": text})


def bundle_of(county: CentreFolder, more: Mapping[str, bytes]) -> Path:
    with open_office(county) as office:
        admitted = any(member.name == SITE for member in office.sites())
        key, issued = (office.renew if admitted else office.admit)(SITE, RealClock().now_ms())
    identity = {"ca.crt": (county.authority / "ca.crt").read_bytes(), "site.crt": issued.certificate, "site.key": key}
    path = county.sites / f"{SITE}{'-renewed' if admitted else ''}.tar.gz"
    write_bundle(path, SITE, {**more, **{f"identity/{name}": content for name, content in identity.items()}})
    return path


@pytest.mark.timeout(900)
def test_a_gateway_is_installed_whole_and_again_without_losing_what_it_has(
    release: Path, bundle: Path, county: CentreFolder, index_answers: None, tmp_path: Path
) -> None:
    words = ("--release", release, "--root", tmp_path)
    done = install("gateway", *words, "--bundle", bundle)
    assert done.returncode == 0, done.stdout + done.stderr
    state, settings, systemd = tmp_path / "var/lib/steppe", tmp_path / "etc/steppe", tmp_path / "etc/systemd"
    assert [mode(state), mode(state / "identity"), mode(state / "identity/site.key")] == [0o700, 0o700, 0o600]
    assert load_site(settings / "site.toml").site == SITE
    assert (systemd / "system/steppe-edge.service").is_file()
    assert (systemd / "system/steppe-.service.d/hardening.conf").is_file()
    assert "SystemMaxUse" in (systemd / "journald.conf.d/steppe.conf").read_text()
    assert "steppe edge once" in done.stdout
    assert "WRONG    broker" in done.stdout, "it ends with the doctor's findings"
    version = subprocess.run(
        [tmp_path / "opt/steppe/bin/steppe", "--version"], capture_output=True, text=True, check=True
    )
    assert "steppe, version" in version.stdout

    site, key = settings / "site.toml", state / "identity/site.key"
    site.write_text(site.read_text() + "# by hand\n")
    key_before = key.read_bytes()
    again = install("gateway", *words, "--bundle", bundle)
    assert again.returncode == 0, again.stderr
    assert ("# by hand" in site.read_text(), key.read_bytes()) == (True, key_before)

    renewed = install("gateway", *words, "--bundle", bundle_of(county, {}), "--renew")
    assert renewed.returncode == 0, renewed.stderr
    assert ("# by hand" in site.read_text(), key.read_bytes() == key_before) == (True, False)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_centre_is_installed_whole_and_again_without_losing_what_it_has(
    release: Path, index_answers: None, tmp_path: Path
) -> None:
    words = ("--release", release, "--root", tmp_path, "--host", "127.0.0.1", "--language", "en")
    done = install("centre", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    centre = tmp_path / "etc/steppe/centre.toml"
    assert centre.resolve() == tmp_path / "srv/steppe/centre.toml"
    units = {path.name for path in (tmp_path / "etc/systemd/system").iterdir()}
    shipped = {path.name for path in (ROOT / "deploy/systemd").glob("steppe-*")}
    assert units == shipped - {"steppe-edge.service"}
    assert "WRONG    broker" in done.stdout, "it ends with the doctor's findings"
    authority = (tmp_path / "srv/steppe/authority/ca.key").read_bytes()
    assert install("centre", *words).returncode == 0
    assert (tmp_path / "srv/steppe/authority/ca.key").read_bytes() == authority


@pytest.mark.parametrize("script", ["gateway", "centre"])
def test_a_dry_run_says_what_it_would_do_and_does_nothing(
    script: str, release: Path, bundle: Path, tmp_path: Path
) -> None:
    more = ("--bundle", bundle) if script == "gateway" else ("--host", "centre.example")
    done = install(script, "--release", release, "--root", tmp_path, "--dry-run", *more)
    assert done.returncode == 0, done.stderr
    assert "+ " in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("script", ["gateway", "centre"])
def test_a_machine_that_cannot_run_it_is_refused(script: str, release: Path, bundle: Path, tmp_path: Path) -> None:
    """A Python that says of itself that it is of 32 bits, or older than 3.11: both end its check with 1."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "python3").write_text("#!/bin/sh\nexit 1\n")
    (programs / "python3").chmod(0o755)
    more = ("--bundle", bundle) if script == "gateway" else ("--host", "centre.example")
    done = install(script, "--release", release, "--root", tmp_path / "root", *more, first_on_path=programs)
    assert (done.returncode, (tmp_path / "root").exists()) == (2, False)
    assert "64-bit Linux with Python 3.11" in done.stderr


def test_an_older_python_is_refused_by_itself(release: Path, bundle: Path, tmp_path: Path) -> None:
    old = next((Path.home() / ".pyenv/versions").glob("3.10.*/bin"), None)
    if old is None:
        pytest.skip("Python 3.10 is not on this machine")
    done = install("gateway", "--release", release, "--bundle", bundle, "--root", tmp_path, first_on_path=old)
    assert done.returncode == 2
    assert "3.11" in done.stderr


def test_what_was_damaged_on_its_way_is_refused(release: Path, bundle: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.tar.gz"
    broken.write_bytes(bundle.read_bytes()[:-200])
    done = install("gateway", "--release", release, "--bundle", broken, "--root", tmp_path / "root", "--dry-run")
    assert done.returncode == 2, done.stderr
    copy = shutil.copytree(release, tmp_path / "release")
    with (copy / "edge.txt").open("a") as file:
        file.write("surprise==1.0\n")
    done = install("gateway", "--release", copy, "--bundle", bundle, "--root", tmp_path / "root", "--dry-run")
    assert (done.returncode, "damaged" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("script", "words"),
    [("gateway", ()), ("gateway", ("--surprise",)), ("centre", ()), ("centre", ("--release", "/nowhere"))],
)
def test_wrong_use_is_one_line_and_code_2(script: str, words: tuple[str, ...]) -> None:
    done = install(script, *words)
    assert (done.returncode, done.stderr.startswith("install: ")) == (2, True), done.stderr
