"""`centre.toml`: the commented sample says what is true, and each rule has a test that breaks it."""

import re
from pathlib import Path

import pytest

import ingest
from edge.errors import ConfigError
from ingest.config import Broker, Centre, JournalSettings, StoreSettings, load_centre

SAMPLE = Path(ingest.__file__).with_name("centre.sample.toml")
FILES = 'ca_file = "ca.crt"\ncert_file = "ingest.crt"\nkey_file = "ingest.key"\n'


@pytest.fixture
def load(tmp_path):
    def write_and_load(text):
        path = tmp_path / "centre.toml"
        path.write_text(text, encoding="utf-8")
        return load_centre(path)

    return write_and_load


def uncommented(text):
    """The sample with each commented setting switched on."""
    return re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE)


def test_the_sample_loads_and_means_the_defaults(load, tmp_path):
    defaults = Centre(data_dir=str(tmp_path), register=str(tmp_path / "register"))
    assert load(SAMPLE.read_text(encoding="utf-8")) == defaults


def test_each_default_the_sample_shows_is_the_default(load):
    """Files, names and secrets have no default: the sample shows an example instead."""
    shown = load(uncommented(SAMPLE.read_text(encoding="utf-8")))
    assert shown.journal == JournalSettings()
    assert (shown.timezone, shown.language) == (Centre().timezone, Centre().language)
    assert (shown.broker.url, shown.broker.client_id) == (Broker().url, Broker().client_id)
    assert (shown.store.url, shown.store.batch_rows) == (StoreSettings().url, StoreSettings().batch_rows)


def test_the_sample_names_every_setting():
    text = SAMPLE.read_text(encoding="utf-8")
    for kind in (Centre, Broker, JournalSettings, StoreSettings):
        for name in kind.__struct_fields__:
            assert re.search(rf"^(# {name} = |\[{name}\])", text, flags=re.MULTILINE), name


def test_folders_count_from_the_file(load, tmp_path):
    centre = load('data_dir = "data"\nregister = "../register"')
    assert centre.data_dir == str(tmp_path / "data")
    assert Path(centre.register).resolve() == (tmp_path.parent / "register").resolve()


@pytest.mark.parametrize(
    "url", ["embedded", "embedded:18830", "mqtt://10.0.0.5:1883", "mqtt://broker.example", 'mqtts://b:8883"\n' + FILES]
)
def test_these_brokers_are_taken(load, url):
    text = f'[broker]\nurl = "{url}' + ("" if url.endswith("\n") else '"')
    assert load(text).broker.url == url.split('"')[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("colour = 1", "unknown field `colour`"),
        ("[broker]\nhost = 1", r"unknown field `host` - at `\$.broker`"),
        ('[broker]\nurl = "embedded:0.0.0.0:1883"', "matching regex"),
        ('[broker]\nurl = "embedded://0.0.0.0"', "matching regex"),
        ('[broker]\nurl = "http://broker"', "matching regex"),
        ('[broker]\nurl = "mqtt://user:secret@broker"', "matching regex"),
        ('[broker]\nurl = "mqtts://broker:8883"', "needs ca_file, cert_file and key_file"),
        ('[broker]\nusername = "ingest"', "needs password_file"),
        ('[broker]\nclient_id = ""', "length >= 1"),
        ("[journal]\nmax_mb = 1", ">= 8"),
        ("[journal]\nkeep_days = 0", "> 0"),
        ('[store]\nurl = "postgres://x"', "matching regex"),
        ('[store]\nurl = "influxdb+http://host:8086"', "matching regex"),
        ("[store]\nbatch_rows = 0", ">= 1"),
        ('language = "fr"', "Invalid enum value 'fr'"),
        ("data_dir = ", "not TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place_and_remedy(load, text, reason):
    with pytest.raises(ConfigError, match=reason) as refused:
        load(text)
    assert "centre.toml" in str(refused.value)
    assert "centre.sample.toml" in str(refused.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_centre(tmp_path / "nowhere.toml")
    (tmp_path / "latin.toml").write_bytes(b'language = "\xe9"')
    with pytest.raises(ConfigError, match="UTF-8"):
        load_centre(tmp_path / "latin.toml")
