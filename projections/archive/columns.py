"""Rows as columns: Arrow schemas that follow the tables, files written row group by row group, and lists read back."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from sqlalchemy import BigInteger, Boolean, Integer, LargeBinary, SmallInteger, Table

from lrs.errors import InvalidRequest
from projections.archive.manifest import Part
from projections.archive.storage import Hashing, Place, written

ROWS_IN_GROUP: Final = 50_000
COMPRESSION_LEVEL: Final = 3
TIMES: Final = frozenset({"timestamp", "stored"})
MICROSECONDS: Final = pa.timestamp("us")
"""Times are UTC; a whole number to the fold, a time to an analyst, the same 64 bits to both."""

SELDOM_TWICE: Final = frozenset(
    {"cause", "position", "statement_id", "fingerprint", "timestamp", "stored", "outcome", "digest", "commitment",
     "salt", "statement"}
)  # fmt: skip
"""Columns of which a dictionary would hold every row."""

_TYPES: Final = (
    (SmallInteger, pa.int16()),
    (BigInteger, pa.int64()),
    (Integer, pa.int32()),
    (Boolean, pa.bool_()),
    (LargeBinary, pa.binary()),
)


class Damaged(InvalidRequest):
    """A file of an archive is not the one that was written."""

    def __init__(self, place: Place, part: Part, found: str) -> None:
        super().__init__(
            f"{place.url}/{part.path} has the SHA-256 {found}, the manifest says {part.sha256}: "
            "fetch the file again, or export anew"
        )


def schema_of(table: Table, without: frozenset[str] = frozenset({"build_id"})) -> pa.Schema:
    """Return the schema of a table's rows: its columns in their order, without those that mean nothing outside."""
    return pa.schema(
        [pa.field(one.name, _type_of(one.name, one.type)) for one in table.columns if one.name not in without]
    )


def _type_of(name: str, kind: object) -> pa.DataType:
    if name in TIMES:
        return MICROSECONDS
    return next((arrow for known, arrow in _TYPES if isinstance(kind, known)), pa.string())


def table_of(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.Table:
    """Return rows, each in the order of the schema, as columns."""
    columns = zip(*rows, strict=True) if rows else [() for _ in schema]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


@contextmanager
def parquet_file(place: Place, name: str, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    """Yield the writer of a Parquet file that gets its name once it is whole."""
    with written(place, name) as file, _parquet(file, schema) as parquet:
        yield parquet


def _parquet(file: Hashing, schema: pa.Schema) -> pq.ParquetWriter:
    repeated = [name for name in schema.names if name not in SELDOM_TWICE]
    return pq.ParquetWriter(
        pa.PythonFile(file, mode="w"), schema, compression="zstd", compression_level=COMPRESSION_LEVEL,
        use_dictionary=repeated,
    )  # fmt: skip


def write_tables(place: Place, name: str, schema: pa.Schema, tables: Iterable[pa.Table]) -> Part:
    """Write a Parquet file and return what the manifest says of it; how the rows were grouped changes no digest."""
    rows, count = hashlib.sha256(), 0
    with written(place, name) as file:
        with _parquet(file, schema) as parquet:
            for table in tables:
                parquet.write_table(table, row_group_size=ROWS_IN_GROUP)
                rows.update(csv_of(table))
                count += table.num_rows
        return Part(name, count, file.tell(), file.sha256.hexdigest(), rows.hexdigest())


def csv_of(table: pa.Table) -> bytes:
    """Return rows as CSV without a header (RFC 4180; nothing for null, two quotes for an empty text, bytes in hex)."""
    if not table.num_rows:
        return b""
    buffer = io.BytesIO()
    pa_csv.write_csv(
        pa.table(list(map(_told, table.columns)), table.schema.names), buffer, pa_csv.WriteOptions(include_header=False)
    )
    return buffer.getvalue()


def _told(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    if column.type != pa.binary():
        return column
    return pa.array((None if one is None else one.hex() for one in column.to_pylist()), pa.string())


def rows_digest(table: pa.Table) -> str:
    """Return the SHA-256 of rows as CSV: what `Part.rows_sha256` must be, whoever packed them again."""
    return hashlib.sha256(csv_of(table)).hexdigest()


def read_table(place: Place, part: Part) -> pa.Table:
    """Return a file's rows; raises Damaged unless its bytes are the ones that the manifest tells of."""
    data = place.read(part.path)
    found = hashlib.sha256(data).hexdigest()
    if found != part.sha256:
        raise Damaged(place, part, found)
    return pq.read_table(pa.BufferReader(data), partitioning=None)


def lists_of(table: pa.Table, names: Sequence[str]) -> list[list[Any]]:
    """Return columns as lists of Python values; times as whole microseconds since 1970."""
    return [_list_of(table[name]) for name in names]


def _list_of(column: pa.ChunkedArray) -> list[Any]:
    found: list[Any] = (column.cast(pa.int64()) if column.type == MICROSECONDS else column).to_pylist()
    return found
