"""The rooms keep their arrows: who may import whom, and what must never be imported."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("edge", "ingest", "analytics", "dashboards", "simulators")
SHARED_BY_BOTH_ENDS = {
    "edge",
    "edge.wire",
    "edge.wire_rules",
    "edge.clock",
    "edge.config",
    "edge.errors",
    "edge.mqtt",
    "edge.findings",
    "edge.doctor_link",
    "edge.doctor_machine",
}
NUMERIC = {"numpy", "scipy"}
SERVICES = ("analytics/kpi/", "analytics/alarms/", "analytics/own_files/")


def imported_modules(path: Path) -> set[str]:
    """Every module that the file imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found.add(node.module or "")
    return found


def called_names(path: Path) -> set[str]:
    """Every plain name that the file calls."""
    calls = (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))
    return {call.func.id for call in calls if isinstance(call.func, ast.Name)}


def short(path: Path) -> str:
    """A path as tests are named by."""
    return path.relative_to(ROOT).as_posix()


def modules(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def ours(names: set[str]) -> set[str]:
    return {name for name in names if name.split(".")[0] in ROOMS}


def is_core(path: Path) -> bool:
    """The pure part of analytics: not a service, not a command, not a reader of people's files."""
    name = path.relative_to(ROOT).as_posix()
    return not name.startswith(SERVICES) and not path.stem.endswith(("cli", "files", "plots"))


@pytest.mark.parametrize("path", modules("edge"), ids=short)
def test_edge_imports_nothing_of_ours_and_no_numpy(path: Path) -> None:
    names = imported_modules(path)
    assert {name for name in ours(names) if not name.startswith("edge")} == set()
    assert {name.split(".")[0] for name in names} & (NUMERIC | {"pyarrow"}) == set()


@pytest.mark.parametrize("path", modules("ingest"), ids=short)
def test_ingest_imports_of_the_edge_only_what_both_ends_share(path: Path) -> None:
    foreign = {name for name in ours(imported_modules(path)) if not name.startswith("ingest")}
    assert foreign <= SHARED_BY_BOTH_ENDS


@pytest.mark.parametrize("path", [p for p in modules("analytics") if is_core(p)], ids=short)
def test_the_core_of_analytics_is_arrays_in_and_numbers_out(path: Path) -> None:
    """No clock, file, socket, log or configuration: only the standard library's pure parts, numpy and scipy."""
    names = imported_modules(path)
    assert {name for name in ours(names) if not name.startswith("analytics")} == set()
    outside = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - {"analytics"}
    assert outside <= NUMERIC
    impure = {"time", "socket", "logging", "sqlite3", "pathlib", "os", "urllib", "asyncio", "subprocess"}
    assert {name.split(".")[0] for name in names} & impure == set()
    assert "open" not in called_names(path), "the core opens no file"


@pytest.mark.parametrize("path", [p for p in modules("analytics") if not is_core(p)], ids=short)
def test_the_services_of_analytics_use_the_core_and_the_ports_of_ingest(path: Path) -> None:
    foreign = {name for name in ours(imported_modules(path)) if not name.startswith(("analytics", "ingest"))}
    assert foreign <= SHARED_BY_BOTH_ENDS
    assert {name for name in ours(imported_modules(path)) if name.startswith("ingest.store_")} == set()


def test_dashboards_reach_the_numbers_through_queries_only() -> None:
    names = {name for path in modules("dashboards") for name in ours(imported_modules(path))}
    assert {name for name in names if name.startswith(("ingest.store_", "simulators", "edge.modbus"))} == set()


@pytest.mark.parametrize("room", ["edge", "ingest", "analytics", "dashboards"])
def test_no_room_imports_the_simulators(room: str) -> None:
    for path in modules(room):
        assert not any(name.startswith("simulators") for name in imported_modules(path)), path


def test_nothing_in_the_edge_can_write_to_a_meter() -> None:
    """No write function of Modbus is named anywhere in the room."""
    for path in modules("edge"):
        text = path.read_text(encoding="utf-8")
        for name in (
            "write_coil",
            "write_register",
            "mask_write",
            "readwrite_registers",
            "WriteSingle",
            "WriteMultiple",
        ):
            assert name not in text, f"{path} names {name}"
