"""Each answer that InfluxDB 1.8 and 2.x give, and what the store makes of it."""

import json
import math
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from support.http_peer import Answer, Peer, Request, http_peer

from ingest import influx_link
from ingest.store import Columns, Partial, RowsRefused, StoreDown, StoreRefused
from ingest.store_influx import InfluxStore
from simulators.processes import free_port

NOON = 1_764_043_200_000
STORED = Answer(204)


@pytest.fixture
def peer() -> Iterator[Peer]:
    with http_peer(lambda _: STORED) as running:
        yield running


@pytest.fixture
def store(peer: Peer) -> Iterator[InfluxStore]:
    opened = InfluxStore(peer.url, "county", org="water", token="the-token")
    yield opened
    opened.close()


def readings(count: int) -> Columns:
    return Columns(
        points=("site/meter.voltage_v",),
        index=np.zeros(count, np.int32),
        t_ms=NOON + np.arange(count, dtype=np.int64),
        value=np.arange(count, dtype=np.float64),
        quality=np.zeros(count, np.uint8),
    )


def lines_of(request: Request) -> list[str]:
    return request.body.decode().splitlines()


def failing(status: int, message: str, **headers: str) -> Answer:
    return Answer(status, json.dumps({"code": "x", "message": message}).encode(), headers)


class Table:
    """A stand-in for the server's table: stores good lines, refuses lines with one of the `bad` values."""

    def __init__(self, bad: set[int], refuse: str, *, whole: bool, status: int, says_dropped: bool) -> None:
        self.bad, self.refuse, self.whole, self.status, self.says_dropped = bad, refuse, whole, status, says_dropped
        self.stored: set[int] = set()

    def __call__(self, request: Request) -> Answer:
        values = [int(line.split("value=")[1].split(",")[0]) for line in lines_of(request)]
        dropped = [value for value in values if value in self.bad]
        if not (dropped and self.whole):
            self.stored |= set(values) - self.bad
        if not dropped:
            return STORED
        return failing(self.status, self.refuse + (f" dropped={len(dropped)}" if self.says_dropped else ""))


def test_a_write_carries_bucket_token_and_milliseconds(store: InfluxStore, peer: Peer) -> None:
    store.append(readings(1))
    (request,) = peer.requests
    asked = urlsplit(request.path)
    assert asked.path == "/api/v2/write"
    assert parse_qs(asked.query) == {"org": ["water"], "bucket": ["county"], "precision": ["ms"]}
    assert request.headers["Authorization"] == "Token the-token"
    assert request.body == b"voltage_v,point=site/meter.voltage_v,site=site value=0,quality=0i 1764043200000\n"


def test_a_bad_row_has_a_quality_and_no_value(store: InfluxStore, peer: Peer) -> None:
    rows = readings(1)
    rows.value[0], rows.quality[0] = math.nan, 8
    store.append(rows)
    assert peer.requests[0].body.endswith(b",site=site quality=8i 1764043200000\n")


def test_lines_go_in_requests_of_ten_thousand_and_each_line_once(store: InfluxStore, peer: Peer) -> None:
    store.append(readings(22_001))
    sizes = [len(lines_of(request)) for request in peer.requests]
    assert max(sizes) <= 10_000
    assert len({line for request in peer.requests for line in lines_of(request)}) == sum(sizes) == 22_001


def test_lines_for_another_machine_are_packed(peer: Peer, store: InfluxStore) -> None:
    """The peer is this machine by its number; by another name it would not be."""
    assert not influx_link._is_this_machine("http://influxdb.example:8086")
    assert influx_link._is_this_machine("http://[::1]:8086")
    packed = influx_link.InfluxLink(peer.url, "county", org="", token=None, connections=1, timeout_s=5)
    packed._packed = True
    packed.write(memoryview(b"m value=1 1\n"))
    packed.close()
    assert (peer.requests[0].headers["Content-Encoding"], peer.requests[0].body) == ("gzip", b"m value=1 1\n")


@pytest.mark.parametrize(
    ("status", "message", "whole", "says_dropped"),
    [
        (400, "partial write: unable to parse 'x': bad number", False, False),
        (400, "unable to parse 'x': bad number", True, False),
        (400, 'partial write: field type conflict: input field "value" is type integer', False, True),
        (400, "field type conflict", True, False),
        (400, "partial write: points beyond retention policy", False, True),
        (422, "failure writing points to database: partial write: field type conflict", False, True),
        (500, "unexpected error: partial write: points beyond retention policy", False, True),
    ],
)
def test_refused_lines_are_found_and_all_others_are_stored(
    store: InfluxStore, peer: Peer, status: int, message: str, whole: bool, says_dropped: bool
) -> None:
    bad = {0, 77, 78, 299}
    table = Table(bad, message, whole=whole, status=status, says_dropped=says_dropped)
    peer.script = table
    with pytest.raises(RowsRefused) as refused:
        store.append(readings(300))
    assert set(refused.value.reasons) == bad
    assert table.stored == set(range(300)) - bad
    assert all(message in reason for reason in refused.value.reasons.values())


