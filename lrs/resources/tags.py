"""Entity tags (RFC 9110 section 8.8): whoever has an answer already is told so in one line, and not sent it again.

Every good answer to a GET under /api and /ims bears a strong one. A view that knows what its answer is made of may set
it, and need not make what the asker has; all others get the hash of their bytes. Documents of xAPI have their own.
"""

from __future__ import annotations

from hashlib import sha256

from flask import Flask, Response, request

ROOMS = ("/api/", "/ims/")
ZIPPED = "-gzip"
"""What compression adds to a tag: the same answer in other bytes has another strong tag."""


def register(app: Flask) -> None:
    """Tag what an application answers; to be registered behind the compression, which then comes after it."""
    app.after_request(_tagged)


def tag_of(*parts: object) -> str:
    """Return the tag that stands for these values: equal for equal ones, in every process."""
    return sha256(repr(parts).encode()).hexdigest()[:32]


def is_known(tag: str) -> bool:
    """Tell whether the asker has the answer with this tag, by If-None-Match; `*` names no tag in particular."""
    known = request.if_none_match.as_set(include_weak=True)
    return bool({tag, tag + ZIPPED} & known)


def unchanged(tag: str) -> Response:
    """Return the answer to somebody who has it: 304, with the tag that he named."""
    response = Response(status=304)
    zipped = tag + ZIPPED
    response.set_etag(zipped if zipped in request.if_none_match.as_set(include_weak=True) else tag)
    return _private(response)


def _tagged(response: Response) -> Response:
    if request.method not in {"GET", "HEAD"} or not request.path.startswith(ROOMS):
        return response
    if response.status_code != 200 or response.is_streamed or response.direct_passthrough:
        return response
    tag = response.get_etag()[0] or tag_of(response.content_type, response.get_data())
    if is_known(tag) or request.if_none_match.star_tag:
        return unchanged(tag)
    response.set_etag(tag)
    return _private(response)


def _private(response: Response) -> Response:
    """Say that only the asker may keep the answer, and has to ask before he shows it again."""
    response.vary.add("Authorization")
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response
