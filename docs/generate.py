"""Write the pages that follow from the types: every key, every field on the wire, every column of the register.

    python docs/generate.py          # write configuration.md, wire.md and register.md in docs/reference

The meaning of a key is the docstring below it in the type, so page and program cannot disagree. Where it has none, that
of the name of its type holds (`SiteName`), or of the table that it opens.
"""

import ast
import inspect
import itertools
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path

import msgspec

from analytics.alarms.settings import AlarmSettings
from analytics.limit_files import load_setpoints
from analytics.limits import profile_names
from analytics.voltage_limits import VOLTAGE_LIMITS
from dashboards.console.settings import ConsoleSettings
from edge import wire
from edge.profiles import ProfileEntry
from edge.site import Site
from ingest import register, register_files
from ingest.config import Centre

REFERENCE = Path(__file__).parent / "reference"
FILES: tuple[tuple[str, type, str], ...] = (
    ("site.toml", Site, "The gateway. Commented sample: `edge/site.sample.toml`."),
    ("centre.toml", Centre, "The centre. Commented sample: `ingest/centre.sample.toml`."),
    ("console.toml", ConsoleSettings, "Beside `centre.toml`. Sample: `dashboards/console/console.sample.toml`."),
    ("register/alarms.toml", AlarmSettings, "Who is told. Sample: `analytics/alarms/alarms.sample.toml`."),
    ("profiles/NAME.toml", ProfileEntry, "A register map, as those in `edge/profiles`."),
)
MESSAGES = (
    ("steppe/v1/SITE/batch", wire.Batch, "Up. Readings, sealed once."),
    ("steppe/v1/SITE/points", wire.PointList, "Up, retained. What the centre may expect."),
    ("steppe/v1/SITE/status", wire.Status, "Up, retained; also the will."),
    ("steppe/v1/SITE/ack", wire.Ack, "Down, retained. What the centre's journal holds."),
)
TABLES = (
    ("regions.csv", register.Region, register_files.REGION_COLUMNS, "The places, from the league down."),
    ("assets.csv", register.Asset, register_files.ASSET_COLUMNS, "What supplies, is supplied, or is watched."),
    ("points.csv", register.PointEntry, register_files.POINT_COLUMNS, "Which point is measured at which asset."),
    ("plans.csv", register.Plan, register_files.PLAN_COLUMNS, "Interruptions that were approved beforehand."),
)
FIELD_OF_COLUMN = {
    "in_service_from": "in_service_from_ms",
    "in_service_to": "in_service_to_ms",
    "start": "start_ms",
    "end": "end_ms",
    "class": "voltage_class",
}
"""Where a column is not called as the field that it fills."""
INSTANT = " [ms since 1970-01-01T00:00Z]"
CELLS = {
    **dict.fromkeys(("code", "id", "region", "parent", "asset"), "id"),
    "kind": ", ".join(f"`{kind}`" for kind in register.ASSET_KINDS),
    "contract_until": "date",
    "point": "point name",
}
"""What a cell holds, where the type of its field does not say."""
CONFIGURATION_HEAD = """\
# Configuration

Every key of every file, from the types that the programs load them with. A file that loads is a file that can run:
unknown keys, values out of range and contradictions are refused with file, key and remedy. Relative paths count from
the folder of the file. The four CSV files of the centre's register have [a page of their own](register.md).
"""
WIRE_HEAD = f"""\
# The wire contract

Version {wire.VERSION}, MQTT 5, QoS 1. A payload that starts with `{{` is JSON, one that starts with 0x78 is the same
JSON under zlib.

* At most {wire.MAX_WIRE_BYTES // 1024} KiB on the wire, {wire.MAX_UNPACKED_BYTES // 1024**2} MiB unpacked,
  {wire.MAX_ROWS} rows.
* Instants from {wire.MAX_PAST_MS // 86_400_000} days ago to {wire.MAX_FUTURE_MS // 60_000} minutes ahead.
* Quality: {", ".join(f"{quality.value} {quality.name}" for quality in wire.Quality)}.
* Unknown fields are refused. What cannot be taken becomes a dead letter with its reason.

A gateway with a certificate also asks for its next one: a PEM signing request on `steppe/v1/SITE/csr` (up), the PEM
certificate on `steppe/v1/SITE/cert` (down, retained). There is no topic on which a site could be told to do anything.

A batch stays in the gateway's spool until an ack covers it: the broker's PUBACK proves nothing about the centre's disk.
"""
REGISTER_HEAD = """\
# The register

What the centre knows of places, assets, points and plans: four CSV files that people keep in a spreadsheet, in the
folder that `register` of [`centre.toml`](configuration.md) names. `steppe centre init` writes templates,
`ingest/register.sample/` is a small county. `steppe ingest register centre.toml` names every wrong cell with file,
line, column and what to do. The services of numbers and alarms take up a changed register without a restart; one with
an error is told, and the old one goes on.

* **Encoding**: UTF-8, with BOM or without, or GB18030. Whichever a spreadsheet saves is right.
* **Header**: the first line names the columns, in any order. Columns that are not required may be left out; those that
  are not known are refused, as are those that stand there twice. Blank lines and blanks around a cell do not count.
* **id**: a name or code of your own, with any characters but blanks and `,` `"` `'` `=` `\\`. Upper and lower case
  are different names.
* **time**: `2026-01-31 08:00`, also with seconds, with `/` for `-`, or with `T` for the blank. A date alone is its
  first instant. It is local time of `timezone` in `centre.toml`, unless it ends in `Z` or an offset such as `+08:00`.
* **date**: `2026-01-31` or `2026/1/31`.
* **number**: with a point for decimals.

In code a row is a frozen type of `ingest/register.py`, whose fields are called like the columns; only its times end in
`_ms` (`in_service_from_ms`, `start_ms`), and `class` is `voltage_class` there.
"""
REGISTER_FOOT = f"""\
## Names for `limits` {{#limits}}

* Bands of voltage: {", ".join(f"`{name}`" for name in VOLTAGE_LIMITS)}.
* Alarm set-points: {", ".join(f"`{name}`" for name in profile_names(load_setpoints()))}, and those of your own
  `setpoints.csv`.

## Other files in the folder

None of them has to be there.

* `alarms.toml`: who is told of which alarm, how fast and by what; maintenance windows; lift stations. See
  [Configuration](configuration.md#registeralarmstoml).
* `setpoints.csv`: alarm set-points of your plants, in place of the shipped ones and in the form of
  `analytics/limits/setpoints.csv`. See `analytics/README.md`.
* `villages.csv`: residents, tap water and sewage treatment of each village, for the report. See
  `dashboards/report/README.md`.
* `targets.csv`: what a region must reach, in place of the shipped targets. See `dashboards/report/README.md`.
"""


