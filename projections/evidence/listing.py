"""Evidence as people read it: each piece of a learner's and what made it one; the registry of assessments; links."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from lrs.xapi.actors import ifi
from lrs.xapi.values import iso, key64
from projections.evidence import tables
from projections.evidence.assessments import Assessment
from projections.evidence.evidence import EXCUSED, GROUP, KINDS, OUTSIDE, VALIDATED
from projections.evidence.identity import Link
from projections.evidence.naming import MATCHED, context_activities
from projections.evidence.normalise import READ_FROM, normaliser_for
from projections.evidence.reading import texts_of, within
from projections.evidence.rubrics import RUBRICS, named
from projections.ids import learner_id
from projections.profile import CONTEXT, TASK
from projections.registry import Act, Acts
from projections.view import View

FLAGS = {"group": GROUP, "validated": VALIDATED, "excused": EXCUSED, "outside": OUTSIDE}


def evidence_held(view: View, learner: int) -> list[Any]:
    """Return the rows of a learner's evidence that hold, oldest first by (timestamp, statement id, competency)."""
    rows = tables.evidence.c
    query = select(tables.evidence).where(
        rows.build_id == view.build("evidence"), rows.learner == learner, rows.cause <= view.position
    )
    held: dict[tuple[int, int], Any] = {}
    for row in view.connection.execute(query.order_by(rows.cause, rows.seq)):
        key = row.competency, row.position
        if row.change > 0:
            held[key] = row
        else:
            held.pop(key, None)
    return sorted(held.values(), key=lambda row: (row.timestamp, row.statement_id, row.competency))


