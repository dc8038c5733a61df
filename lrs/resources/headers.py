"""The headers of xAPI: version in and out, body and its encoding, Accept-Language."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from flask import Response, g, request
from werkzeug.exceptions import ClientDisconnected

from lrs.errors import BodyTooLarge, InvalidRequest, UnsupportedMediaType
from lrs.resources.lrs import this_lrs
from lrs.xapi.statement import Version

VERSION = "X-Experience-API-Version"
CONSISTENT_THROUGH = "X-Experience-API-Consistent-Through"
OLDER: Final = "1.0.3"
NEWER: Final = "2.0.0"
PIECE_BYTES = 1_000_000
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
    if _TWO.match(given):
        g.reply_version = NEWER
        return NEWER
    if _ONE.match(given):
        return OLDER
    raise InvalidRequest(
        f"{VERSION}: {given} is not spoken here; send {NEWER} or {OLDER} (any 2.0.x or 1.0.x is taken)"
    )


def add_version(response: Response) -> Response:
    """Put the version of the answer on every response of the xAPI resources."""
    response.headers[VERSION] = g.get("reply_version", OLDER)
    return response


def body() -> bytes:
    """Return the request's body, decompressed and whole; raises InvalidRequest, BodyTooLarge, UnsupportedMediaType."""
    limit = this_lrs().settings.body_limit_bytes
    declared = request.content_length
    if declared is not None and declared > limit:
        raise BodyTooLarge(f"the body has {declared} bytes; send at most {limit}")
    data = b"".join(_pieces(limit + 1))
    if len(data) > limit:
        raise BodyTooLarge(f"the body is longer than {limit} bytes")
    if declared is not None and len(data) != declared:
        raise InvalidRequest(f"Content-Length says {declared} bytes, but {len(data)} came; nothing was stored")
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in {"", "identity"}:
        return data
    if encoding not in {"gzip", "x-gzip"}:
        raise UnsupportedMediaType(f"Content-Encoding {encoding} is not taken; send gzip or none")
    return _unzipped(data, limit)


def drain() -> None:
    """Read away what is left of a refused request's body, up to a bound, so that its sender can read the answer.

    A server cuts the connection behind a body that nobody reads; who is still sending then sees a broken pipe, no 413.
    """
    for _ in _pieces(MOST_DRAINED_BYTES):
        pass


def _pieces(most_bytes: int) -> Iterator[bytes]:
    """Yield the rest of the request's body, up to a bound; it ends where the client stops sending."""
    with suppress(ClientDisconnected):
        while most_bytes > 0 and (piece := request.stream.read(min(most_bytes, PIECE_BYTES))):
            most_bytes -= len(piece)
            yield piece


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
    """Refuse a body that does not say it is JSON; multipart/mixed is not taken yet."""
    kind = request.mimetype
    if kind.startswith("multipart/"):
        raise InvalidRequest("only application/json is taken: send statements without attachments as application/json")
    if kind != "application/json":
        raise UnsupportedMediaType(f"Content-Type {kind or '(missing)'} is not taken; send application/json")
