"""Many rows into one table at once: COPY on PostgreSQL, executemany on SQLite. For tables of derived rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Boolean, Connection, Integer, LargeBinary, SmallInteger, Table

from lrs.store.engine import driver, is_postgresql


def insert_rows(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows whose values stand in the order of the table's columns."""
    if not rows:
        return
    if is_postgresql(connection):
        _copy(connection, table, rows)
    else:
        marks = ",".join("?" * len(table.columns))
        driver(connection).cursor().executemany(f"INSERT INTO {table.name} VALUES ({marks})", rows)


def _copy(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    with (
        driver(connection).cursor() as cursor,
        cursor.copy(f"COPY {table.name} FROM STDIN (FORMAT BINARY)") as stream,
    ):
        stream.set_types([_type_name(column.type) for column in table.columns])
        for row in rows:
            stream.write_row(row)


def _type_name(kind: object) -> str:
    """Return PostgreSQL's name of a column type; a small integer is an integer to SQLAlchemy too, so it comes first."""
    for known, name in (
        (SmallInteger, "int2"),
        (BigInteger, "int8"),
        (Integer, "int4"),
        (Boolean, "bool"),
        (LargeBinary, "bytea"),
    ):
        if isinstance(kind, known):
            return name
    return "text"
