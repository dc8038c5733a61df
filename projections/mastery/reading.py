"""Decisions as people read them: the record of 9.3, derived anew from the evidence and held against what is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from importlib.metadata import version
from operator import attrgetter
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
from projections.evidence.history import acts_over_time
from projections.evidence.resolve import context_activities
from projections.ids import DecisionId, learner_id
from projections.mastery.decide import Outcome, decide, next_step
from projections.mastery.methods import steps
from projections.mastery.rules import Scale, compiled, rule_text
from projections.mastery.tables import decision
from projections.mastery.timeline import (
    CAUSES,
    NO_DIGEST,
    Decision,
    RuleChange,
    State,
    decided,
    outcome_under,
    rule_change,
)
from projections.registry import Acts, Known, read_document
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
                "competencies": [_standing(acts, known, newest, held, learner) for known in _in_order(own)],
                "progressions": [{"before": one.before, "after": one.after} for one in act.document.progressions],
            }
        )
    return {"learner": {"id": learner_id(learner), **who}, "as_of": view.as_of(), "frameworks": frameworks}


def _in_order(known: Iterable[Known]) -> list[Known]:
    return sorted(known, key=lambda one: (one.competency.order is None, one.competency.order or 0, one.competency.uri))


def _standing(
    acts: Acts, known: Known, newest: Mapping[int, Any], held: Mapping[int, list[Evidence]], learner: int
) -> dict[str, Any]:
    one = known.competency
    key = key64("competency", one.uri)
    found: dict[str, Any] = {
        "uri": one.uri, "name": one.name, "code": one.code, "statement": one.statement, "parent": one.parent,
        "status": "no_evidence", "level": None, "value": None, "decision": None, "evidence_count": 0, "next_step": "",
    }  # fmt: skip
    row = newest.get(key)
    found["decision"] = None if row is None else str(DecisionId(False, learner, key, row.position))
    found["evidence_count"] = len(held.get(key, []))
    ruled = acts.rule_for(one.uri)
    if ruled is None:
        return {**found, "next_step": "No mastery rule is published for this competency."}
    rule, scale = ruled[0].document, ruled[1].document
    ready = compiled(rule, scale)
    outcome = decide(ready, held.get(key, []))
    return {
        **found,
        "status": outcome.status,
        "level": outcome.level,
        "value": None if outcome.rounded is None else str(outcome.rounded),
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

    `verified` says whether the derivation, from the evidence and the acts that held, gives the stored decision.
    """
    row, previous, following = _around(view, wanted)
    acts = acts_at(view.connection, view.build("evidence"), wanted.position)
    held = _rule_held(view, acts, wanted)
    holding, ended = _holding(evidence_rows(view, wanted.learner, wanted.subject, wanted.position))
    evidence = sorted((evidence_of(one) for one in holding.values()), key=attrgetter("timestamp", "statement_id"))
    outcome = outcome_under(held, evidence)
    return {
        "decision_id": str(wanted),
        "kind": "mastery",
        "learner": {"id": learner_id(wanted.learner), **learner_named(view, wanted.learner)},
        "competency": _competency(acts, wanted.subject),
        "as_of": _moment(view, wanted.position),
        **_under(view, held, outcome),
        "status": outcome.status,
        "level": outcome.level,
        "raw": None if outcome.raw is None else str(outcome.raw),
        "rounded": None if outcome.rounded is None else str(outcome.rounded),
        "inputs": _inputs(view, outcome, holding),
        "excluded": _excluded(view, outcome, holding, ended),
        "unmet": [one._asdict() for one in outcome.unmet],
        "overrides": [],
        "cause": CAUSES[row.cause],
        "supersedes": _neighbour(wanted, previous),
        "superseded_by": _neighbour(wanted, following),
        "engine_version": version("cairn"),
        "digest": row.digest.hex(),
        "previous_digest": previous.digest.hex() if previous else None,
        "verified": _is_verified(row, previous, held, evidence),
    }


def _rule_held(view: View, acts: Acts, wanted: DecisionId) -> RuleChange:
    """Return the rule that held for the competency at the decision's position, by the acts themselves."""
    iri = next((iri for iri in acts.competencies if key64("competency", iri) == wanted.subject), None)
    if iri is None:
        ever = acts_over_time(view.run("mastery"), ("framework",), wanted.position).competencies()
        iri = next((one for one in ever if key64("competency", one) == wanted.subject), "")
    return rule_change(wanted.position, acts.rule_for(iri))


def _under(view: View, held: RuleChange, outcome: Outcome) -> dict[str, Any]:
    """Return the rule and the scale of a decision, the arithmetic under them, and what would come next."""
    if held.rule is None:
        nothing = {
            "id": None,
            "version": None,
            "title": "No rule",
            "statement_id": None,
            "position": None,
            "digest": None,
        }
        rule = {**nothing, "text": "No mastery rule held for this competency, so nothing was decided."}
        scale: dict[str, Any] = {**nothing, "title": "No scale", "maximum": None, "levels": [], "proficient": None}
        return {"rule": rule, "scale": scale, "arithmetic": [], "next_step": ""}
    rule_row, scale_row = _published(view, held.rule_position), _published(view, held.scale_position)
    rule, published = read_document("rule", rule_row.document), read_document("scale", scale_row.document)
    return {
        "rule": {**_version(rule_row, rule), "text": rule_text(rule, published)},
        "scale": {**_version(scale_row, published), **_scale(published)},
        "arithmetic": _arithmetic(rule, published, outcome),
        "next_step": next_step(held.rule, outcome),
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
    """Return the row of the act at a position, whether it still holds or not."""
    act = source.act.c
    query = select(source.act).where(
        act.build_id == view.build("evidence"), act.cause == position, act.position == position
    )
    return view.connection.execute(query).one()


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


def _version(row: Any, one: Any) -> dict[str, Any]:
    return {
        "id": one.id, "version": one.version, "title": one.title,
        "statement_id": row.statement_id, "position": row.position, "digest": sha256(row.document).hexdigest(),
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
            "registration": context.get("registration"),
            "activities": sorted(set(context_activities(statement))),
        },
        "scorer": context.get("instructor"),
        "calibration": None,
        "credential": statement.get("authority", {}).get("account", {}).get("name"),
        "revision": one.revision,
        "score": score,
        "success": one.success,
        "group": one.is_group,
        "matched_by": MATCHED[row.matched],
        "score_read_from": _read_from(row, one),
        "alignment_position": row.alignment or None,
        "normaliser_position": row.normaliser if row.normaliser > 0 else None,
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


def _is_verified(row: Any, previous: Any, held: RuleChange, evidence: list[Evidence]) -> bool:
    """Tell whether deciding again, behind the decision before, gives every value of the stored row."""
    state = State(evidence, previous.digest if previous else NO_DIGEST)
    return decided(state, held, row.position, row.cause) == Decision(*row[3:])
