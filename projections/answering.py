"""How every resource under `/api/v1` answers: who may ask, as of when, page by page, and nothing twice.

A resource that tells what a log's projections conclude is a function from a view, and what the address asks, to the
members of a JSON object; `reading` makes the resource of it:

    @blueprint.get("/learners/<learner>/mastery")
    @reading()
    def mastery(view: View, learner: str) -> Told:
        '''Tell where a learner stands in every competency.'''
        return competency_map(view, learner_key(learner))

    OPERATIONS = {"projections.mastery": told_as("Status and level in every competency", learner=OBJECT)}

It asks for a reader's scope, loads the query (whose fields beside `as_of` are arguments too), opens the view, and bears
a strong ETag. A list takes a `Paged` query: it asks the database for one row more than `limit`, and tells under `after`
where the next page begins (`page_of`, `listed_after`); the answer then has a `Link` with rel=next. Whatever answers in
another way gets its ETag from its bytes (`lrs.resources.tags`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from importlib.metadata import version
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlencode

from flask import Response, current_app, jsonify, request
from marshmallow import Schema as MarshmallowSchema
from marshmallow import ValidationError, fields, validate
from sqlalchemy import Engine

from lrs.errors import InvalidRequest, Problem
from lrs.resources.auth import require
from lrs.resources.lrs import this_lrs
from lrs.resources.openapi import Operation, json_answer, query_of
from lrs.resources.schemas import Schema
from lrs.resources.tags import is_known, tag_of, unchanged
from lrs.store.credentials import Credential
from lrs.store.log import head
from projections.building.builds import parked_in
from projections.view import View, view_of

Asked: TypeAlias = dict[str, Any]
Told: TypeAlias = dict[str, Any]
Row = TypeVar("Row")

READERS = frozenset({"all/read", "all", "statements/read"})
MOST_LISTED = 500
AFTER: Schema = {"type": ["string", "null"], "description": "Where the next page begins; null on the last"}
AS_OF: Schema = {
    "type": "object",
    "description": "The position that all is told as of, its stored time, and the head of the log",
    "properties": {
        "position": {"type": "integer", "minimum": 0},
        "stored": {"type": ["string", "null"]},
        "head": {"type": "integer", "minimum": 0},
    },
    "required": ["position", "stored"],
}


class AsOf(MarshmallowSchema):
    """The query of everything that can be told as of a position or a time."""

    as_of = fields.String(load_default=None, metadata={"description": "A position or a timestamp; now without it"})


class Paged(AsOf):
    """The query of a list: a page begins behind `after`, which is taken as the page before told it."""

    after = fields.String(load_default=None, validate=validate.Length(1, 1_000))
    limit = fields.Integer(load_default=100, validate=validate.Range(1, MOST_LISTED))


def reading(
    query: MarshmallowSchema | None = None, scopes: frozenset[str] = READERS
) -> Callable[[Callable[..., Told]], Callable[..., Response]]:
    """Make a resource of `tell(view, **path, **query)`, for whoever has one of the scopes.

    The answer is made only for those who do not have it yet: its ETag is of the log, the position, the builds, what
    they left out, the scopes of the asker, and the address. If the log moved meanwhile, it is of the bytes.
    """
    schema = query or AsOf()

    def decorate(tell: Callable[..., Told]) -> Callable[..., Response]:
        @wraps(tell)
        def resource(**path: Any) -> Response:
            reader, asked = require(scopes), asked_of(schema)
            with view_for(reader, asked.pop("as_of")) as view:
                before = _tag(view, reader)
                if is_known(before):
                    return unchanged(before)
                response = _answer(tell(view, **path, **asked))
                if _tag(view, reader) == before:
                    response.set_etag(before)
                return response

        return resource

    return decorate


def _tag(view: View, reader: Credential) -> str:
    ids = sorted(one.build_id for one in view.builds.values())
    left_out = [(one.build_id, one.position, one.learner) for one in parked_in(view.connection, ids)]
    size = head(view.log_connection, view.log.log_id)[0]
    return tag_of(
        version("cairn"), view.log.origin, view.position, size, ids, left_out, sorted(reader.scopes), request.full_path
    )


def _answer(found: Told) -> Response:
    response = jsonify(found)
    if found.get("after") is not None:
        query = urlencode({**request.args.to_dict(), "after": found["after"]})
        response.headers["Link"] = f'<{request.path}?{query}>; rel="next"'
    return response


@contextmanager
def view_for(reader: Credential, as_of: str | None) -> Iterator[View]:
    """Open a view of the reader's log, now or as of a position or a time."""
    engine: Engine = current_app.extensions["projections"]
    with engine.connect() as connection, this_lrs().engine.connect() as log_connection:
        yield view_of(connection, log_connection, reader.log, as_of)


def asked_of(schema: MarshmallowSchema) -> Asked:
    """Return what the request's query asks for; raises InvalidRequest with every problem."""
    try:
        asked: Asked = schema.load(request.args.to_dict())
    except ValidationError as error:
        found = [Problem(f"?{name}", "; ".join(words)) for name, words in error.normalized_messages().items()]  # type: ignore[no-untyped-call]
        raise InvalidRequest("the query cannot be understood", found) from None
    return asked


def page_of(rows: Sequence[Row], limit: int, name_of: Callable[[Row], str]) -> tuple[Sequence[Row], str | None]:
    """Return the rows of a page, of which one more than `limit` was asked for, and where the next one begins.

    `name_of` is what `after` calls a row.
    """
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], name_of(rows[limit - 1])


def listed_after(
    rows: Collection[Row], after: str | None, limit: int, name_of: Callable[[Row], str]
) -> tuple[Sequence[Row], str | None]:
    """Return the page that was asked for of rows in memory, in the order of their names, and where the next begins."""
    behind = [row for row in sorted(rows, key=name_of) if after is None or name_of(row) > after]
    return page_of(behind, limit, name_of)


def told_as(
    told: str,
    query: MarshmallowSchema | None = None,
    /,
    *,
    scopes: Collection[str] = READERS,
    refusals: Collection[int] = (400, 404),
    **members: Schema,
) -> Operation:
    """Return what a resource made by `reading` takes and answers: an object with these members at least."""
    shape: dict[str, Any] = {"type": "object", "properties": members, "required": list(members)}
    return Operation({200: json_answer(told, shape)}, query_of(query or AsOf()), None, scopes, refusals)
