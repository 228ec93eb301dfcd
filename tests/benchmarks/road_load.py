"""What 100 sites send: sealed batches for the road, and the same rows as line protocol for Telegraf."""

from collections.abc import Iterable, Iterator

import numpy as np

from edge.wire import Batch, Quality, encode, topic
from ingest.lines import measurement

SITES = 100
METERS = 10
QUANTITIES = (
    "l1.voltage_v",
    "l2.voltage_v",
    "l3.voltage_v",
    "l1.current_a",
    "active_power_kw",
    "energy_kwh",
)
POINTS = tuple(f"meter{meter}.{quantity}" for meter in range(METERS) for quantity in QUANTITIES)
READINGS = 500
"""Of one batch, the gateway's own limit."""
LINES_PER_MESSAGE = 50
PERIOD_MS = 60_000
LATE_MS = 400
"""A meter answers up to so much after its turn; all values of one answer have one instant. [ms]"""
NOT_A_NUMBER = "n/a"


def day_of_batches(start_ms: int, readings: int = READINGS) -> Iterator[Batch]:
    """Yield what each point measures in one day, once a minute, in whole batches, the sites in turn."""
    for seq in range(86_400_000 // PERIOD_MS * len(POINTS) // readings):
        for site in range(SITES):
            yield _batch(site, seq, np.arange(seq * readings, (seq + 1) * readings), start_ms)


def sealed(batches: Iterable[Batch]) -> Iterator[tuple[str, bytes]]:
    """Yield topic and payload as a gateway sends them."""
    for batch in batches:
        yield topic(batch.site, "batch"), encode(batch, packed=True)


def unpacked(batches: Iterable[Batch]) -> Iterator[tuple[str, bytes]]:
    """Yield topic and payload as JSON text."""
    for batch in batches:
        yield topic(batch.site, "batch"), encode(batch)


def as_lines(batches: Iterable[Batch]) -> Iterator[tuple[str, bytes]]:
    """Yield the same readings in messages of 50 lines."""
    for batch in batches:
        lines = [_line(batch, row) for row in range(len(batch.p))]
        for first in range(0, len(lines), LINES_PER_MESSAGE):
            yield f"lines/{batch.site}", "".join(lines[first : first + LINES_PER_MESSAGE]).encode()


def with_wrong_rows(messages: Iterable[tuple[str, bytes]], wrong: int, every: int) -> Iterator[tuple[str, bytes]]:
    """Yield the messages, and text where a number should stand in one row of each `every`th, `wrong` times."""
    for number, (name, payload) in enumerate(messages, 1):
        if number % every == 0 and number // every <= wrong:
            yield name, _spoilt(payload)
        else:
            yield name, payload


def _batch(site: int, seq: int, rows: np.ndarray, start_ms: int) -> Batch:
    made = np.random.default_rng((site, seq))
    point, scan = rows % len(POINTS), rows // len(POINTS)
    answer = scan * METERS + point // len(QUANTITIES)
    late_ms = made.integers(0, LATE_MS, answer[-1] - answer[0] + 1)[answer - answer[0]]
    dt = scan * PERIOD_MS + late_ms
    values = made.normal(230.0, 2.0, len(rows)).round(2)
    return Batch(
        v=1,
        site=f"site-{site}",
        stream=f"{site:032x}",
        seq=seq,
        boot="boot-1",
        t0=start_ms + int(dt[0]),
        points=list(POINTS),
        p=point.tolist(),
        dt=(dt - dt[0]).tolist(),
        x=values.tolist(),
        q=Quality.GOOD,
    )


def _line(batch: Batch, row: int) -> str:
    name = batch.points[batch.p[row]]
    return (
        f"{measurement(name)},point={batch.site}/{name},site={batch.site}"
        f" value={batch.x[row]!r},quality={int(batch.q)}i {(batch.t0 + batch.dt[row]) * 1_000_000}\n"  # type: ignore[arg-type]
    )


def _spoilt(payload: bytes) -> bytes:
    """Put text where the first value stands."""
    mark = b'"x":[' if payload[:1] == b"{" else b"value="
    head, _, rest = payload.partition(mark)
    return head + mark + f'"{NOT_A_NUMBER}",'.encode() + rest.partition(b",")[2]
