"""Batches and statuses as a gateway would send them, with only what a test cares about spelled out."""

from collections.abc import Sequence

from edge.wire import Batch, Quality, Status, encode

NOW_MS = 1_764_000_000_000
STREAM = "0d5c" * 8


def make_batch(
    seq: int = 0,
    *,
    site: str = "qingshui-wtp",
    stream: str = STREAM,
    t0_ms: int = NOW_MS,
    values: Sequence[float | None] = (0.31, 0.52, 7.1),
    boot: str = "boot-1",
) -> Batch:
    """Return a batch of one point, a row per second; None is a row of an instrument that did not answer."""
    return Batch(
        v=1,
        site=site,
        stream=stream,
        seq=seq,
        boot=boot,
        t0=t0_ms,
        points=["clearwell.turbidity_ntu"],
        p=[0] * len(values),
        dt=[1000 * row for row in range(len(values))],
        x=list(values),
        q=[Quality.BAD_NO_ANSWER if value is None else Quality.GOOD for value in values],
    )


def batch_payload(seq: int = 0, *, packed: bool = False, **changes: object) -> bytes:
    """Return `make_batch(seq, …)` as it goes on the wire."""
    return encode(make_batch(seq, **changes), packed=packed)  # type: ignore[arg-type]


def make_status(site: str = "qingshui-wtp", **changes: object) -> Status:
    """Return the birth of a site, changed where the test says so."""
    usual: dict[str, object] = {"online": True, "boot": "boot-1", "at_ms": NOW_MS, "version": "0.1.0"}
    return Status(v=1, site=site, **(usual | changes))  # type: ignore[arg-type]
