"""The frame of every page: navigation, words, links that keep the moment looked at, and the headers of HTML."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, g, request, url_for
from jinja2 import StrictUndefined

from lrs.web import errors, refusals, session, signing, statements, wording
from lrs.web.navigation import NAVIGATION, Entry, entries_for
from lrs.web.throttle import Throttle

STATIC = Path(__file__).parent / "static"
AS_OF = "as_of"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def register(app: Flask) -> None:
    """Add sign-in, the statement pages, the error pages and the frame that other packages' pages stand in."""
    session.configure(app)
    app.extensions[signing.THROTTLE] = Throttle()
    app.extensions.setdefault(NAVIGATION, [])
    app.register_blueprint(signing.blueprint)
    app.register_blueprint(statements.blueprint)
    app.register_blueprint(refusals.blueprint)
    errors.register(app)
    _furnish(app)
    app.after_request(_with_headers)


def add_link(app: Flask, words: str, endpoint: str, *, is_for_analysts: bool = False) -> None:
    """Add a page to the navigation, behind those that are there; as a rule only for who may see learners."""
    app.extensions.setdefault(NAVIGATION, []).append(Entry(words, endpoint, is_for_analysts))


def _furnish(app: Flask) -> None:
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.filters.update(when=wording.when, thousands=wording.thousands)
    app.jinja_env.globals.update(link=link, asset=asset, form_token=session.form_token, now_address=now_address)
    app.context_processor(_frame)


def _frame() -> dict[str, Any]:
    """Return what the base template shows around a page; it asks no database, so an error page can stand in it."""
    shown_to = g.get("reader")
    is_reader = shown_to is not None and session.may_enter(shown_to)
    return {"shown_to": shown_to, "navigation": entries_for(shown_to) if is_reader else []}


def link(endpoint: str, **values: Any) -> str:
    """Return the address of a page, as of the same moment as the page that links to it."""
    return url_for(endpoint, **{AS_OF: _asked().get(AS_OF) or None, **values})


def now_address() -> str | None:
    """Return the address of this page as things stand now; None where no other moment was asked for."""
    if not _asked().get(AS_OF):
        return None
    query = urlencode({name: value for name, value in _asked().items() if name != AS_OF})
    return f"{request.path}?{query}" if query else request.path


def _asked() -> dict[str, str]:
    """Return the parameters of the page; none where they cannot be read, which is what the page then says."""
    try:
        return request.args.to_dict()
    except UnicodeDecodeError:
        return {}


def asset(name: str) -> str:
    """Return the address of a static file, which changes whenever the file does."""
    return url_for("static", filename=name, v=_fingerprint(name))


@lru_cache(maxsize=64)
def _fingerprint(name: str) -> str:
    return sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def _with_headers(response: Response) -> Response:
    """Give pages their headers; what the xAPI resources answer, a stored document in HTML among it, has its own."""
    if request.path.startswith("/xapi"):
        return response
    if response.mimetype == "text/html":
        response.headers.update(HEADERS)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
