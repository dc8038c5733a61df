"""The Statement Resource: xAPI 1.0.3 Communication 2.1."""

from __future__ import annotations

import base64
import binascii

import msgspec
from flask import Blueprint, Response, g, request

from lrs import recording, retrieval
from lrs.errors import InvalidRequest, Problem
from lrs.resources import headers
from lrs.resources.auth import READ_ALL, READ_MINE, require
from lrs.resources.lrs import this_lrs
from lrs.store.consistency import consistent_through
from lrs.store.credentials import Credential
from lrs.store.search import Window
from lrs.xapi.formats import languages
from lrs.xapi.query import Query, parse
from lrs.xapi.statement import Version
from lrs.xapi.values import is_uuid, iso

blueprint = Blueprint("statements", __name__)
WRITERS = recording.WRITE_SCOPES | {"registrar"}
CURSOR = "more"


@blueprint.post("/statements")
def post() -> Response:
    """Store a batch of statements, or one; answer their ids."""
    lrs, poster, version = this_lrs(), require(WRITERS), headers.version()
    if request.args:
        raise InvalidRequest("POST /statements takes no query parameters")
    headers.require_json()
    ids = recording.record(lrs.writer, lrs.gate, poster, version, headers.body(), lrs.settings.batch_limit)
    return Response(msgspec.json.encode(ids), 200, content_type="application/json")


@blueprint.put("/statements")
def put() -> Response:
    """Store one statement under the id that the request names."""
    lrs, poster, version = this_lrs(), require(WRITERS), headers.version()
    given = request.args.get("statementId", "")
    if set(request.args) != {"statementId"} or not is_uuid(given):
        problem = Problem("?statementId", "give the statement's id, a UUID, and no other parameter")
        raise InvalidRequest("PUT /statements needs the parameter statementId", [problem])
    headers.require_json()
    recording.record_one(lrs.writer, lrs.gate, poster, version, headers.body(), given)
    return Response(status=204)


@blueprint.get("/statements")
def get() -> Response:
    """Answer one statement by its id, or a page of those that meet the query."""
    lrs, reader, version = this_lrs(), require(READ_ALL | {READ_MINE}), headers.version()
    through = consistent_through(lrs.engine, reader.log.log_id)
    query, window = _asked(version, reader)
    spoken = languages(request.headers.get("Accept-Language"))
    with lrs.engine.connect() as connection:
        if query.statement_id or query.voided_statement_id:
            text, stored = retrieval.statement_with_id(connection, reader.log.log_id, query, spoken, window.authority)
            response = Response(text, content_type="application/json")
            response.last_modified = stored // 1_000_000  # type: ignore[assignment]
        else:
            most = lrs.settings.page_limit
            limit = min(query.limit or most, most)
            found = retrieval.statements_page(connection, reader.log.log_id, query, window, limit, spoken)
            more = _more(found.last) if found.last else ""
            response = Response(retrieval.joined(found.statements, more), content_type="application/json")
    response.headers[headers.CONSISTENT_THROUGH] = iso(through)
    return response


@blueprint.after_request
def say_consistent_through(response: Response) -> Response:
    """Name the time on refused GETs too: xAPI 1.0.3 Communication 2.1.3 wants it on every answer."""
    reader: Credential | None = g.get("credential")
    if reader and request.method in {"GET", "HEAD"} and headers.CONSISTENT_THROUGH not in response.headers:
        response.headers[headers.CONSISTENT_THROUGH] = iso(consistent_through(this_lrs().engine, reader.log.log_id))
    return response


def _asked(version: Version, reader: Credential) -> tuple[Query, Window]:
    """Return the query of the request and where its page begins."""
    args = {name: request.args.getlist(name) for name in request.args}
    cursor = args.pop(CURSOR, None)
    query = parse(args, version)
    authority = None if reader.scopes & READ_ALL else reader.authority_key
    window = Window(ascending=query.ascending, authority=authority)
    if cursor is None:
        return query, window
    position = _position(cursor[0])
    if query.ascending:
        return query, Window(after=position, ascending=True, authority=authority)
    return query, Window(before=position, authority=authority)


def _more(position: int) -> str:
    """Return the relative IRL of the next page: the same question, and the position to go on from."""
    cursor = base64.urlsafe_b64encode(str(position).encode()).decode().rstrip("=")
    asked = request.query_string.decode("ascii", "replace").split("&")
    kept = [pair for pair in asked if pair and not pair.startswith(f"{CURSOR}=")]
    return f"{request.path}?{'&'.join([*kept, f'{CURSOR}={cursor}'])}"


def _position(cursor: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        problem = Problem(f"?{CURSOR}", "is not one of ours; follow the IRL in `more` as it was given")
        raise InvalidRequest("the cursor of the page cannot be read", [problem]) from None
