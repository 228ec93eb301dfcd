"""What a point is called: its quantity in words, the part of the device it belongs to, and its unit."""

from dataclasses import dataclass

from dashboards.console.views.alarms_names import Words, unit_of
from dashboards.console.words import catalogue
from ingest.lines import measurement

FOLDERS = ("points.quantity", "alarms.quantity")


@dataclass(frozen=True)
class PointName:
    """One point in words."""

    point: str
    """Full name, such as `hujirt-wtp/outlet.free_chlorine_mg_l`."""
    site: str
    name: str
    """Within the site."""
    device: str
    part: str
    """What stands between device and quantity, such as `L1`; empty for nothing."""
    quantity: Words
    unit: str


def name_of(point: str) -> PointName:
    """Return a point's name in words; the quantity as it is written where the catalogue has no word for it."""
    site, _, name = point.partition("/")
    device, *parts = name.split(".")[:-1]
    return PointName(point, site, name, device, " ".join(parts).upper(), _quantity(measurement(point)), unit_of(point))


def _quantity(quantity: str) -> Words:
    found = (catalogue().get(f"{folder}.{quantity}") for folder in FOLDERS)
    words = next((word for word in found if word), None)
    bare = quantity.replace("_", " ")
    return Words(words["en"], words["zh"]) if words else Words(bare, bare)
