"""The alternate request syntax of xAPI 1.0.3 Communication 1.3: a POST whose form says what the request would be.

It is turned into the plain request before anything else looks at it: even the credential may stand in the form.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote_to_bytes, urlencode

from flask import Flask, Request, request

from lrs.errors import CairnError, InvalidRequest, Problem
from lrs.resources import headers

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE")
FORM = "application/x-www-form-urlencoded"
FORM_KINDS = frozenset({FORM, "text/plain", ""})
"""Old browsers could send a form across origins as text/plain only, or with no type at all; Storyline still does."""

HEADERS = {
    name.lower(): f"HTTP_{name.upper().replace('-', '_')}"
    for name in (
        headers.VERSION, "Authorization", "If-Match", "If-None-Match", "Accept", "Accept-Language",
    )
} | {"content-type": "CONTENT_TYPE"}  # fmt: skip
"""The fields of a form that are headers, and where WSGI has them; all others are query parameters."""

CONTENT, LENGTH = "content", "content-length"
MOST_FIELDS = 100
REFUSED = "cairn.refused"
JSON, OCTETS = "application/json", "application/octet-stream"


class Alternate:
    """A WSGI application that understands the alternate syntax, around one that does not."""

    def __init__(self, inner: WSGIApplication, body_limit: int) -> None:
        self._inner, self._body_limit = inner, body_limit

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, a plain one as it is."""
        if "method" in environ.get("QUERY_STRING", "") and environ.get("PATH_INFO", "").startswith("/xapi"):
            start_response = self._made_plain(environ, start_response)
        return self._inner(environ, start_response)

    def _made_plain(self, environ: WSGIEnvironment, start_response: StartResponse) -> StartResponse:
        """Turn an alternate request into the plain one; what is wrong is left for the application to answer."""
        asked = parse_qsl(environ["QUERY_STRING"], keep_blank_values=True)
        if "method" not in dict(asked):
            return start_response
        try:
            method = _method(environ, asked)
            _rewrite(environ, method, self._form(environ))
        except CairnError as error:
            environ[REFUSED] = error
            environ.update({"wsgi.input": io.BytesIO(), "CONTENT_LENGTH": "0"})
            return start_response
        return _without_length(start_response) if method == "HEAD" else start_response

    def _form(self, environ: WSGIEnvironment) -> dict[str, bytes]:
        sent = Request(environ, populate_request=False)
        if sent.mimetype not in FORM_KINDS:
            raise InvalidRequest(f"?method= goes with a form: send Content-Type: {FORM}, not {sent.mimetype}")
        text = headers.whole_body(sent, self._body_limit).strip()
        if not text or text.startswith((b"{", b"[")):
            came = "JSON" if text else "nothing"
            raise InvalidRequest(
                f"?method= needs a form as its body, but {came} came; JSON goes in its field `content`"
            )
        return _fields(text)


def register(app: Flask, body_limit: int) -> None:
    """Let an application take the alternate syntax, and answer what was wrong with it as any other problem."""
    app.wsgi_app = Alternate(app.wsgi_app, body_limit)  # type: ignore[method-assign]
    app.before_request(_refuse)


def _refuse() -> None:
    refused: CairnError | None = request.environ.get(REFUSED)
    if refused is not None:
        raise refused


def _method(environ: WSGIEnvironment, asked: list[tuple[str, str]]) -> str:
    """Return the method that the request stands for; raises InvalidRequest where the syntax does not allow it."""
    _refuse_newer(environ.get(HEADERS[headers.VERSION.lower()], ""), environ["REQUEST_METHOD"])
    if environ["REQUEST_METHOD"] != "POST":
        raise InvalidRequest("?method= goes with POST only; leave it out", [Problem("?method", "remove it")])
    if len(asked) > 1:
        others = [Problem(f"?{name}", "move it into the form") for name, _ in asked if name != "method"]
        raise InvalidRequest("?method= is the only query parameter of the alternate syntax", others)
    method = asked[0][1].upper()
    if method not in METHODS:
        raise InvalidRequest("the method is unknown", [Problem("?method", f"must be one of {', '.join(METHODS)}")])
    return method


def _refuse_newer(version: str, method: str) -> None:
    if headers.rules_of(version) == headers.NEWER:
        raise InvalidRequest(
            f"xAPI 2.0 has no alternate request syntax: send a plain {method} without ?method=",
            [Problem("?method", "remove it")],
        )


def _fields(text: bytes) -> dict[str, bytes]:
    """Return the fields of a form; raises InvalidRequest for what no client could have meant."""
    pairs = [pair.partition(b"=") for pair in text.split(b"&") if pair]
    if len(pairs) > MOST_FIELDS:
        raise InvalidRequest(f"the form has {len(pairs)} fields; send at most {MOST_FIELDS}")
    found: dict[str, bytes] = {}
    for name, _, value in pairs:
        key = _text(_unquoted(name), "a field's name")
        key = key.lower() if key.lower() in {*HEADERS, LENGTH} else key
        if key in found:
            raise InvalidRequest("a field stands twice", [Problem(f"form:{key}", "give it once")])
        found[key] = _unquoted(value)
    return found


def _unquoted(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))


def _text(value: bytes, what: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise InvalidRequest(f"{what} in the form is not UTF-8 once it is percent-decoded") from None


def _rewrite(environ: WSGIEnvironment, method: str, form: Mapping[str, bytes]) -> None:
    """Make the request what its form says."""
    given = {name: _header(name, value) for name, value in form.items() if name in HEADERS}
    content = form.get(CONTENT, b"")
    query = {name: _text(value, name) for name, value in form.items() if name not in {*HEADERS, CONTENT, LENGTH}}
    _refuse_newer(given.get(headers.VERSION.lower(), ""), method)
    for name in ("HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_ENCODING", "wsgi.input_terminated"):
        environ.pop(name, None)
    environ.update({HEADERS[name]: value for name, value in given.items()})
    environ.update({
        "REQUEST_METHOD": method, "QUERY_STRING": urlencode(query),
        "wsgi.input": io.BytesIO(content), "CONTENT_LENGTH": str(len(content)),
        "CONTENT_TYPE": given.get("content-type") or _kind_of(content),
    })  # fmt: skip


def _header(name: str, value: bytes) -> str:
    """Return a field as WSGI carries a header: Latin-1 text without control characters."""
    if any(byte < ord(" ") for byte in value):
        raise InvalidRequest("a header cannot hold a line break", [Problem(f"form:{name}", "put it on one line")])
    return value.decode("latin-1")


def _kind_of(content: bytes) -> str:
    """Return the content type of a form that names none: what comes this way is JSON in nearly every case."""
    return JSON if content.lstrip()[:1] in (b"{", b"[") else OCTETS


def _without_length(start_response: StartResponse) -> StartResponse:
    """Leave out the length of an answer to HEAD: who sent a POST would wait for that many bytes."""

    def start(status: str, found: list[tuple[str, str]], *more: Any) -> Callable[[bytes], object]:
        return start_response(status, [one for one in found if one[0].lower() != LENGTH], *more)

    return start
