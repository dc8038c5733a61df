"""One statement with everything that its row says, for whoever inspects the log itself."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, select

from lrs.store.tables import statement, statement_body, voided


class Detail(NamedTuple):
    """A stored statement's row and text; `body` and `salt` are None once erased.

    `voided_by` is the position of the first statement that voids it, `voided_by_id` that statement's id.
    """

    statement_id: str
    position: int
    stored: int
    timestamp: int
    commitment: bytes
    body: bytes | None
    salt: bytes | None
    voided_by: int | None
    voided_by_id: str | None


def detail_of(connection: Connection, log_id: int, statement_id: str) -> Detail | None:
    """Return a statement of a log in every detail; None when the id is unknown there."""
    voiding = statement.alias("voiding")
    body, row = statement_body.c, statement.c
    query = (
        select(
            row.statement_id, row.position, row.stored, row.timestamp, row.commitment,
            body.body, body.salt, voided.c.by, voiding.c.statement_id,
        )
        .join_from(statement, statement_body, (row.log_id == body.log_id) & (row.position == body.position))
        .outerjoin(voided, (row.log_id == voided.c.log_id) & (row.position == voided.c.position))
        .outerjoin(voiding, (row.log_id == voiding.c.log_id) & (voided.c.by == voiding.c.position))
        .where(row.log_id == log_id, row.statement_id == statement_id)
    )  # fmt: skip
    found = connection.execute(query).one_or_none()
    return None if found is None else Detail(*found)
