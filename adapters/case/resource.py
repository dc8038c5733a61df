"""`/ims/case/v1p1/…`: the adopted frameworks as CASE 1.1 has them, for whoever may read the log of the credential."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec
from flask import Blueprint, Flask, Response, url_for
from marshmallow import Schema, fields, validate
from sqlalchemy import Engine

from adapters.case.native import exported
from adapters.case.strict import Strict, strict_bytes
from lrs.errors import CairnError, NotFound
from lrs.resources import openapi, problems
from lrs.resources.auth import require
from lrs.resources.lrs import this_lrs
from lrs.resources.openapi import Operation, json_answer, query_of
from lrs.store.search import at
from lrs.xapi.decode import stored_statement
from lrs.xapi.values import iso
from projections.answering import READERS, asked_of, view_for
from projections.profile import extension

KIND: Final = "application/json"
TOTAL: Final = "X-Total-Count"
MOST_LISTED: Final = 1_000
MOST_SKIPPED: Final = 1_000_000
CODES: Final = {400: "invalid_selection_field", 401: "unauthorisedrequest", 403: "forbidden", 404: "unknownobject"}
"""The minor codes of imsx_StatusInfo by status; the server is to blame for all others."""

blueprint = Blueprint("case", __name__, url_prefix="/ims/case/v1p1")


class Exported(NamedTuple):
    """A framework as it goes out: the package, its bytes, and its objects by class and identifier."""

    package: Strict
    content: bytes
    objects: Mapping[tuple[str, str], Strict]


class Listed(Schema):
    """The query of a list of CASE."""

    limit = fields.Integer(load_default=100, validate=validate.Range(1, MOST_LISTED))
    offset = fields.Integer(load_default=0, validate=validate.Range(0, MOST_SKIPPED))


def register(app: Flask) -> None:
    """Add the resources; the projections' are there already."""
    app.register_blueprint(blueprint)
    openapi.describe(app, OPERATIONS)


@blueprint.errorhandler(CairnError)
def refused(error: CairnError) -> Response:
    """Answer problem details that are an imsx_StatusInfo too."""
    response = problems.answer(error)
    code = {"imsx_codeMinorFieldName": "Cairn", "imsx_codeMinorFieldValue": _code(response.status_code)}
    told = {
        "imsx_codeMajor": "failure",
        "imsx_severity": "error",
        "imsx_description": error.message,
        "imsx_CodeMinor": {"imsx_codeMinorField": [code]},
    }
    response.data = msgspec.json.encode({**msgspec.json.decode(response.data), **told})
    return response


def _code(status: int) -> str:
    return CODES.get(status, "server_busy" if status in (429, 503) else "internal_server_error")


@blueprint.get("/CFDocuments")
def documents() -> Response:
    """List the adopted frameworks as CFDocuments, in the order of their identifiers."""
    asked = asked_of(Listed())
    known = sorted((one.package["CFDocument"] for one in _frameworks()), key=lambda one: str(one["identifier"]))
    offset, limit = asked["offset"], asked["limit"]
    response = _json({"CFDocuments": [_document(one) for one in known[offset : offset + limit]]})
    response.headers[TOTAL] = str(len(known))
    pages = {"next": offset + limit, "prev": max(0, offset - limit), "first": 0, "last": _last(len(known), limit)}
    fitting = {"next": offset + limit < len(known), "prev": offset > 0, "first": True, "last": True}
    links = [_link(name, limit, place) for name, place in pages.items() if fitting[name]]
    response.headers["Link"] = ", ".join(links)
    return response


