"""The write path: body → statements → every problem at once → prepared rows → one append, durable when it returns."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from lrs.errors import BodyTooLarge, Forbidden, InvalidRequest, InvalidStatement, Problem, StatementConflict
from lrs.store.credentials import Credential
from lrs.store.rows import Prepared, Request
from lrs.store.writer import Writer
from lrs.xapi.decode import completed, is_batch, read, refuse_malformed, texts_of
from lrs.xapi.keys import keys
from lrs.xapi.statement import Version, problems
from lrs.xapi.values import Json, timestamp_us

COMMITMENT_PREFIX = b"cairn/v1\0"
SALT_BYTES = 16
DEFAULT_VERSION = b'"1.0.0"'
SET_BY_US = frozenset({"stored", "authority"})
WRITE_SCOPES = frozenset({"statements/write", "all"})


@dataclass(frozen=True, slots=True)
class Gate:
    """What may pass as a registrar's act: the IRI that its verbs lie under, and the check of the act's document."""

    act_verbs: str
    problems: Callable[[Mapping[str, Any], str], Sequence[Problem]]


def record(
    writer: Writer, gate: Gate, credential: Credential, version: Version, body: bytes, batch_limit: int
) -> list[str]:
    """Append the statements of a POST's body; return their ids in order, those already stored equally included.

    Raises InvalidJson, InvalidStatement (every problem), BodyTooLarge, Forbidden, StatementConflict, StorageFailed.
    """
    texts = texts_of(body)
    if len(texts) > batch_limit:
        raise BodyTooLarge(f"{len(texts)} statements in one request; send at most {batch_limit}")
    if not is_batch(body):
        return _append_single(writer, credential, _single(gate, credential, version, body))
    intake = Intake(gate, credential, version)
    for position, text in enumerate(texts):
        intake.take(bytes(text), f"/{position}")
    request = intake.request()
    writer.append(credential.log.log_id, request)
    return intake.ids


def record_one(
    writer: Writer, gate: Gate, credential: Credential, version: Version, body: bytes, statement_id: str
) -> None:
    """Append the one statement of a PUT under the id of the request; raises as `record`, and when the ids differ."""
    if is_batch(body):
        raise InvalidRequest("PUT takes exactly one statement, a JSON object; send a batch by POST")
    _append_single(writer, credential, _single(gate, credential, version, body, statement_id))


def _single(
    gate: Gate, credential: Credential, version: Version, body: bytes, statement_id: str | None = None
) -> Intake:
    """Take in a statement that came without an array around it: the pointers to its problems begin in itself."""
    intake = Intake(gate, credential, version, named=statement_id)
    for text in texts_of(body):
        intake.take(bytes(text), "")
    return intake


def _append_single(writer: Writer, credential: Credential, intake: Intake) -> list[str]:
    try:
        writer.append(credential.log.log_id, intake.request())
    except StatementConflict as error:
        own = [Problem(one.pointer.removeprefix("/0"), one.message) for one in error.problems]
        raise StatementConflict(error.message, own) from None
    return intake.ids


class Intake:
    """The statements of one request, taken in one by one, so that never more than one of them is held decoded.

    `named` is the id that the request gives the statement, if it does.
    """

    def __init__(self, gate: Gate, credential: Credential, version: Version, named: str | None = None) -> None:
        self.ids: list[str] = []
        self._gate, self._credential, self._version, self._named = gate, credential, version, named
        self._authority = msgspec.json.decode(credential.authority)
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
        wrong = self._wrong(statement, pointer)
        self._problems += wrong
        if not (wrong or self._malformed) and isinstance(statement, dict):
            self._prepare(text, statement)

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

    def _prepare(self, text: bytes, statement: dict[str, Json]) -> None:
        """Complete a valid statement with what the LRS sets, and hash the very text that will be stored."""
        additions = {"authority": self._credential.authority}
        statement_id = str(statement.get("id") or self._named or uuid.uuid4())
        if "id" not in statement:
            additions["id"] = b'"' + statement_id.encode() + b'"'
        if "version" not in statement:
            additions["version"] = DEFAULT_VERSION
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
                body,
                salt,
                commitment(salt, body),
                is_act(statement, self._gate),
            )
        )


def is_act(statement: Json, gate: Gate) -> bool:
    """Whether a statement, valid or not, has the verb of a registrar's act."""
    verb = statement.get("verb") if isinstance(statement, dict) else None
    name = verb.get("id") if isinstance(verb, dict) else None
    return isinstance(name, str) and name.startswith(gate.act_verbs)


def commitment(salt: bytes, body: bytes) -> bytes:
    """Return what the log's tree commits to: SHA-256 over a fixed prefix, the salt and the stored text."""
    return hashlib.sha256(COMMITMENT_PREFIX + salt + body).digest()
