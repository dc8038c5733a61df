"""The trail of one decision: every act and statement that it rests on, who posted each, voids, and what came before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import select

from lrs.store.search import at
from lrs.xapi.decode import stored_statement
from lrs.xapi.values import iso, key64
from projections.audit.fold import CREDIT, ENDED, ENTRIES, EVIDENCE, MASTERY
from projections.audit.tables import audit_entry
from projections.credit.policies import AllOf, AnyOf, CompetencyAtLevel, EvidenceOf, Requirement, ShareOfCompetencies
from projections.credit.tables import credit_decision
from projections.evidence import tables as source
from projections.evidence.fold import acts_at
from projections.evidence.naming import MATCHED
from projections.ids import DecisionId
from projections.mastery.knowledge import evidence_rows
from projections.mastery.tables import decision
from projections.registry import Act, Acts, read_document
from projections.view import View

Step = dict[str, Any]
PUBLISHED, WITHDRAWN = "published", "withdrawn"
FIRST: Final = 0
"""Acts stand before what they brought about at the same position."""


class Basis(NamedTuple):
    """The rows that a trail is made of: the entries, and what they are entries of."""

    entries: Sequence[Any]
    evidence: Mapping[tuple[int, int, int, int], Any]
    decisions: Mapping[tuple[int, int], Any]
    acts: Mapping[int, Act]
    ended_acts: Mapping[int, int]
    names: Mapping[int, str]


def trail(view: View, wanted: DecisionId) -> list[Step]:
    """Return everything that a decision rests on, in the order of the log, each with who posted it and where it stands.

    For a credit decision the trails of the competencies and the evidence that its policy looks at are part of it.
    """
    basis = _basis(view, wanted)
    statements = _statements(view, _positions(basis))
    steps = [*_act_steps(basis, statements), *(_step(basis, row, statements) for row in basis.entries)]
    return sorted(steps, key=lambda step: (step["position"], step["order"]))


def credentials_of(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """Return the credentials that posted what a trail consists of, and how many statements each."""
    posted = {
        step[name]["position"]: (step[name]["authority"]["credential"] or "", step[name]["authority"]["name"] or "")
        for step in steps
        for name in ("statement", "brought_about_by", "ended_by", "caused_by", "published")
        if step.get(name)
    }
    counted = sorted(Counter(posted.values()).items())
    return [{"credential": key, "name": name, "statements": count} for (key, name), count in counted]


def _basis(view: View, wanted: DecisionId) -> Basis:
    acts = acts_at(view.connection, view.build("evidence"), wanted.position)
    ever, ended = _acts_until(view, wanted.position)
    subjects = _subjects(acts, ever, wanted)
    entries = _entries(view, wanted, subjects)
    rows = [row for row in evidence_rows(view, wanted.learner, None, wanted.position) if row.competency in subjects]
    decisions = {(row.competency, row.position): row for row in _decisions(view, wanted) if row.competency in subjects}
    used = {getattr(row, name) for row in rows for name in ("alignment", "normaliser", "assessment", "identity")}
    used |= {row.rule for row in decisions.values()} | {row.scale for row in decisions.values()}
    used |= {row.reference for row in entries if row.entry == CREDIT} | set(_frameworks(ever, subjects))
    used |= _override_acts(ever, {row.override for row in decisions.values()} | _credit_overrides(view, wanted))
    return Basis(
        entries,
        {(row.competency, row.cause, row.change, row.position): row for row in rows},
        decisions,
        {position: act for position, act in ever.items() if position in used},
        {position: cause for position, cause in ended.items() if position in used},
        _names(ever),
    )


def _credit_overrides(view: View, wanted: DecisionId) -> set[int]:
    """Return the positions of the overrides that answers on a policy were given by."""
    columns = credit_decision.c
    query = select(columns.override).where(
        columns.build_id == view.build("credit"),
        columns.learner == wanted.learner,
        columns.policy == wanted.subject,
        columns.position <= wanted.position,
    )
    return set(view.connection.scalars(query.order_by(columns.position)))


def _override_acts(ever: Mapping[int, Act], positions: set[int]) -> set[int]:
    """Return the positions of all acts on the overrides that these acts set: those that cleared them too."""
    names = {ever[position].document.id for position in positions - {0}}
    kinds = {"override": "id", "clearing": "override"}
    return {
        position
        for position, act in ever.items()
        if act.kind in kinds and getattr(act.document, kinds[act.kind]) in names
    }


def _acts_until(view: View, position: int) -> tuple[dict[int, Act], dict[int, int]]:
    """Return every act up to a position, whether it still holds or not; and where those that were voided ended."""
    act = source.act
    query = select(act).where(act.c.build_id == view.build("evidence"), act.c.cause <= position)
    ever: dict[int, Act] = {}
    ended: dict[int, int] = {}
    for row in view.connection.execute(query.order_by(act.c.cause, act.c.position)):
        if row.change > 0:
            document = read_document(row.kind, row.document)
            ever[row.position] = Act(row.position, row.kind, row.timestamp, row.statement_id, document)
        else:
            ended[row.position] = row.cause
    return ever, ended


def _subjects(acts: Acts, ever: Mapping[int, Act], wanted: DecisionId) -> set[int]:
    """Return the subject itself and, for a policy, the keys of the competencies that its versions look at."""
    found = {wanted.subject}
    for act in ever.values() if wanted.is_credit else ():
        if act.kind == "policy" and key64("policy", act.document.id) == wanted.subject:
            found |= {key64("competency", iri) for iri in _looked_at(act.document.require, acts)}
    return found


def _looked_at(requirement: Requirement, acts: Acts) -> Iterator[str]:
    """Yield the competencies that a requirement looks at: all of them where it counts evidence of any."""
    match requirement:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _looked_at(part, acts)
        case CompetencyAtLevel(competency, _):
            yield competency
        case ShareOfCompetencies(framework, _, _):
            yield from (iri for iri, known in acts.competencies.items() if known.framework.document.uri == framework)
        case EvidenceOf():
            yield from acts.competencies


def _frameworks(ever: Mapping[int, Act], subjects: set[int]) -> Iterator[int]:
    """Yield the positions of the framework versions in which a subject stands."""
    for position, act in ever.items():
        if act.kind == "framework" and any(
            key64("competency", one.uri) in subjects for one in act.document.competencies
        ):
            yield position


def _names(ever: Mapping[int, Act]) -> dict[int, str]:
    """Return the IRIs of competencies and policies by their keys."""
    found: dict[int, str] = {}
    for act in ever.values():
        if act.kind == "framework":
            found |= {key64("competency", one.uri): one.uri for one in act.document.competencies}
        elif act.kind == "policy":
            found[key64("policy", act.document.id)] = act.document.id
    return found


def _entries(view: View, wanted: DecisionId, subjects: set[int]) -> Sequence[Any]:
    columns = audit_entry.c
    query = select(audit_entry).where(
        columns.build_id == view.build("audit"),
        columns.learner == wanted.learner,
        columns.subject.in_(subjects),
        columns.position <= wanted.position,
    )
    order = columns.position, columns.entry, columns.subject, columns.reference
    return view.connection.execute(query.order_by(*order)).all()


def _decisions(view: View, wanted: DecisionId) -> Sequence[Any]:
    columns = decision.c
    query = select(columns.competency, columns.position, columns.rule, columns.scale, columns.override).where(
        columns.build_id == view.build("mastery"),
        columns.learner == wanted.learner,
        columns.position <= wanted.position,
    )
    return view.connection.execute(query.order_by(columns.position, columns.competency)).all()


def _positions(basis: Basis) -> set[int]:
    own = {row.position for row in basis.entries} | {row.reference for row in basis.entries}
    return own | set(basis.acts) | set(basis.ended_acts.values())


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


def _act_steps(basis: Basis, statements: Mapping[int, dict[str, Any]]) -> Iterator[Step]:
    for position, act in basis.acts.items():
        told = {"order": FIRST, "statement": statements.get(position), "document": _document(act)}
        yield {"position": position, "step": PUBLISHED, **told}
        if position in basis.ended_acts:
            cause = basis.ended_acts[position]
            yield {"position": cause, "step": WITHDRAWN, **told, "ended_by": statements.get(cause)}


def _document(act: Act) -> dict[str, Any]:
    """Return which version of which document an act carries."""
    one = act.document
    name = {"framework": "uri", "alignment": "activity"}.get(act.kind, "id")
    return {
        "kind": act.kind,
        "id": getattr(one, name),
        "version": getattr(one, "version", None),
        "title": getattr(one, "title", None),
        "position": act.position,
    }


def _step(basis: Basis, row: Any, statements: Mapping[int, dict[str, Any]]) -> Step:
    """Return one entry as people read it: what happened, by which statement, and what it is about."""
    found = {
        "position": row.position,
        "order": row.entry,
        "step": ENTRIES[row.entry],
        "subject": basis.names.get(row.subject),
    }
    if row.entry in {EVIDENCE, ENDED}:
        return {**found, **_evidence(basis, row, statements)}
    later = [one for one in basis.entries if (one.entry, one.subject) == (row.entry, row.subject)]
    following = next((one for one in later if one.position > row.position), None)
    rests_on = basis.decisions.get((row.subject, row.position))
    return {
        **found,
        "decision_id": _id_of(row),
        "caused_by": statements.get(row.position),
        "published": statements.get(row.reference),
        "scale_position": rests_on.scale if row.entry == MASTERY and rests_on else None,
        "superseded_by": _id_of(following) if following else None,
        "digest": row.digest.hex(),
    }


def _id_of(row: Any) -> str:
    return str(DecisionId(row.entry == CREDIT, row.learner, row.subject, row.position))


def _evidence(basis: Basis, row: Any, statements: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    """Return what a piece of evidence rests on, and what made it begin or end."""
    change = 1 if row.entry == EVIDENCE else -1
    piece = basis.evidence.get((row.subject, row.position, change, row.reference))
    found: dict[str, Any] = {"statement": statements.get(row.reference)}
    if piece is not None:
        found |= {
            "matched_by": MATCHED[piece.matched],
            "alignment_position": piece.alignment or None,
            "normaliser_position": piece.normaliser or None,
        }
    if row.entry == EVIDENCE:
        return {**found, "brought_about_by": statements.get(row.position)}
    return {**found, "reason": piece.reason if piece is not None else None, "ended_by": statements.get(row.position)}
