"""The gateway cannot write to a meter: no code in the room knows how."""

import ast
from pathlib import Path

import pytest

import edge

SOURCES = sorted(Path(edge.__file__).parent.glob("*.py"))
WRITES = ("write_coil", "write_register", "mask_write", "readwrite", "WriteSingle", "WriteMultiple")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_write_function_is_named(path):
    names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
    names |= {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
    names |= {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.alias)}
    assert not [name for name in names if any(write in name for write in WRITES)]
