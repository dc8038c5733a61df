"""Import: statements that come in bulk pass through `recording` batch by batch, exactly as if a tool had posted them.

Where a batch is refused, what is wrong in it is put aside and the rest goes in. What a statement carried of its first
store (`stored`, `authority`, `version`) is kept beside the log, where this store sets its own.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import Engine

from lrs.enclosing import Enclosures
from lrs.errors import BodyTooLarge, CairnError, Forbidden, InvalidRequest, Problem, StatementConflict
from lrs.exchange.sources import Item
from lrs.recording import Gate, record
from lrs.store.credentials import Credential, authority_of
from lrs.store.engine import immediate
from lrs.store.imports import Provenance, keep_provenance
from lrs.store.log import Log
from lrs.store.sqlite import clock_us
from lrs.store.writer import Writer
from lrs.xapi.decode import completed, read
from lrs.xapi.statement import Version
from lrs.xapi.values import Json

IMPORT = "import"
REFUSALS = (InvalidRequest, Forbidden, StatementConflict, BodyTooLarge)
"""Errors that are the statements' own; every other one ends the import, which can be begun again."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Where statements go in, and as whose: the log of the credential, whose scopes hold."""

    engine: Engine
    writer: Writer
    gate: Gate
    credential: Credential
    source: str
    batch_limit: int
    limit_bytes: int
    clock: Callable[[], int] = clock_us

    @property
    def log_id(self) -> int:
        """The log that takes the statements."""
        return self.credential.log.log_id


@dataclass(frozen=True, slots=True)
class Told:
    """A statement about to go in: where it stood, its text with an id, and what it says of itself."""

    item: Item
    statement_id: str
    stored: str | None
    authority: str | None
    version: str | None


@dataclass(frozen=True, slots=True)
class Refused:
    """A statement that was not taken, and everything that is wrong with it."""

    item: Item
    statement_id: str
    problems: tuple[Problem, ...]


def importer(log: Log) -> Credential:
    """Return the credential of statements that come in under nobody's own: it stores, and is no registrar."""
    scopes = frozenset({"statements/write", "define"})
    return Credential(IMPORT, "Import", log, scopes, b"", authority_of(log, IMPORT, "Import"))


def batches(items: Iterable[Item], batch_limit: int, limit_bytes: int) -> Iterator[list[Item]]:
    """Yield the items in batches within both limits."""
    batch: list[Item] = []
    size = 0
    for one in items:
        if batch and (len(batch) >= batch_limit or size + len(one.text) > limit_bytes):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += len(one.text) + 1
    if batch:
        yield batch


def take(intake: Intake, items: Sequence[Item], enclosures: Enclosures | None = None) -> tuple[int, list[Refused]]:
    """Take a batch in; return how many of its statements are in the log now, and which were refused.

    `enclosures` is the data that came beside it, where it is one statement. Taking it again changes nothing: a
    statement without id gets one made from its source and its content.
    """
    refused: list[Refused] = []
    taken: list[Told] = []
    for round_ in _rounds(_told(intake, items, refused)):
        taken += _recorded(intake, round_, refused, enclosures)
    found = [Provenance(one.statement_id.lower(), one.stored, one.authority, one.version) for one in taken]
    with immediate(intake.engine).begin() as connection:
        keep_provenance(connection, intake.log_id, intake.source, found, intake.clock())
    return len(taken), refused


def _told(intake: Intake, items: Sequence[Item], refused: list[Refused]) -> list[Told]:
    found = []
    for item in items:
        malformed: list[Problem] = []
        pair = read(item.text, "", malformed)
        if pair is None or malformed:
            refused.append(Refused(item, "", tuple(malformed)))
        elif not isinstance(pair[1], dict):
            refused.append(Refused(item, "", (Problem("", "must be a statement, a JSON object"),)))
        else:
            found.append(_with_id(intake.source, item, pair[1]))
    return found


def _with_id(source: str, item: Item, statement: dict[str, Json]) -> Told:
    if "id" not in statement:
        content = msgspec.json.encode(statement, order="deterministic").decode()
        name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"cairn-import:{source}\n{content}"))
        text = completed(item.text, {"id": msgspec.json.encode(name)})
        return _facts(replace(item, text=text), name, statement)
    return _facts(item, str(statement["id"]), statement)


def _facts(item: Item, statement_id: str, statement: dict[str, Json]) -> Told:
    authority = statement.get("authority")
    return Told(
        item,
        statement_id,
        _text(statement.get("stored")),
        None if authority is None else msgspec.json.encode(authority).decode(),
        _text(statement.get("version")),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _rounds(told: Sequence[Told]) -> Iterator[list[Told]]:
    """Yield the statements so that no id stands twice in one round; exact copies are left out."""
    rest = list({(one.statement_id, one.item.text): one for one in told}.values())
    while rest:
        this: dict[str, Told] = {}
        others = []
        for one in rest:
            if this.setdefault(one.statement_id.lower(), one) is not one:
                others.append(one)
        yield list(this.values())
        rest = others


def _recorded(
    intake: Intake, told: Sequence[Told], refused: list[Refused], enclosures: Enclosures | None
) -> list[Told]:
    """Record what can be recorded; what a refusal names is put aside, and the rest tried again."""
    rest = list(told)
    while rest:
        try:
            record(*_request(intake, rest), enclosures)
        except REFUSALS as error:
            wrong = _by_place(error)
            if not wrong and len(rest) > 1:
                return [one for single in rest for one in _recorded(intake, [single], refused, enclosures)]
            refused += [
                Refused(one.item, one.statement_id, tuple(wrong.get(place, _in_words(error))))
                for place, one in enumerate(rest)
                if place in wrong or not wrong
            ]
            rest = [one for place, one in enumerate(rest) if wrong and place not in wrong]
        else:
            break
    return rest


def _request(intake: Intake, told: Sequence[Told]) -> tuple[Writer, Gate, Credential, Version, bytes, int]:
    """Return what is recorded: by the rules of 2.0 as soon as one of the statements says that it is of 2.0."""
    version: Version = "2.0.0" if any((one.version or "").startswith("2.") for one in told) else "1.0.3"
    body = b"[" + b",".join(one.item.text for one in told) + b"]"
    return intake.writer, intake.gate, intake.credential, version, body, intake.batch_limit


def _by_place(error: CairnError) -> dict[int, list[Problem]]:
    """Return the problems of each statement of a batch by its place, their pointers beginning in the statement."""
    found: dict[int, list[Problem]] = {}
    for one in error.problems:
        place, slash, rest = one.pointer.removeprefix("/").partition("/")
        if place.isdecimal():
            found.setdefault(int(place), []).append(Problem(slash + rest, one.message))
    return found


def _in_words(error: CairnError) -> list[Problem]:
    return list(error.problems) or [Problem("", error.message)]
