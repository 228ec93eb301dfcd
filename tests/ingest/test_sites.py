"""What is counted of each site: exactly once, in the transaction that keeps the message."""

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.wire import NOW_MS, STREAM, batch_payload, make_status

from edge.wire import DroppedRange, PointInfo, PointList, encode, topic
from ingest.check import HOUR_MS, check
from ingest.journal import Journal
from ingest.sites import ClockStep, Gap, HourBalance, Sites

SITE = "qingshui-wtp"
HOUR = NOW_MS // HOUR_MS * HOUR_MS


@pytest.fixture
def sites(journal, journal_path):
    opened = Sites(journal_path)
    yield opened
    opened.close()


def status(received_ms=NOW_MS, **changes):
    return check(topic(SITE, "status"), encode(make_status(**changes)), received_ms=received_ms)


def points(*infos, received_ms=NOW_MS, at_ms=NOW_MS):
    return check(
        topic(SITE, "points"), encode(PointList(1, SITE, "boot-1", at_ms, list(infos))), received_ms=received_ms
    )


def test_a_site_at_one_glance(journal, sites, batch):
    """Batches 0, 1 and 3 of 6 sealed; 1 came twice; 4 was dropped: 2 and 5 are missing."""
    gone = DroppedRange(STREAM, 4, 4, 30, NOW_MS, NOW_MS, "oldest")
    journal.commit([batch(0), batch(1), batch(3), batch(1)])
    journal.commit([status(stream=STREAM, next_seq=6, dropped=[gone]), points(PointInfo("a.b_v", 60.0))])
    state = sites.state(SITE)
    assert (state.batches, state.duplicates, state.missing_batches) == (3, 1, 2)
    assert (state.dropped_readings, state.points, state.clock_steps) == (30, 1, 0)
    assert state.status.next_seq == 6
    assert (state.status_ms, state.last_batch_ms) == (NOW_MS, NOW_MS + 5_000)


def test_sites_are_listed_by_name(journal, sites, batch):
    journal.commit([batch(0, site="b-site"), batch(0, site="a-site"), status()])
    assert [state.site for state in sites.states()] == ["a-site", "b-site", SITE]


def test_history_keeps_changes_and_not_heartbeats(journal, sites):
    """Birth, two heartbeats, death: two changes."""
    beats = [
        status(NOW_MS + minute * 60_000, at_ms=NOW_MS + minute * 60_000, spool_batches=minute) for minute in range(3)
    ]
    journal.commit([*beats, status(NOW_MS + 180_000, online=False)])
    history = sites.status_history(SITE, 0, NOW_MS + HOUR_MS)
    assert [(change.received_ms, change.status.online) for change in history] == [
        (NOW_MS, True),
        (NOW_MS + 180_000, False),
    ]


def test_a_reported_loss_is_data_and_counts_once(journal, sites):
    """Each heartbeat repeats it until the site forgets it."""
    gone = DroppedRange(STREAM, 4, 9, 300, NOW_MS - 60_000, NOW_MS, "thin")
    for minute in range(3):
        journal.commit([status(NOW_MS + minute, at_ms=NOW_MS + minute, dropped=[gone])])
    [dropped] = sites.dropped(SITE)
    assert (dropped.reported_ms, dropped.batches) == (NOW_MS, gone)
    assert sites.state(SITE).dropped_readings == 300


def test_a_loss_that_grows_and_joins_its_neighbour_counts_once(journal, sites):
    """[5] and [4], then joined and grown as [4…7]; then an old status comes again."""
    reports = [[(5, 5, 10)], [(4, 4, 10), (5, 5, 10)], [(4, 7, 40)], [(4, 4, 10)]]
    for minute, ranges in enumerate(reports):
        gone = [DroppedRange(STREAM, first, last, rows, NOW_MS, NOW_MS, "oldest") for first, last, rows in ranges]
        journal.commit([status(NOW_MS + minute, at_ms=NOW_MS + minute, dropped=gone)])
    assert [(one.batches.first_seq, one.batches.last_seq) for one in sites.dropped(SITE)] == [(4, 7)]
    assert sites.state(SITE).dropped_readings == 40


def test_a_gap_is_seen_grows_old_and_closes(journal, sites, batch):
    """At 0 min batch 2 of 0…3 is missing; at 20 min it has come."""
    journal.commit([batch(0), batch(1), batch(3)])
    sites.sweep(NOW_MS)
    assert sites.gaps(now_ms=NOW_MS + 60_000, older_than_ms=15 * 60_000) == []
    later_ms = NOW_MS + 20 * 60_000
    assert sites.gaps(now_ms=later_ms, older_than_ms=15 * 60_000) == [Gap(SITE, STREAM, 2, 2, NOW_MS, None)]
    journal.commit([batch(2)])
    sites.sweep(later_ms)
    assert sites.gaps(now_ms=later_ms, older_than_ms=15 * 60_000) == [Gap(SITE, STREAM, 2, 2, NOW_MS, later_ms)]
    assert sites.gaps(now_ms=later_ms, older_than_ms=0, site="another") == []


def test_a_gap_that_is_filled_in_the_middle_keeps_its_age(journal, sites, batch):
    journal.commit([batch(0), batch(9)])
    sites.sweep(NOW_MS)
    journal.commit([batch(4), batch(5)])
    sites.sweep(NOW_MS + 60_000)
    open_gaps = sites.gaps(now_ms=NOW_MS + 60_000, older_than_ms=60_000)
    assert [(gap.first_seq, gap.last_seq, gap.seen_ms) for gap in open_gaps] == [(1, 3, NOW_MS), (6, 8, NOW_MS)]


