"""The commands of `steppe ingest`: what they print, and one clear line for bad input."""

import json

import pytest
from click.testing import CliRunner
from support.wire import NOW_MS, STREAM, make_status

from edge.errors import BadInput
from edge.wire import encode, topic
from ingest.check import check
from ingest.cli import centre, ingest
from ingest.deadletter import DeadLetters, Refused
from ingest.journal import Journal
from ingest.sites import Sites

SITE = "qingshui-wtp"


@pytest.fixture
def centre_file(tmp_path):
    path = tmp_path / "centre.toml"
    path.write_text("", encoding="utf-8")
    return path


@pytest.fixture
def dead_letters(tmp_path):
    opened = DeadLetters(tmp_path / "deadletters.db")
    opened.add([Refused(topic(SITE, "batch"), b"{oops", "malformed", NOW_MS)])
    yield opened
    opened.close()


def call(*words, group=ingest):
    """What the command prints; its exit code is 0."""
    result = CliRunner().invoke(group, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_letters_are_listed_with_their_reason(centre_file, dead_letters):
    assert call("deadletter", "list", centre_file) == (
        "     1 2025-11-24T16:00:00Z     1x steppe/v1/qingshui-wtp/batch: malformed\n"
    )
    shown = json.loads(call("deadletter", "list", "--json", centre_file))
    assert (shown["gone"], shown["letters"][0]["reason"]) == (0, "malformed")


def test_a_letter_is_shown_as_received_or_unpacked(centre_file, dead_letters):
    status = encode(make_status(), packed=True)
    dead_letters.add([Refused(topic("another", "status"), status, "another site", NOW_MS)])
    assert call("deadletter", "show", centre_file, 1) == "{oops\n"
    assert '"online":true' in call("deadletter", "show", centre_file, 2)


def test_letters_are_marked_and_dropped_by_number(centre_file, dead_letters):
    assert call("deadletter", "replay", centre_file, 1) == "1 marked for replay\n"
    assert "(to be replayed)" in call("deadletter", "list", centre_file)
    assert call("deadletter", "drop", centre_file, 1) == "1 dropped\n"
    assert call("deadletter", "list", centre_file) == ""


@pytest.mark.parametrize("words", [["show"], ["replay"], ["drop"]])
def test_an_unknown_letter_is_bad_input(centre_file, dead_letters, words):
    with pytest.raises(BadInput, match="dead letter 9: there is none"):
        call("deadletter", *words, centre_file, 9)


@pytest.mark.parametrize("words", [["sites"], ["deadletter", "list"], ["replay", "--from", "start"]])
def test_asking_a_centre_that_never_ran_is_bad_input_and_makes_no_file(centre_file, words):
    with pytest.raises(BadInput, match="there is none yet"):
        call(*words, centre_file)
    assert list(centre_file.parent.iterdir()) == [centre_file]


def test_sites_at_one_glance(centre_file, journal, batch):
    status = check(topic(SITE, "status"), encode(make_status(stream=STREAM, next_seq=1)), received_ms=NOW_MS)
    journal.commit([batch(0), status])
    lines = call("sites", centre_file).splitlines()
    assert lines[0].split() == ["site", "status", "last", "batch", "batches", "missing", "dropped", "twice", "steps"]
    assert lines[1].split() == [SITE, "online", "2025-11-24T16:00:05Z", "1", "0", "0", "0", "0"]
    assert json.loads(call("sites", "--json", centre_file))["sites"][0]["batches"] == 1


def test_sites_ends_with_1_while_an_old_gap_is_open(centre_file, journal, journal_path, batch):
    journal.commit([batch(0), batch(2)])
    sites = Sites(journal_path)
    sites.sweep(NOW_MS)
    sites.close()
    assert CliRunner().invoke(ingest, ["sites", str(centre_file)]).exit_code == 1


def test_replay_sets_the_store_back_to_a_local_day(centre_file, journal, journal_path, batch):
    """24 November 16:00 UTC is midnight of the 25th in Shanghai: of five batches, those received from then on."""
    journal.commit([batch(seq, received_ms=NOW_MS + 1000 * (seq + 5)) for seq in range(5)])
    journal.cursor("store")
    journal.advance("store", 5)
    assert call("replay", "--from", "2025-11-25", centre_file).startswith("5 entries")
    assert call("replay", "--from", "2025-11-25T00:00:08", centre_file).startswith("2 entries")
    assert call("replay", "--from", "start", centre_file).startswith("5 entries")
    again = Journal(journal_path)
    assert again.cursor("store") == 0
    again.close()


def test_replay_from_no_date_is_bad_input(centre_file, journal):
    with pytest.raises(BadInput, match="not a date or time"):
        call("replay", "--from", "yesterday", centre_file)


def test_a_centre_with_another_broker_runs_no_broker_of_its_own(tmp_path):
    path = tmp_path / "centre.toml"
    path.write_text('[broker]\nurl = "mqtt://10.0.0.5"', encoding="utf-8")
    with pytest.raises(BadInput, match="not embedded"):
        call("broker", path, group=centre)


@pytest.mark.parametrize("command", ["run", "replay", "sites"])
def test_every_command_shows_an_example(command):
    assert "Example: steppe ingest" in call(command, "--help")


def test_a_reader_that_was_switched_off_is_seen_and_let_go(centre_file, journal, batch):
    journal.commit([batch(seq) for seq in range(9)])
    journal.advance("alarms", 2)
    journal.advance("store", 9)
    assert call("readers", centre_file) == "alarms: 7 entries behind\nstore: 0 entries behind\n"
    assert call("readers", centre_file, "--forget", "alarms") == "store: 0 entries behind\n"
    with pytest.raises(BadInput, match="no reader 'alarms'; there are: store"):
        call("readers", centre_file, "--forget", "alarms")
