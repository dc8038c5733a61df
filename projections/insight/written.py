"""A study's findings as files: everything as JSON, the changes and the totals as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from projections.insight.comparing import CHANGES
from projections.insight.people import FAMILIES

GROUPS: Final = ("competency", *FAMILIES)
CHANGE_COLUMNS: Final = (
    "learner", "school", "grade", "subgroups", "competency", "title", "change",
    "status_before", "level_before", "value_before", "rule_before",
    "status_after", "level_after", "value_after", "rule_after",
    "decisive_statement", "decisive_position", "status_without_it",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def json_of(found: Mapping[str, Any], *, sees_learners: bool) -> bytes:
    """Return the findings as JSON for people to read; without learners for who may not see them."""
    told = dict(found) if sees_learners else without_learners(found)
    return msgspec.json.format(msgspec.json.encode(told, order="sorted"), indent=2) + b"\n"


def without_learners(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what those are told who may not see learners: the question, and the coded shares in place of the rest."""
    kept = {name: found[name] for name in ("log", "kind", "candidate", "candidate_sha256", "from", "through")}
    return {**kept, **found["coded"]}


def changes_csv(found: Mapping[str, Any]) -> str:
    """Return a line for each change."""
    return _csv(CHANGE_COLUMNS, (_line(one) for one in found["changes"]))


def _line(one: Mapping[str, Any]) -> list[Any]:
    sides = [one[side][name] for side in ("before", "after") for name in ("status", "level", "value", "rule")]
    decisive = one["decisive"] or {}
    hinge = [decisive.get(name) for name in ("statement_id", "position", "without")]
    who = [one["learner"], one["school"], one["grade"], "; ".join(one["subgroups"])]
    return [*who, one["competency"], one["title"], one["change"], *sides, *hinge]


def totals_csv(found: Mapping[str, Any], *, sees_learners: bool) -> str:
    """Return a line for the whole and for each group: counts, or coded shares for who may not see learners."""
    told = found if sees_learners else found["coded"]
    lines = [_totals("everyone", {"name": "", "title": "", **told["totals"]})]
    lines += [_totals(family, one) for family in GROUPS for one in told[f"by_{family}"]]
    return _csv(("by", "name", "title", *CHANGES), lines)


def _totals(family: str, one: Mapping[str, Any]) -> list[Any]:
    told = one.get("shares", one)
    counts = ["withheld" if told is None else told[change] for change in CHANGES]
    return [family, one["name"], one["title"], *counts]


def _csv(names: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_safe(value) for value in line] for line in lines)
    return text.getvalue()


def _safe(value: Any) -> Any:
    """Return a value that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
