"""`alarms.toml`: the sample works line by line, and each rule is broken once."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from analytics.alarms.settings import load_settings
from edge.errors import ConfigError

SAMPLE = (files("analytics.alarms") / "alarms.sample.toml").read_text(encoding="utf-8")


def load(tmp_path: Path, text: str) -> object:
    path = tmp_path / "alarms.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def test_the_sample_loads(tmp_path: Path) -> None:
    settings = load(tmp_path, SAMPLE)
    assert settings.person("wang").channels == ["crew-group", "sms"]  # type: ignore[attr-defined]


def test_the_commented_lines_of_the_sample_load_too(tmp_path: Path) -> None:
    load(tmp_path, re.sub(r"(?m)^(\s*)# (\w+ = |\[)", r"\1\2", SAMPLE))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('channels = ["crew-group", "sms"]', 'channels = ["crew-grup"]', "no channel 'crew-grup'; known: crew-group"),
        ('order = ["wang", "li"]', 'order = ["wang", "zhou"]', "rota crew: there is no person 'zhou'"),
        ('rota = "crew"', 'rota = "night"', "there is no rota 'night'"),
        ('manager = "county"', 'manager = "nobody"', "manager: there is no person 'nobody'"),
        ('name = "li"', 'name = "wang"', "person 'wang' is there twice"),
        ('kind = "dingtalk"', 'kind = "pager"', "Invalid enum value 'pager'"),
        ('token_file = "secrets/dingtalk.token"', "", "dingtalk needs token_file"),
        ('url = "https://sms.county.example/send"', "", "sms_http needs url"),
        ("ack_expires_min = 60", "ack_expires_min = 0", "Expected `float` > 0"),
        ("ack_expires_min = 60", "ack_expire_min = 60", "unknown field `ack_expire_min`"),
        ("# per_minute = 18 ", "per_minute = 6 ", "kept_for_critical must be below per_minute"),
        ("# link_base", "link_base", "link_base needs link_key_file"),
        ("only_hours = [08:00:00, 18:00:00]", "only_hours = [18:00:00, 08:00:00]", "the first hour comes before"),
        ('steps = [{ after_min = 0, rota = "crew" }]\n', "repeat_min = 5\n", "repeat_min needs steps"),
    ],
)
def test_each_rule_is_refused_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in SAMPLE
    with pytest.raises(ConfigError, match=re.escape(message)):
        load(tmp_path, SAMPLE.replace(old, new, 1))
