"""What the append takes in and what it writes: plain values, laid out as the tables are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from sqlalchemy import Connection, Engine

from lrs.xapi.canonical import Told
from lrs.xapi.keys import Keys
from lrs.xapi.signatures import Finding


@dataclass(frozen=True, slots=True)
class Enclosed:
    """What came beside a statement: the hashes of its attachments' data, in lower case, and what its signatures are."""

    hashes: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement made ready before the transaction; `timestamp` is None where the sender gave none.

    `body` is the text as it is stored (`lrs.store.texts`), here and in all that follows.
    `is_act` says that its verb is the registrar's; `commitment` is SHA-256("cairn/v1" NUL ‖ salt ‖ text); `told`
    is what it adds to the definitions of activities and the names of agents.
    """

    statement_id: str
    timestamp: int | None
    keys: Keys
    body: bytes
    salt: bytes
    commitment: bytes
    is_act: bool
    enclosed: Enclosed | None = None
    told: tuple[Told, ...] = ()


def is_plain(statement: Prepared) -> bool:
    """Whether all that a statement brings are its own rows and keys: it refers to none, and nothing came beside it."""
    return statement.keys.target is None and statement.enclosed is None


@dataclass(frozen=True, slots=True)
class Request:
    """What one client wants appended together or not at all; `may_act` says that it may void a registrar's act."""

    statements: Sequence[Prepared]
    may_act: bool


class StatementRow(NamedTuple):
    """A row of `statement`, in the order of its columns."""

    log_id: int
    position: int
    statement_id: str
    stored: int
    timestamp: int
    verb: int
    actor: int | None
    activity: int | None
    registration: str | None
    authority: int
    target: str | None
    voids: bool
    commitment: bytes


class BodyRow(NamedTuple):
    """A row of `statement_body`."""

    log_id: int
    position: int
    body: bytes
    salt: bytes


class PostingRow(NamedTuple):
    """A row of `posting`."""

    log_id: int
    key: int
    position: int
    via: int


class VoidedRow(NamedTuple):
    """A row of `voided`."""

    log_id: int
    position: int
    by: int


class Rows(NamedTuple):
    """Everything that one append writes: `postings` of new statements by their own keys, `lent` by StatementRefs."""

    statements: list[StatementRow]
    bodies: list[BodyRow]
    postings: list[PostingRow]
    lent: list[PostingRow]
    voided: list[VoidedRow]


class Pointing(NamedTuple):
    """A stored statement whose StatementRef names another."""

    position: int
    statement_id: str
    target: str
    voids: bool


class Look(NamedTuple):
    """What the append sees under the head's lock: head, clock, known bodies by id, and who points at the ids."""

    size: int
    last_stored: int
    now: int
    known: Mapping[str, bytes | None]
    pointing: Sequence[Pointing]


class Dialect(Protocol):
    """The part of the append that differs between the two databases."""

    def append_at_once(
        self, engine: Engine, log_id: int, statements: Sequence[Prepared], news: Sequence[tuple[int, Told]], /
    ) -> bool:
        """Append statements that refer to nothing in one durable step, if none is known and nothing refers to them.

        `news` is what they tell that may not be kept yet, each with its statement's place from 0.
        Return whether that was so; if not, nothing is written and the append must look closer.
        """

    def lock(self, connection: Connection, log_id: int) -> None:
        """Wait for the lock on the log's head, which the transaction keeps."""

    def look(self, connection: Connection, log_id: int, ids: Sequence[str]) -> Look:
        """Lock the log's head until the end of the transaction and read what an append of these ids must know."""

    def write(self, connection: Connection, rows: Rows) -> None:
        """Write the rows and advance the head to the last of them; the caller commits."""
