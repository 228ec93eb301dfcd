"""Write the pages that follow from the types: every key of every file, and every field on the wire.

    python docs/generate.py          # write docs/reference/configuration.md and docs/reference/wire.md

The meaning of a key is the docstring below it in the type, so page and program cannot disagree.
"""

import ast
import inspect
import sys
import textwrap
import types
import typing
from collections.abc import Iterator
from pathlib import Path

import msgspec

from analytics.alarms.settings import AlarmSettings
from dashboards.console.settings import ConsoleSettings
from edge import wire
from edge.profiles import Profile
from edge.site import Site
from ingest.config import Centre

REFERENCE = Path(__file__).parent / "reference"
FILES: tuple[tuple[str, type, str], ...] = (
    ("site.toml", Site, "The gateway. Commented sample: `edge/site.sample.toml`."),
    ("centre.toml", Centre, "The centre. Commented sample: `ingest/centre.sample.toml`."),
    ("console.toml", ConsoleSettings, "Beside `centre.toml`. Sample: `dashboards/console/console.sample.toml`."),
    ("register/alarms.toml", AlarmSettings, "Who is told. Sample: `analytics/alarms/alarms.sample.toml`."),
    ("profiles/NAME.toml", Profile, "A register map, as those in `edge/profiles`."),
)
MESSAGES = (
    ("steppe/v1/SITE/batch", wire.Batch, "Up. Readings, sealed once."),
    ("steppe/v1/SITE/points", wire.PointList, "Up, retained. What the centre may expect."),
    ("steppe/v1/SITE/status", wire.Status, "Up, retained; also the will."),
    ("steppe/v1/SITE/ack", wire.Ack, "Down, retained. What the centre's journal holds."),
)
CONFIGURATION_HEAD = """\
# Configuration

Every key of every file, from the types that the programs load them with. A file that loads is a file that can run:
unknown keys, values out of range and contradictions are refused with file, key and remedy. Relative paths count from
the folder of the file.
"""
WIRE_HEAD = f"""\
# The wire contract

Version {wire.VERSION}, MQTT 5, QoS 1. A payload that starts with `{{` is JSON, one that starts with 0x78 is the same
JSON under zlib.

* At most {wire.MAX_WIRE_BYTES // 1024} KiB on the wire, {wire.MAX_UNPACKED_BYTES // 1024**2} MiB unpacked,
  {wire.MAX_ROWS} rows.
* Instants from {wire.MAX_PAST_MS // 86_400_000} days ago to {wire.MAX_FUTURE_MS // 60_000} minutes ahead.
* Unknown fields are refused. What cannot be taken becomes a dead letter with its reason.

A gateway with a certificate also asks for its next one: a PEM signing request on `steppe/v1/SITE/csr` (up), the PEM
certificate on `steppe/v1/SITE/cert` (down, retained). There is no topic on which a site could be told to do anything.

A batch stays in the gateway's spool until an ack covers it: the broker's PUBACK proves nothing about the centre's disk.
"""


def main() -> None:
    """Write both pages."""
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """Return each generated page by its file name."""
    configuration = [CONFIGURATION_HEAD, *(_section(*file) for file in FILES)]
    contract = [WIRE_HEAD, *(_section(*message) for message in MESSAGES)]
    return {"configuration.md": "\n".join(configuration), "wire.md": "\n".join(contract)}


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
        f"| `{field.encode_name}` | {_kind(field.type)} | {_default(field)} | {meanings.get(field.name, '')} |"
        for field in msgspec.structs.fields(struct)
    )


def _meanings(struct: type) -> dict[str, str]:
    """Return the docstring below each field, on one line."""
    body = ast.parse(textwrap.dedent(inspect.getsource(struct))).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            found[field.target.id] = " ".join(str(ast.literal_eval(text.value)).split()).replace("|", "\\|")
    return found


def _kind(kind: object) -> str:
    """Return a type as a person would say it, with its limits."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        limits = " ".join(_limits(meta) for meta in arguments[1:] if isinstance(meta, msgspec.Meta))
        return f"{_kind(arguments[0])} {limits}".strip()
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_kind(argument) for argument in arguments if argument is not type(None))
    if origin in (list, tuple, dict):
        return f"{'table' if origin is dict else 'list'} of {_kind(arguments[-1])}"
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
    sys.exit(main())
