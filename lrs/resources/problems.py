"""Errors → HTTP, in one table: problem details (RFC 9457) that name every problem, and nothing of the inside."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from flask import Flask, Response, current_app, g, request
from sqlalchemy.exc import InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import NotFound as NothingThere

from lrs.errors import (
    BodyTooLarge,
    Busy,
    CairnError,
    DatabaseAway,
    DocumentConflict,
    Forbidden,
    InvalidRequest,
    InvalidToken,
    IssuerAway,
    NotFound,
    PreconditionFailed,
    StatementConflict,
    StorageFailed,
    Unauthenticated,
    UnsupportedMediaType,
)
from lrs.resources.headers import authorization
from lrs.resources.hints import hint_for
from lrs.resources.lrs import this_lrs

STATUS: dict[type[CairnError], tuple[int, str]] = {
    InvalidRequest: (400, "The request cannot be understood"),
    Unauthenticated: (401, "A valid credential is needed"),
    Forbidden: (403, "The credential does not reach so far"),
    NotFound: (404, "Not found"),
    StatementConflict: (409, "A statement id is taken"),
    DocumentConflict: (409, "The document exists already"),
    PreconditionFailed: (412, "The document is not in the state that the request demands"),
    BodyTooLarge: (413, "The body is too large"),
    UnsupportedMediaType: (415, "This kind of body is not taken"),
    Busy: (429, "Too many requests are waiting"),
    StorageFailed: (503, "The statements could not be stored"),
    IssuerAway: (503, "The issuer of tokens does not answer"),
    DatabaseAway: (503, "The database does not answer"),
    CairnError: (500, "Something went wrong"),
}
MOST_PROBLEMS = 500


def status_of(error: CairnError) -> tuple[int, str]:
    """Return the status and the title of an error: those of the nearest class in the table."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def answer(error: CairnError) -> Response:
    """Return the response that tells a client what is wrong and how to mend it."""
    status, title = status_of(error)
    g.told = title, error.message, error.problems
    shown = [{"pointer": one.pointer, "message": one.message} for one in error.problems[:MOST_PROBLEMS]]
    details: dict[str, object] = {"type": "about:blank", "title": title, "status": status, "detail": error.message}
    if shown:
        details["problems"] = shown
        details["problem_count"] = len(error.problems)
    response = Response(msgspec.json.encode(details), status, content_type="application/problem+json")
    for challenge in _challenges(error):
        response.headers.add("WWW-Authenticate", challenge)
    if status in {429, 503}:
        response.headers["Retry-After"] = "1"
    return response


def _challenges(error: CairnError) -> Iterator[str]:
    """Yield what may be shown to be let in, or what was wrong with the token that was (RFC 6750 section 3)."""
    given = authorization()
    if isinstance(error, InvalidToken):
        yield f'Bearer realm="Cairn", error="invalid_token", error_description="{_quotable(error.message)}"'
    elif isinstance(error, Forbidden) and given is not None and given.type == "bearer":
        yield f'Bearer realm="Cairn", error="insufficient_scope", error_description="{_quotable(error.message)}"'
    elif isinstance(error, Unauthenticated):
        yield 'Basic realm="Cairn", charset="UTF-8"'
        if this_lrs().issuer is not None:
            yield 'Bearer realm="Cairn"'


def _quotable(text: str) -> str:
    """Return text as it may stand in a quoted string of a header."""
    return "".join(one for one in text if " " <= one <= "~" and one not in '"\\')


def http_answer(error: HTTPException) -> Response:
    """Return the response to an error of HTTP itself, in the same form."""
    status = error.code or 500
    allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
    detail = f"this method is not taken here; send one of {allowed}" if allowed else _missing(error)
    g.told = error.name, detail, ()
    details = {"type": "about:blank", "title": error.name, "status": status, "detail": detail}
    response = Response(msgspec.json.encode(details), status, content_type="application/problem+json")
    if allowed:
        response.headers["Allow"] = allowed
    return response


def _missing(error: HTTPException) -> str:
    """Return the words of an error of HTTP, for an unknown address with what was probably meant."""
    hint = hint_for(request.path) if error.code == NothingThere.code else None
    return f"nothing answers at {request.path}: {hint}" if hint else error.description or ""


def register(app: Flask) -> None:
    """Answer every error of ours, of HTTP and of the inside in one form."""
    app.register_error_handler(CairnError, answer)
    app.register_error_handler(HTTPException, http_answer)
    app.register_error_handler(OperationalError, _away)
    app.register_error_handler(InterfaceError, _away)


def _away(error: OperationalError | InterfaceError) -> Response:
    current_app.logger.error("the database does not answer: %s", error.orig)
    return answer(DatabaseAway("the database does not answer; send the same request again"))
