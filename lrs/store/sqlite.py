"""The append on SQLite: the caller's BEGIN IMMEDIATE is the head's lock; rows go in by executemany."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from lrs.store.engine import driver
from lrs.store.rows import Look, Pointing, Rows, StatementRow

HEAD = "SELECT size, last_stored FROM log_head WHERE log_id = ?"
KNOWN = """
SELECT s.statement_id, b.body FROM statement s JOIN statement_body b USING (log_id, position)
WHERE s.log_id = ? AND s.statement_id IN (SELECT value FROM json_each(?)) ORDER BY s.position
"""
POINTING = """
SELECT position, statement_id, target, voids FROM statement
WHERE log_id = ? AND target IN (SELECT value FROM json_each(?)) ORDER BY position
"""
STATEMENT = """
INSERT INTO statement (log_id, position, statement_id, stored, timestamp, verb, actor, activity, registration,
    authority, target, voids, commitment) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)
"""
BODY = "INSERT INTO statement_body (log_id, position, body, salt) VALUES (?,?,?,?)"
POSTING = "INSERT INTO posting (log_id, key, position, via) VALUES (?,?,?,?) ON CONFLICT DO NOTHING"
VOIDED = "INSERT INTO voided (log_id, position, by) VALUES (?,?,?) ON CONFLICT DO NOTHING"
ADVANCE = "UPDATE log_head SET size = ?, last_stored = ? WHERE log_id = ?"


def clock_us() -> int:
    """Return the machine's time in microseconds since 1970."""
    return time.time_ns() // 1000


class SqliteDialect:
    """The machine's clock is the one clock of an SQLite file; tests hand in another."""

    def __init__(self, clock: Callable[[], int] = clock_us) -> None:
        self._clock = clock

    def append_at_once(self, *_: object) -> bool:
        """Append nothing: without round trips there is none to save."""
        return False

    def lock(self, connection: Connection, log_id: int) -> None:
        """Do nothing: the transaction began with the lock on the whole file."""

    def look(self, connection: Connection, log_id: int, ids: Sequence[str]) -> Look:
        """Read the head and what is known of these ids; the write lock is already held."""
        wanted = (log_id, json.dumps([_hex(one) for one in ids]))
        with driver(connection) as raw:
            size, last_stored = raw.execute(HEAD, (log_id,)).fetchone()
            known = {_dashed(name): body for name, body in raw.execute(KNOWN, wanted)}
            pointing = [
                Pointing(position, _dashed(own_id), _dashed(target), bool(voids))
                for position, own_id, target, voids in raw.execute(POINTING, wanted)
            ]
        return Look(size, last_stored, self._clock(), known, pointing)

    def write(self, connection: Connection, rows: Rows) -> None:
        """Write the rows and advance the head."""
        last = rows.statements[-1]
        with driver(connection) as raw:
            raw.executemany(STATEMENT, [_bound(row) for row in rows.statements])
            raw.executemany(BODY, rows.bodies)
            raw.executemany(POSTING, [*rows.postings, *rows.lent])
            raw.executemany(VOIDED, rows.voided)
            raw.execute(ADVANCE, (last.position, last.stored, last.log_id))


def _bound(row: StatementRow) -> StatementRow:
    """Return a statement row with its UUIDs as SQLAlchemy keeps them on SQLite: 32 hex digits."""
    registration, target = row.registration, row.target
    return row._replace(
        statement_id=_hex(row.statement_id),
        registration=registration and _hex(registration),
        target=target and _hex(target),
    )


def _hex(text: str) -> str:
    return text.replace("-", "")


def _dashed(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
