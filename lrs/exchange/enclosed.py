"""Statements with the data of their attachments on the way out: multipart/mixed, sent as it is read (1.5.2)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import Connection, Engine

from lrs.enclosing import enclosed_with
from lrs.store import attachments
from lrs.xapi.attachments import declared
from lrs.xapi.decode import stored_statement
from lrs.xapi.mixed import part_head, tail

WITHOUT_DATA = "has an attachment that has neither a fileUrl nor data in the log, so no record store would take it"


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a request, in pieces of known length: it is never held whole, and the receiver is told its size."""

    content_type: str
    length: int
    pieces: Callable[[], Iterator[bytes]]

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[bytes]:
        return self.pieces()


Enclose: TypeAlias = Callable[[bytes, Sequence[bytes]], "Body | None"]
"""From the JSON of a request and the texts of its statements to its body; None where JSON alone will do."""


def enclosing(engine: Engine, log_id: int) -> Enclose:
    """Return how the statements of a log are put together with the data that came with them."""

    def enclose(text: bytes, statements: Sequence[bytes]) -> Body | None:
        perhaps = [one for one in statements if b"attachments" in one or b"\\u" in one]
        if not perhaps:
            return None
        with engine.connect() as connection:
            found = enclosed_with(connection, log_id, perhaps)
        if not found:
            return None
        boundary = secrets.token_hex(16)
        first = part_head(boundary, {"Content-Type": "application/json"})[2:] + text
        heads = [part_head(boundary, _headers(one.sha2, one.content_type)) for one in found]
        lengths = [len(first), *map(len, heads), *(one.length for one in found), len(tail(boundary))]

        def pieces() -> Iterator[bytes]:
            yield first
            for head, one in zip(heads, found, strict=True):
                yield head
                yield from attachments.read(engine, log_id, one.sha2)
            yield tail(boundary)

        return Body(f"multipart/mixed; boundary={boundary}", sum(lengths), pieces)

    return enclose


def _headers(sha2: str, content_type: str) -> dict[str, str]:
    return {"Content-Type": content_type, "Content-Transfer-Encoding": "binary", "X-Experience-API-Hash": sha2}


def refusals(connection: Connection, log_id: int, statements: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """Return why statements (id, text) cannot be sent to a record store, by their ids; the others are left out."""
    found = [(name, stored_statement(text)) for name, text in statements if b"attachments" in text or b"\\u" in text]
    held = attachments.held_by(connection, log_id, [name for name, _ in found])
    return {
        name: WITHOUT_DATA
        for name, statement in found
        if _is_without_data(statement, {one.sha2.lower() for one in held.get(name, ())})
    }


def _is_without_data(statement: dict[str, object], held: Collection[str]) -> bool:
    return any("fileUrl" not in one and one["sha2"].lower() not in held for _, one in declared(statement))
