"""Refused requests: kept for people, bounded in number and in time, never part of the record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, or_, select, update

from lrs.errors import Problem
from lrs.store.credentials import Credential
from lrs.store.tables import refusal

MOST_KEPT = 50_000
READERS_OF_ALL = frozenset({"all", "all/read"})
_SHOWN = [one for one in refusal.c if one.name not in {"log_id", "body"}]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused request; `log_id` and `key` are None for a stranger, whose body is not kept."""

    log_id: int | None
    key: str | None
    time: int
    method: str
    path: str
    status: int
    title: str
    detail: str
    problems: tuple[Problem, ...]
    problem_count: int
    size: int
    content_type: str
    body: bytes | None


class Listed(msgspec.Struct, frozen=True):
    """A refusal as it is told; `unlisted` more came after it in the same minute and were only counted."""

    id: int
    key: str | None
    time: int
    method: str
    path: str
    status: int
    title: str
    detail: str
    problems: list[dict[str, str]]
    problem_count: int
    size: int
    content_type: str
    unlisted: int


def keep(connection: Connection, found: Refusal) -> int:
    """Write a refusal down and return its id."""
    row = {name: getattr(found, name) for name in Refusal.__dataclass_fields__}
    row["problems"] = msgspec.json.encode(found.problems).decode()
    written = connection.execute(insert(refusal).values(unlisted=0, **row).returning(refusal.c.refusal_id))
    return int(written.scalar_one())


def count_unlisted(connection: Connection, refusal_id: int, number: int) -> None:
    """Add to how many were refused after this one without being listed."""
    more = {"unlisted": refusal.c.unlisted + number}
    connection.execute(update(refusal).where(refusal.c.refusal_id == refusal_id).values(more))


def purge(connection: Connection, before: int) -> None:
    """Forget bodies that are older than a time, and rows that are too many."""
    stale = refusal.c.time < before, refusal.c.body.is_not(None)
    connection.execute(update(refusal).where(*stale).values(body=None))
    newest = connection.execute(select(func.max(refusal.c.refusal_id))).scalar()
    if newest is not None:
        connection.execute(delete(refusal).where(refusal.c.refusal_id <= newest - MOST_KEPT))


def refusals_for(
    connection: Connection, reader: Credential, limit: int, before: int | None, key: str | None, status: int | None
) -> list[Listed]:
    """Return refusals that a reader may see, newest first: from `before` down, of one credential, of one status."""
    wanted = [_may_see(reader)]
    wanted += [refusal.c.refusal_id < before] if before is not None else []
    wanted += [refusal.c.key == key] if key is not None else []
    wanted += [refusal.c.status == status] if status is not None else []
    query = select(*_SHOWN).where(*wanted).order_by(refusal.c.refusal_id.desc()).limit(limit)
    return [_listed(row) for row in connection.execute(query)]


def refusal_with_id(connection: Connection, reader: Credential, refusal_id: int) -> tuple[Listed, bytes | None] | None:
    """Return a refusal and the body that was refused, while it is kept; None when there is none for this reader."""
    query = select(*_SHOWN, refusal.c.body).where(_may_see(reader), refusal.c.refusal_id == refusal_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else (_listed(row[:-1]), row[-1])


def _may_see(reader: Credential) -> ColumnElement[bool]:
    """Own ones; for who may read everything, those of the log, and of strangers, who belong to no log."""
    if reader.scopes & READERS_OF_ALL:
        return or_(refusal.c.log_id == reader.log.log_id, refusal.c.log_id.is_(None))
    return refusal.c.key == reader.key


def _listed(row: Row[tuple[object, ...]] | Sequence[object]) -> Listed:
    values = dict(zip((str(one.name) for one in _SHOWN), row, strict=True))
    values["id"] = values.pop("refusal_id")
    values["problems"] = msgspec.json.decode(str(values["problems"]))
    return msgspec.convert(values, Listed)
