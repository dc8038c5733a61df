"""The data of attachments on the way in: fetched beside one statement of another record store, hashed as it comes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO, Final, cast

import requests

from lrs.errors import InvalidRequest
from lrs.store.attachments import Data
from lrs.xapi.attachments import declared, hasher
from lrs.xapi.decode import stored_statement
from lrs.xapi.mixed import Part, boundary_of, parts
from lrs.xapi.values import is_sha2_hex

HELD_BYTES: Final = 256 * 1024
CHUNK_BYTES: Final = 64 * 1024


def needs_data(text: bytes) -> bool:
    """Whether a statement, valid or not, has an attachment whose data is to be had from its record store alone."""
    if b"attachments" not in text and b"\\u" not in text:
        return False
    try:
        return any("fileUrl" not in one for _, one in declared(stored_statement(text)))
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


@contextmanager
def data_beside(response: requests.Response, limit_bytes: int) -> Iterator[Mapping[str, Data]]:
    """Yield the data that an answer carries beside its statement, by hash; it is gone afterwards.

    A part whose data has not the hash that it says is left out: the statement then lacks it, and is refused for that.
    Raises InvalidRequest where the answer is not multipart/mixed, or has more data than this server takes.
    """
    boundary = boundary_of(response.headers.get("Content-Type", ""))
    with tempfile.SpooledTemporaryFile(HELD_BYTES) as file:
        found = parts(response.iter_content(CHUNK_BYTES), boundary)
        next(found)
        kept: dict[str, Data] = {}
        end = 0
        for one in found:
            data, end = _written(one, cast("BinaryIO", file), end, limit_bytes)
            if data:
                kept[data.sha2] = data
        yield kept


def _written(part: Part, file: BinaryIO, start: int, limit_bytes: int) -> tuple[Data | None, int]:
    sha2, end = part.headers.get("x-experience-api-hash", "").lower(), start
    if not is_sha2_hex(sha2):
        return None, start
    digest = hasher(sha2)
    file.seek(start)
    for piece in part.data:
        end += len(piece)
        if end > limit_bytes:
            raise InvalidRequest(
                f"has more than {limit_bytes} bytes of attachments; CAIRN_ATTACHMENT_LIMIT_BYTES says how many"
            )
        digest.update(piece)
        file.write(piece)
    return (Data(sha2, file, start, end - start) if digest.hexdigest() == sha2 else None), end
