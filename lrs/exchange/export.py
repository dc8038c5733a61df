"""Export: the statements of a log as lines, read piece by piece, so that a log of any size needs the same memory."""

from __future__ import annotations

import csv
import gzip
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path as File
from typing import IO, BinaryIO, cast

from sqlalchemy import Engine

from lrs.exchange.paths import cell, path_of, value_at
from lrs.exchange.selection import Selection, indexed_step
from lrs.retrieval import text_of
from lrs.store.log import head, position_at
from lrs.store.search import Found, voided_among
from lrs.xapi.decode import stored_statement
from lrs.xapi.query import Query

WHOLE = Query()
POSITION = "position"
"""The column that is not in the statement: its place in the log."""
COLUMNS = (
    POSITION,
    "id",
    "stored",
    "timestamp",
    "actor.name",
    "actor.mbox",
    "actor.account.homePage",
    "actor.account.name",
    "verb.id",
    "object.id",
    "object.definition.name",
    "result.score.scaled",
    "result.score.raw",
    "result.success",
    "result.completion",
    "context.registration",
)
GZIP_LEVEL = 5

Lines = Callable[[Sequence[Found]], bytes]
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Extract:
    """What is exported: the log, the selection, and whether voided statements are in it."""

    log_id: int
    selection: Selection
    with_voided: bool = False


def pieces(engine: Engine, extract: Extract, tell: Tell) -> Iterator[list[Found]]:
    """Yield the statements of an extract in the log's order, some at a time, as far as the log goes now.

    `since` and `until` are held against `stored` as GET /statements does; `tell` hears positions done and to do.
    """
    first, last = _span(engine, extract)
    after = first
    while after < last:
        with engine.connect() as connection:
            step = indexed_step(connection, extract.log_id, extract.selection, (after, last))
            found = step.found
            if found and not extract.with_voided:
                voided = voided_among(connection, extract.log_id, found[0].position - 1, found[-1].position)
                found = [one for one in found if one.position not in voided]
        yield found
        after = step.through
        tell(after - first, last - first)


def _span(engine: Engine, extract: Extract) -> tuple[int, int]:
    query = extract.selection.query
    with engine.connect() as connection:
        last, _ = head(connection, extract.log_id)
        first = 0 if query.since_us is None else position_at(connection, extract.log_id, query.since_us)
        if query.until_us is not None:
            last = min(last, position_at(connection, extract.log_id, query.until_us))
    return first, last


def _whole_line(found: Found) -> bytes:
    """Return a statement on one line, as GET answers with it: between the tokens of JSON a line break is a space."""
    text = text_of(found, WHOLE, ())
    if b"\n" in text or b"\r" in text:
        text = text.replace(b"\n", b" ").replace(b"\r", b" ")
    return text + b"\n"


def whole_lines(found: Sequence[Found]) -> bytes:
    """Return statements as NDJSON."""
    return b"".join(map(_whole_line, found))


def table(columns: Sequence[str]) -> tuple[bytes, Lines]:
    """Return the first line of a table with these columns, and how statements become its lines (RFC 4180)."""
    paths = [None if one == POSITION else path_of(one) for one in columns]

    def cells(found: Found) -> list[str]:
        statement = stored_statement(text_of(found, WHOLE, ()))
        return [str(found.position) if path is None else cell(value_at(statement, path)) for path in paths]

    return _table([columns]), lambda found: _table(map(cells, found))


def _table(rows: Iterable[Sequence[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()


def write(engine: Engine, extract: Extract, out: IO[bytes], header: bytes, lines: Lines, tell: Tell) -> int:
    """Write an extract and return how many statements it has."""
    count = 0
    out.write(header)
    for found in pieces(engine, extract, tell):
        out.write(lines(found))
        count += len(found)
    return count


@contextmanager
def opened(name: str) -> Iterator[IO[bytes]]:
    """Open what an export is written to: `-` is standard output; a file appears under its name once it is whole.

    A name that ends in .gz is compressed.
    """
    if name == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    partial = File(f"{name}.part")
    try:
        with partial.open("wb") as file:
            if name.endswith(".gz"):
                with gzip.GzipFile(File(name).stem, "wb", GZIP_LEVEL, cast("BinaryIO", file), mtime=0) as packed:
                    yield cast("IO[bytes]", packed)
            else:
                yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(name)
    finally:
        partial.unlink(missing_ok=True)