def main() -> None:
    """Write every page."""
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """Return each generated page by its file name."""
    configuration = [CONFIGURATION_HEAD, *(_section(*file) for file in FILES)]
    contract = [WIRE_HEAD, *(_section(*message) for message in MESSAGES)]
    tables = [REGISTER_HEAD, *(_csv_section(*table) for table in TABLES), REGISTER_FOOT]
    parts = {"configuration.md": configuration, "wire.md": contract, "register.md": tables}
    return {name: "\n".join(texts) for name, texts in parts.items()}


def _section(title: str, root: type, introduction: str) -> str:
    parts = [f"## `{title}`\n\n{introduction}\n"]
    for struct, path in _structs(root):
        heading = f"### `[{path}]` {{#{title}-{path}}}\n\n{inspect.getdoc(struct)}\n\n" if path else ""
        parts.append(f"{heading}| key | value | default | meaning |\n| --- | --- | --- | --- |\n{_rows(struct)}\n")
    return "\n".join(parts)


def _structs(root: type, path: str = "") -> Iterator[tuple[type, str]]:
    """Yield a struct and all that it holds, each once, with the table it stands in."""
    yield root, path
    for field in msgspec.structs.fields(root):
        for inner in _inner_structs(field.type):
            name = f"{path}.{field.encode_name}" if path else field.encode_name
            yield from _structs(inner, name)


