"""The suite itself: each test says which requirement it holds."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOM = Path(__file__).parent
NAMED = re.compile(r"test_(XAPI_00\d{3}|[DC]_\d(_\d+)*|S_4_\d(_\d+)*|RFC_\d{4}|CORS)_[a-z0-9]")
FILES = sorted(path for path in ROOM.glob("test_*.py") if path != Path(__file__))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_test_begins_with_the_requirement_that_it_holds(path: Path) -> None:
    names = [node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    assert [name for name in names if name.startswith("test_") and not NAMED.match(name)] == []
