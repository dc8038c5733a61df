"""Documents of the State and Profile resources: read, listed, cleared, and changed by one compare-and-swap."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ClauseElement,
    ColumnElement,
    Connection,
    Engine,
    Insert,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from lrs.errors import Busy, DocumentConflict
from lrs.store.engine import driver, immediate, is_postgresql
from lrs.store.sqlite import clock_us
from lrs.store.tables import document
from lrs.xapi.documents import Decision, Document, Kept, Place

MOST_TRIES = 1_000
"""So often a change is decided anew while others change the same document; of those who try, one succeeds each time."""

_c = document.c
_NAMES = ("log_id", "owner", "key", "activity", "agent", "registration", "document_id")
_place: dict[str, BindParameter[Any]] = {name: bindparam(f"at_{name}") for name in _NAMES}
_content: dict[str, BindParameter[Any]] = {f: bindparam(f"new_{f}") for f in ("sha1", "content_type", "content")}
_here = and_(*(_c[name] == value for name, value in _place.items()))
_as_seen = _here & (_c.updated == bindparam("seen"))

_clock = literal_column("(extract(epoch FROM clock_timestamp()) * 1000000)::bigint", BigInteger)
_earliest = bindparam("earliest", type_=BigInteger)
_time: dict[str, ColumnElement[int]] = {"postgresql": func.greatest(_clock, _earliest), "sqlite": _earliest}
"""A document's time is the database's own on PostgreSQL, as the log's is; it never falls behind the version before."""

_GLANCE = select(_c.sha1, _c.updated, _c.content_type, null()).where(_here)
_WHOLE = select(_c.sha1, _c.updated, _c.content_type, _c.content).where(_here)
_REMOVE = delete(document).where(_as_seen)
_REPLACE = {name: update(document).where(_as_seen).values(updated=time, **_content) for name, time in _time.items()}
_whole_row = {**_place, "kind": bindparam("at_kind"), **_content}
_next = _c.updated + literal_column("1", BigInteger)
_later = {"postgresql": func.greatest(_clock, _next), "sqlite": func.max(_earliest, _next)}
_CREATE: dict[str, Insert] = {}
_OVERWRITE: dict[str, Insert] = {}
_insert: Any
for _name, _insert in {"postgresql": postgresql.insert, "sqlite": sqlite.insert}.items():
    _row = _insert(document).values(updated=_time[_name], **_whole_row)
    _CREATE[_name] = _row.on_conflict_do_nothing()
    _OVERWRITE[_name] = _row.on_conflict_do_update(
        index_elements=["log_id", "owner", "key"], set_={"updated": _later[_name], **_content}, where=_here
    )

_turn = Lock()
_compiled: dict[tuple[Any, str], tuple[str, Any]] = {}
Look: TypeAlias = Callable[[Connection, int, Place], Kept | None]


def change(direct: Engine, log_id: int, place: Place, decide: Decision, look: Look) -> Document | None:
    """Bring a document into the state that is decided from what `look` sees of it, durably; return that state.

    What is decided is written over the very version that was seen, or else decided anew: of two who have read the
    same version, one comes too late. Raises what the decision raises, and Busy.
    """
    for _ in range(MOST_TRIES):
        with direct.connect() as connection:
            seen = look(connection, log_id, place)
        wanted = decide(seen)
        with _writing(direct) as connection:
            if is_swapped(connection, log_id, place, seen, wanted):
                return wanted
    raise Busy("too many others change this document; send the same request again in a second")


def overwrite(direct: Engine, log_id: int, place: Place, wanted: Document) -> Document:
    """Put a document in its place whatever stands there, durably; return it. Raises DocumentConflict, for its keys."""
    with _writing(direct) as connection:
        dialect = connection.dialect.name
        if not _run(connection, _OVERWRITE[dialect], _row_of(log_id, place, wanted, dialect, None)).rowcount:
            raise DocumentConflict("another document has the same hash for a key; choose another id for this one")
    return wanted


