"""Journal entries become columns, and nothing moves to another point."""

import math

import numpy as np
import pytest
from support.wire import NOW_MS, batch_payload

from edge.wire import WireError, topic
from ingest.check import check
from ingest.decode import chunks
from ingest.journal import Entry

TURBIDITY = "qingshui-wtp/clearwell.turbidity_ntu"


def test_many_batches_become_the_columns_that_they_are_one_by_one() -> None:
    """Batches that share point names and sites, with one quality for all rows and with one per row."""
    payloads = [
        batch_payload(0, values=(1.0, None), packed=True),
        batch_payload(1, values=(2.0,), site="other"),
        batch_payload(2, values=(3.0, 4.0)).replace(b'"q":[0,0]', b'"q":2'),
    ]
    entries = [Entry(i + 1, "batch", "", 0, payload) for i, payload in enumerate(payloads)]
    (chunk,) = chunks([*entries, Entry(4, "status", "", 0, b"{}")], 100)
    assert chunk.rows.points == (TURBIDITY, "other/clearwell.turbidity_ntu")
    assert chunk.rows.index.tolist() == [0, 0, 1, 0, 0]
    assert (chunk.rows.t_ms - NOW_MS).tolist() == [0, 1000, 0, 0, 1000]
    np.testing.assert_array_equal(chunk.rows.value, [1.0, math.nan, 2.0, 3.0, 4.0])
    assert chunk.rows.quality.tolist() == [0, 8, 0, 2, 2]
    assert chunk.position == 4


@pytest.mark.parametrize(
    "change", [(b'"p":[0,0,0]', b'"p":[0,0,1]'), (b'"p":[0,0,0]', b'"p":[0,0]'), (b'"x":', b'"y":')]
)
def test_columns_that_do_not_fit_never_move_a_reading_to_another_point(change: tuple[bytes, bytes]) -> None:
    payload = batch_payload().replace(*change)
    with pytest.raises(WireError):
        check(topic("qingshui-wtp", "batch"), payload, received_ms=NOW_MS)
    (chunk,) = chunks([Entry(1, "batch", "qingshui-wtp", 0, payload)], 100)
    assert (len(chunk.rows), len(chunk.unreadable)) == (0, 1)


def test_no_entries_make_no_chunk() -> None:
    assert list(chunks([], 100)) == []
