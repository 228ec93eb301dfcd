"""Set values of voltage monitoring points, by the names that `points.csv` uses.

Pass limits from GB/T 12325-2008; assessment limits (beyond them a minute is off scale) are those met in meter
firmware for 220 V, 264 V and 154 V, in proportion. Below a tenth of nominal a living meter reads an outage.
"""

from analytics.voltage import Limits

DEAD_SHARE = 0.10
ASSESS_LOW_SHARE, ASSESS_HIGH_SHARE = 0.70, 1.20

_BANDS = {
    "gb12325-220": (220.0, 198.0, 235.4),
    "gb12325-380": (380.0, 353.4, 406.6),
    "gb12325-10kv": (10_000.0, 9_300.0, 10_700.0),
    "gb12325-10kv-busbar": (10_000.0, 10_000.0, 10_700.0),
    "class-a-10kv": (10_000.0, 10_000.0, 10_700.0),
}
"""Name → nominal, lower and upper limit. [V]"""

VOLTAGE_LIMITS = {
    name: Limits(
        lo,
        hi,
        assess_lo=ASSESS_LOW_SHARE * nominal,
        assess_hi=ASSESS_HIGH_SHARE * nominal,
        dead_below=DEAD_SHARE * nominal,
    )
    for name, (nominal, lo, hi) in _BANDS.items()
}
"""Name → set values in volts."""
