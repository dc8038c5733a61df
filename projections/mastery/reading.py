"""Decisions as people read them: the record of 9.3, derived anew from the evidence and held against what is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from lrs.errors import NotFound
from lrs.store.search import at
from lrs.xapi.decode import stored_statement
from lrs.xapi.values import iso, key64
from projections.documents import plain
from projections.evidence import tables as source
from projections.evidence.evidence import KINDS, Evidence
from projections.evidence.fold import acts_at
from projections.ids import DecisionId, learner_id
from projections.mastery.decide import Outcome, decide, next_step
from projections.mastery.methods import steps
from projections.mastery.rules import Scale, compiled, rule_text
from projections.mastery.tables import decision
from projections.mastery.timeline import CAUSES, NO_DIGEST, STATUSES, RuleChange, decision_digest, outcome_hash
from projections.registry import Acts, Known
from projections.view import View, learner_named

MATCHED = {1: "object", 2: "context activity", 3: "extension", 4: "alignment table"}


def competency_map(view: View, learner: int) -> dict[str, Any]:
    """Return where a learner stands in every competency of the adopted frameworks; raises NotFound."""
    who = learner_named(view, learner)
    acts = view.acts()
    newest = _newest_decisions(view, learner)
    held = _evidence_by_competency(view, learner)
    frameworks = []
    for act in acts.frameworks.values():
        own = [known for known in acts.competencies.values() if known.framework.position == act.position]
        frameworks.append(
            {
                "uri": act.document.uri,
                "title": act.document.title,
                "version": act.document.version,
                "competencies": [_standing(view, acts, known, newest, held, learner) for known in _in_order(own)],
                "progressions": [{"before": one.before, "after": one.after} for one in act.document.progressions],
            }
        )
    return {"learner": {"id": learner_id(learner), **who}, "as_of": view.as_of(), "frameworks": frameworks}


def _in_order(known: Iterable[Known]) -> list[Known]:
    return sorted(known, key=lambda one: (one.competency.order is None, one.competency.order or 0, one.competency.uri))


def _standing(
    view: View, acts: Acts, known: Known, newest: Mapping[int, Any], held: Mapping[int, list[Evidence]], learner: int
) -> dict[str, Any]:
    one = known.competency
    key = key64("competency", one.uri)
    found = {
        "uri": one.uri, "name": one.name, "code": one.code, "statement": one.statement, "parent": one.parent,
        "status": "no_evidence", "level": None, "value": None, "decision": None, "evidence_count": 0, "next_step": "",
    }  # fmt: skip
    ruled = acts.rule_for(one.uri)
    if ruled is None:
        return {**found, "next_step": "No mastery rule is published for this competency yet."}
    rule, scale = ruled[0].document, ruled[1].document
    ready = compiled(rule, scale)
    outcome = decide(ready, held.get(key, []))
    row = newest.get(key)
    return {
        **found,
        "status": outcome.status,
        "level": outcome.level,
        "value": None if outcome.rounded is None else str(outcome.rounded),
        "decision": None if row is None else str(DecisionId(False, learner, key, row.position)),
        "evidence_count": len(held.get(key, [])),
        "next_step": next_step(ready, outcome),
        "scale": _scale(scale),
    }


def _scale(scale: Scale) -> dict[str, Any]:
    levels = [{"name": one.name, "minimum": plain(one.minimum)} for one in scale.levels]
    return {"title": scale.title, "maximum": plain(scale.maximum), "levels": levels, "proficient": scale.proficient}


def _newest_decisions(view: View, learner: int) -> dict[int, Any]:
    columns = decision.c
    own = columns.build_id == view.build("mastery"), columns.learner == learner
    newest = (
        select(columns.competency, func.max(columns.position).label("position"))
        .where(*own, columns.position <= view.position)
        .group_by(columns.competency)
        .subquery()
    )
    same = (columns.competency == newest.c.competency) & (columns.position == newest.c.position)
    rows = view.connection.execute(select(decision).join_from(decision, newest, same).where(*own))
    return {row.competency: row for row in rows}


def _evidence_by_competency(view: View, learner: int) -> dict[int, list[Evidence]]:
    held: dict[int, dict[int, Evidence]] = {}
    for row in evidence_rows(view, learner, None, view.position):
        own = held.setdefault(row.competency, {})
        if row.change > 0:
            own[row.position] = evidence_of(row)
        else:
            own.pop(row.position, None)
    return {competency: list(own.values()) for competency, own in held.items()}


def evidence_rows(view: View, learner: int, competency: int | None, through: int) -> Sequence[Any]:
    """Return the rows of a learner's evidence (of one competency, or of all) in the order of their causes."""
    rows = source.evidence.c
    query = select(source.evidence).where(
        rows.build_id == view.build("evidence"), rows.learner == learner, rows.cause <= through
    )
    if competency is not None:
        query = query.where(rows.competency == competency)
    return view.connection.execute(query.order_by(rows.cause, rows.seq)).all()


