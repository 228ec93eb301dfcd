"""Rules of the wire contract that types cannot say: columns that fit each other, values and qualities, instants."""

import math

from edge.wire import MAX_FUTURE_MS, MAX_PAST_MS, Batch, Quality, WireError


def check_batch(batch: Batch, *, site: str, received_ms: int) -> tuple[int, int]:
    """Return the instants of the oldest and the newest row. [ms since 1970-01-01T00:00Z]

    Raises WireError if the batch breaks a rule that types cannot say: columns, instants, values, its site.
    """
    if batch.site != site:
        raise WireError(f"batch of site {batch.site!r} came on the topic of {site!r}")
    check_rows(batch)
    first_ms, last_ms = batch.t0 + min(batch.dt), batch.t0 + max(batch.dt)
    check_instants(first_ms, last_ms, received_ms)
    return first_ms, last_ms


def check_rows(batch: Batch) -> None:
    """Raise WireError if the columns do not fit each other, or a value its quality."""
    _check_columns(batch)
    _check_values(batch)


def check_instants(first_ms: int, last_ms: int, received_ms: int) -> None:
    """Raise WireError if the oldest or the newest row is further from the present than a gateway's clock may be."""
    if last_ms > received_ms + MAX_FUTURE_MS:
        raise WireError(f"sampled {(last_ms - received_ms) // 1000} s in the future: check the gateway's clock")
    if first_ms < max(received_ms - MAX_PAST_MS, 0):
        raise WireError(f"sampled {(received_ms - first_ms) // 86_400_000} days ago, at most 400 are taken")


def _check_columns(batch: Batch) -> None:
    rows = len(batch.p)
    lengths = {len(batch.dt), len(batch.x)} | ({len(batch.q)} if isinstance(batch.q, list) else set())
    if lengths != {rows}:
        raise WireError(f"columns differ in length: p has {rows} rows, the others {sorted(lengths)}")
    if max(batch.p) >= len(batch.points):
        raise WireError(f"p names point {max(batch.p)} of {len(batch.points)}")
    if len(set(batch.points)) != len(batch.points):
        raise WireError("the point list repeats a name")


def _check_values(batch: Batch) -> None:
    """Look row by row only where a look at the whole columns, at the speed of C, found something wrong."""
    nothing = batch.x.count(None)
    if isinstance(batch.q, list):
        valid = _bad_exactly_where_empty(batch.x, batch.q) if nothing else max(batch.q) < Quality.BAD_NO_ANSWER
    else:
        valid = nothing == (len(batch.x) if batch.q.is_bad else 0)
    values = [value for value in batch.x if value is not None] if nothing else batch.x
    if not valid or not all(map(math.isfinite, values)):  # type: ignore[arg-type]
        _raise_for_first_wrong_row(batch)


def _bad_exactly_where_empty(x: list[float | None], q: list[Quality]) -> bool:
    first_bad = int(Quality.BAD_NO_ANSWER)
    return [value is None for value in x] == [quality >= first_bad for quality in q]


def _raise_for_first_wrong_row(batch: Batch) -> None:
    qualities = batch.q if isinstance(batch.q, list) else [batch.q] * len(batch.x)
    for value, quality in zip(batch.x, qualities, strict=True):
        if (value is None) != quality.is_bad:
            raise WireError(f"value {value} with quality {int(quality)}: a row is BAD exactly where it has no value")
        if value is not None and not math.isfinite(value):
            raise WireError(f"value {value} is not finite")
