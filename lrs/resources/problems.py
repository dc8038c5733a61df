"""Errors → HTTP, in one table: problem details (RFC 9457) that name every problem, and nothing of the inside."""

from __future__ import annotations

import msgspec
from flask import Flask, Response, current_app
from sqlalchemy.exc import InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException

from lrs.errors import (
    BodyTooLarge,
    Busy,
    CairnError,
    DatabaseAway,
    Forbidden,
    InvalidRequest,
    NotFound,
    StatementConflict,
    StorageFailed,
    Unauthenticated,
    UnsupportedMediaType,
)

STATUS: dict[type[CairnError], tuple[int, str]] = {
    InvalidRequest: (400, "The request cannot be understood"),
    Unauthenticated: (401, "A valid credential is needed"),
    Forbidden: (403, "The credential does not reach so far"),
    NotFound: (404, "Not found"),
    StatementConflict: (409, "A statement id is taken"),
    BodyTooLarge: (413, "The body is too large"),
    UnsupportedMediaType: (415, "This kind of body is not taken"),
    Busy: (429, "Too many requests are waiting"),
    StorageFailed: (503, "The statements could not be stored"),
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
    shown = [{"pointer": one.pointer, "message": one.message} for one in error.problems[:MOST_PROBLEMS]]
    details: dict[str, object] = {"type": "about:blank", "title": title, "status": status, "detail": error.message}
    if shown:
        details["problems"] = shown
        details["problem_count"] = len(error.problems)
    response = Response(msgspec.json.encode(details), status, content_type="application/problem+json")
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="Cairn", charset="UTF-8"'
    if status in {429, 503}:
        response.headers["Retry-After"] = "1"
    return response


def http_answer(error: HTTPException) -> Response:
    """Return the response to an error of HTTP itself, in the same form."""
    status = error.code or 500
    allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
    detail = f"this method is not taken here; send one of {allowed}" if allowed else error.description or ""
    details = {"type": "about:blank", "title": error.name, "status": status, "detail": detail}
    response = Response(msgspec.json.encode(details), status, content_type="application/problem+json")
    if allowed:
        response.headers["Allow"] = allowed
    return response


def register(app: Flask) -> None:
    """Answer every error of ours, of HTTP and of the inside in one form."""
    app.register_error_handler(CairnError, answer)
    app.register_error_handler(HTTPException, http_answer)
    app.register_error_handler(OperationalError, _away)
    app.register_error_handler(InterfaceError, _away)


def _away(error: OperationalError | InterfaceError) -> Response:
    current_app.logger.error("the database does not answer: %s", error.orig)
    return answer(DatabaseAway("the database does not answer; send the same request again"))
