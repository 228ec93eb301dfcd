"""Numbers as a report shows them: rounded half to even (GB/T 8170), thousands apart, unknown as a dash."""

from decimal import ROUND_HALF_EVEN, Decimal

THIN_SPACE = "\u2009"
UNKNOWN = "–"


def rounded(value: float | None, decimals: int = 0) -> str:
    """Return a number with its decimals.

    >>> rounded(99.8125, 3), rounded(1234.5), rounded(None), rounded(-0.0001, 2)
    ('99.812', '1\u2009234', '–', '0.00')
    """
    if value is None:
        return UNKNOWN
    exact = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)
    return f"{exact + 0:,f}".replace(",", THIN_SPACE)


def hours(value: float | None, error: float | None = None) -> str:
    """Return hours with the decimals that their size deserves, and by how much they are uncertain.

    >>> hours(0.344), hours(12.34), hours(1234.5), hours(150.2, 9.9)
    ('0.34', '12.3', '1 234', '150 ± 10')
    """
    size = abs(value or 0.0)
    decimals = 0 if size >= 100 else 1 if size >= 10 else 2
    shown = rounded(value, decimals)
    return shown if error is None else f"{shown} ± {rounded(error, decimals)}"


def bounds(low: float | None, high: float | None, decimals: int) -> str:
    """Return a lower and an upper bound.

    >>> bounds(99.8, 99.9, 1), bounds(None, None, 1)
    ('99.8 – 99.9', '–')
    """
    if low is None or high is None:
        return UNKNOWN
    return f"{rounded(low, decimals)} – {rounded(high, decimals)}"


def limit(low: float | None, high: float | None) -> str:
    """Return a limit as a standard writes it.

    >>> limit(None, 1.0), limit(0.3, None), limit(6.5, 8.5)
    ('≤ 1', '≥ 0.3', '6.5 – 8.5')
    """
    if low is None:
        return f"≤ {high:g}"
    return f"≥ {low:g}" if high is None else f"{low:g} – {high:g}"
