"""CORS: which web pages may use the record store, by the origins registered for each credential; none by default.

A preflight carries no credential, so any origin of any active credential passes it; the answer itself is readable only
where the origin is one of the request's own credential.
"""

from __future__ import annotations

from flask import Flask, Response, g, request

from lrs.resources import headers
from lrs.resources.lrs import this_lrs
from lrs.store.credentials import Credential, is_origin, is_origin_of, is_origin_of_any

METHODS = "GET, HEAD, PUT, POST, DELETE"
TAKEN = (
    "Authorization", "Content-Type", "Content-Encoding", "If-Match", "If-None-Match", "Accept-Language",
    headers.VERSION,
)  # fmt: skip
SHOWN = (
    "ETag", "Last-Modified", "Retry-After", "WWW-Authenticate", headers.VERSION, headers.CONSISTENT_THROUGH,
    "X-Experience-API-Hash",
)  # fmt: skip
PREFLIGHT_SECONDS = 600


def register(app: Flask) -> None:
    """Tell browsers whose pages may use the xAPI resources."""
    app.after_request(_marked)


def _marked(response: Response) -> Response:
    if not request.path.startswith("/xapi"):
        return response
    response.vary.add("Origin")
    origin = request.headers.get("Origin", "")
    if not (is_origin(origin) and _is_allowed(origin)):
        return response
    response.headers["Access-Control-Allow-Origin"] = origin
    if request.method == "OPTIONS":
        return _preflight(response)
    response.headers["Access-Control-Expose-Headers"] = ", ".join(SHOWN)
    return response


def _is_allowed(origin: str) -> bool:
    """Whether the origin is one of the request's credential, or of any where the request needs none."""
    asking: Credential | None = g.get("credential")
    needs_none = request.method == "OPTIONS" or request.path.rstrip("/") == "/xapi/about"
    if asking is None and not needs_none:
        return False
    with this_lrs().engine.connect() as connection:
        return is_origin_of(connection, asking.key, origin) if asking else is_origin_of_any(connection, origin)


def _preflight(response: Response) -> Response:
    response.headers["Access-Control-Allow-Methods"] = METHODS
    response.headers["Access-Control-Allow-Headers"] = ", ".join(TAKEN)
    response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    return response