def evidence_shown(view: View, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Return pieces of evidence as the API tells them, each with all that made it one."""
    acts = view.acts()
    names = {key64("competency", iri): iri for iri in acts.targets}
    texts = texts_of(view, [row.position for row in rows])
    return [_piece(row, names.get(row.competency), texts.get(row.position, {}), acts) for row in rows]


def _piece(row: Any, competency: str | None, statement: Mapping[str, Any], acts: Acts) -> dict[str, Any]:
    score = None if row.score_num is None else f"{row.score_num}/{row.score_den}"
    return {
        "statement_id": row.statement_id,
        "position": row.position,
        "since_position": row.cause,
        "timestamp": iso(row.timestamp),
        "competency": competency,
        "evidence_kind": KINDS[row.kind],
        "activity": within(statement, "object", "id"),
        "task": _named("task", row.task, _tasks(statement, acts.at(row.alignment))),
        "attempt": row.attempt or None,
        "revision": row.revision,
        "score": score,
        "success": row.success,
        "score_read_from": READ_FROM[row.read_from],
        "matched_by": MATCHED[row.matched],
        "producer": _producer(statement, acts),
        "alignment": _reference(acts.at(row.alignment)),
        "normaliser": _reference(acts.at(row.normaliser)),
        "assessment": _reference(acts.at(row.assessment)),
        "identity": _reference(acts.at(row.identity)),
        "context": _named("context", row.context, _contexts(statement, acts.at(row.assessment))),
        "scorer": _scorer(row.scorer, statement),
        "criteria": _criteria(row.criterion, statement),
        "credential": within(statement, "authority", "name"),
        **{name: bool(row.flags & bit) for name, bit in FLAGS.items()},
        "excused_because": _excuse(acts.excused.get(row.statement_id)),
    }


def _reference(act: Act | None) -> dict[str, Any] | None:
    """Return an act by its position, and the id and version of its document."""
    if act is None:
        return None
    document = act.document
    name = getattr(document, "id", None) or getattr(document, "activity", None)
    return {"id": name, "version": document.version, "position": act.position, "statement_id": act.statement_id}


def _producer(statement: Mapping[str, Any], acts: Acts) -> dict[str, Any]:
    """Return the normaliser that is for the sender of a statement, used or not; generic where there is none."""
    act = normaliser_for(statement, acts) if statement else None
    if act is None:
        return {"id": None, "version": None, "title": "generic"}
    return {"id": act.document.id, "version": act.document.version, "title": act.document.title}


def _named(kind: str, key: int, candidates: Iterable[Any]) -> str | None:
    """Return the one of some texts that a key is of."""
    return next((one for one in candidates if isinstance(one, str) and key64(kind, one) == key), None)


def _tasks(statement: Mapping[str, Any], alignment: Act | None) -> list[Any]:
    told = within(statement, "context", "extensions", TASK)
    return [told, alignment.document.task if alignment else None, within(statement, "object", "id")]


def _contexts(statement: Mapping[str, Any], assessment: Act | None) -> list[Any]:
    told = within(statement, "context", "extensions", CONTEXT)
    return [told, *(assessment.document.contexts if assessment else ()), *context_activities(statement)]


def _scorer(key: int, statement: Mapping[str, Any]) -> Any:
    rubric = within(statement, "result", "extensions", RUBRICS)
    candidates = [within(statement, "context", "instructor"), within(rubric, "scorer")]
    agents = [one for one in candidates if isinstance(one, dict)]
    return next((one for one in agents if key64("agent", str(ifi(one))) == key), None) if key else None


def _criteria(key: int, statement: Mapping[str, Any]) -> list[str]:
    """Return the criteria whose result this is: the one of the key, or those that are pooled."""
    if not key or not statement:
        return []
    ids = [one for one in named(statement) if key64("criterion", one) == key]
    rubric = within(statement, "result", "extensions", RUBRICS)
    listed = rubric.get("criteria", []) if isinstance(rubric, dict) else rubric
    return ids or [str(one["id"]) for one in listed if isinstance(one, dict) and "id" in one]


def _excuse(act: Act | None) -> str | None:
    return None if act is None else str(act.document.reason)


def assessments_shown(view: View) -> list[dict[str, Any]]:
    """Return the assessment registry: the newest version of each, and how much evidence it has."""
    counts = _evidence_of(view)
    acts = view.acts()
    return [_assessment(act, acts.assessments.versions(act.document.id), counts) for act in acts.assessments]


def _assessment(act: Act, versions: Sequence[Assessment], counts: Mapping[int, int]) -> dict[str, Any]:
    one: Assessment = act.document
    valid = one.validated
    return {
        "id": one.id, "version": one.version, "title": one.title, "kind": one.kind,
        "validated": None if valid is None else {"by": valid.by, "on": iso(valid.on)[:10], "report": valid.report},
        "tasks": list(one.tasks), "max_attempts": one.max_attempts, "max_revisions": one.max_revisions,
        "contexts": list(one.contexts), "scorers": list(one.scorers),
        "course": None if one.course is None else {"code": one.course.code, "title": one.course.title},
        "approver": one.approver,
        "effective_from": None if one.effective_from is None else iso(one.effective_from)[:10],
        "effective_until": None if one.effective_until is None else iso(one.effective_until)[:10],
        "position": act.position, "statement_id": act.statement_id,
        "versions": [version.version for version in versions], "evidence": counts.get(act.position, 0),
    }  # fmt: skip


def _evidence_of(view: View) -> dict[int, int]:
    """Return how many rows of evidence rest on each assessment, by the position of its act."""
    rows = tables.evidence.c
    count = func.sum(rows.change).label("held")
    query = select(rows.assessment, count).where(
        rows.build_id == view.build("evidence"), rows.cause <= view.position, rows.assessment > 0
    )
    found = view.connection.execute(query.group_by(rows.assessment).order_by(rows.assessment))
    return {row.assessment: int(row.held) for row in found}


def identities_shown(view: View) -> list[dict[str, Any]]:
    """Return the links that hold, each with the accounts and with what contradicts it, oldest first."""
    return [_link(one) for one in view.acts().identities.links]


def _link(one: Link) -> dict[str, Any]:
    document = one.act.document
    return {
        "id": document.id,
        "version": document.version,
        "learner": {"id": learner_id(key64("agent", str(ifi(document.learner)))), "agent": dict(document.learner)},
        "accounts": [dict(account) for account in document.accounts],
        "reason": document.reason,
        "since": iso(one.act.timestamp),
        "position": one.act.position,
        "statement_id": one.act.statement_id,
        "conflicts": [{"identifier": name, "link": other} for name, other in one.conflicts],
        "has_effect": not one.conflicts,
    }
