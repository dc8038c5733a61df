"""Paths into a statement and cells of a table."""

from __future__ import annotations

from typing import Any

import pytest

from lrs.errors import InvalidRequest
from lrs.exchange.paths import cell, path_of, value_at

STATEMENT: dict[str, Any] = {
    "actor": {"account": {"name": "ada"}},
    "result": {"score": {"scaled": 0.5}, "success": True, "extensions": {"https://e.org/a.b": [1, {"c~d": "x"}]}},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("actor.account.name", "ada"),
        ("/actor/account/name", "ada"),
        ("result.score.scaled", 0.5),
        ("/result/extensions/https:~1~1e.org~1a.b/1/c~0d", "x"),
        ("/result/extensions/https:~1~1e.org~1a.b/7", None),
        ("actor.mbox", None),
        ("actor.account.name.first", None),
    ],
)
def test_a_path_leads_to_a_value_or_to_nothing(path: str, value: Any) -> None:
    assert value_at(STATEMENT, path_of(path)) == value


@pytest.mark.parametrize("path", ["", "actor..name", ".actor"])
def test_a_path_with_an_empty_step_is_refused(path: str) -> None:
    with pytest.raises(InvalidRequest, match="is no path"):
        path_of(path)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=x"])
def test_a_text_that_a_spreadsheet_would_run_is_guarded(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "shown"), [(None, ""), ("a=b", "a=b"), (-0.5, "-0.5"), (True, "true"), ({"en": "x"}, '{"en":"x"}')]
)
def test_numbers_and_objects_are_json_and_nothing_is_empty(value: Any, shown: str) -> None:
    assert cell(value) == shown
