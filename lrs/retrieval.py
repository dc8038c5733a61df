"""The read path: a query → one page of statements, rechecked against their text, and the way to the next page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import Connection

from lrs.errors import NotFound
from lrs.store.canonical import definitions
from lrs.store.log import position_at
from lrs.store.search import Found, Window, page, reached, with_activity, with_id, with_posting
from lrs.xapi import formats
from lrs.xapi.canonical import Definition, with_definitions
from lrs.xapi.decode import in_utc, stored_statement
from lrs.xapi.parts import Valid, activity, further_activities
from lrs.xapi.query import Query, matches
from lrs.xapi.values import iso, key64

CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Page:
    """Statements as JSON texts, newest first unless asked otherwise; `last` is where the next page goes on, if any."""

    statements: list[bytes]
    last: int | None


def statement_with_id(
    connection: Connection, log_id: int, query: Query, languages: Sequence[str], authority: int | None
) -> tuple[bytes, int]:
    """Return one statement's text and its `stored` time; `authority` limits a reader to its own.

    Raises NotFound when it is unknown, voided (or, asked for as voided, not voided), erased or not the reader's.
    """
    wanted = query.statement_id or query.voided_statement_id or ""
    row = with_id(connection, log_id, wanted)
    if row is None or (authority is not None and row[2] != authority):
        raise NotFound(f"no statement has the id {wanted}")
    found, is_voided, _ = row
    if is_voided and query.statement_id:
        raise NotFound(f"the statement {wanted} is voided; ask for it with voidedStatementId")
    if not is_voided and query.voided_statement_id:
        raise NotFound(f"the statement {wanted} is not voided; ask for it with statementId")
    if found.body is None:
        raise NotFound(f"the text of statement {wanted} was erased under a recorded order")
    return _texts(connection, log_id, [found], query, languages)[0], found.stored


def statements_page(
    connection: Connection, log_id: int, query: Query, window: Window, limit: int, languages: Sequence[str]
) -> Page:
    """Return one page; the cursor is a position, so appends in between neither shift nor repeat anything."""
    window = _within_times(connection, log_id, query, window)
    found = page(connection, log_id, query, window, limit + 1)
    last = found[limit - 1].position if len(found) > limit else None
    kept = _rechecked(connection, log_id, [one for one in found[:limit] if one.body is not None], query)
    return Page(_texts(connection, log_id, kept, query, languages), last)


def _within_times(connection: Connection, log_id: int, query: Query, window: Window) -> Window:
    """Narrow the window by since (exclusive) and until (inclusive): `stored` rises with the position."""
    if query.since_us is not None:
        window = replace(window, after=max(window.after, position_at(connection, log_id, query.since_us)))
    if query.until_us is not None:
        first_beyond = position_at(connection, log_id, query.until_us) + 1
        window = replace(window, before=min(window.before or first_beyond, first_beyond))
    return window


def _rechecked(connection: Connection, log_id: int, found: Sequence[Found], query: Query) -> list[Found]:
    """Drop what only shares a hash with the query: the text of each, or of one that it refers to, must match."""
    if not (query.agent or query.verb or query.activity or query.registration):
        return list(found)
    good = {one.position for one in found if matches(_decoded(one), query)}
    others = [one.position for one in found if one.position not in good]
    if others:
        texts = reached(connection, log_id, query, others)
        good |= {position for position, text in texts if matches(stored_statement(text), query)}
    return [one for one in found if one.position in good]


def _decoded(found: Found) -> dict[str, Any]:
    return stored_statement(found.body or b"{}")


def _texts(
    connection: Connection, log_id: int, found: Sequence[Found], query: Query, languages: Sequence[str]
) -> list[bytes]:
    """Return statements in the format of the query; for the canonical one, what is known of all their activities."""
    if query.format != "canonical":
        return [text_of(one, query, languages) for one in found]
    named = {name for one in found for name in _activities(_decoded(one))}
    defined = definitions(connection, log_id, named)
    return [text_of(one, query, languages, defined) for one in found]


def _activities(statement: Valid) -> list[str]:
    own = activity(statement)
    return [*([own] if own else []), *further_activities(statement)]


def text_of(
    found: Found, query: Query, languages: Sequence[str], defined: Mapping[str, Definition] | None = None
) -> bytes:
    """Return a statement in the format of the query: its stored text itself, completed, wherever that will do.

    `defined` holds canonical definitions by activity; where there is none, the statement's own is shown.
    """
    body = found.body
    assert body is not None
    if query.in_utc:
        body = in_utc(body)
    if query.format == "exact" and b'"contextActivities"' not in body and found.timestamp != found.stored:
        return _with_times(body, found, has_timestamp=True)
    statement = stored_statement(body)
    has_timestamp = "timestamp" in statement
    if query.format == "exact":
        if formats.needs_arrays(statement):
            body = msgspec.json.encode(formats.exact(statement))
        return _with_times(body, found, has_timestamp)
    if query.format == "ids":
        shown = formats.ids(statement)
    else:
        shown = formats.canonical(with_definitions(statement, defined or {}), languages)
    return _with_times(msgspec.json.encode(shown), found, has_timestamp)


def _with_times(body: bytes, found: Found, has_timestamp: bool) -> bytes:
    stored = iso(found.stored).encode()
    timestamp = b"" if has_timestamp else b',"timestamp":"' + stored + b'"'
    return body.rstrip()[:-1] + timestamp + b',"stored":"' + stored + b'"}'


def joined(statements: Iterable[bytes], more: str) -> bytes:
    """Return the StatementResult object of xAPI 1.0.3 Data 2.5."""
    return b'{"statements":[' + b",".join(statements) + b'],"more":' + msgspec.json.encode(more) + b"}"


def positions_about(
    connection: Connection, log_id: int, activities: Sequence[str], through: int, *, related: bool
) -> set[int]:
    """Return the positions up to `through` about one of these activities; `related`: also by their context."""
    found: set[int] = set()
    for start in range(0, len(activities), CHUNK):
        chunk = activities[start : start + CHUNK]
        keys = [key64("activity", one) for one in chunk]
        found.update(with_activity(connection, log_id, keys, through))
        if related:
            keys = [key64("related-activity", one) for one in chunk]
            found.update(with_posting(connection, log_id, keys, through))
    return found
