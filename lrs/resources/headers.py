"""The headers of xAPI: version in and out, body and its encoding, Accept-Language."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from typing import Final
from urllib.parse import unquote_to_bytes

from flask import Request, Response, g, has_app_context, request
from werkzeug.datastructures import Authorization
from werkzeug.exceptions import ClientDisconnected

from lrs.errors import BodyTooLarge, InvalidRequest, Problem, UnsupportedMediaType
from lrs.resources.lrs import this_lrs
from lrs.xapi.statement import Version

VERSION = "X-Experience-API-Version"
CONSISTENT_THROUGH = "X-Experience-API-Consistent-Through"
OLDER: Final = "1.0.3"
NEWER: Final = "2.0.0"
PIECE_BYTES = 1_000_000
KEPT_BYTES = 10_000
MOST_DRAINED_BYTES = 100_000_000
_ONE, _TWO = re.compile(r"1\.0(\.[0-9]+)?\Z"), re.compile(r"2\.0(\.[0-9]+)?\Z")


def version() -> Version:
    """Return whose rules the request asks for; raises InvalidRequest when the header is missing or unknown.

    IEEE 9274.1.1 and xAPI 1.0.3 Communication 3.3: a patch number makes no difference, and the answer names the rules.
    """
    given = request.headers.get(VERSION)
    if given is None:
        g.reply_version = this_lrs().settings.versionless_reply
        raise InvalidRequest(f"the header {VERSION} is missing; send {VERSION}: {NEWER} or {OLDER}")
    found = rules_of(given)
    if found is None:
        raise InvalidRequest(
            f"{VERSION}: {given} is not spoken here; send {NEWER} or {OLDER} (any 2.0.x or 1.0.x is taken)"
        )
    return found


def rules_of(given: str) -> Version | None:
    """Return whose rules a value of the version header asks for; None for a version that is not spoken here."""
    if _TWO.match(given):
        return NEWER
    return OLDER if _ONE.match(given) else None


def authorization() -> Authorization | None:
    """Return what the request shows to be let in; None for nothing, and for what is not ASCII and so unreadable."""
    try:
        return request.authorization
    except ValueError:
        return None


def add_version(response: Response) -> Response:
    """Put a version on every response of the xAPI resources: the request's own where it is one that is spoken."""
    asked = rules_of(request.headers.get(VERSION, ""))
    response.headers[VERSION] = asked or g.get("reply_version", OLDER)
    return response


def arguments() -> dict[str, list[str]]:
    """Return the parameters of the request's address, each with every value that it was given."""
    return {name: request.args.getlist(name) for name in request.args}


def refuse_unreadable_query() -> None:
    """Refuse an address whose parameters are not UTF-8, or hold a NUL, before any of them is looked at.

    What decodes them for us would put U+FFFD where it fails, and look for that.
    """
    problems = [found for pair in request.query_string.split(b"&") if (found := _unreadable(pair))]
    if problems:
        raise InvalidRequest("the query has parameters that cannot be read", problems)


def _unreadable(pair: bytes) -> Problem | None:
    asked = unquote_to_bytes(pair)
    if asked.isascii() and b"\0" not in asked:
        return None
    name = asked.partition(b"=")[0].decode(errors="replace")
    try:
        pair.decode()  # a character can be half raw and half escaped: its raw bytes are decoded first
        if "\0" not in asked.decode():
            return None
    except UnicodeDecodeError:
        return Problem(f"?{name}", "is not UTF-8 once it is percent-decoded")
    return Problem(f"?{name}", "must not hold the character U+0000")


def body() -> bytes:
    """Return the request's body, decompressed and whole; raises InvalidRequest, BodyTooLarge, UnsupportedMediaType."""
    g.body = whole_body(request, this_lrs().settings.body_limit_bytes)
    found: bytes = g.body
    return found


def whole_body(asked: Request, limit: int) -> bytes:
    """Return any request's body as `body` does, held to a limit that counts before and after decompression."""
    declared = asked.content_length
    if declared is not None and declared > limit:
        raise BodyTooLarge(f"the body has {declared} bytes; send at most {limit}")
    buffer = BytesIO()  # grows in place: joined, the pieces would stand in memory twice
    for piece in pieces(asked, limit + 1):
        buffer.write(piece)
    data = buffer.getvalue()
    if len(data) > limit:
        raise BodyTooLarge(f"the body is longer than {limit} bytes")
    if declared is not None and len(data) != declared:
        raise InvalidRequest(f"Content-Length says {declared} bytes, but {len(data)} came; nothing was stored")
    return _unzipped(data, limit) if is_zipped(asked) else data


def is_zipped(asked: Request) -> bool:
    """Tell whether a request's body is gzip; raises UnsupportedMediaType for any other encoding."""
    encoding = asked.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"", "identity", "gzip", "x-gzip"}:
        raise UnsupportedMediaType(f"Content-Encoding {encoding} is not taken; send gzip or none")
    return encoding in {"gzip", "x-gzip"}


def drain() -> None:
    """Read away what is left of a refused request's body, up to a bound, so that its sender can read the answer.

    A server cuts the connection behind a body that nobody reads; who is still sending then sees a broken pipe, no 413.
    """
    for _ in pieces(request, MOST_DRAINED_BYTES):
        pass


def beginning() -> bytes:
    """Return how the body of the current request begins, as far as it was read; decompressed if it was read whole."""
    found: bytes = g.get("body") or g.get("beginning", b"")
    return found[:KEPT_BYTES]


def pieces(asked: Request, most_bytes: int, piece_bytes: int = PIECE_BYTES) -> Iterator[bytes]:
    """Yield the rest of a request's body, up to a bound; it ends where the client stops sending."""
    with suppress(ClientDisconnected):
        while most_bytes > 0 and (piece := asked.stream.read(min(most_bytes, piece_bytes))):
            most_bytes -= len(piece)
            _keep_beginning(piece)
            yield piece


def _keep_beginning(piece: bytes) -> None:
    """Remember how the body begins; a form of the alternate syntax, which may hold a secret, is read before that."""
    kept: bytes = g.get("beginning", b"") if has_app_context() else b" " * KEPT_BYTES
    if len(kept) < KEPT_BYTES:
        g.beginning = kept + piece[: KEPT_BYTES - len(kept)]


def _unzipped(data: bytes, limit: int) -> bytes:
    unzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        whole = unzip.decompress(data, limit + 1)
    except zlib.error as error:
        raise InvalidRequest("the body is not the gzip that its Content-Encoding says") from error
    if len(whole) > limit:
        raise BodyTooLarge(f"the body is longer than {limit} bytes once decompressed")
    if not unzip.eof or unzip.unused_data:
        raise InvalidRequest("the gzip body is cut short, or goes on behind its end")
    return whole


def require_json() -> None:
    """Refuse a body that does not say it is JSON; XAPI-00127 wants 400 for every other multipart than mixed."""
    kind = request.mimetype
    if kind.startswith("multipart/"):
        raise InvalidRequest(f"{kind} is not taken here: send application/json, or multipart/mixed with attachments")
    if kind != "application/json":
        hint = "; a form goes with ?method= alone (xAPI 1.0.x)" if kind == "application/x-www-form-urlencoded" else ""
        raise UnsupportedMediaType(f"Content-Type {kind or '(missing)'} is not taken; send application/json{hint}")
