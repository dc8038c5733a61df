"""`/api/v1`: the quarantine, a learner's evidence, the assessment registry, and which accounts are one learner's."""

from __future__ import annotations

from operator import itemgetter

from flask import Blueprint, Flask
from marshmallow import fields, validate

from lrs.resources import openapi
from lrs.resources.schemas import Schema, array
from lrs.xapi.values import key64
from projections.answering import AFTER, AS_OF, Paged, Told, listed_after, reading, told_as
from projections.evidence.listing import assessments_shown, evidence_held, evidence_shown, identities_shown
from projections.evidence.reading import Wanted, quarantined
from projections.ids import learner_id, learner_key
from projections.view import View, learner_named

blueprint = Blueprint("evidence", __name__, url_prefix="/api/v1")
PLACE = r"[0-9]{1,19}\Z"


class QuarantineQuery(Paged):
    """The query of the quarantine: a page holds what stands before the position `after`."""

    after = fields.String(load_default=None, validate=validate.Regexp(PLACE))
    reason = fields.String(load_default=None, metadata={"description": "Only what waits for this reason"})
    credential = fields.String(load_default=None, metadata={"description": "Only what this credential's key posted"})


class EvidenceQuery(Paged):
    """The query of a learner's evidence: a page begins behind the piece `after`, counted from the oldest."""

    after = fields.String(load_default=None, validate=validate.Regexp(PLACE))
    competency = fields.String(load_default=None, metadata={"description": "Only evidence of this competency's IRI"})


def register(app: Flask) -> None:
    """Add the resources; the engine of the projections is there already."""
    app.register_blueprint(blueprint)
    openapi.describe(app, OPERATIONS)


@blueprint.get("/quarantine")
@reading(QuarantineQuery())
def quarantine(view: View, after: str | None, limit: int, reason: str | None, credential: str | None) -> Told:
    """List the statements that could be evidence and are not, with the reasons, newest first."""
    wanted = Wanted(reason, credential, None if after is None else int(after), limit)
    return {"as_of": view.as_of(), **quarantined(view, wanted)}


@blueprint.get("/learners/<learner>/evidence")
@reading(EvidenceQuery())
def evidence(view: View, learner: str, after: str | None, limit: int, competency: str | None) -> Told:
    """List a learner's evidence, oldest first, each piece with what made it one."""
    key, first = learner_key(learner), int(after or 0)
    who = learner_named(view, key)
    rows = evidence_held(view, key)
    if competency is not None:
        rows = [row for row in rows if row.competency == key64("competency", competency)]
    more = str(first + limit) if first + limit < len(rows) else None
    shown = evidence_shown(view, rows[first : first + limit])
    return {"as_of": view.as_of(), "learner": {"id": learner_id(key), **who}, "evidence": shown, "after": more}


@blueprint.get("/assessments")
@reading(Paged())
def assessments(view: View, after: str | None, limit: int) -> Told:
    """List the assessment registry in the order of the activities' IRIs: the newest version of each."""
    found, next_page = listed_after(assessments_shown(view), after, limit, itemgetter("id"))
    return {"as_of": view.as_of(), "assessments": found, "after": next_page}


@blueprint.get("/identities")
@reading(Paged())
def identities(view: View, after: str | None, limit: int) -> Told:
    """List which accounts are linked to which learner, and what contradicts, in the order of the links' IRIs."""
    found, next_page = listed_after(identities_shown(view), after, limit, itemgetter("id"))
    return {"as_of": view.as_of(), "identities": found, "after": next_page}


def _object(*members: str) -> Schema:
    return {"type": "object", "required": list(members)}


_COUNTS: Schema = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}
_PIECE = _object(
    "statement_id", "position", "timestamp", "competency", "evidence_kind", "score", "matched_by", "producer"
)
_WAITING = _object("position", "statement_id", "credential", "reason", "detail", "disposition")

OPERATIONS = {
    "evidence.quarantine": told_as(
        "What waits, with the reasons", QuarantineQuery(),
        as_of=AS_OF, count={"type": "integer"}, by_reason=_COUNTS,
        by_credential=array(_object("key", "name", "count", "by_reason")), duplicates={"type": "integer"},
        newest=array(_WAITING), after=AFTER,
    ),
    "evidence.evidence": told_as(
        "A page of a learner's evidence", EvidenceQuery(),
        as_of=AS_OF, learner=_object("id", "name", "agent"), evidence=array(_PIECE), after=AFTER,
    ),
    "evidence.assessments": told_as(
        "A page of the assessment registry", Paged(),
        as_of=AS_OF, assessments=array(_object("id", "version", "title", "kind", "validated")), after=AFTER,
    ),
    "evidence.identities": told_as(
        "A page of the links of accounts", Paged(),
        as_of=AS_OF, identities=array(_object("id", "learner", "accounts", "reason", "conflicts")), after=AFTER,
    ),
}  # fmt: skip
"""What the views above take and answer, for the OpenAPI document."""
