"""A site.toml that loads is one that can run: the sample works line by line, and each rule is broken once."""

import re
from pathlib import Path

import msgspec
import pytest

from edge import site as site_module
from edge.devices import Device, SitePoint, device_points
from edge.errors import ConfigError
from edge.site import load_site

SAMPLE = Path(site_module.__file__).with_name("site.sample.toml").read_text(encoding="utf-8")
COMMENTED_KEY = re.compile(r"^(\s*)# (\w+ = .*)$", re.MULTILINE)
PAIRED = {
    "username": "password_file",
    "password_file": "username",
    "deadband_percent": "max_silence_s",
    "wraps_at": "counter",
}


def load(tmp_path: Path, text: str) -> site_module.Site:
    path = tmp_path / "site.toml"
    path.write_text(text, encoding="utf-8")
    return load_site(path)


def uncommented(*keys: str) -> str:
    """The sample with the commented lines of `keys` taken in."""
    return COMMENTED_KEY.sub(lambda match: match[1] + match[2] if match[2].split(" =")[0] in keys else match[0], SAMPLE)


@pytest.mark.parametrize("key", sorted({match[2].split(" =")[0] for match in COMMENTED_KEY.finditer(SAMPLE)}))
def test_each_commented_line_of_the_sample_can_be_taken_in(tmp_path, key):
    assert load(tmp_path, uncommented(key, PAIRED.get(key, key))) is not None


@pytest.mark.parametrize(
    "kind", [site_module.Uplink, site_module.SpoolSettings, site_module.Sealing, site_module.Gateway, Device, SitePoint]
)
def test_the_sample_explains_every_key(kind):
    named = set(re.findall(r"^\s*(?:# )?(\w+) = ", SAMPLE, re.MULTILINE)) | {"points"}
    assert {field.name for field in msgspec.structs.fields(kind)} <= named


def test_paths_count_from_the_folder_of_the_file(tmp_path):
    site = load(tmp_path, uncommented("mains_file"))
    assert site.spool.path == str(tmp_path / "spool.db")
    assert site.gateway.mains_file == "/run/steppe/mains"


HEAD = 'site = "s"\nuplink.url = "mqtt://centre:1883"\n'


def device(**keys: str) -> str:
    """One device as TOML; a key given as None is left out."""
    known = {"name": '"m"', "url": '"tcp://10.0.0.1"', "profile": '"eastron_sdm630"', **keys}
    return "[[devices]]\n" + "".join(f"{key} = {value}\n" for key, value in known.items() if value is not None)


def point(**keys: str) -> str:
    known = {"name": '"x_v"', "table": '"input_register"', "register": "0", "type": '"uint16"', **keys}
    return "[[devices.points]]\n" + "".join(f"{key} = {value}\n" for key, value in known.items() if value is not None)


OWN = device(profile=None)

