"""Digests of a build: order-independent sums of row hashes, in buckets, so that a difference can be found.

The full digest covers every row with its positions: a replay, a restart, another batch size or another database must
give the same. The outcome digest covers what holds in the end, without positions: so must any order of arrival.
Rows are only ever added, so the sums up to a position stay as they are and those behind it can be added later; and
those of some learners can be added to those of others, wherever they were computed.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Boolean, Column, ColumnElement, Connection, Integer, Select, Table, cast, select

from lrs.store.bulk import stream_rows
from projections.building.outcomes import credit_held, mastery_held
from projections.evidence.tables import STREAMS

BUCKETS: Final = 256
LEAST, GREATEST = -(1 << 63), (1 << 63) - 1
MOST_DIFFERENCES: Final = 20
BUCKETS_SEARCHED: Final = 16
_MODULUS: Final = 1 << 256
_HASHED_NAMES: Final = frozenset({"learner", "competency", "policy", "subject", "key"})
_encode: Final = msgspec.json.Encoder().encode
_packed: Final = msgspec.msgpack.Encoder().encode


class Span(NamedTuple):
    """Rows that began at after < position <= through; through None: all behind `after`."""

    after: int = 0
    through: int | None = None


EVERYTHING: Final = Span()


class Keys(NamedTuple):
    """Rows of which the first column of the key is first <= value <= last: work that can be done apart."""

    first: int
    last: int


class Difference(NamedTuple):
    """A row in which two builds differ: its table, its key in words, and which of the builds has it so."""

    table: str
    key: str
    side: str

    def __str__(self) -> str:
        return f"{self.table} {self.key}: {self.side}"


def told_columns(table: Table) -> list[Column[Any]]:
    """Return the columns that a digest covers, in its order: the key's first, then the others; never the build."""
    key = [column for column in table.primary_key if column.name != "build_id"]
    return [*key, *(column for column in table.columns if column.name != "build_id" and column not in key)]


