"""What may come in: one test per reason to refuse, and nothing but WireError whatever the bytes."""

import contextlib
import math
import random
import tracemalloc
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.wire import NOW_MS, STREAM, batch_payload, make_batch, make_status

from edge.wire import (
    MAX_ROWS,
    MAX_UNPACKED_BYTES,
    MAX_WIRE_BYTES,
    Batch,
    PointInfo,
    PointList,
    Quality,
    WireError,
    decode,
    encode,
    topic,
)
from edge.wire_rules import check_batch
from ingest.check import HourCount, Sealed, check

SITE = "qingshui-wtp"
RECEIVED_MS = NOW_MS + 5_000
HOUR_MS = 3_600_000


def judge(payload, leaf="batch", site=SITE):
    return check(topic(site, leaf), payload, received_ms=RECEIVED_MS)


def altered(**changes):
    """A good batch as JSON with some of its fields replaced, however wrong."""
    return msgspec.json.encode({**msgspec.to_builtins(make_batch()), **changes})


@pytest.mark.parametrize("packed", [False, True])
def test_a_good_batch_passes_with_its_key_and_counts(packed):
    checked = judge(batch_payload(7, packed=packed, values=[0.3, None, 0.5]))
    hour_ms = NOW_MS // HOUR_MS * HOUR_MS
    assert checked.said == Sealed(STREAM, 7, "boot-1", (HourCount(hour_ms, 3, 1),))
    assert (checked.kind, checked.site, checked.received_ms) == ("batch", SITE, RECEIVED_MS)
    assert checked.payload == batch_payload(7, packed=packed, values=[0.3, None, 0.5])


def test_rows_are_counted_in_the_hour_they_were_sampled():
    """Four rows a second apart, two before the hour and two after, one of them without a value."""
    hour_ms = NOW_MS // HOUR_MS * HOUR_MS
    checked = judge(batch_payload(0, t0_ms=hour_ms - 2_000, values=[1.0, 1.0, None, 1.0]))
    assert checked.said.hours == (HourCount(hour_ms - HOUR_MS, 2, 0), HourCount(hour_ms, 2, 1))


