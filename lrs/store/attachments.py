"""The data of attachments: stored once for each log and hash, in chunks, so that neither way needs it whole in memory.

It is committed before the statements that it belongs to, and marked as pending; the append takes the mark away and
links it. Whatever ends in between leaves data that nobody can see: it goes with the refusal, or an hour later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import BinaryIO, NamedTuple

from sqlalchemy import Connection, Engine, Select, delete, insert, select
from sqlalchemy.dialects import postgresql

from lrs.errors import StorageFailed
from lrs.store.engine import immediate, is_postgresql
from lrs.store.rows import Prepared
from lrs.store.tables import (
    attachment,
    attachment_chunk,
    attachment_pending,
    log_head,
    signature,
    statement,
    statement_attachment,
)
from lrs.xapi.signatures import Finding

CHUNK_BYTES = 256 * 1024
CHUNKS_AT_ONCE = 4
MOST_NAMES = 500
PENDING_US = 3_600_000_000
"""How long data may wait for its statements before it counts as left behind by a process that ended."""


@dataclass(frozen=True, slots=True)
class Data:
    """The data of one attachment as it came: a stretch of a file that holds all of a request; `sha2` in lower case."""

    sha2: str
    file: BinaryIO
    start: int
    length: int

    def chunks(self) -> Iterator[bytes]:
        """Yield the data in pieces as they are stored."""
        for offset in range(0, self.length, CHUNK_BYTES):
            self.file.seek(self.start + offset)
            yield self.file.read(min(CHUNK_BYTES, self.length - offset))

    def whole(self) -> bytes:
        """Return all of it."""
        return b"".join(self.chunks())


class Held(NamedTuple):
    """Stored data of one attachment."""

    sha2: str
    length: int


def keep(engine: Engine, log_id: int, parts: Mapping[str, Data], now_us: int) -> list[str]:
    """Store the data that the log does not have yet, durably; return the hashes of what was new."""
    _clear_left_behind(engine, log_id, now_us - PENDING_US)
    kept = []
    with immediate(engine).begin() as connection:
        known = _known(connection, log_id, parts)
        for sha2 in sorted(parts.keys() - known):
            if _claimed(connection, log_id, parts[sha2]):
                _write(connection, log_id, parts[sha2], now_us)
                kept.append(sha2)
    return kept


def discard(engine: Engine, log_id: int, names: Iterable[str]) -> None:
    """Delete data that still waits for its statements; what a statement has by now stays."""
    with immediate(engine).begin() as connection:
        _lock(connection, log_id)
        for chunk in _batches(names):
            waiting = select(attachment_pending.c.sha2).where(
                attachment_pending.c.log_id == log_id, attachment_pending.c.sha2.in_(chunk)
            )
            _delete(connection, log_id, list(connection.scalars(waiting.order_by(attachment_pending.c.sha2))))


def link(connection: Connection, log_id: int, first_position: int, accepted: Sequence[Prepared]) -> None:
    """Note, in the append's transaction, which data and signatures came with the statements from a position on.

    Raises StorageFailed where the data of another, refused request was counted on and is gone: it must be sent again.
    """
    placed = [(position, one.enclosed) for position, one in enumerate(accepted, first_position) if one.enclosed]
    if not placed:
        return
    names = {sha2 for _, enclosed in placed for sha2 in enclosed.hashes}
    if names - _known(connection, log_id, names):
        raise StorageFailed("the data of an attachment was being cleared away; send the same request again")
    links = [
        {"log_id": log_id, "position": position, "sha2": bytes.fromhex(sha2)}
        for position, enclosed in placed
        for sha2 in enclosed.hashes
    ]
    connection.execute(insert(statement_attachment), links)
    for chunk in _batches(names):
        pending = attachment_pending.c.log_id == log_id, attachment_pending.c.sha2.in_(chunk)
        connection.execute(delete(attachment_pending).where(*pending))
    findings = [_row(log_id, position, found) for position, enclosed in placed for found in enclosed.findings]
    if findings:
        connection.execute(insert(signature), findings)


def _row(log_id: int, position: int, found: Finding) -> dict[str, object]:
    return {"log_id": log_id, "position": position, **asdict(found), "sha2": bytes.fromhex(found.sha2)}


def erase(connection: Connection, log_id: int, position: int) -> None:
    """Delete what came beside a statement whose text was just erased, but for data that another statement has."""
    place = statement_attachment.c.log_id == log_id, statement_attachment.c.position == position
    names = list(connection.scalars(select(statement_attachment.c.sha2).where(*place)))
    for table in (statement_attachment, signature):
        connection.execute(delete(table).where(table.c.log_id == log_id, table.c.position == position))
    if names:
        _lock(connection, log_id)
        others = select(statement_attachment.c.sha2).where(
            statement_attachment.c.log_id == log_id, statement_attachment.c.sha2.in_(names)
        )
        taken = set(connection.scalars(others))
        _delete(connection, log_id, [one for one in names if one not in taken])


def held_by(connection: Connection, log_id: int, statement_ids: Sequence[str]) -> dict[str, list[Held]]:
    """Return the data that came with each of these statements, by their ids in lower case."""
    found: dict[str, list[Held]] = {}
    for start in range(0, len(statement_ids), MOST_NAMES):
        for statement_id, sha2, length in connection.execute(_held(log_id, statement_ids[start : start + MOST_NAMES])):
            found.setdefault(statement_id, []).append(Held(sha2.hex(), length))
    return found


def read(engine: Engine, log_id: int, sha2: str) -> Iterator[bytes]:
    """Yield stored data chunk by chunk; between the chunks no connection is held, for the reader may be slow."""
    number = 0
    while True:
        wanted = (
            select(attachment_chunk.c.data)
            .where(
                attachment_chunk.c.log_id == log_id,
                attachment_chunk.c.sha2 == bytes.fromhex(sha2),
                attachment_chunk.c.number >= number,
                attachment_chunk.c.number < number + CHUNKS_AT_ONCE,
            )
            .order_by(attachment_chunk.c.number)
        )
        with engine.connect() as connection:
            found = list(connection.scalars(wanted))
        yield from found
        number += CHUNKS_AT_ONCE
        if len(found) < CHUNKS_AT_ONCE:
            return


def _lock(connection: Connection, log_id: int) -> None:
    """Wait for the lock on the log's head: no append links data while others decide that nobody has it."""
    connection.execute(select(log_head.c.size).where(log_head.c.log_id == log_id).with_for_update())


