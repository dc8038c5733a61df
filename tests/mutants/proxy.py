"""A proxy on the loopback that hands every request to a mutation, which may change it, or what is answered."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit

Headers: TypeAlias = tuple[tuple[str, str], ...]
OF_THE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


def with_header(headers: Headers, name: str, value: str | None) -> Headers:
    """Return headers with one of them set, or left out."""
    kept = tuple(one for one in headers if one[0].lower() != name.lower())
    return kept if value is None else (*kept, (name, value))


def header(headers: Headers, name: str) -> str | None:
    """Return the value of a header, None where there is none."""
    return next((value for one, value in headers if one.lower() == name.lower()), None)


@dataclass(frozen=True)
class Request:
    """A request as it came; `missing` bytes of its body were promised and never came."""

    method: str
    target: str
    headers: Headers
    body: bytes
    missing: int = 0

    @property
    def path(self) -> str:
        """The path behind the endpoint."""
        return urlsplit(self.target).path.partition("/xapi/")[2]

    @property
    def is_read(self) -> bool:
        """Whether it asks for something."""
        return self.method in {"GET", "HEAD"}

    @property
    def query(self) -> dict[str, str]:
        """Its parameters."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    def asking(self, query: dict[str, str]) -> Request:
        """Return the request with other parameters."""
        path = self.target.partition("?")[0]
        return replace(self, target=f"{path}?{urlencode(query)}" if query else path)

    def header(self, name: str) -> str | None:
        """Return the value of a header, None where there is none."""
        return header(self.headers, name)

    def with_header(self, name: str, value: str | None) -> Request:
        """Return the request with a header set, or left out."""
        return replace(self, headers=with_header(self.headers, name, value))

    def value(self) -> Any:
        """Return the JSON value of the body; None where it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True)
class Answer:
    """An answer; that to HEAD has its body until it is sent."""

    status: int
    headers: Headers
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the value of a header, None where there is none."""
        return header(self.headers, name)

    def with_header(self, name: str, value: str | None) -> Answer:
        """Return the answer with a header set, or left out."""
        return replace(self, headers=with_header(self.headers, name, value))

    @property
    def is_json(self) -> bool:
        """Whether the body is JSON."""
        return (self.header("Content-Type") or "").startswith("application/json")

    def value(self) -> Any:
        """Return the JSON value of the body."""
        packed = self.header("Content-Encoding") == "gzip"
        return json.loads(zlib.decompress(self.body, 16 + zlib.MAX_WBITS) if packed else self.body)

    def saying(self, value: Any) -> Answer:
        """Return the answer with another JSON value."""
        return replace(self.with_header("Content-Encoding", None), body=json.dumps(value, ensure_ascii=False).encode())


Forward: TypeAlias = Callable[[Request], Answer]
Mutation: TypeAlias = Callable[[Request, Forward], Answer]


def sound(request: Request, forward: Forward) -> Answer:
    """Break nothing."""
    return forward(request)


class Proxy(ThreadingHTTPServer):
    """Listens for clients and speaks to a server; `mutation` may be exchanged at any time."""

    daemon_threads = True
    request_queue_size = 50

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = behind
        self.mutation: Mutation = sound


class _Handler(BaseHTTPRequestHandler):
    """The requests of one connection, which has a connection of its own to the server."""

    server: Proxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self._line = http.client.HTTPConnection(self.server.behind, timeout=60)

    def finish(self) -> None:
        self._line.close()
        with suppress(OSError):
            super().finish()

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        request = Request(self.command, self.path, tuple(self.headers.items()), body, length - len(body))
        self._send(self.server.mutation(request, self._forwarded))

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _forwarded(self, request: Request) -> Answer:
        """Ask the server; for HEAD it is asked for the body too, so that a broken one has its length."""
        line, method = self._line, "GET" if request.method == "HEAD" else request.method
        line.putrequest(method, request.target, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers:
            if name.lower() not in OF_THE_CONNECTION:
                line.putheader(name, value)
        line.putheader("Host", self.server.behind)
        line.putheader("Content-Length", str(len(request.body) + request.missing))
        line.endheaders(request.body)
        if request.missing:
            line.sock.shutdown(socket.SHUT_WR)
        response = line.getresponse()
        headers = tuple(one for one in response.getheaders() if one[0].lower() not in OF_THE_CONNECTION)
        return Answer(response.status, headers, response.read())

    def _send(self, answer: Answer) -> None:
        lines = [f"HTTP/1.1 {answer.status} {http.client.responses.get(answer.status, '')}"]
        lines += [f"{name}: {value}" for name, value in answer.headers]
        if answer.status not in {204, 304}:
            lines.append(f"Content-Length: {len(answer.body)}")
        text = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self.wfile.write(text if self.command == "HEAD" or answer.status in {204, 304} else text + answer.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def proxied(endpoint: str) -> Iterator[tuple[Proxy, str]]:
    """Run a proxy in front of an endpoint; yield it and the endpoint that it makes."""
    where = urlsplit(endpoint)
    proxy = Proxy(where.netloc)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy, f"http://127.0.0.1:{proxy.server_port}{where.path}"
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
