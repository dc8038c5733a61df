"""The append on PostgreSQL: one round trip for a few plain statements; else one to lock, to look, to write, to commit.

The database's clock stamps the statements, so that several machines with clocks of their own share one time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from struct import Struct
from typing import Any

from psycopg.types.numeric import Int4, Int8
from sqlalchemy import Connection, Engine

from lrs.store.arrays import NULL, Array, booleans, bytestrings, longs, packed_uuid, texts, uuids
from lrs.store.engine import committing_driver, driver
from lrs.store.rows import BodyRow, Look, Pointing, PostingRow, Prepared, Rows, StatementRow, VoidedRow
from lrs.xapi.canonical import Told

COPY_FROM_ROWS = 100
"""From so many statements on COPY costs the server a tenth less than arrays; below, its round trips cost more."""

HEAD = """
WITH locked AS MATERIALIZED (
    SELECT size, last_stored FROM log_head
    WHERE log_id = %s AND set_config('lock_timeout', '15s', true) <> ''
        AND set_config('idle_in_transaction_session_timeout', '60s', true) <> ''
    FOR UPDATE
)
SELECT size, last_stored, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint FROM locked
"""
"""Both limits end with the transaction: who waits too long gives up, and who freezes with the lock loses it."""
KNOWN = """
SELECT wanted.id::text, known.body FROM unnest(%(ids)s) AS wanted (id) CROSS JOIN LATERAL (
    SELECT b.body FROM statement s JOIN statement_body b USING (log_id, position)
    WHERE s.log_id = %(log_id)s AND s.statement_id = wanted.id LIMIT 1) AS known
ORDER BY wanted.id
"""
POINTING = """
SELECT one.position, one.statement_id::text, wanted.id::text, one.voids
FROM unnest(%(ids)s) AS wanted (id) CROSS JOIN LATERAL (
    SELECT position, statement_id, voids FROM statement
    WHERE log_id = %(log_id)s AND target = wanted.id ORDER BY position) AS one
ORDER BY one.position
"""
"""Each id is looked up by itself: a plan made while the log is empty, and kept, would else read all of it when full."""
STATEMENTS = """
INSERT INTO statement (log_id, position, statement_id, stored, timestamp, verb, actor, activity, registration,
    authority, target, voids, commitment)
SELECT %(log_id)s, * FROM unnest(
    %(position)s, %(statement_id)s, %(stored)s, %(timestamp)s, %(verb)s, %(actor)s, %(activity)s, %(registration)s,
    %(authority)s, %(target)s, %(voids)s, %(commitment)s)