def add_rows(sums: list[int], table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Add rows of a table to the sums, each to the bucket that the lowest bits of its key's first column name.

    Rows are tuples of integers, texts, bytes and None in the order of `told_columns`; a truth value is 0 or 1. A row's
    hash is the SHA-256 of the table's name, a zero byte and the row as a MessagePack array, read as a little-endian
    number. The sums grow: `digest_of` and `added` take them modulo 2**256.
    """
    prefix, number = table.encode() + b"\0", int.from_bytes
    for row in rows:
        sums[row[0] & 255] += number(sha256(prefix + _packed(row)).digest(), "little")


def no_rows() -> list[int]:
    """Return the sums of nothing."""
    return [0] * BUCKETS


def added(sums: Iterable[int], more: Iterable[int]) -> list[int]:
    """Return the buckets of two lots of rows together."""
    return [(one + other) % _MODULUS for one, other in zip(sums, more, strict=True)]


def digest_of(sums: Iterable[int]) -> str:
    """Return the digest of all buckets, in hex."""
    return sha256(b"".join((one % _MODULUS).to_bytes(32, "big") for one in sums)).hexdigest()


def digest(connection: Connection, build_id: int, tables: Iterable[Table]) -> str:
    """Return the full digest of a build, in hex."""
    return digest_of(buckets(connection, build_id, tables))


def buckets(
    connection: Connection, build_id: int, tables: Iterable[Table], span: Span = EVERYTHING, keys: Keys | None = None
) -> list[int]:
    """Return the sums of the row hashes of a build; two builds that differ, differ in the buckets of those keys."""
    sums = no_rows()
    for table in tables:
        for rows in stream_rows(connection, told_query(table, build_id, span, keys)):
            add_rows(sums, str(table.name), rows)
    return [one % _MODULUS for one in sums]


def told_query(table: Table, build_id: int, span: Span = EVERYTHING, keys: Keys | None = None) -> Select[Any]:
    """Return the query of the rows of a build that began in a span, as `add_rows` takes them; in any order."""
    moment = table.c.cause if table in STREAMS else table.c.position
    columns = told_columns(table)
    query = select(*map(_as_told, columns)).where(table.c.build_id == build_id)
    if span.after:
        query = query.where(moment > span.after)
    if span.through is not None:
        query = query.where(moment <= span.through)
    return query if keys is None else query.where(*_within(columns[0], keys))


def _within(column: ColumnElement[Any], keys: Keys) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions of a range; the least 64-bit number as a literal would be none to PostgreSQL."""
    if keys.first > LEAST:
        yield column >= keys.first
    if keys.last < GREATEST:
        yield column <= keys.last


def _as_told(column: Column[Any]) -> ColumnElement[Any]:
    return cast(column, Integer).label(column.name) if isinstance(column.type, Boolean) else column


def parts(table: Table, through: int, count: int) -> list[Keys]:
    """Return so many ranges that every row of a table falls into one of, about as many up to a position into each."""
    is_hashed = told_columns(table)[0].name in _HASHED_NAMES
    low, high = (LEAST, GREATEST) if is_hashed else (1, max(through, count))
    edges = [low + (high + 1 - low) * place // count for place in range(1, count)]
    return [Keys(first, after - 1) for first, after in pairwise((LEAST, *edges, GREATEST + 1))]


def differences(
    connection: Connection, live_id: int, new_id: int, tables: Sequence[Table], places: Sequence[int], span: Span
) -> list[Difference]:
    """Return some of the rows in which two builds differ, out of the first of the buckets that differ."""
    searched = frozenset(places[:BUCKETS_SEARCHED])
    live = _rows_in(connection, live_id, tables, searched, span)
    new = _rows_in(connection, new_id, tables, searched, span)
    found = dict.fromkeys(live.keys() - new.keys(), "only in the live build")
    found |= dict.fromkeys(new.keys() - live.keys(), "only in the rebuild")
    found |= {key: "other values in the rebuild" for key in live.keys() & new.keys() if live[key] != new[key]}
    return [Difference(*key, found[key]) for key in sorted(found)][:MOST_DIFFERENCES]


def _rows_in(
    connection: Connection, build_id: int, tables: Sequence[Table], places: Container[int], span: Span
) -> dict[tuple[str, str], tuple[Any, ...]]:
    return {
        _key_of(table, row): row
        for table in tables
        for rows in stream_rows(connection, told_query(table, build_id, span))
        for row in rows
        if row[0] & 255 in places
    }


def _key_of(table: Table, row: tuple[Any, ...]) -> tuple[str, str]:
    """Return a row's table and its key in words, with whom and what it is about where its key does not say that."""
    said = {column.name: value for column, value in zip(told_columns(table), row, strict=True)}
    names = [column.name for column in table.primary_key if column.name != "build_id"]
    about = [name for name in ("learner", "competency") if name in said and name not in names]
    return str(table.name), ", ".join(f"{name} {_shown(name, said[name])}" for name in (*about, *names))


def _shown(name: str, value: Any) -> str:
    """Return a value as addresses and decision ids have it: the keys that are hashes in hex."""
    return f"{value % (1 << 64):016x}" if name in _HASHED_NAMES else str(value)


def outcome_digest(connection: Connection, build_ids: Mapping[str, int], through: int | None = None) -> str:
    """Return the digest of what holds in the end (or held at a position): levels and answers, no positions.

    What nobody is told any more is left out: a competency without evidence, an answer for a learner of whom no
    evidence holds, a policy that was taken back.
    """
    sums = no_rows()
    for told in (*mastery_held(connection, build_ids, through), *credit_held(connection, build_ids, through)):
        _add(sums, told)
    return digest_of(sums)


def _add(sums: list[int], told: tuple[Any, ...]) -> None:
    hashed = sha256(_encode(told)).digest()
    sums[hashed[0]] = (sums[hashed[0]] + int.from_bytes(hashed, "big")) % _MODULUS
