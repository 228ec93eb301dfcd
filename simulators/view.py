"""What a spectator sees: a live table on a terminal, one line per event in a pipe, and the verdict at the end."""

import contextlib
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from simulators.county_files import LOCAL
from simulators.demo import Outcome, Show
from simulators.progress import Progress

NEWS_LINES = 8
ALARM_LINES = 5


@contextlib.contextmanager
def spectator(console: Console) -> Iterator[Show]:
    """Give the function that shows progress: live on a terminal, silent elsewhere."""
    if not console.is_terminal:
        yield _say_nothing
        return
    heard: deque[str] = deque(maxlen=NEWS_LINES)
    with Live(console=console, refresh_per_second=4, transient=True) as live:

        def show(now_ms: int, progress: Progress, news: Sequence[str]) -> None:
            heard.extend(news)
            events = Text("\n".join(heard), style="dim")
            live.update(Group(_head(now_ms, progress), _sites(progress), _alarms(progress), events))

        yield show


def verdict_table(outcome: Outcome) -> Table:
    """Truth, what was computed, and whether it held."""
    table = Table(title=f"{outcome.truth.days} day(s) in {outcome.seconds:.0f} s", title_justify="left")
    for name in ("", "truth", "computed", "verdict"):
        table.add_column(name)
    for row in outcome.rows:
        verdict = Text("holds", style="green") if row.ok else Text("FAILS", style="bold red")
        table.add_row(row.name, row.truth, row.computed, verdict)
    return table


def problems(outcome: Outcome) -> Iterator[str]:
    """What does not hold, a line each."""
    for row in outcome.rows:
        for problem in row.problems[:5]:
            yield f"{row.name}: {problem}"


def _say_nothing(_now_ms: int, _progress: Progress, _news: Sequence[str]) -> None:
    """In a pipe only the verdict is of interest."""


def _head(now_ms: int, progress: Progress) -> Text:
    instant = datetime.fromtimestamp(now_ms / 1000, LOCAL).strftime("%Y-%m-%d %H:%M")
    return Text(
        f"{instant}   made {progress.made:,}   sealed {progress.sealed:,}   committed {progress.committed:,}   "
        f"not yet stored {progress.not_stored:,} messages",
        style="bold",
    )


def _sites(progress: Progress) -> Table:
    table = Table("gateway", "sealed batches", "waiting in its spool", "link")
    for site in progress.sites:
        link = Text("up", style="green") if site.online else Text("down", style="red")
        table.add_row(site.site, f"{site.sealed_batches:,}", f"{site.waiting_batches:,}", link)
    return table


def _alarms(progress: Progress) -> Text:
    """How many alarms stand, and the gravest of them by name."""
    more = len(progress.alarms) - ALARM_LINES
    lines = [
        f"{len(progress.alarms)} alarms",
        *progress.alarms[:ALARM_LINES],
        *([f"and {more} more"] if more > 0 else []),
    ]
    return Text("\n   ".join(lines), style="bold red" if progress.alarms else "")
