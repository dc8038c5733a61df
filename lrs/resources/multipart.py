"""multipart/mixed over HTTP (xAPI 1.0.3 Communication 1.5.2): the JSON first, then each attachment's data.

In either direction no more of the data is held than a piece of it: what comes is hashed on its way into a file that
goes with the request, what is sent is read from the database as the client takes it.
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple, cast

from flask import Response, g, request

from lrs.errors import BodyTooLarge, InvalidRequest, Problem
from lrs.resources import headers
from lrs.resources.lrs import this_lrs
from lrs.store.attachments import Data
from lrs.xapi.attachments import hasher
from lrs.xapi.mixed import HEADER_LIMIT_BYTES, OUTSIDE_LIMIT_BYTES, Part, boundary_of, part_head, parts, tail
from lrs.xapi.values import is_sha2_hex

MIXED = "multipart/mixed"
HASH = "X-Experience-API-Hash"
ENCODING = "Content-Transfer-Encoding"
MOST_PARTS = 5_000
HELD_BYTES = 256 * 1024
"""Up to so many bytes of data wait in memory, more in a file without a name."""
PIECE_BYTES = 128 * 1024


@dataclass(slots=True)
class Sent:
    """The body of a request: the text of its statements, and the data that came beside them, by hash."""

    text: bytes
    parts: dict[str, Data] = field(default_factory=dict)


@contextmanager
def received() -> Iterator[Sent]:
    """Yield the parts of the request's body; their data is gone afterwards.

    Raises InvalidRequest for what XAPI-00127 to 00135 refuse, BodyTooLarge, UnsupportedMediaType.
    """
    boundary = boundary_of(request.headers.get("Content-Type", ""))
    with tempfile.SpooledTemporaryFile(HELD_BYTES) as file:
        found = parts(_body(), boundary)
        sent = Sent(_statements(found))
        g.body = sent.text
        _take_data(found, cast(BinaryIO, file), sent.parts)
        yield sent


def _statements(found: Iterator[Part]) -> bytes:
    """Return the text of the first part."""
    first, limit = next(found), this_lrs().settings.body_limit_bytes
    kind = first.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise InvalidRequest(
            f"the first part must have Content-Type: application/json and hold the statements, not {kind or 'no type'}"
        )
    text, length = [], 0
    for piece in first.data:
        text.append(piece)
        length += len(piece)
        if length > limit:
            raise BodyTooLarge(f"the part with the statements is longer than {limit} bytes")
    return b"".join(text)


def _take_data(found: Iterator[Part], file: BinaryIO, into: dict[str, Data]) -> None:
    """Read every further part into the file; the same data twice is kept once."""
    limit, end = this_lrs().settings.attachment_limit_bytes, 0
    for number, part in enumerate(found, 2):
        if number > MOST_PARTS:
            raise BodyTooLarge(f"the body has more than {MOST_PARTS} parts; send the statements in several requests")
        data = _data(part, number, file, end, limit)
        if data.sha2 not in into:
            into[data.sha2] = data
            end += data.length


def _data(part: Part, number: int, file: BinaryIO, start: int, limit: int) -> Data:
    """Read one part into the file from a place on; its data must have the hash that its header says."""
    sha2 = _hash_of(part, number)
    digest, end = hasher(sha2), start
    file.seek(start)
    for piece in part.data:
        end += len(piece)
        if end > limit:
            raise BodyTooLarge(f"the attachments' data has more than {limit} bytes; send it in several requests")
        digest.update(piece)
        file.write(piece)
    if digest.hexdigest() != sha2:
        message = f"part {number} has other data than its header {HASH} says: its hash is {digest.hexdigest()}"
        raise InvalidRequest("the data of an attachment did not come as it was sent", [Problem("", message)])
    return Data(sha2, file, start, end - start)


def _hash_of(part: Part, number: int) -> str:
    encoding = part.headers.get(ENCODING.lower(), "")
    if encoding.lower() != "binary":
        came = f"not {encoding}" if encoding else "which is missing"
        raise InvalidRequest(f"part {number} needs the header {ENCODING}: binary, {came}")
    sha2 = part.headers.get(HASH.lower(), "").lower()
    if not is_sha2_hex(sha2):
        raise InvalidRequest(f"part {number} needs the header {HASH} with the sha2 of an attachment, in hex digits")
    return sha2


def _body() -> Iterator[bytes]:
    """Yield the request's body, decompressed, as it comes; whoever reads it sets the limits of what it holds."""
    is_zipped, pieces = headers.is_zipped(request), _whole(_limit())
    return _unzipped(pieces) if is_zipped else pieces


def _limit() -> int:
    """Return the most bytes that any body within the limits has."""
    settings = this_lrs().settings
    around = 2 * OUTSIDE_LIMIT_BYTES + MOST_PARTS * HEADER_LIMIT_BYTES
    return settings.body_limit_bytes + settings.attachment_limit_bytes + around


def _whole(limit: int) -> Iterator[bytes]:
    """Yield the body as it is sent; raises InvalidRequest at its end when that is not where Content-Length says."""
    declared, came = request.content_length, 0
    if declared is not None and declared > limit:
        raise BodyTooLarge(f"the body has {declared} bytes; send the statements in several requests")
    for piece in headers.pieces(request, limit + 1, PIECE_BYTES):
        came += len(piece)
        yield piece
    if came > limit:
        raise BodyTooLarge(f"the body is longer than {limit} bytes; send the statements in several requests")
    if declared is not None and came != declared:
        raise InvalidRequest(f"Content-Length says {declared} bytes, but {came} came; nothing was stored")


def _unzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    unzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
    for piece in pieces:
        while piece:
            try:
                found = unzip.decompress(piece, PIECE_BYTES)
            except zlib.error as error:
                raise InvalidRequest("the body is not the gzip that its Content-Encoding says") from error
            if found:
                yield found
            piece = unzip.unconsumed_tail
            if unzip.unused_data:
                raise InvalidRequest("the gzip body goes on behind its end")
    if not unzip.eof:
        raise InvalidRequest("the gzip body is cut short")


class Outgoing(NamedTuple):
    """An attachment on its way out: its hash and content type as its statement has them, and its data."""

    sha2: str
    content_type: str
    length: int
    data: Iterable[bytes]


def mixed(text: bytes, boundary: str, attachments: Sequence[Outgoing]) -> Response:
    """Return JSON text and attachments as a multipart/mixed response; `boundary` must not occur in any of them."""
    first = part_head(boundary, {"Content-Type": "application/json"})[2:]
    heads = [part_head(boundary, _headers_of(one)) for one in attachments]
    last = tail(boundary)

    def stream() -> Iterator[bytes]:
        yield first + text
        for head, one in zip(heads, attachments, strict=True):
            yield head
            yield from one.data
        yield last

    response = Response(stream(), content_type=f"{MIXED}; boundary={boundary}")
    lengths = [len(first), len(text), *map(len, heads), *(one.length for one in attachments), len(last)]
    response.content_length = sum(lengths)
    return response


def _headers_of(one: Outgoing) -> Mapping[str, str]:
    return {"Content-Type": one.content_type, ENCODING: "binary", HASH: one.sha2}
