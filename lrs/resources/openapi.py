"""`/api/openapi.json`: everything that the record store answers to, as OpenAPI 3.1.

Paths and methods are those of the application's URL map, summaries the docstrings of the views; what a view takes and
answers is described by its package (`describe`), from the tables and schemas that read it. So nothing of it goes stale.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from flask import Blueprint, Flask, Response, current_app
from marshmallow import Schema as MarshmallowSchema
from marshmallow import fields, validate
from werkzeug.routing import Rule

from lrs.resources.headers import CONSISTENT_THROUGH, NEWER, VERSION
from lrs.resources.problems import STATUS
from lrs.resources.schemas import SCHEMAS, TIMESTAMP, Schema, reference
from lrs.resources.tags import ROOMS

blueprint = Blueprint("openapi", __name__)
KIND = "application/json"
DESCRIBED = ("/xapi/", *ROOMS)
VERSION_SCHEMA: Schema = {"type": "string", "pattern": r"^(1\.0|2\.0)(\.[0-9]+)?$"}
_placeholder = re.compile(r"<(?:([a-z]+):)?([a-z0-9_]+)>")


@dataclass(frozen=True, slots=True)
class Operation:
    """What a view takes and answers, beside what all do.

    `answers` holds OpenAPI's response objects by status, `refusals` the statuses of problem details; without `scopes`
    nobody needs a credential; `is_xapi`: the version header goes both ways.
    """

    answers: Mapping[int, Mapping[str, Any]]
    parameters: Sequence[Mapping[str, Any]] = ()
    body: Mapping[str, Any] | None = None
    scopes: Collection[str] = ()
    refusals: Collection[int] = (400,)
    is_xapi: bool = False


def describe(app: Flask, operations: Mapping[str, Operation]) -> None:
    """Let the document tell of more views, by their endpoints."""
    app.extensions.setdefault("openapi", {}).update(operations)


def register(app: Flask) -> None:
    """Serve the document."""
    app.register_blueprint(blueprint)
    describe(app, {"openapi.get": Operation({200: json_answer("This document", {"type": "object"})}, refusals=())})


@blueprint.get("/api/openapi.json")
def get() -> Response:
    """Answer this description of every resource, as OpenAPI 3.1."""
    return Response(msgspec.json.encode(document(current_app)), content_type=KIND)


def document(app: Flask) -> dict[str, Any]:
    """Return the OpenAPI document of an application."""
    operations: Mapping[str, Operation] = app.extensions["openapi"]
    paths: dict[str, dict[str, Any]] = {}
    for rule in sorted(app.url_map.iter_rules(), key=lambda one: (one.rule, one.endpoint)):
        if rule.rule.startswith(DESCRIBED) and rule.endpoint in operations:
            told = _operations(rule, app.view_functions[rule.endpoint], operations[rule.endpoint])
            paths.setdefault(_placeholder.sub(r"{\2}", rule.rule), {}).update(told)
    return {"openapi": "3.1.0", "info": _INFO, "paths": paths, "components": _COMPONENTS}


def parameter(name: str, schema: Schema, where: str = "query", *, required: bool = False) -> dict[str, Any]:
    """Return a parameter object; what is no plain value goes as JSON text."""
    found: dict[str, Any] = {"name": name, "in": where, "required": required}
    if "$ref" in schema:
        return {**found, "content": {KIND: {"schema": schema}}}
    return {**found, "schema": schema}


def query_of(schema: MarshmallowSchema) -> list[dict[str, Any]]:
    """Return the parameters that a schema reads from a query string."""
    return [parameter(name, _of_field(one), required=one.required) for name, one in schema.fields.items()]


def json_answer(told: str, schema: Schema) -> dict[str, Any]:
    """Return a response object with a JSON body."""
    return {"description": told, "content": {KIND: {"schema": schema}}}


def _of_field(one: fields.Field[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "integer" if isinstance(one, fields.Integer) else "string", **one.metadata}
    for check in one.validators:
        if isinstance(check, validate.Range):
            found |= {"minimum": check.min, "maximum": check.max}
        elif isinstance(check, validate.Regexp):
            found["pattern"] = "^" + str(check.regex.pattern).removesuffix(r"\Z") + "$"
        elif isinstance(check, validate.Length):
            found |= {"minLength": check.min, "maxLength": check.max}
        elif isinstance(check, validate.OneOf):
            found["enum"] = list(check.choices)
    return found


def _operations(rule: Rule, view: Callable[..., Any], operation: Operation) -> dict[str, Any]:
    """Return the operation objects of one rule, by method; HEAD answers as GET does, without a body."""
    found = {}
    for method in sorted((rule.methods or set()) - {"OPTIONS"}):
        told = _told(rule, view, operation)
        told["operationId"] = f"{method.lower()}_{rule.rule}"
        if method in {"GET", "HEAD"} and rule.rule.startswith(ROOMS):
            told = _with_tag(told)
        if method == "HEAD":
            told["responses"] = {status: _without_body(one) for status, one in told["responses"].items()}
        found[method.lower()] = told
    return found


def _with_tag(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the operation with what every answer to a GET has (`lrs.resources.tags`)."""
    answers = dict(told["responses"])
    if "200" in answers:
        answers["200"] = {**answers["200"], "headers": {**answers["200"].get("headers", {}), **_TAG}}
        answers["304"] = {"description": "It is the one that If-None-Match names", "headers": _TAG}
    return {**told, "parameters": [*told["parameters"], _KNOWN], "responses": answers}


