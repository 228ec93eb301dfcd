"""The county's files are read by the very code that reads a real county's."""

from pathlib import Path

import pytest

from analytics.limit_files import load_setpoints
from edge.poll import point_list
from edge.site import load_site
from ingest.config import load_centre
from ingest.register_files import load_register
from simulators.county import County
from simulators.county_files import Ports, site_folder, write_county
from simulators.faults import script
from simulators.scenario import fixed_ports
from simulators.watches import flat_line_points_of, watches_of


@pytest.fixture
def folder(county: County, midnight_ms: int, tmp_path: Path) -> Path:
    ports = fixed_ports(county, 15_020, 1883)
    write_county(tmp_path, county, script(county, midnight_ms, 1), ports, store_url="sqlite:///store.db")
    return tmp_path


def test_the_register_loads_without_a_complaint_and_knows_every_point(folder: Path, county: County) -> None:
    register = load_register(folder / "register", "Asia/Shanghai")
    assert {asset.id for asset in county.assets} == set(register.assets)
    assert len(register.plans) == 1
    promised = {
        f"{gateway.site}/{point.name}"
        for gateway in county.gateways
        for point in point_list(load_site(site_folder(folder, gateway.site) / "site.toml"))
    }
    assert promised - set(register.points) == {
        f"{gateway.site}/gateway.{counter}_polls_count"
        for gateway in county.gateways
        for counter in ("late", "skipped")
    }
    assert set(register.points) <= promised


def test_the_busbar_is_read_in_primary_volts(folder: Path) -> None:
    site = load_site(site_folder(folder, "qingshui-substation") / "site.toml")
    bus = next(device for device in site.devices if device.name == "bus")
    assert {point.name: point.scale for point in bus.points} == {f"l{p}.voltage_v": 100.0 for p in (1, 2, 3)}
    register = load_register(folder / "register", "Asia/Shanghai")
    entry = register.points["qingshui-substation/bus.l1.voltage_v"]
    assert (entry.voltage_class, entry.limits, entry.nominal) == ("A", "class-a-10kv", 10_000.0)


def test_the_centre_loads(folder: Path) -> None:
    centre = load_centre(folder / "centre.toml")
    assert centre.broker.url == "embedded:1883"
    assert Path(centre.register) == folder / "register"


def test_ports_follow_one_another_link_by_link(county: County) -> None:
    ports = fixed_ports(county, 15_020, 1883)
    assert isinstance(ports, Ports)
    assert sorted(ports.links.values()) == list(range(15_020, 15_020 + len(ports.links)))


def test_what_the_demo_watches_are_the_shipped_set_points(folder: Path, county: County) -> None:
    """Each watch on chlorine, turbidity and pressure stands in `analytics/limits/setpoints.csv` with its delays."""
    register = load_register(folder / "register", "Asia/Shanghai")
    shipped = {
        (one.profile, one.quantity, one.is_high, one.value, one.on_delay_s, one.off_delay_s) for one in load_setpoints()
    }
    watches = [watch for watch in watches_of(county) if watch.quantity != "level_m"]
    assert len(watches) == 4
    for watch in watches:
        profile = register.points[watch.point].limits
        key = (profile, watch.quantity, watch.is_high, watch.level, watch.on_delay_s, watch.off_delay_s)
        assert key in shipped, watch
    assert set(flat_line_points_of(county)) <= set(register.points)