def evidence_of(row: Any) -> Evidence:
    """Return a row's evidence."""
    return Evidence(*(getattr(row, name) for name in Evidence._fields))


def decision_record(view: View, wanted: DecisionId) -> dict[str, Any]:
    """Return a mastery decision with everything that proves it, derived anew; raises NotFound.

    `verified` says whether the derivation from the evidence and the rule gives the stored outcome and digest.
    """
    row, previous, following = _around(view, wanted)
    acts = acts_at(view.connection, view.build("evidence"), wanted.position)
    rule_act, scale_act = _published(view, row.rule), _published(view, row.scale)
    rule, scale = rule_act.document, scale_act.document
    rows = evidence_rows(view, wanted.learner, wanted.subject, wanted.position)
    holding, ended = _holding(rows)
    outcome = decide(compiled(rule, scale), [evidence_of(one) for one in holding.values()])
    return {
        "decision_id": str(wanted),
        "kind": "mastery",
        "learner": {"id": learner_id(wanted.learner), **learner_named(view, wanted.learner)},
        "competency": _competency(acts, wanted.subject),
        "rule": {**_version(rule_act), "text": rule_text(rule, scale)},
        "scale": {**_version(scale_act), **_scale(scale)},
        "as_of": _moment(view, wanted.position),
        "status": outcome.status,
        "level": outcome.level,
        "raw": None if outcome.raw is None else str(outcome.raw),
        "rounded": None if outcome.rounded is None else str(outcome.rounded),
        "arithmetic": _arithmetic(rule, scale, outcome),
        "inputs": _inputs(view, outcome, holding),
        "excluded": _excluded(view, outcome, holding, ended),
        "unmet": [one._asdict() for one in outcome.unmet],
        "next_step": next_step(compiled(rule, scale), outcome),
        "cause": CAUSES[row.cause],
        "supersedes": _neighbour(wanted, previous),
        "superseded_by": _neighbour(wanted, following),
        "digest": row.digest.hex(),
        "previous_digest": previous.digest.hex() if previous else None,
        "verified": _is_verified(row, previous, rule_act, outcome),
    }


def _around(view: View, wanted: DecisionId) -> tuple[Any, Any, Any]:
    """Return the decision's row, the one before it and the one after it, as far as the view goes."""
    columns = decision.c
    query = select(decision).where(
        columns.build_id == view.build("mastery"),
        columns.learner == wanted.learner,
        columns.competency == wanted.subject,
        columns.position <= view.position,
    )
    rows = view.connection.execute(query.order_by(columns.position)).all()
    places = [place for place, row in enumerate(rows) if row.position == wanted.position]
    if not places:
        raise NotFound(f"no decision {wanted} was made (as of this position)")
    place = places[0]
    return rows[place], rows[place - 1] if place else None, rows[place + 1] if place + 1 < len(rows) else None


def _published(view: View, position: int) -> Any:
    """Return the act at a position, whether it still holds or not."""
    acts = acts_at(view.connection, view.build("evidence"), position)
    act = acts.at(position)
    assert act is not None
    return act


def _holding(rows: Iterable[Any]) -> tuple[dict[int, Any], dict[int, Any]]:
    """Return the rows that hold, and those that ended with the row that ended them, by position."""
    holding: dict[int, Any] = {}
    ended: dict[int, Any] = {}
    for row in rows:
        if row.change > 0:
            holding[row.position] = row
            ended.pop(row.position, None)
        else:
            holding.pop(row.position, None)
            ended[row.position] = row
    return holding, ended


def _competency(acts: Acts, key: int) -> dict[str, Any]:
    for iri, known in acts.competencies.items():
        if key64("competency", iri) == key:
            one, framework = known.competency, known.framework
            return {
                "uri": iri, "name": one.name, "code": one.code, "statement": one.statement,
                "framework": {
                    "uri": framework.document.uri, "title": framework.document.title,
                    "version": framework.document.version, "position": framework.position,
                },
            }  # fmt: skip
    return {"uri": None, "name": "A competency that is in no adopted framework any more"}


