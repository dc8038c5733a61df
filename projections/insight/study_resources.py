"""`/api/v1/studies`: what another rule, alignment or normaliser would have said, kept by name."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from flask import Response, jsonify, request, url_for
from sqlalchemy import func, select

from lrs.errors import InvalidRequest, NotFound, Problem
from lrs.resources import openapi
from lrs.resources.auth import READ_AGGREGATES, READ_ALL, require
from lrs.resources.lrs import this_lrs
from lrs.resources.openapi import Operation, json_answer
from lrs.resources.schemas import STRING, array
from lrs.store.credentials import Credential
from lrs.store.engine import immediate
from lrs.xapi.values import iso
from projections.answering import AFTER, Told, view_for
from projections.evidence import tables
from projections.insight import studies
from projections.insight.asking import blueprint, engine_here, object_with, sees_learners
from projections.insight.studies import DONE, FAILED, Study
from projections.insight.working import Desk, settle
from projections.insight.written import changes_csv, json_of, totals_csv, without_learners
from projections.view import View

SMALL = 20_000
"""A study of at most so many rows of evidence is answered at once, in the process that was asked."""


@blueprint.get("/studies")
def study_list() -> Response:
    """List the studies of what another rule, alignment or normaliser would have said, newest first."""
    reader = require(READ_AGGREGATES)
    with engine_here().connect() as connection:
        found = studies.studies(connection, reader.log.log_id)
    return jsonify({"studies": [summary(one) for one in found]})


@blueprint.post("/studies")
def study_post() -> Response:
    """Ask what a candidate would change: a small study is answered at once, a large one by the worker."""
    reader = require(READ_ALL)
    body = _body()
    with view_for(reader, None) as view:
        definition = studies.definition_of(view, body.get("candidate"), body.get("from"), body.get("through"))
        is_small = _rows(view, definition.through) <= SMALL
    with immediate(engine_here()).begin() as connection:
        one = studies.begin(connection, reader.log.log_id, body["name"], definition, time.time_ns() // 1000)
    if is_small and one.state not in (DONE, FAILED):
        settle(desk_here(), reader.log, one)
    with engine_here().connect() as connection:
        kept = studies.study_named(connection, reader.log.log_id, one.name)
    answer = jsonify(summary(kept))
    answer.status_code = 201 if kept.state in (DONE, FAILED) else 202
    answer.headers["Location"] = url_for("insight.study_get", name=kept.name)
    return answer


def desk_here() -> Desk:
    """Return where a study is run when it is answered at once: in this process."""
    served = this_lrs()
    settings = served.settings
    urls = (settings.log_url, settings.derived_url)
    return Desk(served.engine, engine_here(), urls, settings.smallest_group, processes=1)


def _body() -> dict[str, Any]:
    try:
        body = msgspec.json.decode(request.get_data())
    except msgspec.DecodeError as error:
        raise InvalidRequest("the body is not JSON", [Problem("", str(error))]) from None
    if not isinstance(body, dict):
        raise InvalidRequest("the body is no study", [Problem("", "must be an object with name and candidate")])
    problems = [Problem(f"/{name}", "is not a field here: take it out") for name in sorted(body.keys() - _FIELDS)]
    if not isinstance(body.get("name"), str):
        problems.append(Problem("/name", "must be text"))
    problems += [
        Problem(f"/{name}", "must be a position, a whole number")
        for name in ("from", "through")
        if name in body and type(body[name]) is not int
    ]
    if problems:
        raise InvalidRequest("the body is no study", problems)
    return body


_FIELDS = {"name", "candidate", "from", "through"}


def _rows(view: View, through: int) -> int:
    rows = tables.evidence.c
    some = select(rows.cause).where(rows.build_id == view.build("evidence"), rows.cause <= through).limit(SMALL + 1)
    return int(view.connection.scalar(select(func.count()).select_from(some.subquery())) or 0)


@blueprint.get("/studies/<name>")
def study_get(name: str) -> Response:
    """Tell what a study found, without the single changes; coded for who may not see learners."""
    reader = require(READ_AGGREGATES)
    one = study_here(reader, name)
    return jsonify({**summary(one), "found": None if one.result is None else told_of(one, reader)})


def told_of(one: Study, reader: Credential) -> Told:
    """Return what a reader is told of a study that is done, without the single changes."""
    found = one.found()
    if not sees_learners(reader):
        return {**without_learners(found), "is_coded": True}
    return {**{name: value for name, value in found.items() if name not in ("changes", "coded")}, "is_coded": False}


def study_here(reader: Credential, name: str) -> Study:
    """Return a study of a reader's log; raises NotFound."""
    with engine_here().connect() as connection:
        return studies.study_named(connection, reader.log.log_id, name)


