"""The write path: body → statements → every problem at once → prepared rows → one append, durable when it returns."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from lrs.enclosing import Enclosures, nothing
from lrs.errors import BodyTooLarge, Forbidden, InvalidRequest, InvalidStatement, Problem, StatementConflict
from lrs.store.credentials import Credential
from lrs.store.rows import Enclosed, Prepared, Request
from lrs.store.texts import packed
from lrs.store.writer import Writer
from lrs.xapi.attachments import declares_any
from lrs.xapi.canonical import told
from lrs.xapi.decode import completed, is_batch, read, refuse_malformed, texts_of
from lrs.xapi.keys import keys
from lrs.xapi.statement import Version, problems
from lrs.xapi.values import Json, timestamp_us

COMMITMENT_PREFIX = b"cairn/v1\0"
SALT_BYTES = 16
DEFAULT_VERSION: Mapping[Version, bytes] = {"1.0.3": b'"1.0.0"', "2.0.0": b'"2.0.0"'}
"""What a statement that names no version is given: 1.0.3 Data 2.4.10 and 2.0 4.2.2."""
SET_BY_US = frozenset({"stored", "authority"})
WRITE_SCOPES = frozenset({"statements/write", "all"})
DEFINE_SCOPES = frozenset({"define", "all", "registrar"})
"""Whose statements define activities and name agents (1.0.3 Communication 4.2); those of others are stored as sent."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What may pass as a registrar's act: the IRI that its verbs lie under, and the check of the act's document."""

    act_verbs: str
    problems: Callable[[Mapping[str, Any], str], Sequence[Problem]]


def record(
    writer: Writer,
    gate: Gate,
    credential: Credential,
    version: Version,
    body: bytes,
    batch_limit: int,
    enclosures: Enclosures | None = None,
) -> list[str]:
    """Append the statements of a POST's body; return their ids in order, those already stored equally included.

    `enclosures` is the data that came beside them, where it could.
    Raises InvalidJson, InvalidStatement (every problem), BodyTooLarge, Forbidden, StatementConflict, StorageFailed.
    """
    texts = texts_of(body)
    if len(texts) > batch_limit:
        raise BodyTooLarge(f"{len(texts)} statements in one request; send at most {batch_limit}")
    intake = Intake(gate, credential, version, enclosures or nothing())
    if not is_batch(body):
        return _append_single(writer, intake, body)
    for position, text in enumerate(texts):
        intake.take(bytes(text), f"/{position}")
    intake.append(writer)
    return intake.ids


def record_one(
    writer: Writer,
    gate: Gate,
    credential: Credential,
    version: Version,
    body: bytes,
    statement_id: str,
    enclosures: Enclosures | None = None,
) -> None:
    """Append the one statement of a PUT under the id of the request; raises as `record`, and when the ids differ."""
    if is_batch(body):
        raise InvalidRequest("PUT takes exactly one statement, a JSON object; send a batch by POST")
    _append_single(writer, Intake(gate, credential, version, enclosures or nothing(), statement_id), body)


def _append_single(writer: Writer, intake: Intake, body: bytes) -> list[str]:
    """Append a statement that came without an array around it: the pointers to its problems begin in itself."""
    for text in texts_of(body):
        intake.take(bytes(text), "")
    try:
        intake.append(writer)
    except StatementConflict as error:
        own = [Problem(one.pointer.removeprefix("/0"), one.message) for one in error.problems]
        raise StatementConflict(error.message, own) from None
    return intake.ids


