"""Activity State, Activity Profile and Agent Profile: xAPI 1.0.3 Communication 2.2, 2.3, 2.6, 2.7 and 3.1, one way."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import msgspec
from flask import Blueprint, Response, request

from lrs.errors import InvalidRequest, NotFound, Problem
from lrs.resources import headers
from lrs.resources.auth import require
from lrs.resources.lrs import this_lrs
from lrs.store import documents as store
from lrs.xapi import documents
from lrs.xapi.documents import ACTIVITY_PROFILE, AGENT_PROFILE, STATE, Conditions, Document, Kept, Resource
from lrs.xapi.statement import Version

blueprint = Blueprint("documents", __name__)
PATHS = {"/activities/state": STATE, "/activities/profile": ACTIVITY_PROFILE, "/agents/profile": AGENT_PROFILE}
UNTOLD = "application/octet-stream"
NEVER_A_PAGE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "no-cache",
}
"""A document is somebody else's: a browser must not run it here, nor show an old one without asking."""


def get(resource: Resource) -> Response:
    """Answer one document as it came, or the ids of all that belong to the same owner."""
    log_id, _ = _allowed(resource, "all/read")
    place = documents.place(resource, "GET", headers.arguments())
    with this_lrs().direct.connect() as connection:
        if place.document_id is None:
            found = msgspec.json.encode(store.ids(connection, log_id, place))
            return Response(found, content_type=documents.JSON, headers=NEVER_A_PAGE)
        kept = store.whole(connection, log_id, place)
    if kept is None:
        raise NotFound(f"no document has this {resource.id_name} here")
    return _as_kept(kept)


def put(resource: Resource) -> Response:
    """Store a document in the place of the one that is there, if the preconditions allow it."""
    log_id, version = _allowed(resource)
    place = documents.place(resource, "PUT", headers.arguments())
    conditions, sent = _conditions(), _sent()
    if documents.is_unconditional(version, resource, conditions):
        return _done(store.overwrite(this_lrs().direct, log_id, place, sent))
    decide = documents.put(version, resource, conditions, sent)
    return _done(store.change(this_lrs().direct, log_id, place, decide, store.glance))


def post(resource: Resource) -> Response:
    """Merge a JSON object into the one that is there; store a document where there is none."""
    log_id, _ = _allowed(resource)
    place = documents.place(resource, "POST", headers.arguments())
    decide = documents.post(_conditions(), _sent())
    return _done(store.change(this_lrs().direct, log_id, place, decide, store.whole))


def delete(resource: Resource) -> Response:
    """Delete a document; State without a stateId: every document of the same activity and agent."""
    log_id, _ = _allowed(resource)
    place, conditions = documents.place(resource, "DELETE", headers.arguments()), _conditions()
    if place.document_id is not None:
        return _done(store.change(this_lrs().direct, log_id, place, documents.delete(conditions), store.glance))
    if not conditions.are_none:
        problem = Problem(f"?{resource.id_name}", "missing: If-Match and If-None-Match speak of one document")
        raise InvalidRequest("a precondition needs the id of the document", [problem])
    store.clear(this_lrs().direct, log_id, place)
    return _done(None)


for _path, _resource in PATHS.items():
    for _view in (get, put, post, delete):
        _name = f"{_view.__name__} {_path}"
        blueprint.add_url_rule(_path, _name, partial(_view, _resource), methods=[_view.__name__.upper()])


def _allowed(resource: Resource, *also: str) -> tuple[int, Version]:
    """Return the log and the rules of a request that may be answered; raises Unauthenticated, Forbidden first."""
    credential = require(frozenset({resource.scope, "all", *also}))
    return credential.log.log_id, headers.version()


def _conditions() -> Conditions:
    given = request.headers
    return Conditions(documents.tags(given.get("If-Match")), documents.tags(given.get("If-None-Match")))


def _sent() -> Document:
    return Document(headers.body(), request.headers.get("Content-Type") or UNTOLD)


def _as_kept(kept: Kept) -> Response:
    """Answer the very bytes; nothing but their name to whoever has them (RFC 9110 section 13.1.2)."""
    known = documents.tags(request.headers.get("If-None-Match")) or ()
    if "*" in known or kept.tag in known:
        response = _empty(304)
        response.headers.update(NEVER_A_PAGE)
    else:
        response = Response(kept.content, content_type=kept.content_type, headers=NEVER_A_PAGE)
    response.headers["ETag"] = f'"{kept.tag}"'
    response.last_modified = datetime.fromtimestamp(kept.updated // 1_000_000, UTC)
    return response


def _done(stored: Document | None) -> Response:
    response = _empty(204)
    if stored is not None:
        response.headers["ETag"] = f'"{stored.sha1.hex()}"'
    return response


def _empty(status: int) -> Response:
    response = Response(status=status)
    del response.headers["Content-Type"]
    return response