def _inner_structs(kind: object) -> Iterator[type]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
    for argument in typing.get_args(kind):
        yield from _inner_structs(argument)


def _rows(struct: type) -> str:
    meanings = _meanings(struct)
    return "\n".join(
        f"| `{field.encode_name}` | {_kind(field.type)} | {_default(field)} "
        f"| {meanings[field.name] or _of_table(field.type)} |"
        for field in msgspec.structs.fields(struct)
    )


def _of_table(kind: object) -> str:
    return next(((inspect.getdoc(inner) or "").splitlines()[0] for inner in _inner_structs(kind)), "")


def _csv_section(name: str, kind: type, columns: tuple[tuple[str, ...], tuple[str, ...]], introduction: str) -> str:
    meanings, types_of = _meanings(kind), typing.get_type_hints(kind)
    required, optional = columns
    rows = []
    for column in (*required, *optional):
        field = FIELD_OF_COLUMN.get(column, column)
        cell = "time" if INSTANT in meanings[field] else CELLS.get(column) or _kind(types_of[field])
        need = "**required**" if column in required else ""
        rows.append(f"| `{column}` | {cell} | {need} | {meanings[field].removesuffix(INSTANT)} |\n")
    return (
        f"## `{name}`\n\n{introduction}\n\n| column | value | | meaning |\n| --- | --- | --- | --- |\n{''.join(rows)}"
    )


def _meanings(kind: type) -> dict[str, str]:
    """Return what each field is for, on one line; empty where nothing says it."""
    found: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        if one is object or one.__module__.startswith("msgspec"):
            continue
        module = ast.parse(inspect.getsource(sys.modules[one.__module__])).body
        names = _documented(module)
        body = next(node.body for node in module if isinstance(node, ast.ClassDef) and node.name == one.__name__)
        said = _documented(body)
        for field in body:
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                name = field.target.id
                found[name] = said.get(name) or found.get(name) or _of_type(field.annotation, names)
    return found


def _documented(body: list[ast.stmt]) -> dict[str, str]:
    """Return the docstring below each name that a module or class gives a value or a type."""
    found = {}
    for statement, text in itertools.pairwise(body):
        target = _target(statement)
        if target and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            found[target] = " ".join(str(text.value.value).split()).replace("|", "\\|")
    return found


def _target(statement: ast.stmt) -> str:
    if isinstance(statement, ast.Assign):
        target: ast.expr = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign):
        target = statement.target
    else:
        return ""
    return target.id if isinstance(target, ast.Name) else ""


def _of_type(annotation: ast.expr, names: dict[str, str]) -> str:
    used = (node.id for node in ast.walk(annotation) if isinstance(node, ast.Name))
    return next((names[name] for name in used if name in names), "")


def _kind(kind: object) -> str:
    """Return a type as a person would say it, with its limits."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        limits = " ".join(_limits(meta) for meta in arguments[1:] if isinstance(meta, msgspec.Meta))
        return f"{_kind(arguments[0])} {limits}".strip()
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in arguments if value != "")
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_kind(argument) for argument in arguments if argument is not type(None))
    if origin is tuple and Ellipsis not in arguments:
        return f"pair of {_kind(arguments[0])}"
    if origin in (list, tuple, dict):
        return f"{'table' if origin is dict else 'list'} of {_kind(arguments[1 if origin is dict else 0])}"
    names = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    return names.get(kind, getattr(kind, "__name__", str(kind)))  # type: ignore[call-overload, no-any-return]


def _limits(meta: msgspec.Meta) -> str:
    words = {"gt": "> {}", "ge": "≥ {}", "lt": "< {}", "le": "≤ {}"}
    said = [form.format(getattr(meta, name)) for name, form in words.items() if getattr(meta, name) is not None]
    return ", ".join(said)


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "**required**"
    if field.default is msgspec.NODEFAULT or isinstance(field.default, msgspec.Struct):
        return ""
    return "" if field.default is None else f"`{msgspec.json.encode(field.default).decode()}`"


if __name__ == "__main__":
    main()
