"""Clients that cost little: requests made before the clock runs, one kept-alive socket each, the answer read whole."""

from __future__ import annotations

import base64
import re
import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Final, NamedTuple

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_PATIENCE_SECONDS: Final = 120


class Answer(NamedTuple):
    """An HTTP status and its body."""

    status: int
    body: bytes


class Refused(Exception):
    """The server did not answer 2xx to something the bench sent."""


class Client:
    """One kept-alive connection to a server on this machine."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, request: bytes) -> Answer:
        """Send a request and return its answer, whatever its status."""
        self._socket.sendall(request)
        received = bytearray()
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._more()
        declared = _LENGTH.search(received, 0, end)
        length = int(declared[1]) if declared else 0
        while len(received) < end + 4 + length:
            received += self._more()
        return Answer(int(received[9:12]), bytes(received[end + 4 :]))

    def take(self, request: bytes) -> bytes:
        """Send a request and return the body of its 2xx answer; raises Refused."""
        status, body = self.send(request)
        if not 200 <= status < 300:
            raise Refused(f"{status}: {body[:500].decode(errors='replace')}")
        return body

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _more(self) -> bytes:
        read = self._socket.recv(1 << 18)
        if not read:
            raise Refused("the server closed the connection")
        return read


def authorization(key: str, secret: str) -> bytes:
    """Return the header lines of an ordinary xAPI request with HTTP Basic credentials."""
    token = base64.b64encode(f"{key}:{secret}".encode())
    return b"Authorization: Basic " + token + b"\r\nX-Experience-API-Version: 1.0.3\r\n"


def post_request(lines: bytes, body: bytes) -> bytes:
    """Return a POST of JSON to the statements resource."""
    return _sending("POST", lines, "/xapi/statements", body)


def put_request(lines: bytes, path: str, body: bytes) -> bytes:
    """Return a PUT of JSON to a path."""
    return _sending("PUT", lines, path, body)


def _sending(method: str, lines: bytes, path: str, body: bytes) -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n".encode() + lines
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def get_request(lines: bytes, path: str) -> bytes:
    """Return a GET of a path."""
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n".encode() + lines + b"\r\n"


class Load(NamedTuple):
    """What several clients measured together: seconds from the common start to the last answer, and of each request."""

    wall: float
    seconds: list[float]

    def percentile(self, share: float) -> float:
        """Return the seconds within which this share of the requests was answered."""
        return sorted(self.seconds)[int(share * (len(self.seconds) - 1))]


def sent(port: int, requests: Sequence[bytes], clients: int) -> Load:
    """Send requests through so many clients at once, shared evenly; raises Refused unless each is answered 2xx."""
    begin = Barrier(clients + 1)
    with ThreadPoolExecutor(clients) as pool:
        runs = [pool.submit(_send_own, port, requests[place::clients], begin) for place in range(clients)]
        begin.wait(_PATIENCE_SECONDS)
        begun = time.perf_counter()
        seconds = [one for run in runs for one in run.result()]
        return Load(time.perf_counter() - begun, seconds)


def _send_own(port: int, requests: Sequence[bytes], begin: Barrier) -> list[float]:
    client = Client(port)
    seconds = []
    begin.wait(_PATIENCE_SECONDS)
    for request in requests:
        begun = time.perf_counter()
        client.take(request)
        seconds.append(time.perf_counter() - begun)
    client.close()
    return seconds