def test_a_piece_that_the_server_drops_whole_is_not_sent_line_by_line(store: InfluxStore, peer: Peer) -> None:
    peer.script = Table(set(range(4_000)), "partial write: too old", whole=False, status=422, says_dropped=True)
    with pytest.raises(RowsRefused) as refused:
        store.append(readings(4_000))
    assert len(refused.value.reasons) == 4_000
    assert len(peer.requests) == 1


def test_what_is_too_long_is_sent_in_halves(store: InfluxStore, peer: Peer) -> None:
    peer.script = lambda request: failing(413, "too large") if len(lines_of(request)) > 100 else STORED
    store.append(readings(300))
    assert sorted(len(lines_of(request)) for request in peer.requests) == [75, 75, 75, 75, 150, 150, 300]


@pytest.mark.parametrize(
    ("status", "message", "remedy"),
    [
        (401, "unauthorized access", "token_file"),
        (403, "insufficient permissions for write", "permission"),
        (404, 'bucket "county" not found', "Create the bucket"),
        (405, "method not allowed", "Is this an InfluxDB"),
        (400, "a proxy that knows no such header", "Is this an InfluxDB"),
    ],
)
def test_what_a_person_must_put_right_stops_the_writer(
    store: InfluxStore, peer: Peer, status: int, message: str, remedy: str
) -> None:
    peer.script = lambda _: failing(status, message)
    with pytest.raises(StoreRefused, match=remedy) as refused:
        store.append(readings(1))
    assert message in str(refused.value)
    with pytest.raises(StoreRefused):
        store.read(["site/meter.voltage_v"], 0, NOON)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_an_overloaded_server_is_asked_again_later(store: InfluxStore, peer: Peer, status: int) -> None:
    peer.script = lambda _: failing(status, "timeout", **{"Retry-After": "7"})
    with pytest.raises(StoreDown) as down:
        store.append(readings(1))
    assert down.value.retry_after_s == 7.0
    peer.script = lambda _: failing(status, "timeout", **{"Retry-After": "Wed, 25 Nov 2026 10:00:00 GMT"})
    with pytest.raises(StoreDown) as down:
        store.read(["site/meter.voltage_v"], 0, NOON)
    assert down.value.retry_after_s is None


def test_where_nothing_listens_the_store_is_down() -> None:
    store = InfluxStore(f"http://127.0.0.1:{free_port()}", "county")
    for ask in (lambda: store.append(readings(1)), lambda: store.points(), lambda: store.health()):
        with pytest.raises(StoreDown, match="no answer"):
            ask()
    store.close()


def test_a_cut_answer_is_a_store_that_is_down(store: InfluxStore, peer: Peer) -> None:
    peer.script = lambda _: Answer(200, b"name,tags", {"Content-Length": "1000", "Connection": "close"})
    with pytest.raises(StoreDown):
        store.points()


def test_a_table_that_broke_off_is_not_taken_for_the_whole_one(store: InfluxStore, peer: Peer) -> None:
    """InfluxDB answers 200 and ends its CSV without a word where a query fails half-way."""
    table = b"name,tags,time,quality,value\nvoltage_v,point=site/meter.voltage_v,1,0,230\n"
    peer.script = lambda _: Answer(200, table)
    with pytest.raises(StoreDown, match="broke off"):
        store.read(["site/meter.voltage_v"], 0, NOON)
    peer.script = lambda _: Answer(200, table + b"\nname,tags,name\ndatabases,,county\n")
    assert store.read(["site/meter.voltage_v"], 0, NOON).value.tolist() == [230.0]


def test_an_error_block_under_http_200_is_an_error(store: InfluxStore, peer: Peer) -> None:
    peer.script = lambda _: Answer(200, b'error\n"timeout"\n')
    with pytest.raises(StoreDown, match="timeout"):
        store.points()


def test_a_bucket_that_does_not_exist_is_refused_on_reading_too(store: InfluxStore, peer: Peer) -> None:
    """The CSV answer of a missing database is empty with HTTP 200; only the JSON answer names the error."""
    error = b'{"results":[{"statement_id":0,"error":"database not found: county"}]}'
    peer.script = lambda request: Answer(200, error if "json" in request.headers["Accept"] else b"")
    with pytest.raises(StoreRefused, match="database not found"):
        store.read_kpi("voltage", "2026-01-01", "2026-01-02")


def test_partial_sums_that_the_server_refuses_are_told_by_their_number(store: InfluxStore, peer: Peer) -> None:
    def script(request: Request) -> Answer:
        return failing(422, "partial write: conflict dropped=1") if b"subject=b" in request.body else STORED

    peer.script = script
    with pytest.raises(RowsRefused) as refused:
        store.write_kpi([Partial("voltage", subject, "2026-01-01", {"ok": 1.0}, NOON) for subject in "abc"])
    assert set(refused.value.reasons) == {1}


def test_a_retention_policy_is_named_to_both_ends(peer: Peer) -> None:
    store = InfluxStore(peer.url, "county/year")
    peer.script = lambda request: STORED if "write" in request.path else Answer(200, b"name,tags,name\n")
    store.append(readings(1))
    store.points()
    store.close()
    write, query = (parse_qs(urlsplit(request.path).query) for request in peer.requests)
    assert write["bucket"] == ["county/year"]
    assert (query["db"], query["rp"]) == (["county"], ["year"])
