"""console.toml: the sample is the manual, and each rule has a file that breaks it."""

import re
from pathlib import Path

import pytest

import dashboards.console
from dashboards.console.settings import ConsoleSettings, load_console
from edge.errors import ConfigError

SAMPLE = Path(dashboards.console.__file__).with_name("console.sample.toml")


def load(folder: Path, text: str) -> ConsoleSettings:
    (folder / "console.toml").write_text(text, encoding="utf-8")
    return load_console(folder / "centre.toml")


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load_console(tmp_path / "centre.toml") == ConsoleSettings()


def test_the_sample_shows_the_defaults_and_names_every_key(tmp_path: Path) -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    plain = re.sub(r"(?m)^# (?=\w+ = )", "", text)
    assert load(tmp_path, text) == ConsoleSettings()
    shown = load(tmp_path, plain)
    assert (shown.session_hours, shown.port, shown.public_url) == (12.0, 8080, "")
    assert shown.cert_file == str(tmp_path / "console.crt"), "paths count from the folder of the file"
    assert set(re.findall(r"(?m)^(\w+) = ", plain)) == set(ConsoleSettings.__struct_fields__)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('hots = "127.0.0.1"', "hots"),
        ("port = 70000", "port"),
        ('host = "0.0.0.0"', "reached by others"),
        ('cert_file = "a.crt"', "go together"),
        ('public_url = "steppe.example"', "public_url"),
        ('public_url = "https://steppe.example/sub"', "public_url"),
        ("session_hours = 0", "session_hours"),
        ("wrong_passwords = 1", "wrong_passwords"),
        ("store_wait_s = 600", "store_wait_s"),
    ],
)
def test_a_file_that_cannot_run_is_refused_with_the_place(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(word)):
        load(tmp_path, text)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "localhost"])
def test_only_this_machine_needs_no_tls(tmp_path: Path, host: str) -> None:
    assert not load(tmp_path, f'host = "{host}"').is_secure


def test_a_proxy_or_a_certificate_makes_it_secure(tmp_path: Path) -> None:
    assert load(tmp_path, 'host = "0.0.0.0"\npublic_url = "https://steppe.example"').is_secure
    assert load(tmp_path, 'host = "0.0.0.0"\ncert_file = "a.crt"\nkey_file = "a.key"').is_secure