def _held(log_id: int, statement_ids: Sequence[str]) -> Select[str, bytes, int]:
    links = statement_attachment
    return (
        select(statement.c.statement_id, links.c.sha2, attachment.c.length)
        .join_from(
            statement, links, (statement.c.log_id == links.c.log_id) & (statement.c.position == links.c.position)
        )
        .join(attachment, (attachment.c.log_id == links.c.log_id) & (attachment.c.sha2 == links.c.sha2))
        .where(statement.c.log_id == log_id, statement.c.statement_id.in_(statement_ids))
        .order_by(links.c.position, links.c.sha2)
    )


def _known(connection: Connection, log_id: int, names: Collection[str]) -> set[str]:
    """Return which of these hashes the log has the data of."""
    found: set[str] = set()
    for chunk in _batches(names):
        query = select(attachment.c.sha2).where(attachment.c.log_id == log_id, attachment.c.sha2.in_(chunk))
        found.update(sha2.hex() for sha2 in connection.scalars(query))
    return found


def _claimed(connection: Connection, log_id: int, data: Data) -> bool:
    """Insert the row of new data; False when another request was quicker, which PostgreSQL has this one wait for."""
    row = {"log_id": log_id, "sha2": bytes.fromhex(data.sha2), "length": data.length}
    if is_postgresql(connection):
        command = postgresql.insert(attachment).values(row).on_conflict_do_nothing().returning(attachment.c.length)
        return connection.execute(command).first() is not None
    connection.execute(insert(attachment).values(row))
    return True


def _write(connection: Connection, log_id: int, data: Data, now_us: int) -> None:
    place = {"log_id": log_id, "sha2": bytes.fromhex(data.sha2)}
    connection.execute(insert(attachment_pending).values(**place, since=now_us))
    for number, chunk in enumerate(data.chunks()):
        connection.execute(insert(attachment_chunk).values(**place, number=number, data=chunk))


def _clear_left_behind(engine: Engine, log_id: int, before_us: int) -> None:
    query = select(attachment_pending.c.sha2).where(
        attachment_pending.c.log_id == log_id, attachment_pending.c.since < before_us
    )
    with engine.connect() as connection:
        found = [sha2.hex() for sha2 in connection.scalars(query.order_by(attachment_pending.c.sha2).limit(MOST_NAMES))]
    if found:
        discard(engine, log_id, found)


def _delete(connection: Connection, log_id: int, names: Sequence[bytes]) -> None:
    for table in (attachment_chunk, attachment, attachment_pending) if names else ():
        connection.execute(delete(table).where(table.c.log_id == log_id, table.c.sha2.in_(names)))


def _batches(names: Iterable[str]) -> Iterator[list[bytes]]:
    """Yield hashes as the tables have them, so many at once as one statement takes on every database."""
    ordered = [bytes.fromhex(one) for one in sorted(names)]
    for start in range(0, len(ordered), MOST_NAMES):
        yield ordered[start : start + MOST_NAMES]
