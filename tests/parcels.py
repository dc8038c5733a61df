"""Statements with attachments as a tool sends them, and what comes back, read by the standard library."""

from __future__ import annotations

import hashlib
from email.parser import BytesParser
from email.policy import compat32
from typing import Any, NamedTuple

import msgspec
from werkzeug.test import TestResponse

from tests.district import Client

BOUNDARY = "abcABC0123'()+_,-./:=?"
"""That of the specification's example (Communication 1.5.2): every kind of character that a boundary may have."""
KIND = {"Content_Type": f'multipart/mixed; boundary="{BOUNDARY}"'}
USAGE = "http://example.com/attachment-usage/test"


class Piece(NamedTuple):
    """A part of an answer: its headers in their order, and its data."""

    headers: dict[str, str]
    data: bytes


def declared(data: bytes, algorithm: str = "sha256", **more: Any) -> dict[str, Any]:
    """Return what a statement says of an attachment with this data."""
    return {
        "usageType": USAGE,
        "display": {"en-US": "A test attachment"},
        "contentType": "text/plain; charset=ascii",
        "length": len(data),
        "sha2": hashlib.new(algorithm, data).hexdigest(),
        **more,
    }


def part(data: bytes, boundary: str = BOUNDARY, /, **headers: str | None) -> bytes:
    """Return a part with data; a header given as None is left out."""
    sent: dict[str, str | None] = {
        "Content-Type": "text/plain",
        "Content-Transfer-Encoding": "binary",
        "X-Experience-API-Hash": hashlib.sha256(data).hexdigest(),
    }
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}:{value}\r\n" for name, value in sent.items() if value is not None)
    return f"--{boundary}\r\n{lines}\r\n".encode() + data + b"\r\n"


def mixed(statements: Any, *parts: bytes, boundary: str = BOUNDARY) -> bytes:
    """Return a whole body: statements as JSON values or text, then parts."""
    text = statements if isinstance(statements, bytes) else msgspec.json.encode(statements)
    first = f"--{boundary}\r\nContent-Type: application/json\r\n\r\n".encode() + text + b"\r\n"
    return b"".join([first, *parts, f"--{boundary}--\r\n".encode()])


def send(client: Client, statements: Any, *data: bytes) -> TestResponse:
    """POST statements with the data of their attachments."""
    return client.post(mixed(statements, *map(part, data)), **KIND)


def pieces(answer: TestResponse) -> list[Piece]:
    """Return the parts of an answer."""
    return parts_of(answer.content_type, answer.data)


def parts_of(content_type: str, data: bytes) -> list[Piece]:
    """Return the parts of a body."""
    assert content_type.startswith("multipart/mixed; boundary="), content_type
    whole = b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + data
    message = BytesParser(policy=compat32).parsebytes(whole)
    assert not message.defects
    found = []
    for one in message.walk():
        if not one.is_multipart():
            payload = one.get_payload(decode=True)
            assert isinstance(payload, bytes)
            found.append(Piece({name: str(value) for name, value in one.items()}, payload))
    return found


def attached(answer: TestResponse) -> dict[str, bytes]:
    """Return the data of every attachment of an answer by its hash."""
    first, *others = pieces(answer)
    assert first.headers["Content-Type"] == "application/json"
    assert len({one.headers["X-Experience-API-Hash"] for one in others}) == len(others)
    return {one.headers["X-Experience-API-Hash"]: one.data for one in others}
