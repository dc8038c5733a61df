"""The trail of one decision: rule and policy versions, statements and positions, credentials, voids, what came before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from lrs.store.search import at
from lrs.xapi.decode import stored_statement
from lrs.xapi.values import iso, key64
from projections.audit.fold import CREDIT, ENDED, ENTRIES, EVIDENCE, MASTERY
from projections.audit.tables import audit_entry
from projections.credit.policies import AllOf, AnyOf, CompetencyAtLevel, EvidenceOf, Requirement, ShareOfCompetencies
from projections.evidence.fold import acts_at
from projections.ids import DecisionId
from projections.registry import Acts
from projections.view import View


def trail(view: View, wanted: DecisionId) -> list[dict[str, Any]]:
    """Return everything that a decision rests on, in the order of the log, each with who posted it and where it stands.

    For a credit decision the trails of the competencies and the evidence that its policy looks at are part of it.
    """
    acts = acts_at(view.connection, view.build("evidence"), wanted.position)
    entries = [row for row in _entries(view, wanted, acts) if row.position <= wanted.position]
    published = {row.reference for row in entries if row.entry in {MASTERY, CREDIT}}
    positions = {row.position for row in entries} | {row.reference for row in entries} | published
    statements = _statements(view, positions)
    steps = [_published_step(statements[position], position) for position in sorted(published) if position]
    for row in entries:
        steps.append(_step(row, statements))
    return sorted(steps, key=lambda step: (step["position"], step["order"]))


def _entries(view: View, wanted: DecisionId, acts: Acts) -> list[Any]:
    subjects = {wanted.subject} | (_subjects_of(acts, wanted.subject) if wanted.is_credit else set())
    columns = audit_entry.c
    query = select(audit_entry).where(
        columns.build_id == view.build("audit"),
        columns.learner == wanted.learner,
        columns.subject.in_(subjects),
        columns.position <= wanted.position,
    )
    return list(view.connection.execute(query.order_by(columns.position, columns.entry, columns.reference)))


def _subjects_of(acts: Acts, policy: int) -> set[int]:
    """Return the keys of the competencies that a policy looks at: all of them where it counts evidence of any."""
    document = next((act.document for act in acts.policies if key64("policy", act.document.id) == policy), None)
    if document is None:
        return set()
    iris: set[str] = set()
    for leaf in _leaves(document.require):
        if isinstance(leaf, CompetencyAtLevel):
            iris.add(leaf.competency)
        elif isinstance(leaf, ShareOfCompetencies):
            known = acts.competencies.items()
            iris |= {iri for iri, one in known if one.framework.document.uri == leaf.framework}
        elif isinstance(leaf, EvidenceOf):
            iris |= acts.competencies.keys()
    return {key64("competency", iri) for iri in iris}


def _leaves(requirement: Requirement) -> Iterable[Requirement]:
    if isinstance(requirement, AllOf | AnyOf):
        for part in requirement.parts:
            yield from _leaves(part)
    else:
        yield requirement


def _statements(view: View, positions: Iterable[int]) -> dict[int, dict[str, Any]]:
    found = {}
    for one in at(view.log_connection, view.log.log_id, sorted(positions)):
        statement = stored_statement(one.body or b"{}")
        authority = statement.get("authority", {})
        found[one.position] = {
            "statement_id": statement.get("id"),
            "position": one.position,
            "stored": iso(one.stored),
            "verb": statement.get("verb", {}).get("id"),
            "object": statement.get("object", {}).get("id"),
            "authority": {
                "name": authority.get("name"),
                "credential": authority.get("account", {}).get("name"),
            },
        }
    return found


def _published_step(statement: dict[str, Any], position: int) -> dict[str, Any]:
    return {"position": position, "order": 0, "step": "published", "statement": statement}


def _step(row: Any, statements: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    """Return one entry as people read it: what happened, by which statement, and what it is about."""
    found: dict[str, Any] = {"position": row.position, "order": row.entry, "step": ENTRIES[row.entry]}
    if row.entry == EVIDENCE:
        return {**found, "statement": statements.get(row.reference), "brought_about_by": statements.get(row.position)}
    if row.entry == ENDED:
        return {**found, "statement": statements.get(row.reference), "ended_by": statements.get(row.position)}
    decision = DecisionId(row.entry == CREDIT, row.learner, row.subject, row.position)
    return {
        **found,
        "decision_id": str(decision),
        "caused_by": statements.get(row.position),
        "published": statements.get(row.reference),
        "digest": row.digest.hex(),
    }
