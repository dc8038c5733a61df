"""Many rows at once, in (COPY on PostgreSQL, executemany on SQLite) and out. For tables of derived rows."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from itertools import count
from typing import Any, Final, TypeAlias

from sqlalchemy import BigInteger, Boolean, Connection, Integer, LargeBinary, Select, SmallInteger, Table

from lrs.store.engine import driver, is_postgresql

Pages: TypeAlias = Generator[list[tuple[Any, ...]], None, None]

_numbers: Final = count()


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


def gather_statistics(connection: Connection, tables: Iterable[Table]) -> None:
    """Let PostgreSQL know what many new rows are like, as autovacuum would in time: until then it plans for none.

    A role that does not own the tables is let off by the server. SQLite's planner has been told once and for all.
    """
    if is_postgresql(connection):
        for table in tables:
            connection.exec_driver_sql(f"ANALYZE {table.name}")


def stream_rows(connection: Connection, query: Select[Any], at_once: int = 10_000) -> Pages:
    """Yield the rows of a query, so many at once, as the driver made them: at half the cost of SQLAlchemy's rows.

    Nothing is converted: where a truth value or a date is asked for, the query has to say as what. Raises DBAPIError.
    """
    text = str(query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
    with driver(connection) as raw, closing(_cursor(connection, raw)) as cursor:
        cursor.execute(text)
        while rows := cursor.fetchmany(at_once):
            yield rows


def _cursor(connection: Connection, raw: Any) -> Any:
    if is_postgresql(connection):
        return raw.cursor(f"rows_{next(_numbers)}", binary=True)
    return raw.cursor()
