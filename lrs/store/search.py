"""Queries over the statements: one branch for each way in, filter and order in one index, joined by UNION.

A statement is found when it meets every filter itself, or reaches by StatementRef one that does: `m` below is the
statement that must meet them, `position` the one that is found. The keys are hashes: retrieval rechecks them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, exists, or_, select, union

from lrs.store.references import registration_key
from lrs.store.tables import posting, statement, statement_body, voided
from lrs.xapi.query import Query
from lrs.xapi.values import key64


class Found(NamedTuple):
    """A stored statement: its place, its times, and its text (None once erased)."""

    position: int
    stored: int
    timestamp: int
    body: bytes | None


def _found(row: Row[Any]) -> Found:
    return tuple.__new__(Found, row)


@dataclass(frozen=True, slots=True)
class Window:
    """Positions to look at: after < position < before, newest first unless ascending; `authority`: only theirs."""

    after: int = 0
    before: int | None = None
    ascending: bool = False
    authority: int | None = None


@dataclass(frozen=True, slots=True)
class _Filter:
    """A condition on the matched statement: one of the columns has the value, or it has the posting of its own.

    `lent` are the keys that stand in a column and become postings only where a StatementRef lends them.
    """

    columns: tuple[tuple[str, Any], ...]
    lent: tuple[int, ...]
    own: int | None = None

    def holds_for(self, m: Any) -> ColumnElement[bool]:
        ways: list[ColumnElement[bool]] = [m.c[name] == value for name, value in self.columns]
        if self.own is not None:
            own = posting.alias("own_posting")
            ways.append(
                exists().where(
                    own.c.log_id == m.c.log_id,
                    own.c.key == self.own,
                    own.c.position == m.c.position,
                    own.c.via == m.c.position,
                )
            )
        return or_(*ways)

    def leads(self) -> tuple[int, ...]:
        """Return every key under which a posting leads to what the filter finds."""
        return self.lent if self.own is None or self.own in self.lent else (self.own, *self.lent)


def _filters(query: Query) -> list[_Filter]:
    """Return the query's filters, the one that is likely to find least first: it leads."""
    found = []
    if query.registration:
        found.append(_Filter((("registration", query.registration),), (registration_key(query.registration),)))
    if query.agent:
        agent, related = key64("agent", query.agent), key64("related-agent", query.agent)
        if query.related_agents:
            found.append(_Filter((("actor", agent), ("authority", agent)), (agent,), related))
        else:
            found.append(_Filter((("actor", agent),), (agent,), agent))
    if query.activity:
        activity, related = key64("activity", query.activity), key64("related-activity", query.activity)
        found.append(_Filter((("activity", activity),), (activity,), related if query.related_activities else None))
    if query.verb:
        verb = key64("verb", query.verb)
        found.append(_Filter((("verb", verb),), (verb,)))
    return found


def page(connection: Connection, log_id: int, query: Query, window: Window, limit: int) -> list[Found]:
    """Return up to `limit` statements that meet the query, voided ones left out, in the window's order."""
    positions = _positions(log_id, _filters(query), window, limit).subquery("page")
    order = statement.c.position if window.ascending else statement.c.position.desc()
    select_rows = (
        _rows()
        .join(positions, positions.c.position == statement.c.position)
        .where(statement.c.log_id == log_id)
        .order_by(order)
    )
    return list(map(_found, connection.execute(select_rows).all()))


def _positions(log_id: int, filters: Sequence[_Filter], window: Window, limit: int) -> Select[Any]:
    branches = [_direct(log_id, filters, way, window) for way in _ways(filters, window)]
    if filters:
        branches += [_posted(log_id, key, filters[1:], window) for key in filters[0].leads()]
    limited = [_limited(branch, column, log_id, window, limit) for branch, column in branches]
    if len(limited) == 1:
        return select(limited[0].subquery().c.position)
    joined = union(*(select(one.subquery().c.position) for one in limited)).subquery()
    order = joined.c.position if window.ascending else joined.c.position.desc()
    return select(joined.c.position).order_by(order).limit(limit)


def _ways(filters: Sequence[_Filter], window: Window) -> Sequence[tuple[str, Any] | None]:
    """Return the columns that lead into the log, one for each branch; None leads through all of it."""
    if filters:
        return filters[0].columns
    return [None if window.authority is None else ("authority", window.authority)]


def _direct(
    log_id: int, filters: Sequence[_Filter], way: tuple[str, Any] | None, window: Window
) -> tuple[Select[Any], ColumnElement[int]]:
    """Return the branch of statements that meet the filters themselves, led by one column."""
    m = statement.alias("m")
    conditions = [m.c.log_id == log_id, *(one.holds_for(m) for one in filters[1:])]
    if way is not None:
        conditions.append(m.c[way[0]] == way[1])
    if window.authority is not None:
        conditions.append(m.c.authority == window.authority)
    return select(m.c.position).where(*conditions), m.c.position


