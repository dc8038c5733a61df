"""Who reads a page: a signed cookie names a credential, and the credential table is asked at every request."""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask, Request, abort, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

from lrs.errors import Forbidden
from lrs.resources.auth import READ_AGGREGATES, READ_ALL
from lrs.resources.lrs import this_lrs
from lrs.store.credentials import Credential, credential_with_key

COOKIE = "cairn"
SIGNED_IN_HOURS = 12
CREDENTIAL, TOKEN = "credential", "token"


class _Sessions(SecureCookieSessionInterface):
    """Signed cookies that travel over TLS alone wherever the request did; tools that speak xAPI have none."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if request.path.startswith("/xapi"):
            return self.make_null_session(app)
        return super().open_session(app, request)

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure or super().get_cookie_secure(app)


def configure(app: Flask) -> None:
    """Let the application keep its readers in signed cookies that no script can read."""
    app.session_interface = _Sessions()
    app.config.update(
        SESSION_COOKIE_NAME=COOKIE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=SIGNED_IN_HOURS),
    )


def reader() -> Credential:
    """Return the credential whose records this page may show; whoever has not signed in is sent to do so.

    Raises Forbidden for a credential that may not read the whole log.
    """
    found = signed_in()
    if found is None:
        abort(redirect(url_for("signing.form", next=_wanted()), 303))
    if not may_read(found):
        raise Forbidden(f"the credential {found.name!r} may not read this district's records")
    return found


def analyst() -> Credential:
    """Return the credential that this page may show aggregates to, whether or not it may see learners.

    Whoever has not signed in is sent to do so. Raises Forbidden for a credential that may see neither.
    """
    found = signed_in()
    if found is None:
        abort(redirect(url_for("signing.form", next=_wanted()), 303))
    if not may_enter(found):
        raise Forbidden(f"the credential {found.name!r} may not read this district's records")
    return found


def signed_in() -> Credential | None:
    """Return the credential that has signed in, unless it was revoked since."""
    if "reader" not in g:
        g.reader = _looked_up(session.get(CREDENTIAL))
    found: Credential | None = g.reader
    return found


def may_read(credential: Credential) -> bool:
    """Tell whether a credential may see pages: they show everybody's statements."""
    return bool(credential.scopes & READ_ALL)


def may_enter(credential: Credential) -> bool:
    """Tell whether there are any pages for a credential: those of aggregates at least."""
    return bool(credential.scopes & READ_AGGREGATES)


def _looked_up(key: str | None) -> Credential | None:
    if key is None:
        return None
    with this_lrs().engine.connect() as connection:
        return credential_with_key(connection, key)


def begin(credential: Credential) -> None:
    """Sign a credential in; what the cookie said before is gone, its form token too."""
    session.clear()
    session[CREDENTIAL] = credential.key
    g.reader = credential


def end() -> None:
    """Sign out."""
    session.clear()
    g.reader = None


def form_token() -> str:
    """Return the token that a form of this session carries; another site cannot know it."""
    if TOKEN not in session:
        session[TOKEN] = secrets.token_urlsafe(24)
    token: str = session[TOKEN]
    return token


def is_own_form() -> bool:
    """Tell whether the submitted form was shown to this very session."""
    sent = request.form.get("token", "")
    return TOKEN in session and hmac.compare_digest(sent.encode(), str(session[TOKEN]).encode())


def local_address(text: str | None) -> str:
    """Return where to go on: the address if it is a path of this site, else the first page."""
    if not text or not text.startswith("/") or "\\" in text or any(one <= " " for one in text):
        return "/"
    parts = urlsplit(text)
    return "/" if parts.scheme or parts.netloc or text.startswith("//") else text


def _wanted() -> str | None:
    if request.method not in {"GET", "HEAD"}:
        return None
    wanted = request.full_path.rstrip("?")
    return None if wanted == "/" else wanted
