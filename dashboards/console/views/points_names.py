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
    is_instant: bool
    """Whether the value is a time: seconds since 1970-01-01T00:00Z, such as when the last power failure began."""
    is_state: bool
    """Whether the value is 1 or 0: something is so, or not."""


def name_of(point: str) -> PointName:
    """Return a point's name in words; the quantity as it is written where the catalogue has no word for it."""
    site, _, name = point.partition("/")
    device, *parts = name.split(".")[:-1]
    quantity, part = measurement(point), " ".join(parts).upper()
    is_instant = quantity in ("last_power_fail_start_s", "last_power_fail_end_s")
    is_state = quantity.endswith("_on")
    return PointName(point, site, name, device, part, _quantity(quantity), unit_of(point), is_instant, is_state)


def _quantity(quantity: str) -> Words:
    found = (catalogue().get(f"{folder}.{quantity}") for folder in FOLDERS)
    words = next((word for word in found if word), None)
    bare = quantity.replace("_", " ")
    return Words(words["en"], words["zh"]) if words else Words(bare, bare)
