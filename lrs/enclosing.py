"""What comes beside statements: the data of attachments, matched with what they declare, and signatures, checked.

The data is stored before the append, so that no statement is acknowledged whose data could be lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, Engine

from lrs.errors import CairnError, Problem
from lrs.store import attachments
from lrs.store.attachments import Data
from lrs.store.credentials import Credential
from lrs.store.rows import Enclosed, Request
from lrs.store.signatures import issuers_of
from lrs.store.writer import Writer
from lrs.xapi.attachments import content_types, declared, unmet
from lrs.xapi.decode import stored_statement
from lrs.xapi.parts import Valid
from lrs.xapi.signatures import CONTENT_TYPE, Finding, finding, is_signature
from lrs.xapi.statement import Version

LONGEST_SIGNATURE_BYTES = 10_000_000
UNDECLARED = "a part has the hash {sha2}, which no attachment declares: leave the part out, or declare it"


@dataclass(slots=True)
class Enclosures:
    """The data that came with one request, by hash; `parts` is None for a body that could not carry any."""

    engine: Engine | None
    parts: Mapping[str, Data] | None
    now: datetime
    _declared: set[str] = field(default_factory=set)

    def of(
        self, statement: Valid, pointer: str, version: Version, credential: Credential
    ) -> tuple[Enclosed | None, list[Problem]]:
        """Return what belongs to a valid statement, and what is wrong with it."""
        hashes = {one["sha2"].lower() for _, one in declared(statement)}
        self._declared |= hashes
        problems = unmet(statement, pointer, self.parts)
        findings, more = self._signatures(statement, pointer, version, credential)
        came = tuple(sorted(hashes & (self.parts or {}).keys()))
        return (Enclosed(came, tuple(findings)) if came else None), problems or more

    def undeclared(self) -> list[Problem]:
        """Return a problem for every part that none of the statements seen so far declares."""
        return [
            Problem("", UNDECLARED.format(sha2=sha2)) for sha2 in sorted((self.parts or {}).keys() - self._declared)
        ]

    def append(self, writer: Writer, log_id: int, request: Request) -> None:
        """Store the data and append the statements; a refusal takes the data with it."""
        if not self.parts or self.engine is None:
            writer.append(log_id, request)
            return
        kept = attachments.keep(self.engine, log_id, self.parts, round(self.now.timestamp() * 1_000_000))
        try:
            writer.append(log_id, request)
        except CairnError:
            attachments.discard(self.engine, log_id, kept)
            raise

    def _signatures(
        self, statement: Valid, pointer: str, version: Version, credential: Credential
    ) -> tuple[list[Finding], list[Problem]]:
        """Return what is found of the statement's signatures; every one must hold (Data 2.6)."""
        findings: dict[str, Finding] = {}
        problems: list[Problem] = []
        for place, one in enumerate(statement.get("attachments", ())):
            if is_signature(one):
                try:
                    findings[one["sha2"].lower()] = self._finding(one, statement, version, credential)
                except ValueError as error:
                    problems.append(Problem(f"{pointer}/attachments/{place}", f"the signature {error}"))
        return list(findings.values()), problems

    def _finding(self, one: Valid, statement: Valid, version: Version, credential: Credential) -> Finding:
        if one["contentType"].lower() != CONTENT_TYPE:
            raise ValueError(f"must have the contentType {CONTENT_TYPE}")
        data = (self.parts or {}).get(one["sha2"].lower())
        if data is None:
            raise ValueError(
                "must be sent with its data, in a part of a multipart/mixed request: a fileUrl will not do"
            )
        if data.length > LONGEST_SIGNATURE_BYTES:
            raise ValueError(f"has {data.length} bytes; send at most {LONGEST_SIGNATURE_BYTES}")
        return finding(data.whole(), data.sha2, statement, version, self._issuers(credential), self.now)

    def _issuers(self, credential: Credential) -> list[bytes]:
        assert self.engine is not None
        with self.engine.connect() as connection:
            return [one.certificate for one in issuers_of(connection, credential.log, credential.key)]


def nothing() -> Enclosures:
    """Return what comes beside statements in a body of type application/json."""
    return Enclosures(None, None, datetime.now(UTC))


def received(engine: Engine, parts: Mapping[str, Data]) -> Enclosures:
    """Return what came beside statements in a body of type multipart/mixed, just now."""
    return Enclosures(engine, parts, datetime.now(UTC))


class Sendable(NamedTuple):
    """Stored data that goes out beside statements: its hash as a statement writes it, declared type and length."""

    sha2: str
    content_type: str
    length: int


def enclosed_with(connection: Connection, log_id: int, statements: Sequence[bytes]) -> list[Sendable]:
    """Return the data that came with any of these statements, each once, typed as the first of them declares it."""
    decoded = [stored_statement(text) for text in statements if b'"attachments"' in text or b"\\u" in text]
    held = attachments.held_by(connection, log_id, [one["id"].lower() for one in decoded])
    found: dict[str, Sendable] = {}
    for one in decoded:
        types = content_types(one)
        for sha2, length in held.get(one["id"].lower(), []):
            if sha2 in types:
                found.setdefault(sha2, Sendable(*types[sha2], length))
    return list(found.values())
