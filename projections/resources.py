"""`/api/v1`: mastery, credit, decisions and their trail, for whoever may read a district's records."""

from __future__ import annotations

import time
from dataclasses import replace
from operator import itemgetter

from flask import Blueprint, Flask
from marshmallow import fields, validate
from sqlalchemy import Engine, select

from lrs.resources import health, openapi
from lrs.resources.openapi import Operation, json_answer
from lrs.resources.schemas import array
from projections import shapes
from projections.answering import AFTER, AS_OF, Paged, Told, listed_after, page_of, reading, told_as
from projections.audit.reading import credentials_of, trail
from projections.building.worker import is_awake
from projections.credit.reading import credit_of, credit_record
from projections.evidence import tables
from projections.evidence.learners import not_linked_away
from projections.ids import DecisionId, decision_key, learner_id, learner_key
from projections.mastery.knowledge import stored_at
from projections.mastery.reading import competency_map, decision_record
from projections.progress import progress
from projections.publishing.reading import published_as
from projections.rulebook import held_at, one_of, policies_of, rules_of
from projections.view import View

blueprint = Blueprint("projections", __name__, url_prefix="/api/v1")


class LearnersQuery(Paged):
    """The query of the list of learners: a page begins behind the learner `after`."""

    after = fields.String(load_default=None, validate=validate.Regexp(r"[0-9a-f]{16}\Z"))


def register(app: Flask, engine: Engine) -> None:
    """Add the resources, over the engine of the projections' database."""
    app.extensions["projections"] = engine
    app.register_blueprint(blueprint)
    openapi.describe(app, OPERATIONS)
    health.add_check(app, "worker", lambda: _worker_is_awake(engine))


def _worker_is_awake(engine: Engine) -> bool:
    with engine.connect() as connection:
        return is_awake(connection, int(time.time() * 1_000_000))


@blueprint.get("/learners")
@reading(LearnersQuery())
def learners(view: View, after: str | None, limit: int) -> Told:
    """List the learners who have any evidence, in the order of their ids."""
    return learners_page(view, after, limit)


def learners_page(view: View, after: str | None, limit: int) -> Told:
    """Return a page of the learners who have any evidence."""
    columns = tables.learner.c
    query = select(columns.learner, columns.name).where(
        columns.build_id == view.build("evidence"), columns.position <= view.position, *not_linked_away(view)
    )
    if after:
        query = query.where(columns.learner > learner_key(after))
    rows = view.connection.execute(query.order_by(columns.learner).limit(limit + 1)).all()
    shown, next_page = page_of(rows, limit, lambda row: learner_id(row.learner))
    found = [{"id": learner_id(row.learner), "name": row.name} for row in shown]
    return {"as_of": view.as_of(), "learners": found, "after": next_page}


@blueprint.get("/learners/<learner>/mastery")
@reading()
def mastery(view: View, learner: str) -> Told:
    """Tell where a learner stands in every competency, and the rules by which, in plain words."""
    return mastery_of(view, learner_key(learner))


def mastery_of(view: View, learner: int) -> Told:
    """Return a learner's map and the rules behind it; raises NotFound."""
    acts = view.acts()
    rules = held_at(acts, sorted(acts.competencies), stored_at(view, view.position))
    return {**competency_map(view, learner), "rules": rules}


@blueprint.get("/learners/<learner>/credit")
@reading()
def credit(view: View, learner: str) -> Told:
    """Tell what every credit policy says of a learner."""
    return credit_of(view, learner_key(learner))


@blueprint.get("/learners/<learner>/progress")
@reading()
def learner_progress(view: View, learner: str) -> Told:
    """Tell what a learner has mastered, what is missing, and what comes next."""
    return progress(view, learner_key(learner))


@blueprint.get("/decisions/<decision>")
@reading()
def decision(view: View, decision: str) -> Told:
    """Tell one decision with everything that proves it, and by which statement it was published."""
    return record_of(view, decision_key(decision))