def test_what_waits_at_a_silent_site_is_a_gap_too(journal, sites, batch):
    """It said that it had sealed 5 batches, and only 2 came."""
    journal.commit([batch(0), batch(1), status(stream=STREAM, next_seq=5)])
    sites.sweep(NOW_MS)
    [gap] = sites.gaps(now_ms=NOW_MS, older_than_ms=0)
    assert (gap.first_seq, gap.last_seq) == (2, 4)


def test_a_clock_that_was_set_is_told_from_a_slow_line(journal, sites):
    """By the clock that never steps 60 s passed; the wall clock shows 3 660 s more: one step of an hour.

    The third status is an hour late on the line, and no step.
    """
    journal.commit([status(NOW_MS, at_ms=NOW_MS, up_ms=1_000)])
    journal.commit([status(NOW_MS + 60_000, at_ms=NOW_MS + 3_660_000, up_ms=61_000)])
    journal.commit([status(NOW_MS + 7_200_000, at_ms=NOW_MS + 3_720_000, up_ms=121_000)])
    assert sites.clock_steps(SITE) == [ClockStep(SITE, NOW_MS + 3_660_000, NOW_MS + 60_000, 3_600_000)]


def test_a_new_boot_is_no_clock_step(journal, sites):
    journal.commit([status(at_ms=NOW_MS, up_ms=900_000), status(boot="boot-2", at_ms=NOW_MS + 1_000, up_ms=5)])
    assert sites.clock_steps(SITE) == []


def test_expected_and_received_by_the_hour(journal, sites, batch):
    """A point each minute and one by exception, at least each 30 min: 62 an hour. From the list then in force.

    A point by exception that may be silent for ever adds nothing.
    """
    silent = PointInfo("a.door_open", 1.0, by_exception=True)
    by_exception = PointInfo("a.pump_on", 1.0, by_exception=True, max_silence_s=1800.0)
    journal.commit([points(PointInfo("a.b_v", 60.0), by_exception, silent, received_ms=HOUR)])
    journal.commit([points(PointInfo("a.b_v", 30.0), received_ms=HOUR + 2 * HOUR_MS)])
    late_ms = HOUR + HOUR_MS
    journal.commit([batch(0, t0_ms=HOUR, values=[1.0, None]), batch(1, t0_ms=HOUR - 1_000, values=[1.0, 1.0])])
    journal.commit([batch(1, t0_ms=HOUR - 1_000, values=[1.0, 1.0], received_ms=late_ms)])
    assert sites.hours(SITE, HOUR - HOUR_MS, HOUR + 3 * HOUR_MS) == [
        HourBalance(HOUR - HOUR_MS, 62.0, 1, 0),
        HourBalance(HOUR, 62.0, 3, 1),
        HourBalance(HOUR + HOUR_MS, 62.0, 0, 0),
        HourBalance(HOUR + 2 * HOUR_MS, 120.0, 0, 0),
    ]


def test_of_a_site_that_announced_nothing_nothing_is_expected(journal, sites, batch):
    journal.commit([batch(0, t0_ms=HOUR)])
    assert sites.hours(SITE, HOUR, HOUR + 1) == [HourBalance(HOUR, 0.0, 3, 0)]
    assert sites.point_list(SITE) is None


@given(st.lists(st.sets(st.integers(0, 15)), max_size=6))
def test_open_gaps_are_what_is_missing_whatever_the_order(tmp_path_factory, groups):
    """After each commit and sweep; and no gap is younger than the sweep that first saw its numbers missing."""
    path = tmp_path_factory.mktemp("gaps") / "journal.db"
    journal, sites = Journal(path), Sites(path)
    held = set()
    for step, group in enumerate(groups):
        journal.commit([check(topic(SITE, "batch"), batch_payload(seq), received_ms=NOW_MS) for seq in group])
        held |= group
        sites.sweep(NOW_MS + step)
        gaps = [gap for gap in sites.gaps(now_ms=NOW_MS + step, older_than_ms=0) if gap.closed_ms is None]
        assert {seq for gap in gaps for seq in range(gap.first_seq, gap.last_seq + 1)} == set(
            range(max(held, default=-1) + 1)
        ) - held
    journal.close()
    sites.close()


def test_questions_asked_together_see_one_instant(journal, sites, batch):
    journal.commit([batch(0)])
    with sites.reading():
        before = sites.state(SITE).batches
        journal.commit([batch(1)])
        assert sites.state(SITE).batches == before == 1
    assert sites.state(SITE).batches == 2


def test_a_site_that_comes_back_a_thousand_times_with_the_same_points_is_kept_as_one_list(journal, journal_path, sites):
    """Each connection announces the list with a time of its own. Kept each time, it would fill the journal."""
    minutely = PointInfo("a.b_v", 60.0)
    for minute in range(1000):
        journal.commit([points(minutely, received_ms=HOUR + minute * 60_000, at_ms=HOUR + minute * 60_000)])
    with closing(sqlite3.connect(journal_path)) as db:
        assert db.execute("SELECT count(*) FROM point_list").fetchone() == (1,)
    assert sites.hours(SITE, HOUR, HOUR + HOUR_MS) == [HourBalance(HOUR, 60.0, 0, 0)]
    assert sites.point_list(SITE).at_ms == HOUR + 999 * 60_000, "the newest word is what is shown"


def test_a_list_announced_anew_counts_from_then_on(journal, sites):
    journal.commit([points(PointInfo("a.b_v", 60.0))])
    assert sites.state(SITE).points == 1
    journal.commit([points(PointInfo("a.b_v", 60.0), PointInfo("a.c_v", 60.0), received_ms=NOW_MS + 1)])
    assert sites.state(SITE).points == 2