"""
BODIES = """
INSERT INTO statement_body (log_id, position, body, salt)
SELECT %(log_id)s, * FROM unnest(%(position)s, %(body)s, %(salt)s)
"""
POSTINGS = """
INSERT INTO posting (log_id, key, position, via)
SELECT %(log_id)s, * FROM unnest(%(posting_key)s, %(posting_position)s, %(posting_via)s) ON CONFLICT DO NOTHING
"""
VOIDED = """
INSERT INTO voided (log_id, position, by)
SELECT %(log_id)s, * FROM unnest(%(voided_position)s, %(voided_by)s) ON CONFLICT DO NOTHING
"""
ADVANCE = "UPDATE log_head SET size = %(size)s, last_stored = %(last_stored)s WHERE log_id = %(log_id)s"
WRITE = f"WITH s AS ({STATEMENTS}), b AS ({BODIES}), p AS ({POSTINGS}), v AS ({VOIDED}) {ADVANCE}"
FINISH = f"WITH p AS ({POSTINGS}), v AS ({VOIDED}) {ADVANCE}"

AT_ONCE = "SELECT cairn_append(" + ", ".join(["%s"] * 19) + ")"

ARRAYS: Mapping[str, Callable[[Any], Array]] = {
    "statement_id": uuids, "registration": uuids, "target": uuids, "voids": booleans, "commitment": bytestrings
}  # fmt: skip
"""How a column of `statement` is packed, where not as a bigint[]."""

ROWS_AT_ONCE = 200
"""So many rows go to the driver in one piece: a batch of 10 MB is never held packed as a whole."""

_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"
_fixed = Struct(">hiiiqi16siqiqiq").pack
_long = Struct(">iq").pack
_end = Struct(">i?i").pack
_body_head = Struct(">hiiiqi").pack
_size = Struct(">i").pack
_posting = Struct(">hiiiqiqiq").pack


class PostgresqlDialect:
    """Writes through psycopg's own connection under SQLAlchemy's."""

    def append_at_once(
        self, engine: Engine, log_id: int, statements: Sequence[Prepared], news: Sequence[tuple[int, Told]]
    ) -> bool:
        """Append a few plain statements by one call of a function in the database."""
        if len(statements) >= COPY_FROM_ROWS:
            return False
        with committing_driver(engine) as raw:
            (is_done,) = raw.execute(
                AT_ONCE, (Int4(log_id), *_plain(statements), *_told(news)), prepare=True
            ).fetchone()
        return bool(is_done)

    def lock(self, connection: Connection, log_id: int) -> None:
        """Wait for the head row: whoever comes meanwhile may still join the transaction."""
        with driver(connection) as raw:
            raw.execute(HEAD, (log_id,))

    def look(self, connection: Connection, log_id: int, ids: Sequence[str]) -> Look:
        """Lock the head row, if that is not done yet, and read what is known of these ids, in one round trip."""
        wanted = {"log_id": log_id, "ids": uuids(ids)}
        with driver(connection) as raw:
            with raw.pipeline():
                head = raw.execute(HEAD, (log_id,))
                known = raw.execute(KNOWN, wanted, binary=True)
                pointing = raw.execute(POINTING, wanted)
            size, last_stored, now = head.fetchone()
            return Look(size, last_stored, now, dict(known.fetchall()), [Pointing(*row) for row in pointing.fetchall()])

    def write(self, connection: Connection, rows: Rows) -> None:
        """Write the rows and advance the head."""
        with driver(connection) as raw:
            if len(rows.statements) < COPY_FROM_ROWS:
                postings = [*rows.postings, *rows.lent]
                raw.execute(WRITE, _columns(rows) | _derived(postings, rows.voided) | _head(rows))
            else:
                _copy_all(raw, rows)


def _plain(statements: Sequence[Prepared]) -> Iterator[Array]:
    """Yield the arguments of `cairn_append` behind the log, each an array."""
    keys = [one.keys for one in statements]
    yield uuids([one.statement_id for one in statements])
    yield longs([one.timestamp for one in statements])
    yield longs([one.verb for one in keys])
    yield longs([one.actor for one in keys])
    yield longs([one.activity for one in keys])
    yield uuids([one.registration for one in keys])
    yield longs([one.authority for one in keys])
    yield bytestrings([one.commitment for one in statements])
    yield bytestrings([one.body for one in statements])
    yield bytestrings([one.salt for one in statements])
    posted = [(key, place) for place, one in enumerate(keys, 1) for key in one.postings()]
    yield longs([key for key, _ in posted])
    yield longs([place for _, place in posted])


def _told(news: Sequence[tuple[int, Told]]) -> Iterator[Array]:
    """Yield the arguments of `cairn_append` about what is told."""
    yield longs([place + 1 for place, _ in news])
    yield longs([one.key for _, one in news])
    yield bytestrings([one.digest for _, one in news])
    yield longs([one.kind for _, one in news])
    yield texts([one.name for _, one in news])
    yield bytestrings([one.text for _, one in news])


def _columns(rows: Rows) -> dict[str, Any]:
    """Return the columns of the statements and of their bodies, a packed array each, by name."""
    by_name = dict(zip(StatementRow._fields, zip(*rows.statements, strict=True), strict=True))
    del by_name["log_id"]
    _, _, bodies, salts = zip(*rows.bodies, strict=True)
    packed = {name: ARRAYS.get(name, longs)(values) for name, values in by_name.items()}
    return packed | {"body": bytestrings(bodies), "salt": bytestrings(salts)}


def _derived(postings: Iterable[PostingRow], voided: Iterable[VoidedRow]) -> dict[str, Any]:
    posted, voids = list(postings), list(voided)
    return {
        "posting_key": longs([row.key for row in posted]),
        "posting_position": longs([row.position for row in posted]),
        "posting_via": longs([row.via for row in posted]),
        "voided_position": longs([row.position for row in voids]),
        "voided_by": longs([row.by for row in voids]),
    }


def _head(rows: Rows) -> dict[str, Any]:
    last = rows.statements[-1]
    return {"log_id": Int4(last.log_id), "size": Int8(last.position), "last_stored": Int8(last.stored)}


def _copy_all(raw: Any, rows: Rows) -> None:
    """Copy what is surely new; COPY knows no ON CONFLICT, so what is lent goes in beside the head."""
    with raw.cursor() as cursor:
        copy(cursor, "statement", map(_pack_statement, rows.statements))
        copy(cursor, "statement_body", map(_pack_body, rows.bodies))
        copy(cursor, "posting", map(_pack_posting, dict.fromkeys(rows.postings)))
    raw.execute(FINISH, _derived(rows.lent, rows.voided) | _head(rows))


def copy(cursor: Any, table: str, packed: Iterable[bytes]) -> None:
    """Send rows already packed in PostgreSQL's binary COPY format to a table, some hundred kilobytes at a time."""
    with cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as stream:
        stream.write(_HEADER)
        rows = iter(packed)
        while piece := b"".join(islice(rows, ROWS_AT_ONCE)):
            stream.write(piece)
        stream.write(_TRAILER)


def _pack_statement(row: StatementRow) -> bytes:
    return b"".join(
        (
            _fixed(
                13, 4, row.log_id, 8, row.position, 16, bytes.fromhex(row.statement_id.replace("-", "")),
                8, row.stored, 8, row.timestamp, 8, row.verb,
            ),
            NULL if row.actor is None else _long(8, row.actor),
            NULL if row.activity is None else _long(8, row.activity),
            packed_uuid(row.registration),
            _long(8, row.authority),
            packed_uuid(row.target),
            _end(1, row.voids, len(row.commitment)),
            row.commitment,
        )
    )  # fmt: skip


def _pack_body(row: BodyRow) -> bytes:
    body, salt = row.body, row.salt
    return b"".join((_body_head(4, 4, row.log_id, 8, row.position, len(body)), body, _size(len(salt)), salt))


def _pack_posting(row: PostingRow) -> bytes:
    return _posting(4, 4, row.log_id, 8, row.key, 8, row.position, 8, row.via)