def _posted(log_id: int, key: int, others: Sequence[_Filter], window: Window) -> tuple[Select[Any], ColumnElement[int]]:
    """Return the branch of statements led by one key: of their own, or lent by a statement they reach.

    The statement that has the key meets the first filter by that. What it is asked beside that is read from indexes
    alone where it can be, so that two keys that are common and never meet are found out without the rows.
    To a reader of its own alone, a statement of others lends nothing: a filter would tell what stands in it.
    """
    m = statement.alias("m")
    join = and_(m.c.log_id == posting.c.log_id, m.c.position == posting.c.via)
    branch = (
        select(posting.c.position)
        .distinct()
        .join_from(posting, m, join)
        .where(posting.c.log_id == log_id, posting.c.key == key, *(one.holds_for(m) for one in others))
    )
    if window.authority is not None:
        own = statement.alias("own")
        is_own = and_(own.c.log_id == log_id, own.c.position == posting.c.position, own.c.authority == window.authority)
        branch = branch.where(exists().where(is_own), m.c.authority == window.authority)
    return branch, posting.c.position


def _limited(branch: Select[Any], position: ColumnElement[int], log_id: int, window: Window, limit: int) -> Select[Any]:
    branch = branch.where(~exists().where(voided.c.log_id == log_id, voided.c.position == position))
    if window.after:
        branch = branch.where(position > window.after)
    if window.before is not None:
        branch = branch.where(position < window.before)
    return branch.order_by(position if window.ascending else position.desc()).limit(limit)


def _rows() -> Select[Any]:
    same_row = and_(statement.c.log_id == statement_body.c.log_id, statement.c.position == statement_body.c.position)
    columns = statement.c.position, statement.c.stored, statement.c.timestamp, statement_body.c.body
    return select(*columns).join_from(statement, statement_body, same_row)


_BY_ID = (
    _rows()
    .add_columns(
        exists().where(voided.c.log_id == statement.c.log_id, voided.c.position == statement.c.position),
        statement.c.authority,
    )
    .where(statement.c.log_id == bindparam("log_id"), statement.c.statement_id == bindparam("statement_id"))
)


def with_id(connection: Connection, log_id: int, statement_id: str) -> tuple[Found, bool, int] | None:
    """Return a statement, whether it is voided, and the key of its authority; None when the id is unknown."""
    row = connection.execute(_BY_ID, {"log_id": log_id, "statement_id": statement_id}).one_or_none()
    return None if row is None else (Found(*row[:4]), bool(row[4]), row[5])


def reached(connection: Connection, log_id: int, query: Query, positions: Sequence[int]) -> list[tuple[int, bytes]]:
    """Return (position, text of a statement that it reaches by StatementRef) wherever that may meet the query.

    An erased statement has no text to meet it.
    """
    same_row = and_(statement_body.c.log_id == posting.c.log_id, statement_body.c.position == posting.c.via)
    pairs = (
        select(posting.c.position, posting.c.via, statement_body.c.body)
        .distinct()
        .join_from(posting, statement_body, same_row)
        .where(
            posting.c.log_id == log_id,
            posting.c.key.in_(_filters(query)[0].leads()),
            posting.c.position.in_(positions),
            posting.c.via != posting.c.position,
            statement_body.c.body.is_not(None),
        )
        .order_by(posting.c.position, posting.c.via)
    )
    return [(position, body) for position, _, body in connection.execute(pairs)]


def between(connection: Connection, log_id: int, after: int, through: int) -> list[Found]:
    """Return the statements at the positions after < position <= through, in order; voided ones too."""
    query = _rows().where(statement.c.log_id == log_id, statement.c.position > after, statement.c.position <= through)
    return list(map(_found, connection.execute(query.order_by(statement.c.position)).all()))


def at(connection: Connection, log_id: int, positions: Sequence[int]) -> list[Found]:
    """Return the statements at these positions, in order; voided ones too."""
    query = _rows().where(statement.c.log_id == log_id, statement.c.position.in_(positions))
    return list(map(_found, connection.execute(query.order_by(statement.c.position)).all()))


def voided_among(connection: Connection, log_id: int, after: int, through: int) -> dict[int, int]:
    """Return {position: position that voids it} where either lies at after < position <= through."""
    touched = or_(voided.c.position.between(after + 1, through), voided.c.by.between(after + 1, through))
    query = select(voided.c.position, voided.c.by).where(voided.c.log_id == log_id, touched)
    rows = connection.execute(query.order_by(voided.c.position))
    return {position: by for position, by in rows}  # noqa: C416  # a row is no pair to the type checker


def with_activity(connection: Connection, log_id: int, activities: Sequence[int], through: int) -> list[int]:
    """Return the positions up to `through` whose object has one of these activity keys."""
    query = select(statement.c.position).where(
        statement.c.log_id == log_id, statement.c.activity.in_(activities), statement.c.position <= through
    )
    return list(connection.scalars(query.order_by(statement.c.position)))


def with_posting(connection: Connection, log_id: int, keys: Sequence[int], through: int) -> list[int]:
    """Return the positions up to `through` that have one of these keys of their own as a posting."""
    query = select(posting.c.position).where(
        posting.c.log_id == log_id,
        posting.c.key.in_(keys),
        posting.c.position <= through,
        posting.c.via == posting.c.position,
    )
    return list(connection.scalars(query.order_by(posting.c.position)))
