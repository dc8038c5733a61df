"""What the record store's own views take and answer, for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from lrs.resources import activities, agents, documents, refusals, statements
from lrs.resources.auth import READ_ALL, READ_MINE
from lrs.resources.openapi import CONSISTENT, KIND, Operation, json_answer, parameter, query_of
from lrs.resources.schemas import BOOLEAN, INTEGER, IRI, STRING, TIMESTAMP, UUID, Schema, array, either, reference, word
from lrs.store.refusals import Listed
from lrs.xapi.documents import Resource, parameters, required
from lrs.xapi.query import PARAMETERS
from lrs.xapi.signatures import Finding

PARAMETER_SCHEMAS: Mapping[str, Schema] = {
    "statementId": UUID,
    "voidedStatementId": UUID,
    "agent": reference("Actor"),
    "verb": IRI,
    "activity": IRI,
    "activityId": IRI,
    "registration": UUID,
    "related_agents": BOOLEAN,
    "related_activities": BOOLEAN,
    "since": TIMESTAMP,
    "until": TIMESTAMP,
    "limit": INTEGER,
    "format": word("ids", "exact", "canonical"),
    "attachments": BOOLEAN,
    "ascending": BOOLEAN,
    "more": {"type": "string", "pattern": "^[1-9][0-9]{0,17}$", "description": "As it stands in `more`; never made up"},
    "stateId": {"type": "string", "minLength": 1},
    "profileId": {"type": "string", "minLength": 1},
}
READ_SCOPES = READ_ALL | {READ_MINE}
_ANY: Schema = {}
_TAG = {"ETag": {"description": "Quoted SHA-1 of the document's bytes", "schema": STRING}}
_MODIFIED = {"Last-Modified": {"description": "When it was stored", "schema": STRING}}
_BODY_REFUSALS = (400, 413, 415)


def told_parameters(names: Iterable[str], needed: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return the parameter objects of xAPI parameters by their names."""
    return [parameter(name, PARAMETER_SCHEMAS[name], required=name in needed) for name in names]


def _header(name: str) -> dict[str, Any]:
    return parameter(name, STRING, "header")


def _body(told: str, *kinds: tuple[str, Schema]) -> dict[str, Any]:
    return {"description": told, "required": True, "content": {kind: {"schema": schema} for kind, schema in kinds}}


def _nothing(told: str, **headers: Any) -> dict[str, Any]:
    return {"description": told, "headers": headers}


_STATEMENT, _STATEMENTS = reference("Statement"), array(reference("Statement"))
_MULTIPART = ("multipart/mixed", {"description": "The JSON first, then a part for each attachment's data"})
_ONE_OR_PAGE = either(_STATEMENT, reference("StatementResult"))
_STATEMENT_OPERATIONS = {
    "statements.post": Operation(
        {200: json_answer("The ids, in the order of the statements", array(UUID))},
        body=_body("One statement, or several", (KIND, either(_STATEMENTS, _STATEMENT)), _MULTIPART),
        scopes=statements.WRITERS,
        refusals=(*_BODY_REFUSALS, 409, 429),
        is_xapi=True,
    ),
    "statements.put": Operation(
        {204: _nothing("Stored")},
        told_parameters(["statementId"], ["statementId"]),
        _body("The statement", (KIND, _STATEMENT), _MULTIPART),
        statements.WRITERS,
        (*_BODY_REFUSALS, 409, 429),
        is_xapi=True,
    ),
    "statements.get": Operation(
        {
            200: {
                "description": "One statement, asked for by its id, or a page of those that meet the query",
                "content": {KIND: {"schema": _ONE_OR_PAGE}, _MULTIPART[0]: {"schema": _MULTIPART[1]}},
                "headers": {**CONSISTENT, **_MODIFIED},
            }
        },
        [*told_parameters([*PARAMETERS, statements.CURSOR]), _header("Accept-Language")],
        scopes=READ_SCOPES,
        refusals=(400, 404),
        is_xapi=True,
    ),
}


