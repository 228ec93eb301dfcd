"""`steppe report`: make a region's report, list those that were made, and verify one."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from analytics.kpi.periods import read_period
from dashboards.report import figures, kept
from dashboards.report.html import indicators
from dashboards.report.model import Report
from dashboards.report.numerals import bounds, rounded
from dashboards.report.sources import open_sources
from dashboards.report.words import LANGUAGES, Language, translate
from edge.clock import RealClock
from edge.errors import BadInput, SteppeError
from ingest.config import Centre, load_centre

FILE = click.Path(path_type=Path, dir_okay=False)
CENTRE = click.argument("centre_toml", type=FILE)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
SHOWN_CHANGES = 20


class ReportGroup(click.Group):
    """`steppe report OPTIONS` makes a report: the word `make` may be left out."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `make` before arguments that begin with neither a command nor a call for help."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["make", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=ReportGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: steppe report --period 2025Q1 --region 1501 --out report.html centre.toml",
)
def report() -> None:
    """The report that a banner sends to its league: A4 page or workbook."""


@report.command(epilog="Example: steppe report --period 2025Q1 --region 1501 --out report.xlsx centre.toml")
@CENTRE
@click.option("--period", required=True, help="Quarter 2025Q1, month 2025-06 or year 2025.")
@click.option("--region", required=True, help="Code in regions.csv.")
@click.option("--out", type=FILE, help="File to write, .html or .xlsx; without it the report is kept only.")
@click.option("--language", type=click.Choice(LANGUAGES), help="zh or en; else that of centre.toml.")
@AS_JSON
def make(
    centre_toml: Path, period: str, region: str, out: Path | None, language: Language | None, as_json: bool
) -> None:
    """Make a report, and keep it under data_dir/reports."""
    form = _format(out)
    centre = load_centre(centre_toml)
    one = _made(centre, region, period, RealClock().now_ms())
    manifest = kept.keep(one, Path(centre.data_dir))
    spoken = language or centre.language
    if out is not None:
        _write(out, kept.rendered(one, manifest.id, spoken, form))
    if as_json:
        figures_ = msgspec.to_builtins(one)
        click.echo(json.dumps({"id": manifest.id, "files": sorted(manifest.files), "figures": figures_}))
        return
    click.echo(_summary(one, spoken))
    click.echo(f"{out or 'kept'}: report {manifest.id}")


@report.command("list", epilog="Example: steppe report list centre.toml")
@CENTRE
@AS_JSON
def list_reports(centre_toml: Path, as_json: bool) -> None:
    """List the reports that are kept, the newest first."""
    found = kept.manifests(Path(load_centre(centre_toml).data_dir))
    if as_json:
        click.echo(json.dumps({"reports": [msgspec.to_builtins(one) for one in found]}))
        return
    for one in found:
        click.echo(f"{one.id}  {one.region_name_zh} {one.region_name}  {one.period}")
    click.echo(f"{len(found)} reports are kept")


@report.command(epilog="Example: steppe report verify report.html centre.toml")
@click.argument("file", type=FILE)
@CENTRE
@AS_JSON
def verify(file: Path, centre_toml: Path, as_json: bool) -> None:
    """Compute a kept report again: equal, or what has changed since; exit code 1 for a difference."""
    centre, report_id = load_centre(centre_toml), kept.id_in(file)
    data = Path(centre.data_dir)
    before = kept.kept_report(data, report_id)
    again = _made(centre, before.region.code, before.period.name, before.made_ms)
    finding = kept.compare(data, report_id, file.read_bytes(), again)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(finding) | {"is_equal": finding.is_equal}))
    else:
        _print_finding(finding, file)
    sys.exit(0 if finding.is_equal else 1)


def _made(centre: Centre, region: str, period: str, now_ms: int) -> Report:
    wanted = read_period(period)
    try:
        with open_sources(centre) as sources, _progress() as progress:
            return figures.make_report(sources, region, wanted, now_ms=now_ms, progress=progress)
    except BadInput:
        raise
    except SteppeError as error:
        raise BadInput(f"{error}. The report needs all its sources; make it again when they answer") from error


@contextmanager
def _progress() -> Iterator[figures.Progress]:
    """A bar on a terminal, nothing in a pipe."""
    if not sys.stderr.isatty():
        yield figures.unheard
        return
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks = {what: bar.add_task(what, total=None) for what in ("supply", "readings")}

        def tell(what: str, done: int, total: int) -> None:
            bar.update(tasks[what], completed=done, total=total)

        yield tell


def _format(out: Path | None) -> kept.Format:
    if out is None:
        return "html"
    for form in kept.FORMATS:
        if out.suffix.lower() == f".{form}":
            return form
    raise BadInput(f"--out {out}: end the name in .html or .xlsx")


def _write(out: Path, content: bytes) -> None:
    try:
        out.write_bytes(content)
    except OSError as error:
        raise BadInput(f"--out {out}: cannot be written ({error.strerror}). Give a folder that exists") from error


def _summary(one: Report, language: Language) -> str:
    t = translate(language)
    lines = []
    for row in indicators(one):
        if row.figure is None:
            lines.append(f"{t(f'indicator.{row.key}')}: {t('say.not_stated')}")
            continue
        value = rounded(row.figure.value, row.decimals)
        said = t(f"verdict.{row.figure.verdict or 'none'}")
        spread = bounds(row.figure.low, row.figure.high, row.decimals)
        lines.append(f"{t(f'indicator.{row.key}')}: {value} ({spread}) {said}")
    return "\n".join(lines)


def _print_finding(finding: kept.Finding, file: Path) -> None:
    click.echo(f"{file}: {'as it was made' if finding.file_is_as_made else 'changed since it was made'}")
    if finding.changed_inputs:
        click.echo(f"inputs changed since: {', '.join(finding.changed_inputs)}")
    for change in finding.changes[:SHOWN_CHANGES]:
        click.echo(f"{change.where}: {change.was} → {change.now}")
    if len(finding.changes) > SHOWN_CHANGES:
        click.echo(f"and {len(finding.changes) - SHOWN_CHANGES} more")
    click.echo("every figure comes out equal" if not finding.changes else f"{len(finding.changes)} figures differ")