def clear(direct: Engine, log_id: int, place: Place) -> None:
    """Delete an owner's documents; without a registration, those of every registration (1.0.3 Communication 2.3)."""
    with _writing(direct) as connection:
        connection.execute(delete(document).where(_of_owner(log_id, place)))


def whole(connection: Connection, log_id: int, place: Place) -> Kept | None:
    """Return a document with its content; None when there is none."""
    row = _run(connection, _WHOLE, _named(log_id, place)).fetchone()
    return None if row is None else Kept(*row)


def glance(connection: Connection, log_id: int, place: Place) -> Kept | None:
    """Return a document as `whole` does, but without its content, which may be large."""
    row = _run(connection, _GLANCE, _named(log_id, place)).fetchone()
    return None if row is None else Kept(*row)


def is_swapped(connection: Connection, log_id: int, place: Place, seen: Kept | None, wanted: Document | None) -> bool:
    """Put a document, or nothing, in the place of the version seen; say whether that still stood there."""
    if seen is None and wanted is None:
        return True
    as_seen = {} if seen is None else {"seen": seen.updated}
    if wanted is None:
        return bool(_run(connection, _REMOVE, _named(log_id, place) | as_seen).rowcount)
    dialect = connection.dialect.name
    values = _row_of(log_id, place, wanted, dialect, seen) | as_seen
    return bool(_run(connection, (_CREATE if seen is None else _REPLACE)[dialect], values).rowcount)


def ids(connection: Connection, log_id: int, place: Place) -> list[str]:
    """Return the ids of an owner's documents in their own order, of those changed after `since_us` where it is given.

    Without a registration, those of every registration (1.0.3 Communication 2.3).
    """
    query = select(_c.document_id).distinct().where(_of_owner(log_id, place)).order_by(_c.document_id)
    if place.since_us is not None:
        query = query.where(_c.updated > place.since_us)
    return list(connection.scalars(query))


@contextmanager
def _writing(direct: Engine) -> Iterator[Connection]:
    """Lend a connection that writes; on SQLite the writers of a process queue, else they starve one another."""
    if is_postgresql(direct):
        with direct.begin() as connection:
            yield connection
    else:
        with _turn, immediate(direct).begin() as connection:
            yield connection


def _run(connection: Connection, statement: ClauseElement, values: Mapping[str, Any]) -> Any:
    """Run one of the statements above through the driver, which costs a third of what it costs through Core."""
    dialect = connection.dialect
    known = _compiled.get((statement, dialect.name))
    if known is None:
        compiled = statement.compile(dialect=dialect)
        known = _compiled[statement, dialect.name] = str(compiled), getattr(compiled, "positiontup", None)
    text, order = known
    with driver(connection) as raw:
        if order is not None:
            return raw.execute(text, [values[name] for name in order])
        return raw.execute(text, values, binary=True)


def _named(log_id: int, place: Place) -> dict[str, Any]:
    """Return what `_here` compares: the keys for the index, the texts in case another's keys are the same."""
    return {
        "at_log_id": log_id,
        "at_owner": place.owner,
        "at_key": place.key,
        "at_activity": place.activity,
        "at_agent": place.agent,
        "at_registration": place.registration,
        "at_document_id": place.document_id,
    }


def _row_of(log_id: int, place: Place, wanted: Document, dialect: str, seen: Kept | None) -> dict[str, Any]:
    after = 0 if seen is None else seen.updated + 1
    return {
        **_named(log_id, place),
        "at_kind": place.resource.number,
        "earliest": max(after, clock_us()) if dialect == "sqlite" else after,
        "new_sha1": wanted.sha1,
        "new_content_type": wanted.content_type,
        "new_content": wanted.content,
    }


def _of_owner(log_id: int, place: Place) -> ColumnElement[bool]:
    mine = (_c.log_id == log_id) & (_c.owner == place.owner)
    mine &= (_c.kind == place.resource.number) & (_c.activity == place.activity) & (_c.agent == place.agent)
    return mine & (_c.registration == place.registration) if place.registration else mine
