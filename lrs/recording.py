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
from lrs.xapi.decode import completed, statements_of
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
    parsed = statements_of(body)
    if len(parsed) > batch_limit:
        raise BodyTooLarge(f"{len(parsed)} statements in one request; send at most {batch_limit}")
    statements = [statement for _, statement in parsed]
    _authorise(statements, gate, credential)
    if not _is_batch(body):
        return _record_single(writer, gate, credential, version, parsed[0])
    _refuse([*_problems(statements, gate, version), *_repeated_ids(statements)])
    return _append(writer, gate, credential, parsed)


def record_one(
    writer: Writer, gate: Gate, credential: Credential, version: Version, body: bytes, statement_id: str
) -> None:
    """Append the one statement of a PUT under the id of the request; raises as `record`, and when the ids differ."""
    if _is_batch(body):
        raise InvalidRequest("PUT takes exactly one statement, a JSON object; send a batch by POST")
    ((raw, statement),) = statements_of(body)
    assert isinstance(statement, dict)
    _authorise([statement], gate, credential)
    if "id" not in statement:
        statement["id"] = statement_id
        raw = completed(raw, {"id": msgspec.json.encode(statement_id)})
    _record_single(writer, gate, credential, version, (raw, statement), _misnamed(statement["id"], statement_id))


def _is_batch(body: bytes) -> bool:
    return body.lstrip()[:1] == b"["


def _record_single(
    writer: Writer, gate: Gate, credential: Credential, version: Version, parsed: tuple[bytes, Json],
    problems_so_far: Sequence[Problem] = (),
) -> list[str]:  # fmt: skip
    """Append a statement that came without an array around it: the pointers to its problems begin in itself."""
    _refuse([*problems_so_far, *_own_problems(parsed[1], gate, version, "")])
    try:
        return _append(writer, gate, credential, [parsed])
    except StatementConflict as error:
        own = [Problem(one.pointer.removeprefix("/0"), one.message) for one in error.problems]
        raise StatementConflict(error.message, own) from None


def _authorise(statements: Sequence[Json], gate: Gate, credential: Credential) -> None:
    """Raise Forbidden when a scope is missing: a stranger is not told what is wrong with an act of his."""
    acts = sum(is_act(statement, gate) for statement in statements)
    if acts and "registrar" not in credential.scopes:
        raise Forbidden(f"statements with verbs under {gate.act_verbs} are taken from the scope registrar only")
    if len(statements) > acts and not credential.scopes & WRITE_SCOPES:
        raise Forbidden("storing statements needs the scope statements/write or all")


def is_act(statement: Json, gate: Gate) -> bool:
    """Whether a statement, valid or not, has the verb of a registrar's act."""
    verb = statement.get("verb") if isinstance(statement, dict) else None
    name = verb.get("id") if isinstance(verb, dict) else None
    return isinstance(name, str) and name.startswith(gate.act_verbs)


def _refuse(found: Sequence[Problem]) -> None:
    if found:
        raise InvalidStatement(f"{len(found)} problem(s) found; nothing was stored", found)


def _problems(statements: Sequence[Json], gate: Gate, version: Version) -> list[Problem]:
    found: list[Problem] = []
    for index, statement in enumerate(statements):
        found += _own_problems(statement, gate, version, f"/{index}")
    return found


def _own_problems(statement: Json, gate: Gate, version: Version, pointer: str) -> Sequence[Problem]:
    """Return every problem of one statement; the document of an act is looked at once the statement itself is valid."""
    found = problems(statement, version, pointer)
    if found or not isinstance(statement, dict) or not is_act(statement, gate):
        return found
    return gate.problems(statement, pointer)


def _misnamed(given: Json, statement_id: str) -> list[Problem]:
    if not isinstance(given, str) or given.lower() == statement_id.lower():
        return []
    return [Problem("/id", f"is {given}, but the request's statementId is {statement_id}; make them equal")]


def _repeated_ids(statements: Sequence[Json]) -> list[Problem]:
    seen: set[str] = set()
    found = []
    for index, statement in enumerate(statements):
        name = statement.get("id") if isinstance(statement, dict) else None
        if not isinstance(name, str):
            continue
        if name.lower() in seen:
            found.append(Problem(f"/{index}/id", f"{name} stands twice in this batch; give each statement its own id"))
        seen.add(name.lower())
    return found


def _append(writer: Writer, gate: Gate, credential: Credential, parsed: Sequence[tuple[bytes, Json]]) -> list[str]:
    authority = msgspec.json.decode(credential.authority)
    salts = secrets.token_bytes(SALT_BYTES * len(parsed))
    ids, prepared = [], []
    for index, (raw, statement) in enumerate(parsed):
        assert isinstance(statement, dict)
        ids.append(statement.get("id") or str(uuid.uuid4()))
        salt = salts[index * SALT_BYTES : (index + 1) * SALT_BYTES]
        prepared.append(_prepared(raw, statement, str(ids[-1]), credential.authority, authority, salt, gate))
    writer.append(credential.log.log_id, Request(prepared, may_act="registrar" in credential.scopes))
    return [str(one) for one in ids]


def _prepared(
    raw: bytes, statement: dict[str, Json], statement_id: str, authority_text: bytes, authority: Json, salt: bytes,
    gate: Gate,
) -> Prepared:  # fmt: skip
    """Complete a valid statement with what the LRS sets, and hash the very text that will be stored."""
    additions = {"authority": authority_text}
    if "id" not in statement:
        additions["id"] = b'"' + statement_id.encode() + b'"'
    if "version" not in statement:
        additions["version"] = DEFAULT_VERSION
    body = completed(raw, additions, SET_BY_US & statement.keys())
    statement["authority"] = authority
    timestamp = statement.get("timestamp")
    return Prepared(
        statement_id.lower(),
        timestamp_us(timestamp) if isinstance(timestamp, str) else None,
        keys(statement),
        body,
        salt,
        commitment(salt, body),
        is_act(statement, gate),
    )


def commitment(salt: bytes, body: bytes) -> bytes:
    """Return what the log's tree commits to: SHA-256 over a fixed prefix, the salt and the stored text."""
    return hashlib.sha256(COMMITMENT_PREFIX + salt + body).digest()