REFUSED = {
    "nothing": (b"", "neither JSON"),
    "not JSON": (b"{oops", "malformed"),
    "not zlib": (b"\x78\x9cgarbage", "inflated"),
    "cut zlib": (batch_payload(packed=True)[:-4], "truncated"),
    "padded zlib": (batch_payload(packed=True) + b"x", "padded"),
    "zip bomb": (zlib.compress(b"{" + b" " * (64 * 1024 * 1024), 9), "unpacks to more"),
    "oversize": (b"{" * (MAX_WIRE_BYTES + 1), "bytes, at most"),
    "nested": (b'{"v":' + b"[" * 100_000, "not a batch"),
    "version 2": (altered(v=2), "version 1"),
    "another site": (altered(site="another-site"), "came on the topic of"),
    "unknown field": (altered(extra=1), "unknown field"),
    "no rows": (altered(p=[], dt=[], x=[], q=[]), "length >= 1"),
    "too many rows": (altered(p=[0] * (MAX_ROWS + 1)), "length <= 20000"),
    "columns differ": (altered(x=[0.1, 0.2]), "differ in length"),
    "quality column differs": (altered(q=[0, 0]), "differ in length"),
    "no such point": (altered(p=[0, 0, 1]), "names point 1 of 1"),
    "negative point": (altered(p=[0, 0, -1]), ">= 0"),
    "point twice": (altered(points=["a.b_v", "a.b_v"]), "repeats a name"),
    "point name": (altered(points=["no quantity"]), "matching"),
    "future": (altered(t0=RECEIVED_MS + 11 * 60_000), "in the future"),
    "ancient": (altered(t0=NOW_MS - 401 * 86_400_000), "days ago"),
    "before 1970": (altered(t0=0, dt=[-1, 0, 0]), "days ago"),
    "NaN": (encode(make_batch()).replace(b"0.31", b"NaN"), "malformed"),
    "infinite": (encode(make_batch()).replace(b"0.31", b"1e999"), "out of range"),
    "text for a value": (altered(x=["0.3", 0.5, 7.1]), "Expected"),
    "value but bad": (altered(q=[8, 0, 0]), "BAD exactly where"),
    "no value but good": (altered(x=[None, 0.5, 7.1]), "BAD exactly where"),
    "all bad with values": (altered(q=8), "BAD exactly where"),
    "unknown quality": (altered(q=5), "Invalid enum"),
    "negative seq": (altered(seq=-1), ">= 0"),
    "stream": (altered(stream="x"), "matching"),
    "a status": (encode(make_status()), "not a batch"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_batch_is_refused_with_its_reason(name):
    payload, reason = REFUSED[name]
    with pytest.raises(WireError, match=reason):
        judge(payload)


@pytest.mark.parametrize(
    "wrong",
    ["steppe/v1/qingshui-wtp", "steppe/v2/qingshui-wtp/batch", "steppe/v1/Qingshui/batch", "steppe/v1/a/b/batch", "x"],
)
def test_a_topic_that_is_not_ours_is_refused(wrong):
    with pytest.raises(WireError, match="is not steppe/v1"):
        check(wrong, batch_payload(), received_ms=RECEIVED_MS)


def test_a_site_sends_no_acks():
    with pytest.raises(WireError, match="a site sends batch, status and points"):
        judge(b"{}", leaf="ack")


def test_status_and_points_must_be_of_their_topics_site():
    points = PointList(1, SITE, "boot-1", NOW_MS, [PointInfo("a.b_v", 60.0)])
    assert judge(encode(make_status()), leaf="status").said == make_status()
    assert judge(encode(points), leaf="points").said == points
    for leaf, message in (("status", make_status()), ("points", points)):
        with pytest.raises(WireError, match="came on the topic of"):
            judge(encode(message), leaf=leaf, site="another-site")


def test_a_point_list_names_each_point_once():
    twice = PointList(1, SITE, "boot-1", NOW_MS, [PointInfo("a.b_v", 60.0)] * 2)
    with pytest.raises(WireError, match="repeats a name"):
        judge(encode(twice), leaf="points")


def test_a_zip_bomb_is_never_unpacked():
    """250 kB that would unpack to 256 MB: what is allocated stays near the bound of 4 MiB."""
    bomb = zlib.compress(b"{" + b"0" * (250 * 1024 * 1024), 9)
    tracemalloc.start()
    with pytest.raises(WireError):
        judge(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * MAX_UNPACKED_BYTES


rows = st.tuples(
    st.floats(allow_nan=False, allow_infinity=False) | st.none(), st.sampled_from(list(Quality)), st.integers(-10, 10)
)


@given(st.lists(rows, min_size=1, max_size=20), st.booleans())
def test_the_quick_look_at_whole_columns_judges_as_row_by_row(table, packed):
    """A row is BAD exactly where it has no value: by column and by row the verdict is the same."""
    x, q, dt = (list(column) for column in zip(*table, strict=True))
    payload = altered(x=x, q=[int(quality) for quality in q], dt=dt, p=[0] * len(x))
    consistent = all((value is None) == quality.is_bad for value, quality in zip(x, q, strict=True))
    try:
        judge(zlib.compress(payload) if packed else payload)
    except WireError:
        assert not consistent
    else:
        assert consistent


@given(st.lists(rows, min_size=1, max_size=20), st.sampled_from(["columns", "q", "p", "dt", "points", "site"]))
def test_arrays_are_judged_as_the_contract_judges_and_hold_what_it_says(table, spoilt):
    """`edge.wire_rules.check_batch` and the quick look at arrays take the same batches, and give the same rows."""
    x, q, dt = (list(column) for column in zip(*table, strict=True))
    changes = {"x": x, "q": [int(quality) for quality in q], "dt": dt, "p": [0] * len(x)}
    match spoilt:
        case "q" | "p" | "dt":
            changes[spoilt] = changes[spoilt][:-1]
        case "points":
            changes["p"] = [1] * len(x)
        case "site":
            changes["site"] = "another-site"
    payload = altered(**changes)
    try:
        batch = decode(payload, Batch)
        check_batch(batch, site=SITE, received_ms=RECEIVED_MS)
    except WireError:
        with pytest.raises(WireError):
            judge(payload)
        return
    got = judge(payload).rows
    assert got.t_ms.tolist() == [batch.t0 + one for one in batch.dt]
    assert [None if math.isnan(value) else value for value in got.value] == batch.x
    assert (got.index.tolist(), got.quality.tolist()) == (batch.p, batch.q)


def fuzz(rng, times):
    """Cut, flip, repeat and splice good messages; any other error than a verdict ends the test."""
    seeds = [
        batch_payload(3, values=[1.0, None, 2.5] * 5),
        batch_payload(3, packed=True, values=[1.0] * 50),
        encode(make_status(stream=STREAM)),
        encode(PointList(1, SITE, "boot-1", NOW_MS, [PointInfo("a.b_v", 60.0)])),
    ]
    for _ in range(times):
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(data) + 1)
            match rng.randrange(4):
                case 0:
                    data[at : at + rng.randint(0, 9)] = rng.randbytes(rng.randint(0, 9))
                case 1 if data:
                    data[at % len(data)] ^= 1 << rng.randrange(8)
                case 2:
                    data[at:at] = data[at : at + rng.randint(1, 30)]
                case _:
                    del data[at : at + rng.randint(1, 30)]
        with contextlib.suppress(WireError):
            judge(bytes(data), leaf=rng.choice(["batch", "status", "points"]))


def test_two_thousand_broken_messages_are_all_judged():
    fuzz(random.Random(1), 2_000)


@pytest.mark.soak
def test_a_million_broken_messages_are_all_judged():
    fuzz(random.Random(2), 1_000_000)