@blueprint.get("/studies/<name>/changes")
def study_changes(name: str) -> Response:
    """List the learners whose standing a candidate would change, with the evidence that decides it."""
    reader = require(READ_ALL)
    found = study_here(reader, name).found()["changes"]
    after, limit = _page()
    answer = {"changes": found[after : after + limit], "after": None}
    if len(found) > after + limit:
        answer["after"] = str(after + limit)
    return jsonify(answer)


def _page() -> tuple[int, int]:
    given = {name: request.args.get(name, str(default)) for name, default in (("after", 0), ("limit", 100))}
    problems = [
        Problem(f"?{name}", "must be a whole number")
        for name, text in given.items()
        if not (text.isascii() and text.isdecimal() and len(text) < 10)
    ]
    if problems or not 1 <= int(given["limit"]) <= 500:
        raise InvalidRequest("the page cannot be found", problems or [Problem("?limit", "must be from 1 to 500")])
    return int(given["after"]), int(given["limit"])


@blueprint.get("/studies/<name>/export/<format_>")
def study_export(name: str, format_: str) -> Response:
    """Answer a study as a file: study.json, totals.csv, or changes.csv for who may see learners."""
    reader = require(READ_AGGREGATES)
    sees = sees_learners(reader)
    if format_ == "changes.csv":
        require(READ_ALL)
    found = study_here(reader, name).found()
    if format_ == "study.json":
        return Response(json_of(found, sees_learners=sees), content_type="application/json")
    if format_ == "totals.csv":
        return Response(totals_csv(found, sees_learners=sees), content_type="text/csv; charset=utf-8")
    if format_ == "changes.csv":
        return Response(changes_csv(found), content_type="text/csv; charset=utf-8")
    raise NotFound("a study is written as study.json, totals.csv or changes.csv")


def summary(one: Study) -> dict[str, Any]:
    """Return what a list of studies tells of each."""
    asks = one.asks()
    return {
        "name": one.name,
        "state": one.state,
        "asked": iso(one.asked),
        "from": asks.after + 1,
        "through": asks.through,
        "candidate": dict(asks.document),
        "problem": one.problem or None,
    }


OBJECT = {"type": "object"}
POSITION = {"type": "integer", "minimum": 1}
STUDY = {
    "type": "object",
    "properties": {
        "name": STRING,
        "state": {"type": "string", "enum": ["waiting", "running", "done", "failed"]},
        "asked": STRING,
        "from": POSITION,
        "through": POSITION,
        "candidate": OBJECT,
        "problem": {"type": ["string", "null"]},
    },
    "required": ["name", "state", "asked", "from", "through", "candidate", "problem"],
}
_NEW_STUDY = {
    "type": "object",
    "properties": {"name": STRING, "candidate": OBJECT, "from": POSITION, "through": POSITION},
    "required": ["name", "candidate"],
    "additionalProperties": False,
}
_CSV = {"text/csv": {"schema": STRING}}

OPERATIONS = {
    "insight.study_list": Operation(
        {200: json_answer("The studies", object_with(studies=array(STUDY)))}, (), None, READ_AGGREGATES, ()
    ),
    "insight.study_post": Operation(
        {201: json_answer("It is answered", STUDY), 202: json_answer("The worker will answer it", STUDY)}, (),
        {"required": True, "content": {"application/json": {"schema": _NEW_STUDY}}}, READ_ALL, (400, 404, 409),
    ),
    "insight.study_get": Operation(
        {200: json_answer("The study and what it found", {**STUDY, "required": [*STUDY["required"], "found"]})},
        (), None, READ_AGGREGATES, (404,),
    ),
    "insight.study_changes": Operation(
        {200: json_answer("A page of changes", object_with(changes=array(OBJECT), after=AFTER))},
        [openapi.parameter("after", {"type": "string"}), openapi.parameter("limit", {"type": "integer"})],
        None, READ_ALL, (400, 404),
    ),
    "insight.study_export": Operation(
        {200: {"description": "The file", "content": {"application/json": {"schema": OBJECT}, **_CSV}}},
        (), None, READ_AGGREGATES, (404,),
    ),
}  # fmt: skip
"""What the views above take and answer, for the OpenAPI document."""
