"""Forwards: where a log's statements go, how far each has come, and what its receiver would not take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, update

from lrs.errors import NotFound
from lrs.store.tables import dead_letter, forward, statement


@dataclass(frozen=True, slots=True)
class Forward:
    """A row of `forward`; `due` is when it may be tried again, `trouble` why it failed the last time."""

    forward_id: int
    log_id: int
    kind: str
    name: str
    url: str
    key: str
    sealed_secret: bytes
    version: str
    filters: str
    is_paused: bool
    position: int
    conflicts: int
    failures: int
    due: int
    trouble: str


class DeadLetter(NamedTuple):
    """A statement that the receiver refused by itself, and what it answered (`status` 0: it was never sent)."""

    position: int
    statement_id: str
    status: int
    answer: str
    failed: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a forward's next statements: all up to `position` were taken, or are dead letters."""

    position: int
    conflicts: int
    dead: Sequence[DeadLetter]
    failures: int
    due: int
    trouble: str


def create_forward(connection: Connection, log_id: int, values: Mapping[str, Any]) -> int:
    """Create a forward and return its number; raises sqlalchemy.exc.IntegrityError when its name is taken."""
    fresh = {"is_paused": False, "conflicts": 0, "failures": 0, "due": 0, "trouble": ""}
    created = connection.execute(insert(forward).values(log_id=log_id, **fresh, **values))
    assert created.inserted_primary_key is not None
    return int(created.inserted_primary_key[0])


def forwards(connection: Connection, log_id: int | None = None) -> list[Forward]:
    """Return the forwards of a log, or of all logs, in the order of their creation."""
    query = select(forward).order_by(forward.c.forward_id)
    if log_id is not None:
        query = query.where(forward.c.log_id == log_id)
    return [Forward(*row) for row in connection.execute(query)]


def forward_with_id(connection: Connection, forward_id: int) -> Forward | None:
    """Return a forward as it is now; None once it is removed."""
    row = connection.execute(select(forward).where(forward.c.forward_id == forward_id)).one_or_none()
    return None if row is None else Forward(*row)


def forward_named(connection: Connection, log_id: int, kind: str, name: str) -> Forward:
    """Return the forward of a log with this kind and name; raises NotFound."""
    query = select(forward).where(forward.c.log_id == log_id, forward.c.kind == kind, forward.c.name == name)
    row = connection.execute(query).one_or_none()
    if row is None:
        group = "webhooks" if kind == "webhook" else "forwards"
        raise NotFound(f"the log has nothing of the name {name!r} there; `cairn {group} list` shows what it has")
    return Forward(*row)


def settle(connection: Connection, before: Forward, settled: Settled) -> bool:
    """Write what became of the statements behind a forward's position; tell whether that still holds.

    It does not when the forward was replayed or removed meanwhile: then nothing is written.
    """
    changed = connection.execute(
        update(forward)
        .where(forward.c.forward_id == before.forward_id, forward.c.position == before.position)
        .values(
            position=settled.position,
            conflicts=forward.c.conflicts + settled.conflicts,
            failures=settled.failures,
            due=settled.due,
            trouble=settled.trouble,
        )
    )
    if changed.rowcount == 0:
        return False
    if settled.position > before.position:
        _bury(connection, before, settled)
    return True


def _bury(connection: Connection, before: Forward, settled: Settled) -> None:
    """Keep the dead letters of a span, in place of those that an earlier run through it left."""
    connection.execute(
        delete(dead_letter).where(
            dead_letter.c.forward_id == before.forward_id,
            dead_letter.c.position.between(before.position + 1, settled.position),
        )
    )
    if settled.dead:
        rows = [{"forward_id": before.forward_id, **one._asdict()} for one in settled.dead]
        connection.execute(insert(dead_letter), rows)


def set_paused(connection: Connection, forward_id: int, *, is_paused: bool) -> None:
    """Pause a forward, or let it go on at once."""
    values = {"is_paused": is_paused, "failures": 0, "due": 0, "trouble": ""}
    connection.execute(update(forward).where(forward.c.forward_id == forward_id).values(values))


def replay_from(connection: Connection, forward_id: int, position: int) -> None:
    """Let a forward go on with the statement at a position, be it sent already or not."""
    values = {"position": position - 1, "failures": 0, "due": 0, "trouble": ""}
    connection.execute(update(forward).where(forward.c.forward_id == forward_id).values(values))


def remove_forward(connection: Connection, forward_id: int) -> None:
    """Forget a forward, its secret and its dead letters."""
    connection.execute(delete(dead_letter).where(dead_letter.c.forward_id == forward_id))
    connection.execute(delete(forward).where(forward.c.forward_id == forward_id))


def dead_letters(connection: Connection, forward_id: int, after: int = 0, limit: int | None = None) -> list[DeadLetter]:
    """Return a forward's dead letters behind a position, in order."""
    columns = [dead_letter.c[name] for name in DeadLetter._fields]
    query = select(*columns).where(dead_letter.c.forward_id == forward_id, dead_letter.c.position > after)
    return [DeadLetter(*row) for row in connection.execute(query.order_by(dead_letter.c.position).limit(limit))]


def dead_letter_count(connection: Connection, forward_id: int) -> int:
    """Return how many statements a forward's receiver would not take."""
    query = select(func.count()).select_from(dead_letter).where(dead_letter.c.forward_id == forward_id)
    return connection.scalar(query) or 0


def revive(connection: Connection, forward_id: int, position: int) -> None:
    """Forget a dead letter: it was taken after all."""
    connection.execute(
        delete(dead_letter).where(dead_letter.c.forward_id == forward_id, dead_letter.c.position == position)
    )


def note_refusal(connection: Connection, forward_id: int, letter: DeadLetter) -> None:
    """Note what the receiver answered to a dead letter that was sent again."""
    connection.execute(
        update(dead_letter)
        .where(dead_letter.c.forward_id == forward_id, dead_letter.c.position == letter.position)
        .values(status=letter.status, answer=letter.answer, failed=letter.failed)
    )


def rows_at(connection: Connection, log_id: int, positions: Sequence[int]) -> dict[int, tuple[str, int]]:
    """Return {position: (statement id, `stored` time)} of the statements at these positions."""
    query = (
        select(statement.c.position, statement.c.statement_id, statement.c.stored)
        .where(statement.c.log_id == log_id, statement.c.position.in_(positions))
        .order_by(statement.c.position)
    )
    return {position: (name, stored) for position, name, stored in connection.execute(query)}


def positions_after(
    connection: Connection, log_id: int, span: tuple[int, int], keys: Mapping[str, int], limit: int
) -> list[int]:
    """Return the first positions at span[0] < position <= span[1] whose columns have these keys, in order."""
    after, through = span
    query = select(statement.c.position).where(
        statement.c.log_id == log_id,
        statement.c.position > after,
        statement.c.position <= through,
        *(statement.c[name] == value for name, value in keys.items()),
    )
    return list(connection.scalars(query.order_by(statement.c.position).limit(limit)))
