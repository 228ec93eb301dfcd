"""`steppe ingest …` and `steppe centre …`: run the centre, and look after what it keeps."""

import logging
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import msgspec

from edge.clock import RealClock
from edge.errors import BadInput
from edge.wire import WireError, unpack
from ingest.authority.cli import authority, init
from ingest.config import Centre, load_centre
from ingest.deadletter import DeadLetters, dead_letters_path
from ingest.keeping.cli import archive, backup, restore
from ingest.sites import Sites, SiteState
from ingest.stopping import stop_on_signals, when_parent_ends
from ingest.store_cli import register, rejected, store

CENTRE = click.argument("centre_file", metavar="CENTRE.TOML", type=click.Path(path_type=Path))
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
WITH_PARENT = click.option("--with-parent", is_flag=True, hidden=True, help="Stop when standard input closes.")
NUMBERS = click.argument("numbers", metavar="NUMBER…", type=int, nargs=-1, required=True)
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
SITE_LINE = "{:30} {:8} {:20} {:>9} {:>8} {:>8} {:>6} {:>6}"
GAP_AGE_MS = 15 * 60_000
"""Younger gaps are batches under way. [ms]"""


@click.group()
def ingest() -> None:
    """Receive, check, keep and store readings; runs at the centre."""


@click.group()
def centre() -> None:
    """Run the centre's processes together."""


@ingest.command(epilog="Example: steppe ingest run /etc/steppe/centre.toml")
@CENTRE
@WITH_PARENT
def run(centre_file: Path, with_parent: bool) -> None:
    """Receive, keep and store until stopped (SIGTERM or Ctrl-C)."""
    from ingest.receive import run as run_ingest

    run_ingest(load_centre(centre_file), RealClock(), _stop(with_parent=with_parent))


@ingest.command(epilog="Example: steppe ingest replay --from 2026-07-01 centre.toml")
@click.option("--from", "since", required=True, help="Local date or time from which on, or 'start'.")
@CENTRE
def replay(centre_file: Path, since: str) -> None:
    """Store again everything received since a time: after the store was rebuilt. Ingest may be running."""
    from ingest.journal import Journal
    from ingest.writer import READER

    settings = load_centre(centre_file)
    since_ms = 0 if since == "start" else _local_ms(since, settings.timezone)
    with closing(Journal(_journal_path(settings))) as journal:
        entries = journal.rewind(READER, since_ms)
    click.echo(f"{entries} entries go to the store again, by the running ingest or the next one")


@ingest.command(epilog="Example: steppe ingest sites centre.toml")
@CENTRE
@AS_JSON
def sites(centre_file: Path, as_json: bool) -> None:
    """Show each site: last word, batches, missing, dropped, duplicates, clock steps. Exit code 1 if any are missing."""
    with closing(Sites(_journal_path(load_centre(centre_file)))) as known:
        states = known.states()
        gaps = known.gaps(now_ms=RealClock().now_ms(), older_than_ms=GAP_AGE_MS)
        incidents = known.incidents()
    open_gaps = [gap for gap in gaps if gap.closed_ms is None]
    if as_json:
        click.echo(_json({"sites": states, "open_gaps": open_gaps, "incidents": incidents}))
    else:
        click.echo(_site_table(states))
        for incident in incidents:
            click.echo(f"{_utc(incident.at_ms)} {incident.text}")
    if open_gaps:
        raise SystemExit(1)


@ingest.command(epilog="Example: steppe ingest readers centre.toml --forget alarms")
@CENTRE
@click.option("--forget", metavar="READER", help="Let go of one that was switched off for good.")
def readers(centre_file: Path, forget: str | None) -> None:
    """Show who reads the journal and how far behind each is: entries are kept until every reader has passed them."""
    from ingest.journal import Journal

    with closing(Journal(_journal_path(load_centre(centre_file)))) as journal:
        if forget is not None and forget not in journal.readers():
            raise BadInput(f"no reader {forget!r}; there are: {', '.join(journal.readers()) or 'none'}")
        if forget is not None:
            journal.forget_reader(forget)
        for reader, position in journal.readers().items():
            click.echo(f"{reader}: {journal.newest() - position} entries behind")


ingest.add_command(register)
ingest.add_command(rejected)
ingest.add_command(store)


@ingest.group()
def deadletter() -> None:
    """Messages that could not be taken."""


@deadletter.command("list", epilog="Example: steppe ingest deadletter list centre.toml")
@CENTRE
@AS_JSON
def list_letters(centre_file: Path, as_json: bool) -> None:
    """List them with reason, topic and how often they came."""
    with _dead_letters(centre_file) as dead_letters:
        letters, gone = dead_letters.letters(), dead_letters.gone()
    if as_json:
        click.echo(_json({"letters": letters, "gone": gone}))
        return
    for letter in letters:
        mark = " (to be replayed)" if letter.replay else ""
        click.echo(f"{letter.number:6} {_utc(letter.last_ms)} {letter.times:5}x {letter.topic}: {letter.reason}{mark}")
    if gone:
        click.echo(f"{gone} older letters went because the file was full")


