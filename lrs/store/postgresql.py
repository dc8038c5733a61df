"""The append on PostgreSQL: one round trip to lock and look, COPY for batches, a pipeline for single statements.

The database's clock stamps the statements, so that several machines with clocks of their own share one time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from struct import Struct
from typing import Any

from sqlalchemy import Connection

from lrs.store.engine import driver
from lrs.store.rows import BodyRow, Look, Pointing, PostingRow, Rows, StatementRow

COPY_FROM_ROWS = 12
"""From so many statements on COPY beats a pipeline of INSERTs (measured; see `make bench`)."""

HEAD = """
WITH locked AS MATERIALIZED (SELECT size, last_stored FROM log_head WHERE log_id = %s FOR UPDATE)
SELECT size, last_stored, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint FROM locked
"""
KNOWN = """
SELECT s.statement_id::text, b.body FROM statement s JOIN statement_body b USING (log_id, position)
WHERE s.log_id = %s AND s.statement_id = ANY(%s::uuid[]) ORDER BY s.position
"""
POINTING = """
SELECT position, statement_id::text, target::text, voids FROM statement
WHERE log_id = %s AND target = ANY(%s::uuid[]) AND target IS NOT NULL ORDER BY position
"""
STATEMENT = "INSERT INTO statement VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%b)"
BODY = "INSERT INTO statement_body VALUES (%s,%s,%b,%b)"
POSTING = "INSERT INTO posting VALUES (%s,%s,%s,%s) ON CONFLICT DO NOTHING"
VOIDED = "INSERT INTO voided VALUES (%s,%s,%s) ON CONFLICT DO NOTHING"
ADVANCE = "UPDATE log_head SET size = %s, last_stored = %s WHERE log_id = %s"

_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_fixed = Struct(">hiiiqi16siqiqiq").pack
_long = Struct(">iq").pack
_end = Struct(">i?i").pack
_body_head = Struct(">hiiiqi").pack
_size = Struct(">i").pack
_posting = Struct(">hiiiqiqiq").pack


class PostgresqlDialect:
    """Writes through psycopg's own connection under SQLAlchemy's."""

    def look(self, connection: Connection, log_id: int, ids: Sequence[str]) -> Look:
        """Lock the head row and read what is known of these ids, in one round trip."""
        raw = driver(connection)
        wanted = (log_id, list(ids))
        with raw.pipeline():
            head = raw.execute(HEAD, (log_id,))
            known = raw.execute(KNOWN, wanted, binary=True)
            pointing = raw.execute(POINTING, wanted)
        size, last_stored, now = head.fetchone()
        return Look(size, last_stored, now, dict(known.fetchall()), [Pointing(*row) for row in pointing.fetchall()])

    def write(self, connection: Connection, rows: Rows) -> None:
        """Write the rows and advance the head."""
        raw = driver(connection)
        if len(rows.statements) < COPY_FROM_ROWS:
            _insert(raw, rows)
        else:
            _copy_all(raw, rows)


def _insert(raw: Any, rows: Rows) -> None:
    last = rows.statements[-1]
    with raw.pipeline(), raw.cursor() as cursor:
        cursor.executemany(STATEMENT, rows.statements)
        cursor.executemany(BODY, rows.bodies)
        if rows.postings:
            cursor.executemany(POSTING, rows.postings)
        if rows.voided:
            cursor.executemany(VOIDED, rows.voided)
        cursor.execute(ADVANCE, (last.position, last.stored, last.log_id))


def _copy_all(raw: Any, rows: Rows) -> None:
    last = rows.statements[-1]
    with raw.cursor() as cursor:
        copy(cursor, "statement", map(_pack_statement, rows.statements))
        copy(cursor, "statement_body", map(_pack_body, rows.bodies))
        copy(cursor, "posting", map(_pack_posting, dict.fromkeys(rows.postings)))
        if rows.voided:
            cursor.executemany(VOIDED, rows.voided)
        cursor.execute(ADVANCE, (last.position, last.stored, last.log_id))


def copy(cursor: Any, table: str, packed: Iterable[bytes]) -> None:
    """Send rows already packed in PostgreSQL's binary COPY format to a table."""
    with cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as stream:
        stream.write(_HEADER + b"".join(packed) + _TRAILER)


def _pack_statement(row: StatementRow) -> bytes:
    registration, target = row.registration, row.target
    return b"".join(
        (
            _fixed(
                13, 4, row.log_id, 8, row.position, 16, bytes.fromhex(row.statement_id.replace("-", "")),
                8, row.stored, 8, row.timestamp, 8, row.verb,
            ),
            _NULL if row.actor is None else _long(8, row.actor),
            _NULL if row.activity is None else _long(8, row.activity),
            _NULL if registration is None else b"\0\0\0\x10" + bytes.fromhex(registration.replace("-", "")),
            _long(8, row.authority),
            _NULL if target is None else b"\0\0\0\x10" + bytes.fromhex(target.replace("-", "")),
            _end(1, row.voids, len(row.commitment)),
            row.commitment,
        )
    )  # fmt: skip


def _pack_body(row: BodyRow) -> bytes:
    body, salt = row.body, row.salt
    return b"".join((_body_head(4, 4, row.log_id, 8, row.position, len(body)), body, _size(len(salt)), salt))


def _pack_posting(row: PostingRow) -> bytes:
    return _posting(4, 4, row.log_id, 8, row.key, 8, row.position, 8, row.via)
