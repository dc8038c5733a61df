"""The three document resources in one table: parameters, preconditions and merge (xAPI 1.0.3 Communication 2.2, 3.1).

A change of a document is decided here, from what is stored and what was sent; the store only carries it out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from hashlib import sha1
from typing import NamedTuple, TypeAlias

import msgspec

from lrs.errors import DocumentConflict, InvalidRequest, PreconditionFailed, Problem
from lrs.xapi.decode import read, refuse_malformed
from lrs.xapi.parameters import UNUSABLE, Arguments, Table, identifier, iri, lower_uuid, unknown, values
from lrs.xapi.statement import Version
from lrs.xapi.values import key64, timestamp_us

JSON = "application/json"
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_tags = re.compile(r'(?:W/)?"([^"]*)"|([^\s,"]+)').findall


@dataclass(frozen=True, slots=True)
class Resource:
    """One of the document resources.

    `number` stands for it in the store; `owner` names the parameters that a document always belongs to, `id_name` the
    one that tells documents of an owner apart. `is_guarded`: 1.0.3 takes no PUT without a precondition. `can_clear`:
    without an id, DELETE takes all documents of an owner.
    """

    number: int
    scope: str
    id_name: str
    owner: tuple[str, ...]
    optional: tuple[str, ...] = ()
    is_guarded: bool = True
    can_clear: bool = False


STATE = Resource(1, "state", "stateId", ("activityId", "agent"), ("registration",), is_guarded=False, can_clear=True)
ACTIVITY_PROFILE = Resource(2, "profile", "profileId", ("activityId",))
AGENT_PROFILE = Resource(3, "profile", "profileId", ("agent",))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document is kept, or, without `document_id`, where all of one owner's are; `agent` is an identifier."""

    resource: Resource
    activity: str = ""
    agent: str = ""
    registration: str = ""
    document_id: str | None = None
    since_us: int | None = None

    @property
    def owner(self) -> int:
        """The 64-bit key that all documents of one activity and agent share."""
        return key64("document-owner", f"{self.resource.number}\0{self.activity}\0{self.agent}")

    @property
    def key(self) -> int:
        """The 64-bit key of one document, over everything that names it."""
        names = (str(self.resource.number), self.activity, self.agent, self.registration, self.document_id or "")
        return key64("document", "\0".join(names))


class Kept(NamedTuple):
    """What is stored of a document; `content` is None where nobody asked for it."""

    sha1: bytes
    updated: int
    content_type: str
    content: bytes | None = None

    @property
    def tag(self) -> str:
        """The hex digits of the ETag."""
        return self.sha1.hex()


@dataclass(frozen=True, slots=True)
class Document:
    """A document to be stored: the very bytes, and the Content-Type that they came with."""

    content: bytes
    content_type: str

    @property
    def sha1(self) -> bytes:
        """The SHA-1 of the content: 1.0.3 Communication 3.1 makes the ETag of it."""
        return sha1(self.content, usedforsecurity=False).digest()

    @property
    def is_json(self) -> bool:
        """Whether the document says that it is JSON; parameters of the type count for nothing."""
        return is_json(self.content_type)


@dataclass(frozen=True, slots=True)
class Conditions:
    """The ETags of If-Match and If-None-Match, `*` among them; None where the header was not sent."""

    match: frozenset[str] | None = None
    none_match: frozenset[str] | None = None

    @property
    def are_none(self) -> bool:
        """Whether neither header was sent."""
        return self.match is None and self.none_match is None


Decision: TypeAlias = Callable[[Kept | None], Document | None]
"""From what is stored to what shall be: a document, or None for nothing. Raises what the request is refused with."""


def is_json(content_type: str) -> bool:
    """Whether a Content-Type is application/json, with whatever parameters."""
    return content_type.partition(";")[0].strip().lower() == JSON


def tags(header: str | None) -> frozenset[str] | None:
    """Return the ETags of an If-Match or If-None-Match header; None for a header that was not sent.

    Quotes may be missing: widespread clients leave them out. A weak tag counts as the strong one that a compressing
    proxy made it of, since ours name the very bytes.
    """
    if header is None:
        return None
    return frozenset((quoted or plain).lower() for quoted, plain in _tags(header))


def place(resource: Resource, method: str, args: Arguments) -> Place:
    """Return the place that the parameters name.

    Raises InvalidRequest with every parameter that is missing, unknown, repeated, malformed or out of place.
    """
    table = parameters(resource, method)
    problems = unknown(args, table)
    problems += [Problem(f"?{name}", "missing") for name in required(resource, method) if name not in args]
    if "since" in args and resource.id_name in args and "since" in table:
        problems.append(Problem("?since", f"goes with a list of ids: leave out {resource.id_name}, or since"))
    found = values(args, table, problems)
    if problems:
        raise InvalidRequest(UNUSABLE, problems)
    return Place(resource, **found)


