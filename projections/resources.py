"""`/api/v1`: mastery, credit, decisions and their trail, for whoever may read a district's records."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from marshmallow import Schema as MarshmallowSchema
from marshmallow import ValidationError, fields, validate
from sqlalchemy import Engine, select

from lrs.errors import InvalidRequest, Problem
from lrs.resources import health, openapi
from lrs.resources.auth import require
from lrs.resources.lrs import this_lrs
from lrs.resources.openapi import Operation, json_answer, query_of
from lrs.store.credentials import Credential
from projections.audit.reading import credentials_of, trail
from projections.credit.reading import credit_of, credit_record
from projections.evidence import tables
from projections.evidence.reading import quarantined
from projections.ids import decision_key, learner_id, learner_key
from projections.mastery.reading import competency_map, decision_record
from projections.view import View, view_of
from projections.worker import is_awake

READERS = frozenset({"all/read", "all", "statements/read"})
blueprint = Blueprint("projections", __name__, url_prefix="/api/v1")
MOST_LEARNERS = 500


class AsOf(MarshmallowSchema):
    """The query of everything that can be told as of a position or a time."""

    as_of = fields.String(load_default=None)


class LearnersQuery(AsOf):
    """The query of the list of learners: a page begins behind the learner `after`."""

    after = fields.String(load_default=None, validate=validate.Regexp(r"[0-9a-f]{16}\Z"))
    limit = fields.Integer(load_default=100, validate=validate.Range(1, MOST_LEARNERS))


def register(app: Flask, engine: Engine) -> None:
    """Add the resources, over the engine of the projections' database."""
    app.extensions["projections"] = engine
    app.register_blueprint(blueprint)
    openapi.describe(app, OPERATIONS)
    health.add_check(app, "worker", lambda: _worker_is_awake(engine))


def _worker_is_awake(engine: Engine) -> bool:
    with engine.connect() as connection:
        return is_awake(connection, int(time.time() * 1_000_000))


@contextmanager
def view_for(reader: Credential, as_of: str | None) -> Iterator[View]:
    """Open a view of the reader's log, now or as of a position or a time."""
    engine: Engine = current_app.extensions["projections"]
    with engine.connect() as connection, this_lrs().engine.connect() as log_connection:
        yield view_of(connection, log_connection, reader.log, as_of)


def _asked(schema: MarshmallowSchema) -> dict[str, Any]:
    try:
        asked: dict[str, Any] = schema.load(request.args.to_dict())
    except ValidationError as error:
        found = [Problem(f"?{name}", "; ".join(words)) for name, words in error.normalized_messages().items()]  # type: ignore[no-untyped-call]
        raise InvalidRequest("the query cannot be understood", found) from None
    return asked


@blueprint.get("/learners")
def learners() -> Response:
    """List the learners who have any evidence, in the order of their ids."""
    reader, asked = require(READERS), _asked(LearnersQuery())
    with view_for(reader, asked["as_of"]) as view:
        columns = tables.learner.c
        query = select(columns.learner, columns.name).where(
            columns.build_id == view.build("evidence"), columns.position <= view.position
        )
        if asked["after"]:
            query = query.where(columns.learner > learner_key(asked["after"]))
        rows = view.connection.execute(query.order_by(columns.learner).limit(asked["limit"] + 1)).all()
        shown = [{"id": learner_id(row.learner), "name": row.name} for row in rows[: asked["limit"]]]
        more = shown[-1]["id"] if len(rows) > asked["limit"] else None
        return jsonify({"as_of": view.as_of(), "learners": shown, "after": more})


@blueprint.get("/learners/<learner>/mastery")
def mastery(learner: str) -> Response:
    """Tell where a learner stands in every competency."""
    reader, asked = require(READERS), _asked(AsOf())
    with view_for(reader, asked["as_of"]) as view:
        return jsonify(competency_map(view, learner_key(learner)))


@blueprint.get("/learners/<learner>/credit")
def credit(learner: str) -> Response:
    """Tell what every credit policy says of a learner."""
    reader, asked = require(READERS), _asked(AsOf())
    with view_for(reader, asked["as_of"]) as view:
        return jsonify(credit_of(view, learner_key(learner)))


@blueprint.get("/decisions/<decision>")
def decision(decision: str) -> Response:
    """Tell one decision with everything that proves it."""
    reader, asked = require(READERS), _asked(AsOf())
    wanted = decision_key(decision)
    with view_for(reader, asked["as_of"]) as view:
        return jsonify(credit_record(view, wanted) if wanted.is_credit else decision_record(view, wanted))


@blueprint.get("/decisions/<decision>/audit")
def audit(decision: str) -> Response:
    """Walk from a decision to everything that it rests on."""
    reader, asked = require(READERS), _asked(AsOf())
    wanted = decision_key(decision)
    with view_for(reader, asked["as_of"]) as view:
        record = credit_record(view, wanted) if wanted.is_credit else decision_record(view, wanted)
        steps = trail(view, wanted)
        return jsonify({"decision": record, "trail": steps, "credentials": credentials_of(steps)})


@blueprint.get("/quarantine")
def quarantine() -> Response:
    """List the statements that could be evidence and are not, with the reasons, newest first."""
    reader, asked = require(READERS), _asked(AsOf())
    with view_for(reader, asked["as_of"]) as view:
        return jsonify({"as_of": view.as_of(), **quarantined(view)})


def _reading(told: str, *members: str, query: MarshmallowSchema | None = None) -> Operation:
    """Return what a view of conclusions takes and answers: an object with these members at least."""
    shape = {"type": "object", "required": list(members)}
    return Operation({200: json_answer(told, shape)}, query_of(query or AsOf()), None, READERS, (400, 404))


OPERATIONS = {
    "projections.learners": _reading("A page of learners", "as_of", "learners", "after", query=LearnersQuery()),
    "projections.mastery": _reading("Status and level in every competency", "as_of", "learner", "frameworks"),
    "projections.credit": _reading("Every policy, with what it asks and what there is", "as_of", "learner", "policies"),
    "projections.decision": _reading("The decision and its proof", "decision_id", "kind", "as_of"),
    "projections.audit": _reading("The trail of the decision", "decision", "trail", "credentials"),
    "projections.quarantine": _reading("What waits, with the reasons", "as_of"),
}
"""What the views above take and answer, for the OpenAPI document."""
