"""Raw COPY of the very rows that a POST writes: what the database alone can take in."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from lrs.recording import record
from lrs.store.postgresql import _pack_body, _pack_posting, _pack_statement, copy
from lrs.store.rows import Look, Rows
from lrs.store.sqlite import clock_us
from lrs.store.writer import Writer
from tests.bench.stores import Store


class Packed(NamedTuple):
    """The rows of some statements by table, each row in PostgreSQL's binary COPY format."""

    statements: list[bytes]
    bodies: list[bytes]
    postings: list[bytes]


class RowMaker:
    """The product's own write path up to the log, which is not touched: its rows are kept instead of written."""

    def __init__(self, store: Store) -> None:
        self._size, self._last_stored = store.size(), clock_us()
        self._rows: list[Rows] = []
        desk = store.desk
        self._gate, self._credential = desk.gate, store.credential()
        self._writer = Writer(desk.engine, desk.gate.act_verbs, desk.settings.append_queue_limit, dialect=self)

    def append_at_once(self, *_: object) -> bool:
        """Append nothing, so that all rows come to be written."""
        return False

    def lock(self, connection: Connection, log_id: int) -> None:
        """Do nothing: nobody else writes."""

    def look(self, _connection: Connection, _log_id: int, _ids: Sequence[str]) -> Look:
        """Tell where the log would stand; nothing is known of any id."""
        return Look(self._size, self._last_stored, self._last_stored, {}, [])

    def write(self, _connection: Connection, rows: Rows) -> None:
        """Keep the rows."""
        self._rows.append(rows)
        self._size, self._last_stored = rows.statements[-1].position, rows.statements[-1].stored

    def packed(self, bodies: Iterable[bytes]) -> list[Packed]:
        """Return the rows of each batch of statements, ready to be sent."""
        for body in bodies:
            record(self._writer, self._gate, self._credential, "1.0.3", body, 10_000)
        made, self._rows = self._rows, []
        return [_packed(rows) for rows in made]


def _packed(rows: Rows) -> Packed:
    postings = dict.fromkeys(rows.postings)
    return Packed(
        list(map(_pack_statement, rows.statements)),
        list(map(_pack_body, rows.bodies)),
        list(map(_pack_posting, postings)),
    )


def together(parts: Iterable[Packed]) -> list[Packed]:
    """Return all parts as a single one."""
    whole = Packed([], [], [])
    for part in parts:
        for table, rows in zip(whole, part, strict=True):
            table.extend(rows)
    return [whole]


def copied(raw: Any, parts: Iterable[Packed]) -> float:
    """Copy each part in a transaction of its own, durably; return the seconds that it took."""
    begun = time.perf_counter()
    for part in parts:
        with raw.transaction(), raw.cursor() as cursor:
            copy(cursor, "statement", part.statements)
            copy(cursor, "statement_body", part.bodies)
            copy(cursor, "posting", part.postings)
    return time.perf_counter() - begun
