"""gzip on the way out, for whoever asks for it: text that is long enough to be worth it, and no xAPI document.

A document's ETag is the SHA-1 of its bytes, which a compressed answer would no longer be; attachments are left alone.
Elsewhere an ETag says of which encoding it is.
"""

from __future__ import annotations

import zlib

from flask import Flask, Response, request

from lrs.resources.tags import ZIPPED

LEAST_BYTES = 1_000
LEVEL = 1
"""The fastest: pages of statements shrink to a tenth even so, and the next levels cost twice the time for little."""
GZIP = 16 + zlib.MAX_WBITS
TEXTS = ("application/json", "application/problem+json", "text/")
ROOMS = ("/xapi", "/api/")


def register(app: Flask) -> None:
    """Let an application compress what it answers."""
    app.after_request(_compressed)


def _compressed(response: Response) -> Response:
    if not request.path.startswith(ROOMS) or not (response.mimetype or "").startswith(TEXTS):
        return response
    response.vary.add("Accept-Encoding")
    if response.is_streamed or response.direct_passthrough or not _is_worth_it(response):
        return response
    if not request.accept_encodings["gzip"]:
        return response
    squeeze = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
    response.set_data(squeeze.compress(response.get_data()) + squeeze.flush())
    response.headers["Content-Encoding"] = "gzip"
    if tag := response.get_etag()[0]:
        response.set_etag(tag + ZIPPED)
    return response


def _is_worth_it(response: Response) -> bool:
    is_document = "ETag" in response.headers and request.path.startswith("/xapi")
    marked = is_document or "Content-Encoding" in response.headers
    return not marked and (response.content_length or 0) >= LEAST_BYTES
