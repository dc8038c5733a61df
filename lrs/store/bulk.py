"""Many rows into one table at once: COPY on PostgreSQL, executemany on SQLite. For tables of derived rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Boolean, Connection, Integer, LargeBinary, SmallInteger, Table

from lrs.store.engine import driver, is_postgresql


def insert_rows(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows whose values stand in the order of the table's columns; raises sqlalchemy.exc.DBAPIError."""
    if not rows:
        return
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    with driver(connection) as raw:
        if is_postgresql(connection):
            _copy(raw, f"COPY {table.name} ({columns}) FROM STDIN (FORMAT BINARY)", table, rows)
        else:
            marks = ",".join("?" * len(table.columns))
            raw.executemany(f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", rows)  # noqa: S608


def _copy(raw: Any, command: str, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    with raw.cursor() as cursor, cursor.copy(command) as stream:
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
