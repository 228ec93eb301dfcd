"""The county: the same seed makes the same place, and everything in it hangs together."""

from simulators.county import County, Size
from simulators.county_maker import make_county


def test_same_seed_makes_the_same_county(county: County) -> None:
    assert make_county(7, county.size) == county
    assert make_county(8, county.size) != county


def test_every_asset_is_supplied_by_one_that_exists_and_stands_in_a_region(county: County) -> None:
    ids = {asset.id for asset in county.assets}
    codes = {region.code for region in county.regions}
    assert len(ids) == len(county.assets)
    assert all(asset.parent in ids for asset in county.assets if asset.parent is not None)
    assert {asset.region for asset in county.assets} <= codes
    assert {region.parent for region in county.regions} <= codes | {None}


def test_every_supply_path_of_power_ends_at_the_substation(county: County) -> None:
    for kind in ("feeder", "transformer", "customer_group", "water_works", "sewage_station", "gateway"):
        assert all(list(county.supply_path(asset.id))[-1] == "ss1" for asset in county.of_kind(kind))


def test_devices_behind_one_link_have_units_of_their_own(county: County) -> None:
    for gateway in county.gateways:
        places = [(device.link, device.unit) for device in gateway.devices]
        assert len(set(places)) == len(places)
        assert len({device.name for device in gateway.devices}) == len(gateway.devices)


def test_places_have_chinese_and_english_names(county: County) -> None:
    for asset in county.assets:
        assert asset.name.en.isascii()
        assert any("\u4e00" <= letter <= "\u9fff" for letter in asset.name.zh)


def test_the_size_is_what_was_asked_for() -> None:
    large = make_county(1, Size(feeders=6, transformers=10, line_ends=3, works=2))
    assert len(large.of_kind("feeder")) == 6
    assert len(large.of_kind("transformer")) == 60
    assert len(large.of_kind("customer_group")) == 18
