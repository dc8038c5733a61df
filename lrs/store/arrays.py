"""Columns as PostgreSQL's array parameters, in its binary format: any number of rows is then one statement.

Packed here because value by value it costs the driver three times as long; and an array that says its type, whatever
values it holds, lets the driver prepare the statement once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from struct import Struct
from typing import Any

from psycopg import Connection
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format

NULL = b"\xff\xff\xff\xff"
BOOL, BYTEA, INT8, TEXT, UUID = 16, 17, 20, 25, 2950
ARRAY_OF = {BOOL: 1000, BYTEA: 1001, INT8: 1016, TEXT: 1009, UUID: 2951}
"""PostgreSQL's numbers of the types of elements, and of the arrays of them."""

_head = Struct(">iiiii").pack
_long = Struct(">iq").pack
_boolean = Struct(">i?").pack
_size = Struct(">i").pack


class Array:
    """A one-dimensional array, packed; `element` is the number of its elements' type."""

    __slots__ = ("element", "packed")

    def __init__(self, element: int, length: int, values: Iterable[bytes]) -> None:
        self.element = element
        self.packed = b"".join((_head(1, 1, element, length, 1), *values))


class _Dumper(Dumper):
    """Hands a packed array on; the driver keeps one for each type of element."""

    format = Format.BINARY

    def get_key(self, obj: Array, format: Any) -> Any:  # noqa: A002, ARG002
        return (self.cls, obj.element)

    def upgrade(self, obj: Array, format: Any) -> Dumper:  # noqa: A002, ARG002
        typed = _Dumper(self.cls)
        typed.oid = ARRAY_OF[obj.element]
        return typed

    def dump(self, obj: Array) -> Buffer:
        return obj.packed


def register(connection: Connection[Any]) -> None:
    """Let a driver's connection take arrays of this kind."""
    connection.adapters.register_dumper(Array, _Dumper)


def longs(values: Sequence[int | None]) -> Array:
    """Return a bigint[]."""
    return Array(INT8, len(values), [NULL if value is None else _long(8, value) for value in values])


def uuids(values: Sequence[str | None]) -> Array:
    """Return a uuid[] of UUIDs written as text."""
    return Array(UUID, len(values), map(packed_uuid, values))


def booleans(values: Sequence[bool]) -> Array:
    """Return a boolean[]."""
    return Array(BOOL, len(values), [_boolean(1, value) for value in values])


def bytestrings(values: Sequence[bytes]) -> Array:
    """Return a bytea[]."""
    return Array(BYTEA, len(values), [_size(len(value)) + value for value in values])


def texts(values: Sequence[str]) -> Array:
    """Return a text[]."""
    encoded = [value.encode() for value in values]
    return Array(TEXT, len(encoded), [_size(len(value)) + value for value in encoded])


def packed_uuid(text: str | None) -> bytes:
    """Return a UUID with its length in front, as rows and arrays hold it."""
    return NULL if text is None else b"\0\0\0\x10" + bytes.fromhex(text.replace("-", ""))
