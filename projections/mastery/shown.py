"""One piece of evidence as people read it: what it says, how it was read, and why it was left out if it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lrs.store.search import at
from lrs.xapi.decode import stored_statement
from lrs.xapi.values import iso
from projections.documents import plain
from projections.evidence.evidence import EXCUSED, GROUP, KINDS, OUTSIDE, VALIDATED, Evidence
from projections.evidence.naming import MATCHED, context_activities
from projections.mastery.outcome import Outcome
from projections.mastery.overrides import Overriding
from projections.mastery.rules import CompiledRule
from projections.view import View

Place = tuple[int, int]


def evidence_of(row: Any) -> Evidence:
    """Return a row's evidence."""
    return Evidence(*(getattr(row, name) for name in Evidence._fields))


def holding(rows: Iterable[Any]) -> tuple[dict[Place, Any], dict[Place, Any]]:
    """Return the rows that hold, and those that ended with the row that ended them, by (position, criterion)."""
    held: dict[Place, Any] = {}
    ended: dict[Place, Any] = {}
    for row in rows:
        place = row.position, row.criterion
        if row.change > 0:
            held[place] = row
            ended.pop(place, None)
        else:
            held.pop(place, None)
            ended[place] = row
    return held, ended


def inputs_shown(view: View, outcome: Outcome, held: Mapping[Place, Any]) -> list[dict[str, Any]]:
    """Return the evidence that was used, oldest first, each with its points and the weight that it had."""
    texts = _texts(view, [one.evidence.position for one in outcome.inputs])
    return [
        {
            **_shown(one.evidence, held[_place(one.evidence)], texts),
            "points": None if one.points is None else plain_points(one.points),
            "weight": one.weight,
        }
        for one in outcome.inputs
    ]


def excluded_shown(
    view: View, outcome: Outcome, held: Mapping[Place, Any], ended: Mapping[Place, Any]
) -> list[dict[str, Any]]:
    """Return the evidence that was left out, each with the reason; what no longer holds comes last."""
    texts = _texts(view, [*(one.position for one, _ in outcome.excluded), *(position for position, _ in ended)])
    left_out = [{**_shown(one, held[_place(one)], texts), "reason": why} for one, why in outcome.excluded]
    for row in ended.values():
        reason = "voided" if row.reason == "voided" else "not_aligned"
        shown = _shown(evidence_of(row), row, texts)
        left_out.append({**shown, "reason": reason, "ended_by_position": row.cause})
    return left_out


def authors_of(view: View, overrides: Iterable[Overriding]) -> dict[int, Any]:
    """Return who set each override, by the position of its act."""
    texts = _texts(view, [one.position for one in overrides])
    return {position: statement.get("actor") for position, statement in texts.items()}


def override_shown(
    one: Overriding, author: Any, objection: str = "", rule: CompiledRule | None = None
) -> dict[str, Any]:
    """Return an override that is set, whether it holds or not, with what speaks against it ("" for nothing).

    `author` is the actor of its act; the rule, where there is one, bounds how long it holds.
    """
    override, ends = one.override, one.ends(rule)
    return {
        "id": override.id,
        "statement_id": one.statement_id,
        "position": one.position,
        "timestamp": iso(one.timestamp),
        "status": override.status,
        "level": override.level,
        "reason": override.reason,
        "evidence": list(override.evidence),
        "by": author,
        "approved_by": override.approved_by,
        "expires": None if ends is None else iso(ends),
        "holds": not objection,
        "objection": objection,
    }


def plain_points(points: Any) -> str:
    """Return points with as many digits as say something, at most six."""
    return plain(round(points, 6))


def _place(one: Evidence) -> Place:
    return one.position, one.criterion


def _shown(one: Evidence, row: Any, texts: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    statement = texts.get(one.position, {})
    about = statement.get("object", {})
    context = statement.get("context", {})
    return {
        "statement_id": one.statement_id,
        "position": one.position,
        "timestamp": iso(one.timestamp),
        "order_key": [iso(one.timestamp), one.statement_id],
        "evidence_kind": KINDS[one.kind],
        "task": about.get("id"),
        "title": _first(about.get("definition", {}).get("name", {})) or about.get("id"),
        "verb": _first(statement.get("verb", {}).get("display", {})) or statement.get("verb", {}).get("id"),
        "platform": context.get("platform"),
        "context": {
            "key": _key(one.context),
            "registration": context.get("registration"),
            "activities": sorted(set(context_activities(statement))) if statement else [],
        },
        "scorer": context.get("instructor"),
        "scorer_key": _key(one.scorer),
        "criterion_key": _key(one.criterion),
        "calibration": None,
        "credential": statement.get("authority", {}).get("account", {}).get("name"),
        "attempt": one.attempt or None,
        "revision": one.revision,
        "score": None if one.score_num is None else f"{one.score_num}/{one.score_den}",
        "success": one.success,
        **_flags(one.flags),
        "matched_by": MATCHED[row.matched],
        "score_read_from": _read_from(row, one),
        "alignment_position": row.alignment or None,
        "assessment_position": row.assessment or None,
        "identity_position": row.identity or None,
        "normaliser_position": row.normaliser if row.normaliser > 0 else None,
    }


def _flags(flags: int) -> dict[str, bool]:
    named = {"group": GROUP, "validated": VALIDATED, "excused": EXCUSED, "outside_district": OUTSIDE}
    return {name: bool(flags & bit) for name, bit in named.items()}


def _key(key: int) -> str | None:
    """Return a 64-bit key in hex, as two pieces of evidence can be compared by it; None for an unknown one."""
    return f"{key % (1 << 64):016x}" if key else None


def _read_from(row: Any, one: Evidence) -> str:
    if one.score_num is None:
        return "success only"
    if row.normaliser < 0:
        return "raw, min and max"
    return f"scaled, normaliser at position {row.normaliser}" if row.normaliser else "scaled, 0 to 1"


def _first(texts: Mapping[str, str]) -> str | None:
    return texts.get("en") or texts.get("en-US") or next(iter(texts.values()), None)


def _texts(view: View, positions: Sequence[int]) -> dict[int, dict[str, Any]]:
    found = at(view.log_connection, view.log.log_id, sorted(set(positions)))
    return {one.position: stored_statement(one.body or b"{}") for one in found}
