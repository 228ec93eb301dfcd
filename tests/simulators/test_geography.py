"""Where the county's assets stand on the map."""

from simulators.county import Size
from simulators.county_maker import make_county
from simulators.geography import NOWHERE, places


def test_every_asset_with_a_place_of_its_own_stands_within_the_banner() -> None:
    county = make_county(3, Size(feeders=6, transformers=8))
    found = places(county)
    assert set(found) == {asset.id for asset in county.assets if asset.kind not in NOWHERE}
    assert all(43.0 < lat < 44.2 and 121.5 < lon < 123.0 for lat, lon in found.values())


def test_a_seed_always_gives_the_same_places_and_no_two_in_one() -> None:
    found = places(make_county(3))
    assert found == places(make_county(3))
    assert len(set(found.values())) == len(found)