def _last(count: int, limit: int) -> int:
    return max(0, (count - 1) // limit * limit)


def _link(name: str, limit: int, offset: int) -> str:
    return f'<{url_for("case.documents", limit=limit, offset=offset, _external=True)}>; rel="{name}"'


@blueprint.get("/CFDocuments/<identifier>")
def document(identifier: str) -> Response:
    """Answer a CFDocument, with the address of its package."""
    _, found = _found("CFDocument", identifier)
    return _json(_document(found))


@blueprint.get("/CFPackages/<identifier>")
def package(identifier: str) -> Response:
    """Answer the CFPackage of a CFDocument: the same framework in the same bytes, whichever server hands it on."""
    one, _ = _found("CFDocument", identifier)
    return Response(one.content, content_type=KIND)


@blueprint.get("/CFItems/<identifier>")
def item(identifier: str) -> Response:
    """Answer a CFItem."""
    return _json(_within(*_found("CFItem", identifier)))


@blueprint.get("/CFItemAssociations/<identifier>")
def item_associations(identifier: str) -> Response:
    """Answer a CFItem with every CFAssociation that begins or ends there."""
    one, found = _found("CFItem", identifier)
    ends = ("originNodeURI", "destinationNodeURI")
    own = [
        _within(one, association)
        for association in one.package["CFAssociations"]
        if found["identifier"] in {association[end]["identifier"] for end in ends}
    ]
    return _json({"CFItem": _within(one, found), "CFAssociations": own})


@blueprint.get("/CFAssociations/<identifier>")
def association(identifier: str) -> Response:
    """Answer a CFAssociation."""
    return _json(_within(*_found("CFAssociation", identifier)))


@blueprint.get("/CFRubrics/<identifier>")
def rubric(identifier: str) -> Response:
    """Answer a CFRubric with its criteria and their levels."""
    return _json(_found("CFRubric", identifier)[1])


@blueprint.get("/CFAssociationGroupings/<identifier>")
def grouping(identifier: str) -> Response:
    """Answer a CFAssociationGrouping."""
    return _json(_found("CFAssociationGrouping", identifier)[1])


@blueprint.get("/CFLicenses/<identifier>")
def licence(identifier: str) -> Response:
    """Answer a CFLicense."""
    return _json(_found("CFLicense", identifier)[1])


@blueprint.get("/CFConcepts/<identifier>")
def concepts(identifier: str) -> Response:
    """Answer a CFConcept, as a set with one member."""
    return _json({"CFConcepts": [_found("CFConcept", identifier)[1]]})


@blueprint.get("/CFSubjects/<identifier>")
def subjects(identifier: str) -> Response:
    """Answer a CFSubject, as a set with one member."""
    return _json({"CFSubjects": [_found("CFSubject", identifier)[1]]})


@blueprint.get("/CFItemTypes/<identifier>")
def item_types(identifier: str) -> Response:
    """Answer a CFItemType, as a set with one member."""
    return _json({"CFItemTypes": [_found("CFItemType", identifier)[1]]})


def _json(value: Strict) -> Response:
    return Response(msgspec.json.encode(value), content_type=KIND)


def _found(kind: str, identifier: str) -> tuple[Exported, Strict]:
    """Return an object of a class and the framework that it stands in; raises NotFound."""
    for one in _frameworks():
        found = one.objects.get((kind, identifier.lower()))
        if found is not None:
            return one, found
    raise NotFound(f"no adopted framework has a {kind} with the identifier {identifier}")


def _frameworks() -> Iterator[Exported]:
    """Yield the frameworks of the credential's log, in the order of their URIs: what is live, else the draft."""
    reader = require(READERS)
    with view_for(reader, None) as view:
        acts = view.acts()
    newest = {**acts.drafts, **acts.frameworks}
    for _, act in sorted(newest.items()):
        yield _exported(this_lrs().engine, reader.log.log_id, act.position)


@lru_cache(maxsize=4)
def _exported(engine: Engine, log_id: int, position: int) -> Exported:
    """Return the framework that was adopted at a position, which never changes."""
    with engine.connect() as connection:
        (found,) = at(connection, log_id, [position])
    statement = stored_statement(found.body or b"{}")
    made = exported(statement["result"]["extensions"][extension("framework")], iso(found.timestamp))
    return Exported(made, strict_bytes(made), dict(_objects(made)))


def _objects(package: Strict) -> Iterator[tuple[tuple[str, str], Strict]]:
    """Yield the objects of a package by class and identifier; of two that share both, the last comes first."""
    definitions = package.get("CFDefinitions", {})
    lists: list[tuple[str, Any]] = [("CFDocument", [package["CFDocument"]])]
    for within in (package, definitions):
        lists += [(name.removesuffix("s"), rows) for name, rows in within.items() if isinstance(rows, list)]
    for kind, rows in lists:
        yield from (((kind, one["identifier"].lower()), one) for one in reversed(rows))


def _document(one: Strict) -> Strict:
    address = url_for("case.package", identifier=one["identifier"], _external=True)
    return {**one, "CFPackageURI": {"title": one["title"], "identifier": one["identifier"], "uri": address}}


def _within(one: Exported, found: Strict) -> Strict:
    document = one.package["CFDocument"]
    link = {"title": document["title"], "identifier": document["identifier"], "uri": document["uri"]}
    return {**found, "CFDocumentURI": link}


def _answering(told: str, *required: str, query: Schema | None = None) -> Operation:
    shape = {"type": "object", "required": list(required)}
    return Operation({200: json_answer(told, shape)}, query_of(query) if query else (), None, READERS, (400, 404))


_NAMED: Final = ("identifier", "uri", "lastChangeDateTime")
OPERATIONS: Final = {
    "case.documents": _answering("A page of the frameworks", "CFDocuments", query=Listed()),
    "case.document": _answering("The framework's CFDocument", *_NAMED, "creator", "title", "CFPackageURI"),
    "case.package": _answering("The whole framework", "CFDocument", "CFItems", "CFAssociations"),
    "case.item": _answering("The item", *_NAMED, "fullStatement", "CFDocumentURI"),
    "case.item_associations": _answering("The item and its associations", "CFItem", "CFAssociations"),
    "case.association": _answering(
        "The association", *_NAMED, "associationType", "originNodeURI", "destinationNodeURI"
    ),
    "case.rubric": _answering("The rubric", *_NAMED),
    "case.grouping": _answering("The grouping", *_NAMED, "title"),
    "case.licence": _answering("The licence", *_NAMED, "title", "licenseText"),
    "case.concepts": _answering("The concept", "CFConcepts"),
    "case.subjects": _answering("The subject", "CFSubjects"),
    "case.item_types": _answering("The type of item", "CFItemTypes"),
}
"""What the views above take and answer, for the OpenAPI document."""
