"""What is archived, out of the databases as columns, some rows at a time, so that any log needs the same memory."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv as pa_csv
from sqlalchemy import Connection, Select, func, select

from lrs.store.engine import driver, is_postgresql
from lrs.store.tables import statement, statement_body, voided
from projections.archive.buckets import Bucket
from projections.archive.columns import MICROSECONDS, ROWS_IN_GROUP, schema_of, table_of
from projections.evidence import tables

TEXTS_AT_ONCE: Final = 5_000

EVIDENCE: Final = schema_of(tables.evidence)
ACTS: Final = schema_of(tables.act)
LEARNERS: Final = schema_of(tables.learner)
STATEMENTS: Final = pa.schema(
    [
        pa.field("position", pa.int64()),
        pa.field("statement_id", pa.string()),
        pa.field("stored", MICROSECONDS),
        pa.field("timestamp", MICROSECONDS),
        pa.field("learner", pa.int64()),
        pa.field("authority", pa.int64()),
        pa.field("voided_by", pa.int64()),
        pa.field("commitment", pa.binary()),
        pa.field("salt", pa.binary()),
        pa.field("statement", pa.string()),
    ]
)
"""`statement` is the stored text, byte for byte (null once erased); `learner` is the actor's key, if it has one."""


def evidence_in(connection: Connection, build_id: int, bucket: Bucket, through: int) -> Iterator[pa.Table]:
    """Yield the evidence rows of a bucket's learners up to a position, in the order that a fold by key reads."""
    row = tables.evidence.c
    query = (
        select(*(row[name] for name in EVIDENCE.names))
        .where(row.build_id == build_id, row.cause <= through, *bucket.holds(row.learner))
        .order_by(row.learner, row.competency, row.cause, row.seq)
    )
    if is_postgresql(connection):
        yield from _copied(connection, query, EVIDENCE)
    else:
        yield from _streamed(connection, query, EVIDENCE, ROWS_IN_GROUP)


def acts_of(connection: Connection, build_id: int, through: int) -> Iterator[pa.Table]:
    """Yield every document of the registrar that began or ended up to a position, in the order of the log."""
    act = tables.act.c
    query = select(*(act[name] for name in ACTS.names)).where(act.build_id == build_id, act.cause <= through)
    yield from _streamed(connection, query.order_by(act.cause, act.change, act.position), ACTS, TEXTS_AT_ONCE)


def learners_of(connection: Connection, build_id: int, through: int) -> Iterator[pa.Table]:
    """Yield who the learner keys stand for, in the order of the keys."""
    row = tables.learner.c
    query = select(*(row[name] for name in LEARNERS.names)).where(row.build_id == build_id, row.position <= through)
    yield from _streamed(connection, query.order_by(row.learner), LEARNERS, ROWS_IN_GROUP)


def statements_in(connection: Connection, log_id: int, bucket: Bucket, through: int) -> Iterator[pa.Table]:
    """Yield the statements whose actors are in a bucket, by actor; those of nobody in particular lead the first one."""
    actor = statement.c.actor
    queries = [_statements(log_id, through).where(actor.is_not(None), *bucket.holds(actor))]
    if bucket.number == 0:
        queries.insert(0, _statements(log_id, through).where(actor.is_(None)))
    for query in queries:
        yield from _streamed(connection, query.order_by(actor, statement.c.position), STATEMENTS, TEXTS_AT_ONCE)


def _statements(log_id: int, through: int) -> Select[Any]:
    own = (statement.c.log_id == statement_body.c.log_id) & (statement.c.position == statement_body.c.position)
    void = (statement.c.log_id == voided.c.log_id) & (statement.c.position == voided.c.position)
    columns = (
        statement.c.position, statement.c.statement_id, statement.c.stored, statement.c.timestamp, statement.c.actor,
        statement.c.authority, voided.c.by, statement.c.commitment, statement_body.c.salt, statement_body.c.body,
    )  # fmt: skip
    joined = statement.join(statement_body, own).outerjoin(voided, void & (voided.c.by <= through))
    return select(*columns).select_from(joined).where(statement.c.log_id == log_id, statement.c.position <= through)


def evidence_count(connection: Connection, build_id: int, through: int) -> int:
    """Return how many rows of evidence there are up to a position."""
    row = tables.evidence.c
    query = select(func.count()).where(row.build_id == build_id, row.cause <= through)
    return connection.scalar(query) or 0


def _streamed(connection: Connection, query: Select[Any], schema: pa.Schema, at_once: int) -> Iterator[pa.Table]:
    with connection.execute(query.execution_options(yield_per=at_once)) as stream:
        for rows in stream.partitions():
            yield table_of(rows, schema)


def _copied(connection: Connection, query: Select[Any], schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield what COPY sends, as columns: the driver gives a row at a time, Arrow reads many at once."""
    text = query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    with (
        driver(connection) as raw,
        raw.cursor() as cursor,
        cursor.copy(f"COPY ({text}) TO STDOUT (FORMAT CSV)") as copy,
    ):
        lines = iter(copy)
        while chunk := b"".join(islice(lines, ROWS_IN_GROUP)):
            yield _read_csv(chunk, schema)


def _read_csv(chunk: bytes, schema: pa.Schema) -> pa.Table:
    plain = pa.schema([pa.field(one.name, pa.int64() if one.type == MICROSECONDS else one.type) for one in schema])
    found = pa_csv.read_csv(
        pa.BufferReader(chunk),
        pa_csv.ReadOptions(column_names=schema.names, block_size=len(chunk) + 1, use_threads=False),
        pa_csv.ParseOptions(newlines_in_values=True),
        pa_csv.ConvertOptions(
            column_types=plain, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False,
            true_values=["t"], false_values=["f"],
        ),
    )  # fmt: skip
    return found.cast(schema)
