"""The Statement Resource: xAPI 1.0.3 Communication 2.1."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import quote

import msgspec
from flask import Blueprint, Response, g, request
from sqlalchemy import Connection

from lrs import recording, retrieval
from lrs.enclosing import Enclosures, enclosed_with, nothing, received
from lrs.errors import InvalidRequest, Problem
from lrs.resources import headers, multipart
from lrs.resources.auth import READ_ALL, READ_MINE, require
from lrs.resources.lrs import this_lrs
from lrs.resources.multipart import Outgoing
from lrs.store import attachments
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
ASCII_AS_IT_IS = string.printable.strip()
_is_position = re.compile(r"[1-9][0-9]{0,17}").fullmatch


@blueprint.post("/statements")
def post() -> Response:
    """Store a batch of statements, or one; answer their ids."""
    lrs, poster, version = this_lrs(), require(WRITERS), headers.version()
    if request.args:
        raise InvalidRequest("POST /statements takes no query parameters")
    with _sent() as (text, enclosures):
        ids = recording.record(lrs.writer, lrs.gate, poster, version, text, lrs.settings.batch_limit, enclosures)
    return Response(msgspec.json.encode(ids), 200, content_type="application/json")


@blueprint.put("/statements")
def put() -> Response:
    """Store one statement under the id that the request names."""
    lrs, poster, version = this_lrs(), require(WRITERS), headers.version()
    given = request.args.getlist("statementId")
    if set(request.args) != {"statementId"} or len(given) != 1 or not is_uuid(given[0]):
        problem = Problem("?statementId", "give the statement's id, a UUID, once, and no other parameter")
        raise InvalidRequest("PUT /statements needs the parameter statementId", [problem])
    with _sent() as (text, enclosures):
        recording.record_one(lrs.writer, lrs.gate, poster, version, text, given[0], enclosures)
    return Response(status=204)


@contextmanager
def _sent() -> Iterator[tuple[bytes, Enclosures]]:
    """Yield the text of the statements that were sent, and what came beside them (Communication 1.5)."""
    if request.mimetype == multipart.MIXED:
        with multipart.received() as sent:
            yield sent.text, received(this_lrs().engine, sent.parts)
    else:
        headers.require_json()
        yield headers.body(), nothing()


@blueprint.get("/statements")
def get() -> Response:
    """Answer one statement by its id, or a page of those that meet the query."""
    lrs, reader, version = this_lrs(), require(READ_ALL | {READ_MINE}), headers.version()
    g.consistent_through = consistent_through(lrs.engine, reader.log.log_id)
    query, window = _asked(version, reader)
    with lrs.engine.connect() as connection:
        if query.statement_id or query.voided_statement_id:
            return _one(connection, reader, query, window)
        return _page(connection, reader, query, window)


def _one(connection: Connection, reader: Credential, query: Query, window: Window) -> Response:
    text, stored = retrieval.statement_with_id(connection, reader.log.log_id, query, _spoken(), window.authority)
    response = _as_asked(connection, reader, query, text, [text])
    response.last_modified = datetime.fromtimestamp(stored // 1_000_000, UTC)
    return response


def _page(connection: Connection, reader: Credential, query: Query, window: Window) -> Response:
    most = this_lrs().settings.page_limit
    limit = min(query.limit or most, most)
    found = retrieval.statements_page(connection, reader.log.log_id, query, window, limit, _spoken())
    text = retrieval.joined(found.statements, _more(found.last) if found.last else "")
    return _as_asked(connection, reader, query, text, found.statements)


def _spoken() -> list[str]:
    return languages(request.headers.get("Accept-Language"))


def _as_asked(
    connection: Connection, reader: Credential, query: Query, text: bytes, statements: Sequence[bytes]
) -> Response:
    if not query.attachments:
        return Response(text, content_type="application/json")
    engine, log_id = this_lrs().engine, reader.log.log_id
    outgoing = [
        Outgoing(one.sha2, one.content_type, one.length, attachments.read(engine, log_id, one.sha2))
        for one in enclosed_with(connection, log_id, statements)
    ]
    return multipart.mixed(text, secrets.token_hex(16), outgoing)


@blueprint.after_request
def say_consistent_through(response: Response) -> Response:
    """Name the time on refused GETs too: xAPI 1.0.3 Communication 2.1.3 wants it on every answer.

    It was read before the statements were: read after them, it would vouch for some that the page does not show.
    """
    reader: Credential | None = g.get("credential")
    if reader and request.method in {"GET", "HEAD"}:
        if "consistent_through" not in g:
            g.consistent_through = consistent_through(this_lrs().engine, reader.log.log_id)
        response.headers[headers.CONSISTENT_THROUGH] = iso(g.consistent_through)
    return response


def _asked(version: Version, reader: Credential) -> tuple[Query, Window]:
    """Return the query of the request and where its page begins."""
    args = {name: request.args.getlist(name) for name in request.args}
    position = _position(args.pop(CURSOR, []))
    query = parse(args, version)
    authority = None if reader.scopes & READ_ALL else reader.authority_key
    if position is None:
        return query, Window(ascending=query.ascending, authority=authority)
    if query.statement_id or query.voided_statement_id:
        problem = Problem(f"?{CURSOR}", "goes with a list of statements, not with the id of one; leave it out")
        raise InvalidRequest("The query has parameters that cannot be used.", [problem])
    if query.ascending:
        return query, Window(after=position, ascending=True, authority=authority)
    return query, Window(before=position, authority=authority)


def _more(position: int) -> str:
    """Return the relative IRL of the next page: the same question, and the position to go on from."""
    asked = quote(request.query_string, safe=ASCII_AS_IT_IS).split("&")
    kept = [pair for pair in asked if pair and not pair.startswith(f"{CURSOR}=")]
    return f"{request.script_root}{request.path}?{'&'.join([*kept, f'{CURSOR}={position}'])}"


def _position(cursors: list[str]) -> int | None:
    if not cursors:
        return None
    if len(cursors) > 1 or not _is_position(cursors[0]):
        problem = Problem(f"?{CURSOR}", "is not one of ours; follow the IRL in `more` as it was given")
        raise InvalidRequest("the cursor of the page cannot be read", [problem])
    return int(cursors[0])
