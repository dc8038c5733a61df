"""Imports: record stores that are read on a schedule, how far each was read, and what came with their statements."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from lrs.errors import NotFound
from lrs.store.engine import is_postgresql
from lrs.store.tables import import_checkpoint, import_provenance, import_refusal, pull


@dataclass(frozen=True, slots=True)
class Pull:
    """A row of `pull`: a record store, whose statements are fetched every so many minutes."""

    pull_id: int
    log_id: int
    name: str
    url: str
    key: str
    sealed_secret: bytes
    version: str
    credential_key: str
    every_minutes: int
    due: int
    trouble: str


class Provenance(NamedTuple):
    """What a statement carried of its first store: its id here, and there `stored`, authority (JSON) and version."""

    statement_id: str
    stored: str | None
    authority: str | None
    version: str | None


class Refusal(NamedTuple):
    """A statement that could not be taken from a source, and its problems as lines."""

    source: str
    body: bytes
    problems: str
    refused: int


def keep_provenance(connection: Connection, log_id: int, source: str, found: Sequence[Provenance], now: int) -> None:
    """Keep what came with imported statements; what is known of one already stays."""
    rows = [{"log_id": log_id, "source": source, "imported": now, **one._asdict()} for one in found]
    _insert_once(connection, import_provenance, rows)


def provenance_of(connection: Connection, log_id: int, statement_id: str) -> tuple[str, Provenance] | None:
    """Return the source of an imported statement and what came with it; None for one that was not imported."""
    columns = [import_provenance.c[name] for name in ("source", *Provenance._fields)]
    wanted = import_provenance.c.log_id == log_id, import_provenance.c.statement_id == statement_id
    row = connection.execute(select(*columns).where(*wanted)).one_or_none()
    return None if row is None else (row[0], Provenance(*row[1:]))


def checkpoint(connection: Connection, log_id: int, source: str) -> int | None:
    """Return up to which of its `stored` times a source was read; None before the first time."""
    wanted = import_checkpoint.c.log_id == log_id, import_checkpoint.c.source == source
    return connection.scalar(select(import_checkpoint.c.stored).where(*wanted))


def set_checkpoint(connection: Connection, log_id: int, source: str, stored: int) -> None:
    """Note up to which `stored` time a source was read; it only rises."""
    _insert_once(connection, import_checkpoint, [{"log_id": log_id, "source": source, "stored": stored}])
    connection.execute(
        update(import_checkpoint)
        .where(
            import_checkpoint.c.log_id == log_id,
            import_checkpoint.c.source == source,
            import_checkpoint.c.stored < stored,
        )
        .values(stored=stored)
    )


def keep_refusals(connection: Connection, log_id: int, refusals: Sequence[Refusal]) -> None:
    """Keep statements that could not be taken, each once however often it is fetched."""
    rows = [
        {"log_id": log_id, "digest": hashlib.sha256(one.body).digest(), **one._asdict()}
        for one in {(one.source, one.body): one for one in refusals}.values()
    ]
    _insert_once(connection, import_refusal, rows)


def refusals(connection: Connection, log_id: int, source: str) -> list[Refusal]:
    """Return what could not be taken from a source, in the order in which it came."""
    columns = [import_refusal.c[name] for name in Refusal._fields]
    query = select(*columns).where(import_refusal.c.log_id == log_id, import_refusal.c.source == source)
    return [Refusal(*row) for row in connection.execute(query.order_by(import_refusal.c.refusal_id))]


def refusal_count(connection: Connection, log_id: int, source: str) -> int:
    """Return how many statements of a source could not be taken."""
    wanted = import_refusal.c.log_id == log_id, import_refusal.c.source == source
    return connection.scalar(select(func.count()).select_from(import_refusal).where(*wanted)) or 0


def create_pull(connection: Connection, log_id: int, values: Mapping[str, Any]) -> None:
    """Create a pull that is due at once; raises sqlalchemy.exc.IntegrityError when its name is taken."""
    connection.execute(insert(pull).values(log_id=log_id, due=0, trouble="", **values))


def pulls(connection: Connection, log_id: int | None = None) -> list[Pull]:
    """Return the pulls of a log, or of all logs, in the order of their creation."""
    query = select(pull).order_by(pull.c.pull_id)
    if log_id is not None:
        query = query.where(pull.c.log_id == log_id)
    return [Pull(*row) for row in connection.execute(query)]


def pull_with_id(connection: Connection, pull_id: int) -> Pull | None:
    """Return a pull as it is now; None once it is removed."""
    row = connection.execute(select(pull).where(pull.c.pull_id == pull_id)).one_or_none()
    return None if row is None else Pull(*row)


def pull_named(connection: Connection, log_id: int, name: str) -> Pull:
    """Return the pull of a log with this name; raises NotFound."""
    row = connection.execute(select(pull).where(pull.c.log_id == log_id, pull.c.name == name)).one_or_none()
    if row is None:
        raise NotFound(f"the log has no pull of the name {name!r}; `cairn pulls list` shows what it has")
    return Pull(*row)


def note_pull(connection: Connection, pull_id: int, due: int, trouble: str) -> None:
    """Note when a pull is due again, and what went wrong, if anything did."""
    connection.execute(update(pull).where(pull.c.pull_id == pull_id).values(due=due, trouble=trouble))


def remove_pull(connection: Connection, pull_id: int) -> None:
    """Forget a pull and its secret; what it brought stays, and so does its checkpoint."""
    connection.execute(delete(pull).where(pull.c.pull_id == pull_id))


def _insert_once(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, leaving alone those that are there already."""
    if rows:
        build = postgresql.insert if is_postgresql(connection) else sqlite.insert
        connection.execute(build(table).on_conflict_do_nothing(), rows)
