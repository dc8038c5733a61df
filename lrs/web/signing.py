"""Signing in with a credential's key and secret, and out again."""

from __future__ import annotations

import time
from typing import cast

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from lrs.errors import Unauthenticated
from lrs.resources.auth import opened
from lrs.resources.lrs import this_lrs
from lrs.store.credentials import Credential
from lrs.web import session
from lrs.web.navigation import entries_for
from lrs.web.throttle import Throttle

blueprint = Blueprint("signing", __name__)
THROTTLE = "sign-in throttle"
LONGEST_FIELD = 200

WRONG = "That key and secret do not open anything here. Please check both and try again."
STALE = "This form had been open for too long. Please try once more."
NOT_A_READER = (
    "This credential is valid, but it may not read the district's records. "
    "Use one with the scope all/read or statements/read."
)


@blueprint.get("/sign-in")
def form() -> AnyResponse:
    """Show the form; a reader who has signed in already goes on."""
    found = session.signed_in()
    if found is not None and session.may_enter(found):
        return redirect(_first_page(found, request.args.get("next")), 303)
    return _shown(200, None)


@blueprint.post("/sign-in")
def sign_in() -> AnyResponse:
    """Check the key and the secret, and go on to where the reader wanted to be."""
    if not session.is_own_form():
        return _shown(400, STALE)
    throttle, address = cast(Throttle, current_app.extensions[THROTTLE]), request.remote_addr or ""
    wait = throttle.wait_seconds(address, time.monotonic())
    if wait:
        response = _shown(429, f"Too many attempts have failed. Please wait {_minutes(wait)} and try again.")
        response.headers["Retry-After"] = str(wait)
        return response
    found = _found()
    if found is None:
        throttle.note_failure(address, time.monotonic())
        return _shown(403, WRONG)
    throttle.forget(address)
    if not session.may_enter(found):
        return _shown(403, NOT_A_READER)
    session.begin(found)
    return redirect(_first_page(found, request.form.get("next")), 303)


def _first_page(found: Credential, wanted: str | None) -> str:
    """Return where to go on: for who may not see learners, the first page that there is for them."""
    address = session.local_address(wanted)
    if address != "/" or session.may_read(found):
        return address
    entries = entries_for(found)
    return url_for(entries[0].endpoint) if entries else address


@blueprint.post("/sign-out")
def sign_out() -> AnyResponse:
    """End the session; a form that is not ours ends nothing."""
    if session.is_own_form():
        session.end()
    return redirect(url_for("signing.form"), 303)


def _found() -> Credential | None:
    key, secret = request.form.get("key", "").strip(), request.form.get("secret", "").strip()
    if len(key) > LONGEST_FIELD or len(secret) > LONGEST_FIELD:
        return None
    try:
        return opened(this_lrs(), key, secret)
    except Unauthenticated:
        return None


def _minutes(seconds: int) -> str:
    minutes = -(-seconds // 60)
    return "a minute" if minutes == 1 else f"{minutes} minutes"


def _shown(status: int, problem: str | None) -> Response:
    wanted = request.values.get("next", "")
    page = render_template("sign_in.html", problem=problem, next=session.local_address(wanted) if wanted else "")
    return make_response(page, status)