@deadletter.command(epilog="Example: steppe ingest deadletter show centre.toml 17")
@CENTRE
@click.argument("number", type=int)
@click.option("--raw", is_flag=True, help="The payload exactly as received.")
def show(centre_file: Path, number: int, raw: bool) -> None:
    """Show one letter's payload, unpacked where it can be."""
    with _dead_letters(centre_file) as dead_letters:
        payload = dead_letters.payload(number)
    if payload is None:
        raise BadInput(f"dead letter {number}: there is none. 'steppe ingest deadletter list' shows the numbers")
    try:
        shown = payload if raw else unpack(payload)
    except WireError:
        shown = payload
    click.echo(shown, nl=not raw)


@deadletter.command("replay", epilog="Example: steppe ingest deadletter replay centre.toml 17 18")
@CENTRE
@NUMBERS
def replay_letters(centre_file: Path, numbers: tuple[int, ...]) -> None:
    """Check letters again: the running ingest, or the next one, takes them or refuses them anew."""
    _each(centre_file, numbers, DeadLetters.mark_for_replay, "marked for replay")


@deadletter.command(epilog="Example: steppe ingest deadletter drop centre.toml 17")
@CENTRE
@NUMBERS
def drop(centre_file: Path, numbers: tuple[int, ...]) -> None:
    """Delete letters for good."""
    _each(centre_file, numbers, DeadLetters.drop, "dropped")


@centre.command("run", epilog="Example: steppe centre run centre.toml")
@CENTRE
def run_centre(centre_file: Path) -> None:
    """Run broker (if embedded), ingest and analytics, each started again when it ends."""
    from ingest.centre import programs_of, supervise

    programs = programs_of(load_centre(centre_file), centre_file)
    supervise(programs, _stop(with_parent=False))


for command in (init, authority, backup, restore, archive):
    centre.add_command(command)


@centre.command(epilog="Example: steppe centre broker centre.toml")
@CENTRE
@WITH_PARENT
def broker(centre_file: Path, with_parent: bool) -> None:
    """Run only the embedded broker, on loopback."""
    from ingest.broker import embedded_port, is_embedded, run_broker

    settings = load_centre(centre_file)
    if not is_embedded(settings.broker):
        raise BadInput(f"{centre_file}: broker.url is {settings.broker.url}, not embedded: nothing to run here")
    if with_parent:
        when_parent_ends(lambda: signal.raise_signal(signal.SIGTERM))
    run_broker(embedded_port(settings.broker))


def _stop(*, with_parent: bool) -> threading.Event:
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    stop = stop_on_signals()
    if with_parent:
        when_parent_ends(stop.set)
    return stop


def _journal_path(settings: Centre) -> Path:
    return _existing(Path(settings.data_dir) / settings.journal.path)


def _existing(path: Path) -> Path:
    """Asking about a file must not make it."""
    if not path.exists():
        raise BadInput(f"{path}: there is none yet. Run 'steppe ingest run' first, or check data_dir in centre.toml")
    return path


def _dead_letters(centre_file: Path) -> AbstractContextManager[DeadLetters]:
    settings = load_centre(centre_file)
    return closing(DeadLetters(_existing(dead_letters_path(settings))))


def _each(
    centre_file: Path, numbers: Sequence[int], action: Callable[[DeadLetters, Sequence[int]], int], done: str
) -> None:
    with _dead_letters(centre_file) as dead_letters:
        known = {letter.number for letter in dead_letters.letters()}
        if unknown := sorted(set(numbers) - known):
            raise BadInput(
                f"dead letter {unknown[0]}: there is none. 'steppe ingest deadletter list' shows the numbers"
            )
        click.echo(f"{action(dead_letters, numbers)} {done}")


def _site_table(states: Sequence[SiteState]) -> str:
    heads = ("site", "status", "last batch", "batches", "missing", "dropped", "twice", "steps")
    return "\n".join(SITE_LINE.format(*cells) for cells in (heads, *map(_site_cells, states)))


def _site_cells(state: SiteState) -> tuple[object, ...]:
    status = "unknown" if state.status is None else "online" if state.status.online else "offline"
    counts = (state.batches, state.missing_batches, state.dropped_readings, state.duplicates, state.clock_steps)
    return state.site, status, _utc(state.last_batch_ms), *counts


def _local_ms(text: str, timezone: str) -> int:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"--from {text!r}: not a date or time. Write 2026-07-01 or 2026-07-01T06:30") from error
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=ZoneInfo(timezone))
    return int(instant.timestamp() * 1000)


def _utc(at_ms: int | None) -> str:
    return "never" if at_ms is None else f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _json(answer: object) -> str:
    return msgspec.json.encode(answer).decode()