def _told(rule: Rule, view: Callable[..., Any], operation: Operation) -> dict[str, Any]:
    function = view.func if isinstance(view, partial) else view
    found: dict[str, Any] = {
        "summary": (function.__doc__ or "").partition("\n")[0],
        "parameters": [*_of_path(rule), *operation.parameters, *([_VERSION] if operation.is_xapi else [])],
        "responses": {str(status): one for status, one in _responses(operation).items()},
        "security": [{"basic": []}, {"bearer": sorted(operation.scopes)}] if operation.scopes else [],
    }
    return {**found, "requestBody": operation.body} if operation.body else found


def _of_path(rule: Rule) -> list[dict[str, Any]]:
    found = _placeholder.findall(rule.rule)
    kinds = {"int": {"type": "integer", "minimum": 0}}
    return [parameter(name, kinds.get(kind, {"type": "string"}), "path", required=True) for kind, name in found]


def _responses(operation: Operation) -> dict[int, Mapping[str, Any]]:
    always = {401, 403, 503} if operation.scopes else set()
    refused = {status: _refused(status) for status in sorted({*operation.refusals, *always})}
    found = {**operation.answers, **refused}
    if not operation.is_xapi:
        return found
    return {status: {**one, "headers": {**one.get("headers", {}), **_ANSWERED}} for status, one in found.items()}


def _refused(status: int) -> dict[str, Any]:
    """Return the response object of a refusal, in the words of the table that makes the answer."""
    title = next(title for known, title in STATUS.values() if known == status)
    return {"description": title, "content": {"application/problem+json": {"schema": reference("Problem")}}}


def _without_body(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "content"}


_VERSION = parameter(VERSION, {**VERSION_SCHEMA, "examples": [NEWER]}, "header", required=True)
_TAG = {"ETag": {"description": "What the answer is made of", "schema": {"type": "string"}}}
_KNOWN = parameter("If-None-Match", {"type": "string"}, "header")
_ANSWERED = {VERSION: {"description": "Whose rules were followed", "schema": VERSION_SCHEMA}}
CONSISTENT = {CONSISTENT_THROUGH: {"description": "Up to when all is told", "schema": TIMESTAMP}}
_INFO = {
    "title": "Cairn",
    "version": "1",
    "description": "A learning record store: xAPI 1.0.3 and 2.0 under /xapi, what is concluded of it under /api/v1. "
    "The alternate request syntax of xAPI 1.0.3 (POST with ?method= and a form) is taken too.",
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}
_COMPONENTS = {
    "schemas": SCHEMAS,
    "securitySchemes": {
        "basic": {"type": "http", "scheme": "basic", "description": "Key and secret of a credential"},
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "Where an OAuth issuer is set; the scopes are those of the token and of its credential",
        },
    },
}