BROKEN = {
    "a DL/T 645 line without an address": (HEAD + device(url='"dlt645:///dev/ttyUSB0"'), "twelve digits"),
    "an address on a Modbus line": (HEAD + device(address='"202311000042"'), "twelve digits"),
    "a register on a DL/T 645 line": (
        HEAD + device(url='"dlt645:///dev/ttyUSB0"', address='"202311000042"'),
        "cannot be read over",
    ),
    "an unknown key": (HEAD + device(dead_band="1"), "dead_band"),
    "no device": (HEAD + "devices = []\n", "devices"),
    "two devices of one name": (HEAD + device() + device(), "'m' is taken"),
    "a device called gateway": (HEAD + device(name='"gateway"'), "'gateway' is taken"),
    "an unknown profile": (HEAD + device(profile='"eastron"'), "profiles list"),
    "neither profile nor points": (HEAD + device(profile=None), "give a profile or points"),
    "a time-out as long as the period": (
        HEAD + device(timeout_s="5.0", poll_every_s="5.0"),
        "timeout_s must be shorter",
    ),
    "only names what the profile lacks": (HEAD + device(only='["l4.voltage_v"]'), "no point l4.voltage_v"),
    "a transport we do not have": (HEAD + device(url='"udp://10.0.0.1"'), "tcp://"),
    "tcp without a host": (HEAD + device(url='"tcp://"'), "tcp://"),
    "a serial port without a path": (HEAD + device(url='"rtu://"'), "rtu://"),
    "a serial format nobody has": (HEAD + device(url='"rtu:///dev/ttyUSB0?format=8X1"'), "format=8N1"),
    "an unknown serial key": (HEAD + device(url='"rtu:///dev/ttyUSB0?speed=9600"'), "baud=9600"),
    "a word order nobody knows": (HEAD + device(profile='"hach_ss7"'), "edge probe"),
    "a base that was not given": (HEAD + device(profile='"sunspec_203"'), "register_base"),
    "a point without a register": (HEAD + OWN + point(register=None), "register missing"),
    "a point without a type": (HEAD + OWN + point(type=None), "type missing"),
    "two points of one name": (HEAD + OWN + point() + point(register="4"), "x_v is there twice"),
    "overlapping points": (HEAD + OWN + point(type='"float32"') + point(name='"y_v"', register="1"), "overlap"),
    "a coil of 16 bits": (HEAD + OWN + point(table='"coil"'), "type bit"),
    "a register of one bit": (HEAD + OWN + point(type='"bit"'), "type bit"),
    "a mask on a float": (HEAD + OWN + point(type='"float32"', mask="3"), "mask needs an integer"),
    "an end of what does not count": (HEAD + OWN + point(wraps_at="1000.0"), "wraps_at is for counters"),
    "a scale of zero": (HEAD + OWN + point(scale="0.0"), "scale 0"),
    "limits the wrong way round": (HEAD + OWN + point(valid_min="2.0", valid_max="1.0"), "valid_min must be below"),
    "a float beyond the last register": (HEAD + OWN + point(register="65535", type='"float32"'), "no room"),
    "a register that does not exist": (HEAD + OWN + point(register="65536"), "register"),
    "a string without a length": (HEAD + OWN + point(type='"string"'), "string_registers"),
    "a length for a number": (HEAD + OWN + point(string_registers="2"), "string_registers"),
    "64-bit order on 32 bits": (HEAD + OWN + point(type='"float32"', word_order='"GHEFCDAB"'), "64-bit"),
    "a deadband without an end": (HEAD + OWN + point(deadband="1.0"), "go together"),
    "an end without a deadband": (HEAD + OWN + point(max_silence_s="60.0"), "go together"),
    "silence shorter than the period": (
        HEAD + OWN + point(deadband="1.0", max_silence_s="5.0"),
        "max_silence_s of x_v must not be below",
    ),
    "an urgent point nobody has": (HEAD + 'seal.urgent = ["m.nothing_v"]\n' + device(), "no device has a point"),
    "mqtts without certificates": ('site = "s"\nuplink.url = "mqtts://c"\n' + device(), "ca_file"),
    "a user without a password": (
        'site = "s"\n[uplink]\nurl = "mqtt://c"\nusername = "u"\n' + device(),
        "password_file",
    ),
    "a line asked for more than it can carry": (
        HEAD + device(url='"rtu:///dev/ttyUSB0?baud=1200"', poll_every_s="1.5"),
        "poll_every_s",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_each_rule_is_told_with_file_and_remedy(tmp_path, what):
    text, hint = BROKEN[what]
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert hint in str(caught.value)
    assert "site.toml" in str(caught.value)
    assert "site.sample.toml" in str(caught.value)


OUT_OF_RANGE = {
    "unit": device(unit="256"),
    "address": device(url='"dlt645:///dev/ttyS0"', address='"12"'),
    "poll_every_s": device(poll_every_s="0.0"),
    "timeout_s": device(timeout_s="31.0"),
    "pause_s": device(pause_s="6.0"),
    "register_base": device(register_base="-1"),
    "word_order": device(word_order='"ABDC"'),
    "max_registers": device(max_registers="126"),
    "max_gap": device(max_gap="125"),
    "name": device(name='"Meter 1"'),
    "table": OWN + point(table='"registers"'),
    "register": OWN + point(register="-1"),
    "type": OWN + point(type='"float"'),
    "string_registers": OWN + point(type='"string"', string_registers="61"),
    "mask": OWN + point(mask="0"),
    "scale": OWN + point(scale='"0,1"'),
    "wraps_at": OWN + point(wraps_at="0.0"),
    "deadband": OWN + point(deadband="-1.0", max_silence_s="60.0"),
    "deadband_percent": OWN + point(deadband_percent="101.0", max_silence_s="60.0"),
    "max_silence_s": OWN + point(deadband="1.0", max_silence_s="0.0"),
    "window": "uplink.window = 0\n" + device(),
    "backlog_batches_per_s": "uplink.backlog_batches_per_s = 0.0\n" + device(),
    "max_mb": "spool.max_mb = 0.0\n" + device(),
    "when_full": 'spool.when_full = "newer"\n' + device(),
    "after_s": "seal.after_s = 0.0\n" + device(),
    "readings": "seal.readings = 0\n" + device(),
    "period_s": "gateway.period_s = 0.0\n" + device(),
}


@pytest.mark.parametrize("key", OUT_OF_RANGE)
def test_a_number_or_word_out_of_range_is_told_with_file_and_key(tmp_path, key):
    with pytest.raises(ConfigError, match=rf"site\.toml.*{key}\b.*site\.sample\.toml"):
        load(tmp_path, HEAD + OUT_OF_RANGE[key])


@pytest.mark.parametrize(
    "text",
    [
        "unknown_key = 1\n" + device(),
        "uplink.unknown_key = 1\n" + device(),
        "spool.unknown_key = 1\n" + device(),
        "seal.unknown_key = 1\n" + device(),
        "gateway.unknown_key = 1\n" + device(),
        device(unknown_key="1"),
        OWN + point(unknown_key="1"),
    ],
)
def test_a_key_that_nobody_knows_is_refused_wherever_it_stands(tmp_path, text):
    with pytest.raises(ConfigError, match=r"site\.toml.*unknown_key.*site\.sample\.toml"):
        load(tmp_path, HEAD + text)


def test_a_site_overrides_a_point_of_the_profile_key_by_key(tmp_path):
    site = load(tmp_path, HEAD + device() + '[[devices.points]]\nname = "l1.voltage_v"\nscale = 100.0\n')
    by_name = {point.name: point for point in device_points(site.devices[0])}
    assert (by_name["l1.voltage_v"].scale, by_name["l1.voltage_v"].register) == (100.0, 0)
    assert len(by_name) == 36


def test_a_base_moves_every_register_of_the_profile(tmp_path):
    site = load(tmp_path, HEAD + device(profile='"sunspec_203"', register_base="40069"))
    by_name = {point.name: point for point in device_points(site.devices[0])}
    assert (by_name["l1.voltage_v"].register, by_name["l1.voltage_v"].exponent_register) == (40077, 40084)


def test_an_unknown_word_order_is_settled_by_the_site(tmp_path):
    site = load(tmp_path, HEAD + device(profile='"hach_ss7"', word_order='"CDAB"'))
    assert {point.word_order for point in device_points(site.devices[0])} == {"CDAB"}