def _version(act: Any) -> dict[str, Any]:
    one = act.document
    return {
        "id": one.id, "version": one.version, "title": one.title,
        "statement_id": act.statement_id, "position": act.position,
    }  # fmt: skip


def _moment(view: View, position: int) -> dict[str, Any]:
    rows = at(view.log_connection, view.log.log_id, [position])
    return {"position": position, "stored": iso(rows[0].stored) if rows else None}


def _arithmetic(rule: Any, scale: Scale, outcome: Outcome) -> list[str]:
    lines = [
        f"{one.evidence.score_num}/{one.evidence.score_den} of {plain(scale.maximum)} = {plain_points(one.points)}"
        for one in outcome.inputs
        if one.points is not None and one.evidence.score_num is not None
    ]
    scores = [one.points for one in outcome.inputs if one.points is not None]
    return lines + steps(rule.method.name, scores, compiled(rule, scale).params)


def plain_points(points: Any) -> str:
    """Return points with as many digits as say something, at most six."""
    return plain(round(points, 6))


def _inputs(view: View, outcome: Outcome, holding: Mapping[int, Any]) -> list[dict[str, Any]]:
    texts = _texts(view, [one.evidence.position for one in outcome.inputs])
    return [
        {
            **_shown(one.evidence, holding[one.evidence.position], texts),
            "points": None if one.points is None else plain_points(one.points),
            "weight": one.weight,
        }
        for one in outcome.inputs
    ]


def _excluded(
    view: View, outcome: Outcome, holding: Mapping[int, Any], ended: Mapping[int, Any]
) -> list[dict[str, Any]]:
    positions = [one.position for one, _ in outcome.excluded] + list(ended)
    texts = _texts(view, positions)
    left_out = [{**_shown(one, holding[one.position], texts), "reason": why} for one, why in outcome.excluded]
    for row in ended.values():
        shown = _shown(evidence_of(row), row, texts)
        reason = "voided" if row.reason == "voided" else "not_aligned"
        left_out.append({**shown, "reason": reason, "ended_by_position": row.cause})
    return left_out


def _shown(one: Evidence, row: Any, texts: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    """Return one piece of evidence as people read it."""
    statement = texts.get(one.position, {})
    about = statement.get("object", {})
    score = None if one.score_num is None else f"{one.score_num}/{one.score_den}"
    return {
        "statement_id": one.statement_id,
        "position": one.position,
        "timestamp": iso(one.timestamp),
        "evidence_kind": KINDS[one.kind],
        "task": about.get("id"),
        "title": _first(about.get("definition", {}).get("name", {})) or about.get("id"),
        "verb": _first(statement.get("verb", {}).get("display", {})) or statement.get("verb", {}).get("id"),
        "platform": statement.get("context", {}).get("platform"),
        "revision": one.revision,
        "score": score,
        "success": one.success,
        "group": one.is_group,
        "matched_by": MATCHED[row.matched],
        "score_read_from": _read_from(row, one),
        "alignment_position": row.alignment or None,
    }


def _read_from(row: Any, one: Evidence) -> str:
    if one.score_num is None:
        return "success only"
    if row.normaliser < 0:
        return "raw, min and max"
    return f"scaled, normaliser at position {row.normaliser}" if row.normaliser else "scaled, 0 to 1"


def _first(texts: Mapping[str, str]) -> str | None:
    return texts.get("en") or texts.get("en-US") or next(iter(texts.values()), None)


def _texts(view: View, positions: Sequence[int]) -> dict[int, dict[str, Any]]:
    found = at(view.log_connection, view.log.log_id, positions)
    return {one.position: stored_statement(one.body or b"{}") for one in found}


def _neighbour(wanted: DecisionId, row: Any) -> str | None:
    return None if row is None else str(wanted._replace(position=row.position))


def _is_verified(row: Any, previous: Any, rule_act: Any, outcome: Outcome) -> bool:
    rule = rule_act.document
    hashed = outcome_hash(f"{rule.id}@{rule.version}", outcome)
    change = RuleChange(row.position, None, "", row.rule, row.scale)
    before = previous.digest if previous else NO_DIGEST
    digest = decision_digest(before, row.position, row.cause, change, outcome.excluded, hashed)
    return bool(hashed == row.outcome and digest == row.digest and STATUSES[row.status] == outcome.status)
