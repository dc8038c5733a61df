"""JSON Schemas (2020-12) of what the API tells of conclusions, for the OpenAPI document; a test holds answers to them.

They tell what is always there. More members may come: a reader takes those he does not know as not there.
"""

from __future__ import annotations

from typing import Any

from lrs.resources.schemas import INTEGER, STRING, Schema, array, either, word
from projections.credit.timeline import OUTCOMES
from projections.mastery.timeline import CAUSES, STATUSES

NULL: Schema = {"type": "null"}
OBJECT: Schema = {"type": "object"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
INTEGER_OR_NULL: Schema = {"type": ["integer", "null"]}
BOOLEAN: Schema = {"type": "boolean"}
LEARNER_ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
DECISION_ID: Schema = {"type": "string", "pattern": "^[mc]\\.[0-9a-f]{16}\\.[0-9a-f]{16}\\.[1-9][0-9]*$"}
DIGEST: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def having(**members: Schema) -> dict[str, Any]:
    """Return the schema of an object that has these members, and may have more."""
    return {"type": "object", "properties": members, "required": list(members)}


def or_null(schema: Schema) -> Schema:
    """Return the schema of something that may be missing."""
    return either(schema, NULL)


MOMENT = having(position=INTEGER, stored=TEXT_OR_NULL)
LEARNER = having(id=LEARNER_ID, name=STRING, agent=OBJECT, stale=BOOLEAN)
LISTED_LEARNER = having(id=LEARNER_ID, name=STRING)
NAMED = having(uri=STRING, name=STRING)
STATUS = word(*STATUSES)
STANDING = having(
    **NAMED["properties"], code=TEXT_OR_NULL, statement=STRING, status=STATUS, level=TEXT_OR_NULL, value=TEXT_OR_NULL,
    decision=or_null(DECISION_ID),
)  # fmt: skip
FRAMEWORK = having(uri=STRING, title=STRING, version=STRING, competencies=array(STANDING))
MISSING = having(**STANDING["properties"], next_step=STRING, waits_for=array(NAMED))
PROGRESS = having(
    uri=STRING, title=STRING, version=STRING, mastered=array(STANDING), missing=array(MISSING), next=array(MISSING)
)
RETIRED = having(**STANDING["properties"], retired=STRING, framework=STRING)

PUBLISHED = having(
    id=STRING, version=INTEGER, title=STRING, text=STRING, approver=TEXT_OR_NULL, effective_from=TEXT_OR_NULL,
    published=STRING, statement_id=STRING, position=INTEGER,
)  # fmt: skip
_HELD = {**NAMED["properties"], "from": TEXT_OR_NULL, "until": TEXT_OR_NULL}
RULE_VERSION = having(**PUBLISHED["properties"], scale=OBJECT, holds_for=array(having(**_HELD)), objection=STRING)
COURSE = having(code=STRING, title=STRING)
POLICY_VERSION = having(**PUBLISHED["properties"], course=COURSE, units=STRING, in_force=BOOLEAN)


RULE_HELD = having(
    key=LEARNER_ID, id=STRING, version=INTEGER, title=STRING, text=STRING, scale=OBJECT, competencies=array(STRING)
)


def document(version: Schema) -> dict[str, Any]:
    """Return the schema of a rule or a policy with versions of this shape."""
    return having(
        key=LEARNER_ID,
        id=STRING,
        title=STRING,
        text=STRING,
        version=INTEGER,
        versions={**array(version), "minItems": 1},
    )


RULE, POLICY = document(RULE_VERSION), document(POLICY_VERSION)
LEAF = having(requirement=STRING, have=STRING, need=STRING, met=BOOLEAN, path=STRING)
CREDIT = having(
    policy=having(id=STRING, version=INTEGER, title=STRING, text=STRING), course=COURSE, units=STRING,
    outcome=word(*OUTCOMES), leaves=array(LEAF), decision=or_null(DECISION_ID),
)  # fmt: skip
TOLD_AS = having(statement_id=STRING, verb=STRING, position=INTEGER, is_voided=BOOLEAN)
_RECORD = {
    "decision_id": DECISION_ID, "learner": LEARNER, "as_of": MOMENT, "supersedes": or_null(DECISION_ID),
    "superseded_by": or_null(DECISION_ID), "digest": DIGEST, "previous_digest": or_null(DIGEST), "verified": BOOLEAN,
    "published": or_null(TOLD_AS),
}  # fmt: skip
MASTERY_RECORD = having(
    **_RECORD, kind=word("mastery"), competency=OBJECT, rule=having(text=STRING), scale=OBJECT, status=STATUS,
    level=TEXT_OR_NULL, raw=TEXT_OR_NULL, rounded=TEXT_OR_NULL, inputs=array(OBJECT), excluded=array(OBJECT),
    unmet=array(having(requirement=STRING, have=STRING, need=STRING)), overrides=array(OBJECT), cause=word(*CAUSES),
    engine_version=STRING, arithmetic=array(STRING), next_step=STRING,
    advisory=array(having(name=STRING, value=STRING, text=STRING)),
)  # fmt: skip
CREDIT_RECORD = having(
    **_RECORD, kind=word("credit"), policy=OBJECT, course=COURSE, units=STRING, outcome=word(*OUTCOMES),
    leaves=array(LEAF),
)  # fmt: skip
RECORD = either(MASTERY_RECORD, CREDIT_RECORD)
STEP = having(position=INTEGER, step=STRING)
CREDENTIAL = having(credential=TEXT_OR_NULL, statements=INTEGER)