class Intake:
    """The statements of one request, taken in one by one, so that never more than one of them is held decoded.

    `named` is the id that the request gives the statement, if it does.
    """

    def __init__(
        self,
        gate: Gate,
        credential: Credential,
        version: Version,
        enclosures: Enclosures,
        named: str | None = None,
    ) -> None:
        self.ids: list[str] = []
        self._enclosures = enclosures
        self._gate, self._credential, self._version, self._named = gate, credential, version, named
        self._authority = msgspec.json.decode(credential.authority)
        self._may_define = not DEFINE_SCOPES.isdisjoint(credential.scopes)
        self._malformed: list[Problem] = []
        self._problems: list[Problem] = []
        self._prepared: list[Prepared] = []
        self._seen: set[str] = set()
        self._acts = 0
        self._others = 0

    def take(self, text: bytes, pointer: str) -> None:
        """Take in one statement; what is wrong with it is told by `request`."""
        found = read(text, pointer, self._malformed)
        if found is None:
            return
        _, statement = found
        act = is_act(statement, self._gate)
        self._acts += act
        self._others += not act
        wrong, enclosed = self._wrong(statement, pointer), None
        if not wrong and isinstance(statement, dict) and declares_any(statement):
            enclosed, wrong = self._enclosed(statement, pointer)
        self._problems += wrong
        if not (wrong or self._malformed) and isinstance(statement, dict):
            self._prepare(text, statement, enclosed)

    def append(self, writer: Writer) -> None:
        """Append what was taken in; raises as `record`."""
        self._enclosures.append(writer, self._credential.log.log_id, self.request())

    def request(self) -> Request:
        """Return what is to be appended; raises InvalidJson, Forbidden or InvalidStatement with every problem.

        A missing scope is told before the problems: a stranger is not told what is wrong with an act of his.
        """
        refuse_malformed(self._malformed)
        scopes, verbs = self._credential.scopes, self._gate.act_verbs
        if self._acts and "registrar" not in scopes:
            raise Forbidden(f"statements with verbs under {verbs} are taken from the scope registrar only")
        if self._others and not scopes & WRITE_SCOPES:
            raise Forbidden("storing statements needs the scope statements/write or all")
        self._problems = self._problems or self._enclosures.undeclared()
        if self._problems:
            raise InvalidStatement(f"{len(self._problems)} problem(s) found; nothing was stored", self._problems)
        return Request(self._prepared, may_act="registrar" in scopes)

    def _wrong(self, statement: Json, pointer: str) -> list[Problem]:
        """Return every problem of one statement; an act's document is looked at once the statement itself is valid."""
        found = problems(statement, self._version, pointer)
        if not isinstance(statement, dict):
            return found
        found += self._misnamed(statement.get("id"), pointer)
        if not found and is_act(statement, self._gate):
            found += self._gate.problems(statement, pointer)
        return found

    def _enclosed(self, statement: dict[str, Json], pointer: str) -> tuple[Enclosed | None, list[Problem]]:
        """Return what came beside a valid statement, and what is wrong with it."""
        named = {"id": self._named, **statement} if self._named else statement
        return self._enclosures.of(named, pointer, self._version, self._credential)

    def _misnamed(self, given: Json, pointer: str) -> list[Problem]:
        """Return what is wrong with the id beside its form: not the request's, or twice in the batch."""
        if not isinstance(given, str):
            return []
        if self._named and given.lower() != self._named.lower():
            message = f"is {given}, but the request's statementId is {self._named}; make them equal"
            return [Problem(f"{pointer}/id", message)]
        if given.lower() in self._seen:
            return [Problem(f"{pointer}/id", f"{given} stands twice in this batch; give each statement its own id")]
        self._seen.add(given.lower())
        return []

    def _prepare(self, text: bytes, statement: dict[str, Json], enclosed: Enclosed | None) -> None:
        """Complete a valid statement with what the LRS sets, and hash the very text that will be stored."""
        additions = {"authority": self._credential.authority}
        statement_id = str(statement.get("id") or self._named or uuid.uuid4())
        if "id" not in statement:
            additions["id"] = b'"' + statement_id.encode() + b'"'
        if "version" not in statement:
            additions["version"] = DEFAULT_VERSION[self._version]
        body = completed(text, additions, SET_BY_US & statement.keys())
        salt = secrets.token_bytes(SALT_BYTES)
        statement["authority"] = self._authority
        timestamp = statement.get("timestamp")
        self.ids.append(statement_id)
        self._prepared.append(
            Prepared(
                statement_id.lower(),
                timestamp_us(timestamp) if isinstance(timestamp, str) else None,
                keys(statement),
                packed(body),
                salt,
                commitment(salt, body),
                is_act(statement, self._gate),
                enclosed,
                told(statement) if self._may_define else (),
            )
        )


def is_act(statement: Json, gate: Gate) -> bool:
    """Whether a statement, valid or not, has the verb of a registrar's act."""
    verb = statement.get("verb") if isinstance(statement, dict) else None
    name = verb.get("id") if isinstance(verb, dict) else None
    return isinstance(name, str) and name.startswith(gate.act_verbs)


def commitment(salt: bytes, body: bytes) -> bytes:
    """Return what the log's tree commits to: SHA-256 over a fixed prefix, the salt and the stored text."""
    hashed = hashlib.sha256(COMMITMENT_PREFIX + salt)
    hashed.update(body)  # not joined with the salt: a text may have megabytes
    return hashed.digest()