def put(version: Version, resource: Resource, conditions: Conditions, sent: Document) -> Decision:
    """Return the decision of a PUT: it replaces what is stored, if the conditions hold.

    Without any, 1.0.3 takes it for State only; 2.0 (4.1.4) takes it only where nothing is overwritten.
    """

    def decide(kept: Kept | None) -> Document:
        if not conditions.are_none:
            check(conditions, kept)
        elif not is_unconditional(version, resource, conditions):
            _refuse_unconditional(version, kept)
        return sent

    return decide


def is_unconditional(version: Version, resource: Resource, conditions: Conditions) -> bool:
    """Whether a PUT is decided without looking at what is stored: that of a State under 1.0.3, without precondition."""
    return conditions.are_none and version != "2.0.0" and not resource.is_guarded


def post(conditions: Conditions, sent: Document) -> Decision:
    """Return the decision of a POST: what was sent is merged into what is stored, member by member, one level deep.

    Where nothing is stored it is as a PUT, but JSON must be well-formed (XAPI-00235).
    """
    problems: list[Problem] = []
    if sent.is_json:
        read(sent.content, "", problems)
        refuse_malformed(problems)

    def decide(kept: Kept | None) -> Document:
        check(conditions, kept)
        return sent if kept is None else Document(_merged(kept, sent), sent.content_type)

    return decide


def delete(conditions: Conditions) -> Decision:
    """Return the decision of a DELETE: nothing shall be stored, if the conditions hold."""

    def decide(kept: Kept | None) -> None:
        check(conditions, kept)

    return decide


def check(conditions: Conditions, kept: Kept | None) -> None:
    """Raise PreconditionFailed, with what to do, unless the conditions hold of what is stored (RFC 9110 section 13)."""
    if conditions.match is not None and not _is_among(kept, conditions.match):
        raise PreconditionFailed(_why_no_match(kept))
    if kept is not None and conditions.none_match is not None and _is_among(kept, conditions.none_match):
        raise PreconditionFailed(
            f'the document exists, nothing was changed: GET it, and send If-Match: "{kept.tag}" to replace that version'
        )


def _is_among(kept: Kept | None, wanted: Collection[str]) -> bool:
    return kept is not None and ("*" in wanted or kept.tag in wanted)


def _why_no_match(kept: Kept | None) -> str:
    if kept is None:
        return "there is no such document, so no ETag of it can match: send If-None-Match: * to create it"
    return (
        f"the document is not the version that If-Match names, nothing was changed: GET it, apply your change to that, "
        f'and send If-Match: "{kept.tag}"'
    )


def _refuse_unconditional(version: Version, kept: Kept | None) -> None:
    """Raise what a PUT without If-Match and If-None-Match is refused with (1.0.3 Communication 3.1), if it is."""
    if kept is not None:
        raise DocumentConflict(
            "the document exists and was not changed: GET it, check that it is the one you mean to replace, "
            f'and send If-Match: "{kept.tag}"; If-None-Match: * only creates'
        )
    if version != "2.0.0":
        raise InvalidRequest(
            "PUT of a profile needs If-Match or If-None-Match: send If-None-Match: * to create the document"
        )


def _merged(kept: Kept, sent: Document) -> bytes:
    """Return the members of both, those sent over those stored; raises InvalidRequest unless both are JSON objects."""
    if not (sent.is_json and is_json(kept.content_type)):
        raise InvalidRequest(
            f"only {JSON} can be merged: the stored document is {kept.content_type}, the one sent {sent.content_type}; "
            "PUT it to replace the other"
        )
    stored = _object(kept.content or b"", "the stored document is not a JSON object: PUT the new one to replace it")
    own = _object(
        sent.content, "the body is not a JSON object: only objects can be merged; PUT it to replace the other"
    )
    return msgspec.json.encode({**stored, **own})


def _object(text: bytes, refusal: str) -> dict[str, msgspec.Raw]:
    try:
        text.decode()
        members: dict[str, msgspec.Raw] = _members(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidRequest(refusal) from None
    return members


def _document_id(text: str) -> str:
    if not text or "\0" in text:
        raise ValueError("must be a text of at least one character, none of them U+0000")
    return text


_READERS: Table = {
    "activityId": ("activity", iri),
    "agent": ("agent", identifier),
    "registration": ("registration", lower_uuid),
    "stateId": ("document_id", _document_id),
    "profileId": ("document_id", _document_id),
    "since": ("since_us", timestamp_us),
}


def parameters(resource: Resource, method: str) -> Table:
    """Return the parameters that a method of a resource takes, with what reads each."""
    names = (*resource.owner, *resource.optional, resource.id_name, *(("since",) if method == "GET" else ()))
    return {name: _READERS[name] for name in names}


def required(resource: Resource, method: str) -> tuple[str, ...]:
    """Return the names of those that a request must have."""
    takes_many = method == "GET" or (method == "DELETE" and resource.can_clear)
    return resource.owner if takes_many else (*resource.owner, resource.id_name)