def _document_operations() -> Iterator[tuple[str, Operation]]:
    """Yield the operations of the three document resources, from the table that tells them apart."""
    for path, resource in documents.PATHS.items():
        yield f"documents.get {path}", _document_get(resource)
        yield f"documents.put {path}", _document_change(resource, "PUT")
        yield f"documents.post {path}", _document_change(resource, "POST")
        yield f"documents.delete {path}", _document_change(resource, "DELETE")


def _document_get(resource: Resource) -> Operation:
    content = {"*/*": {"schema": _ANY}, KIND: {"schema": _ANY}}
    told = f"The document, byte for byte; without {resource.id_name} the ids of all, as a JSON array"
    return Operation(
        {
            200: {"description": told, "content": content, "headers": {**_TAG, **_MODIFIED}},
            304: _nothing("It is the one that If-None-Match names", **_TAG),
        },
        [*_of_document(resource, "GET"), _header("If-None-Match")],
        scopes={resource.scope, "all", "all/read"},
        refusals=(400, 404),
        is_xapi=True,
    )


def _document_change(resource: Resource, method: str) -> Operation:
    body = _body("The document; of application/json, POST merges the members", ("*/*", _ANY), (KIND, _ANY))
    conflicts = (409, 412) if method == "PUT" else (412,)
    return Operation(
        {204: _nothing("Done", **({} if method == "DELETE" else _TAG))},
        [*_of_document(resource, method), _header("If-Match"), _header("If-None-Match")],
        None if method == "DELETE" else body,
        {resource.scope, "all"},
        (400, *conflicts) if method == "DELETE" else (*_BODY_REFUSALS, *conflicts),
        is_xapi=True,
    )


def _of_document(resource: Resource, method: str) -> list[dict[str, Any]]:
    return told_parameters(parameters(resource, method), required(resource, method))


def _lookup(name: str, told: str, schema: Schema, scopes: Collection[str]) -> Operation:
    return Operation({200: json_answer(told, schema)}, told_parameters([name], [name]), scopes=scopes, is_xapi=True)


def _shape(kind: type) -> dict[str, Any]:
    """Return the JSON Schema of a struct or dataclass, spelled out."""
    (_,), named = msgspec.json.schema_components([kind])
    found: dict[str, Any] = named[kind.__name__]
    return found


_LISTED = _shape(Listed)
_REFUSAL = {**_LISTED, "properties": {**_LISTED["properties"], "time": STRING}}
_BODIES = {"body": {"type": ["string", "null"]}, "body_base64": STRING}
_WITH_BODY = {**_REFUSAL, "properties": {**_REFUSAL["properties"], **_BODIES}}


def answer_of(told: str, **members: Schema) -> dict[str, Any]:
    """Return a response object with a JSON object that has these members."""
    return json_answer(told, {"type": "object", "properties": members, "required": list(members)})


OPERATIONS: Mapping[str, Operation] = {
    **_STATEMENT_OPERATIONS,
    **dict(_document_operations()),
    "activities.get": _lookup("activityId", "The activity", reference("Activity"), activities.READERS),
    "agents.get": _lookup("agent", "The agent as a Person", reference("Person"), agents.READERS),
    "about.get": Operation({200: json_answer("The versions spoken here", reference("About"))}, is_xapi=True),
    "signatures.get": Operation(
        {
            200: answer_of(
                "What was found of the signatures", statement=UUID, outcome=STRING, signatures=array(_shape(Finding))
            )
        },
        scopes=READ_SCOPES,
        refusals=(404,),
    ),
    "refusals.listed": Operation(
        {
            200: answer_of(
                "Refused requests, newest first", refusals=array(_REFUSAL), before={"type": ["integer", "null"]}
            )
        },
        query_of(refusals.Query()),
        scopes=("any credential",),
    ),
    "refusals.one": Operation(
        {200: json_answer("A refused request", _WITH_BODY)}, scopes=("any credential",), refusals=(404,)
    ),
}
