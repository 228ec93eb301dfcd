"""What a spectator sees, on a terminal and in a pipe."""

from io import StringIO

from rich.console import Console

from analytics.bounds import RsBounds
from simulators.checker import Findings
from simulators.demo import Outcome, summary
from simulators.numbers import Numbers
from simulators.progress import Progress, SiteProgress
from simulators.truth import Truth, VoltageTruth
from simulators.verdict import Row
from simulators.view import problems, spectator, verdict_table

PROGRESS = Progress(1200, 1100, 1000, 7, (SiteProgress("feeder-1", 40, 3, True), SiteProgress("lift-1", 9, 0, False)))


def outcome(*rows: Row) -> Outcome:
    truth = Truth(0, 1, [], 0.0, 99.9, 99.8, [VoltageTruth("p", 0, 1440, 0, 0, 0, 0)], [])
    bounds = RsBounds(99.8, 99.9, 99.95, 1.0, 24.0)
    numbers = Numbers(bounds, bounds, 90_000, (), {}, ())
    return Outcome(rows, truth, numbers, Findings(sealed=1100, stored=1100), PROGRESS, 250.04)


def seen(*, is_terminal: bool) -> str:
    console = Console(file=StringIO(), force_terminal=is_terminal, width=120)
    with spectator(console) as show:
        show(1_779_033_600_000, PROGRESS, ["18 00:00 feeder trip: f1"])
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_a_terminal_shows_counts_gateways_and_news() -> None:
    text = seen(is_terminal=True)
    for part in ("made 1,200", "sealed 1,100", "committed 1,000", "feeder-1", "down", "feeder trip: f1"):
        assert part in text


def test_a_pipe_stays_quiet() -> None:
    assert seen(is_terminal=False) == ""


def test_the_verdict_names_what_fails_and_why() -> None:
    bad = outcome(Row("readings lost", "0", "0"), Row("water alarms", "1", "0", ("missed works-1",)))
    console = Console(file=StringIO(), width=120)
    console.print(verdict_table(bad))
    assert isinstance(console.file, StringIO)
    assert console.file.getvalue().count("holds") == 1
    assert list(problems(bad)) == ["water alarms: missed works-1"]
    assert not bad.ok


def test_the_json_object_has_the_promised_keys() -> None:
    found = summary(outcome(Row("readings lost", "0", "0")))
    keys = "ok made sealed committed stored lost duplicated rs1 voltage alarms seconds"
    assert list(found) == keys.split()
    assert found["rs1"] == {"truth": 99.9, "low": 99.8, "point": 99.9, "high": 99.95, "verdict": "INDETERMINATE"}
    assert (found["ok"], found["made"], found["seconds"]) == (True, 1200, 250.0)
    assert found["voltage"] == {"truth": 100.0, "computed": None}
