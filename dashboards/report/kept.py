"""Kept reports: each in a folder of its own under `data_dir/reports`, with its figures, its files and a manifest.

A report's id stands in each of its files. What it says is a pure function of the figures, and the figures carry the
digests of what they were made from, so a kept report can be computed again and compared.
"""

import hashlib
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from dashboards.report.html import render_html
from dashboards.report.model import Report
from dashboards.report.words import LANGUAGES, Language
from dashboards.report.xlsx import ID_PROPERTY, render_xlsx
from edge.errors import BadInput

Format = Literal["html", "xlsx"]
FORMATS: tuple[Format, ...] = ("html", "xlsx")
FOLDER, FIGURES, MANIFEST = "reports", "figures.json", "manifest.json"
ID = re.compile(r"^[0-9A-Za-z][0-9A-Za-z._-]{0,120}$")
IN_HTML = re.compile(rb'<meta name="steppe-report" content="([0-9A-Za-z._-]+)">')
IN_XLSX = re.compile(ID_PROPERTY.encode() + rb'"><vt:lpwstr>([0-9A-Za-z._-]+)<')


@dataclass(frozen=True)
class Manifest:
    """What a kept report is, without its figures."""

    id: str
    version: str
    region: str
    region_name: str
    region_name_zh: str
    period: str
    made_ms: int
    made_by: str
    figures_sha256: str
    inputs: dict[str, str]
    """Name → SHA-256 of what the figures come from."""
    files: dict[str, str]
    """File name → SHA-256."""


@dataclass(frozen=True)
class Change:
    """A figure that would come out differently now."""

    where: str
    """Path in the figures, such as `supply.whole.rs1.value`."""
    was: object
    now: object


@dataclass(frozen=True)
class Finding:
    """What a verification found."""

    id: str
    file_is_as_made: bool
    changed_inputs: tuple[str, ...]
    changes: tuple[Change, ...]

    @property
    def is_equal(self) -> bool:
        """Whether the file is as made and every figure comes out the same."""
        return self.file_is_as_made and not self.changes


def keep(report: Report, data_dir: Path, *, made_by: str = "") -> Manifest:
    """Keep a report with all its files; return its manifest. Keeping the same report twice keeps it once."""
    figures = encoded(report)
    digest = hashlib.sha256(figures).hexdigest()
    at = datetime.fromtimestamp(report.made_ms / 1000, ZoneInfo(report.timezone)).strftime("%Y%m%dT%H%M%S")
    report_id = f"{report.period.name}-{_plain(report.region.code)}-{at}-{digest[:8]}"
    files = {
        file_name(language, form): rendered(report, report_id, language, form)
        for language in LANGUAGES
        for form in FORMATS
    }
    manifest = Manifest(
        id=report_id,
        version=report.version,
        region=report.region.code,
        region_name=report.region.name,
        region_name_zh=report.region.name_zh,
        period=report.period.name,
        made_ms=report.made_ms,
        made_by=made_by,
        figures_sha256=digest,
        inputs={one.name: one.sha256 for one in report.inputs},
        files={name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    )
    folder = data_dir / FOLDER / report_id
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in {FIGURES: figures, **files}.items():
            (folder / name).write_bytes(content)
        (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
    except OSError as error:
        raise BadInput(
            f"{folder}: cannot keep the report ({error.strerror}). Check the folder and its space"
        ) from error
    return manifest


def rendered(report: Report, report_id: str, language: Language, form: Format) -> bytes:
    """Return a report as a file's content."""
    if form == "xlsx":
        return render_xlsx(report, language, report_id)
    return render_html(report, language, report_id).encode()


def file_name(language: Language, form: Format) -> str:
    """Return the name of one of a kept report's files."""
    return f"report.{language}.{form}"


def manifests(data_dir: Path) -> list[Manifest]:
    """Return every kept report, the newest first; a folder without a whole manifest is none."""
    found = [one for path in (data_dir / FOLDER).glob(f"*/{MANIFEST}") if (one := _manifest(path)) is not None]
    return sorted(found, key=lambda one: (-one.made_ms, one.id))


def kept_file(data_dir: Path, report_id: str, language: Language, form: Format) -> bytes:
    """Return a file of a kept report. Raises BadInput where there is no such report."""
    return _content(_folder(data_dir, report_id) / file_name(language, form))


def kept_report(data_dir: Path, report_id: str) -> Report:
    """Return a kept report's figures. Raises BadInput where there is no such report."""
    path = _folder(data_dir, report_id) / FIGURES
    try:
        return msgspec.json.decode(_content(path), type=Report)
    except msgspec.DecodeError as error:
        raise BadInput(f"{path}: not the figures of a report ({error}). Make the report again") from error


def id_in(path: Path) -> str:
    """Return the id that stands in a report's file. Raises BadInput."""
    content = _content(path)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as book:
            content = book.read("docProps/custom.xml") if "docProps/custom.xml" in book.namelist() else b""
        found = IN_XLSX.search(content)
    else:
        found = IN_HTML.search(content)
    if found is None:
        raise BadInput(f"{path}: no report of steppe. Give an .html or .xlsx file that `steppe report` made")
    return found[1].decode()


def compare(data_dir: Path, report_id: str, content: bytes, again: Report) -> Finding:
    """Return how a report's file and figures compare with the figures computed again."""
    kept, manifest = kept_report(data_dir, report_id), _manifest(_folder(data_dir, report_id) / MANIFEST)
    before, after = (msgspec.to_builtins(one) for one in (kept, again))
    inputs_before, inputs_after = ({row["name"]: row["sha256"] for row in one.pop("inputs")} for one in (before, after))
    names = sorted(inputs_before.keys() | inputs_after.keys())
    return Finding(
        report_id,
        file_is_as_made=manifest is not None and hashlib.sha256(content).hexdigest() in manifest.files.values(),
        changed_inputs=tuple(name for name in names if inputs_before.get(name) != inputs_after.get(name)),
        changes=tuple(_changes("", before, after)),
    )


def encoded(report: Report) -> bytes:
    """Return the figures as JSON; every number as it is, to the last digit."""
    return msgspec.json.format(msgspec.json.encode(report))


def _changes(where: str, was: Any, now: Any) -> Iterator[Change]:
    if isinstance(was, dict) and isinstance(now, dict):
        for key in [*was, *(key for key in now if key not in was)]:
            yield from _changes(f"{where}.{key}" if where else key, was.get(key), now.get(key))
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for place, (before, after) in enumerate(zip(was, now, strict=True)):
            yield from _changes(f"{where}[{place}]", before, after)
    elif was != now:
        yield Change(where, _short(was), _short(now))


def _short(value: Any) -> object:
    return f"{len(value)} rows" if isinstance(value, list) else value


def _folder(data_dir: Path, report_id: str) -> Path:
    folder = data_dir / FOLDER / report_id
    if not ID.match(report_id) or not (folder / MANIFEST).exists():
        raise BadInput(f"report {report_id!r}: not kept here. `steppe report list` names those that are")
    return folder


def _manifest(path: Path) -> Manifest | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError):
        return None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror}). Give the file of a report") from error


def _plain(code: str) -> str:
    return re.sub(r"[^0-9A-Za-z._-]", "_", code)
