"""Everything that can be wrong, in one tree; each error carries the values that its answer needs.

CairnError
├── InvalidRequest            the request cannot be understood: problems name each place and the fix
│   ├── InvalidJson           the body is not one well-formed JSON text
│   └── InvalidStatement      one or more statements break xAPI's rules
├── Unauthenticated           no credential, or not one of ours
│   └── InvalidToken          a bearer token that does not hold
├── Forbidden                 the credential's scopes do not reach so far
├── NotFound                  nothing is known under that name
├── StatementConflict         an id is taken by another statement
├── DocumentConflict          a document would be overwritten by somebody who does not say that it was read
├── PreconditionFailed        If-Match or If-None-Match does not hold of the document
├── BodyTooLarge              more bytes or statements than this server takes at once
├── UnsupportedMediaType      a content type or encoding that the resource does not take
├── Busy                      more appends are waiting than the server will queue
├── StorageFailed             the database did not confirm the write (disk full, gone); send it again
├── IssuerAway                the issuer of bearer tokens does not publish its keys now
└── DatabaseAway                  the database does not answer a question
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: a JSON pointer (RFC 6901) to the place, and words that name the fix."""

    pointer: str
    message: str

    def __str__(self) -> str:
        return f"{self.pointer or '/'}: {self.message}"


class CairnError(Exception):
    """Base of all errors that Cairn raises on purpose; `problems` may be empty."""

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.problems = tuple(problems)


class InvalidRequest(CairnError):
    """The request cannot be understood as it is."""


class InvalidJson(InvalidRequest):
    """The body is not one well-formed JSON text, or says something twice."""


class InvalidStatement(InvalidRequest):
    """One or more statements break xAPI's rules; every problem is listed."""


class Unauthenticated(CairnError):
    """The request carries no credential, or one that is unknown or revoked."""


class InvalidToken(Unauthenticated):
    """The request carries a bearer token that does not hold, or that belongs to no credential."""


class Forbidden(CairnError):
    """The credential is known, but its scopes do not allow this."""


class NotFound(CairnError):
    """Nothing is known under that name."""


class StatementConflict(CairnError):
    """A statement id is taken by a statement with other content."""


class DocumentConflict(CairnError):
    """A document exists, and the request does not say which version of it is to be replaced."""


class PreconditionFailed(CairnError):
    """If-Match or If-None-Match does not hold of the document as it is now."""


class BodyTooLarge(CairnError):
    """The body, or the number of statements in it, is over the limit."""


class UnsupportedMediaType(CairnError):
    """The resource does not take this content type or content encoding."""


class Busy(CairnError):
    """Too many appends are waiting; the same request may be sent again later."""


class StorageFailed(CairnError):
    """The database did not confirm the write: as a rule nothing was stored, and sending it again is always safe."""


class IssuerAway(CairnError):
    """The issuer of bearer tokens does not publish its keys now, so no token can be checked."""


class DatabaseAway(CairnError):
    """The database does not answer, or lost the connection while it did."""