def record_of(view: View, wanted: DecisionId) -> Told:
    """Return the record of a decision of either kind; raises NotFound."""
    record = credit_record(view, wanted) if wanted.is_credit else decision_record(view, wanted)
    return {**record, "published": published_as(view, wanted)}


@blueprint.get("/decisions/<decision>/audit")
@reading()
def audit(view: View, decision: str) -> Told:
    """Walk from a decision to everything that it rests on."""
    wanted = decision_key(decision)
    steps = trail(view, wanted)
    return {"decision": record_of(view, wanted), "trail": steps, "credentials": credentials_of(steps)}


@blueprint.get("/rules")
@reading(Paged())
def rules(view: View, after: str | None, limit: int) -> Told:
    """List the mastery rules: every version in plain words, since when it holds, who approved it, what it is for."""
    found, next_page = listed_after(rules_of(view.acts()), after, limit, itemgetter("key"))
    return {"as_of": view.as_of(), "rules": found, "after": next_page}


@blueprint.get("/rules/<key>")
@reading()
def rule(view: View, key: str) -> Told:
    """Tell one mastery rule with every version of it."""
    return {"as_of": view.as_of(), **one_of(rules_of(view.acts()), key, "rules")}


@blueprint.get("/policies")
@reading(Paged())
def policies(view: View, after: str | None, limit: int) -> Told:
    """List the credit policies: every version in plain words."""
    found, next_page = listed_after(policies_of(view.acts()), after, limit, itemgetter("key"))
    return {"as_of": view.as_of(), "policies": found, "after": next_page}


@blueprint.get("/policies/<key>")
@reading()
def policy(view: View, key: str) -> Told:
    """Tell one credit policy with every version of it."""
    return {"as_of": view.as_of(), **one_of(policies_of(view.acts()), key, "policies")}


def _record(told: str) -> Operation:
    """Return what a view of one decision takes and answers."""
    return replace(told_as(told), answers={200: json_answer(told, shapes.RECORD)})


OPERATIONS = {
    "projections.learners": told_as(
        "A page of learners", LearnersQuery(), as_of=AS_OF, learners=array(shapes.LISTED_LEARNER), after=AFTER
    ),
    "projections.mastery": told_as(
        "Status and level in every competency",
        as_of=AS_OF,
        learner=shapes.LEARNER,
        frameworks=array(shapes.FRAMEWORK),
        rules=array(shapes.RULE_HELD),
    ),
    "projections.learner_progress": told_as(
        "What is mastered, what is missing, what comes next",
        as_of=AS_OF,
        learner=shapes.LEARNER,
        frameworks=array(shapes.PROGRESS),
        work_habits=array(shapes.PROGRESS),
        retired=array(shapes.RETIRED),
        rules=array(shapes.RULE_HELD),
    ),
    "projections.credit": told_as(
        "Every policy, with what it asks and what there is",
        as_of=AS_OF,
        learner=shapes.LEARNER,
        policies=array(shapes.CREDIT),
    ),
    "projections.decision": _record("The decision and its proof"),
    "projections.audit": told_as(
        "The trail of the decision",
        decision=shapes.RECORD,
        trail=array(shapes.STEP),
        credentials=array(shapes.CREDENTIAL),
    ),
    "projections.rules": told_as(
        "A page of mastery rules", Paged(), as_of=AS_OF, rules=array(shapes.RULE), after=AFTER
    ),
    "projections.rule": told_as("The rule and its versions", as_of=AS_OF, **shapes.RULE["properties"]),
    "projections.policies": told_as(
        "A page of credit policies", Paged(), as_of=AS_OF, policies=array(shapes.POLICY), after=AFTER
    ),
    "projections.policy": told_as("The policy and its versions", as_of=AS_OF, **shapes.POLICY["properties"]),
}
"""What the views above take and answer, for the OpenAPI document."""
