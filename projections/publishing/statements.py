"""A decision → the statement that tells it, in the words of ADL's Learner Competency profile. Pure.

Templates of https://w3id.org/xapi/learnercompetency: *achieved* (the learner, about a competency) and *revoked* (the
district, about the learner, with the competency in the grouping). It has no result: what a decision says can be
evidence of nothing. The id follows from the decision, so the same decision told again is the same statement.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from lrs.xapi.values import iso
from projections.ids import DecisionId
from projections.profile import DECISION, activity_type

LEARNER_COMPETENCY: Final = "https://w3id.org/xapi/learnercompetency"
VERSION: Final = f"{LEARNER_COMPETENCY}/1.0"
ACHIEVED: Final = "https://w3id.org/xapi/tla/verbs/achieved"
REVOKED: Final = "https://w3id.org/xapi/tla/verbs/revoked"
COMPETENCY: Final = "https://w3id.org/xapi/tla/activity-types/competency"
EXPIRES: Final = "https://w3id.org/xapi/comp/contextextensions/expires"


class Subject(NamedTuple):
    """What was decided on: a competency or a credit policy, by its IRI and its name."""

    iri: str
    name: str


class Turn(NamedTuple):
    """A decision that turned something: the learner holds it from here on, or no longer does.

    `told` is what stands in our extension beside the id; `cause` is the statement that brought the decision about, and
    `granted` the statement by which it was achieved, if that was published. Times are in microseconds.
    """

    decision: DecisionId
    is_gain: bool
    stored: int
    cause: str | None
    told: Mapping[str, Any]
    granted: str | None = None
    expires: int | None = None


def statement_id(origin: str, decision: DecisionId | str) -> str:
    """Return the id of the statement that tells a decision of the log with this origin."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{origin}/decisions/{decision}"))


def statement_of(
    origin: str, turn: Turn, subject: Subject, learner: Mapping[str, Any], district: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the statement of a turn; `learner` and `district` are Agents."""
    about = _activity(turn.decision, subject)
    found: dict[str, Any] = {
        "id": statement_id(origin, turn.decision),
        "timestamp": iso(turn.stored),
        "context": _context(turn),
    }
    if turn.is_gain:
        return {**found, "actor": dict(learner), "verb": _verb(ACHIEVED), "object": about}
    found["context"]["contextActivities"]["grouping"] = [about]
    return {**found, "actor": dict(district), "verb": _verb(REVOKED), "object": {**learner, "objectType": "Agent"}}


def _verb(iri: str) -> dict[str, Any]:
    return {"id": iri, "display": {"en": iri.rpartition("/")[2]}}


def _activity(decision: DecisionId, subject: Subject) -> dict[str, Any]:
    kind = activity_type("policy") if decision.is_credit else COMPETENCY
    return {
        "objectType": "Activity",
        "id": subject.iri,
        "definition": {"type": kind, "name": {"en": subject.name}},
    }


def _context(turn: Turn) -> dict[str, Any]:
    extensions: dict[str, Any] = {DECISION: {"id": str(turn.decision), **turn.told}}
    if turn.is_gain and turn.expires is not None:
        extensions[EXPIRES] = iso(turn.expires)
    profile = {"objectType": "Activity", "id": VERSION, "definition": {"type": LEARNER_COMPETENCY}}
    found: dict[str, Any] = {"contextActivities": {"category": [profile]}, "extensions": extensions}
    if about := turn.granted or turn.cause:
        found["statement"] = {"objectType": "StatementRef", "id": about}
    return found
