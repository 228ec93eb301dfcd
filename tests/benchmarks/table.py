"""One row of the bench's table."""

from typing import NamedTuple


class Row(NamedTuple):
    """A figure with its unit, beside a peer's figure or a limit measured or stated in the same run."""

    name: str
    value: float
    unit: str
    reference: str = ""
    """What to hold it against, such as `limit 150` or `Telegraf 3.6, ratio 0.28`."""
