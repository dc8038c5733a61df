"""A receiver on the loopback that can be told to fail, and the commands as a person runs them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import click.testing
import msgspec
from flask import Flask
from werkzeug.serving import make_server

import wsgi
from tests.district import District, statement

CUT = 0
"""In place of a status: the body is read, kept, and the connection is cut without an answer."""


@dataclass(frozen=True)
class Heard:
    """One request: its path, its headers, its body, and the status that it was answered with."""

    path: str
    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def statements(self) -> list[dict[str, Any]]:
        """The statements that it carried."""
        value = msgspec.json.decode(self.body)
        found: list[dict[str, Any]] = value if isinstance(value, list) else value["statements"]
        return found

    @property
    def ids(self) -> list[str]:
        """Their ids."""
        return [one["id"] for one in self.statements]


Judge = Callable[[Sequence[dict[str, Any]]], int]


def takes_all(_statements: Sequence[dict[str, Any]]) -> int:
    """Answer 200 to everything."""
    return 200


@dataclass
class Receiver:
    """What arrived, and what to answer: a status for the statements of a request, by `judge`."""

    url: str = ""
    judge: Judge = takes_all
    heard: list[Heard] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)

    def requests(self, status: int) -> list[Heard]:
        """Return the requests that were answered so."""
        return [one for one in self.heard if one.status == status]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Listen on the loopback; statements answered with 200, or cut off after they were read, count as taken."""
    receiver, lock = Receiver(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                unjudged = Heard(self.path, dict(self.headers), body, 0)
                status = receiver.judge(unjudged.statements)
                receiver.heard.append(Heard(self.path, dict(self.headers), body, status))
                if status in {CUT, 200}:
                    receiver.taken.extend(unjudged.ids)
            if status == CUT:
                self.close_connection = True
                return
            with suppress(OSError):  # whoever has asked may be killed by now
                self._answer(status, unjudged.ids)

        def _answer(self, status: int, found: list[str]) -> None:
            answer = msgspec.json.encode(found) if status == 200 else f"refused with {status}".encode()
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/xapi"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve an application on the loopback; yield its xAPI endpoint."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/xapi"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def run(district: District, *arguments: str, stdin: bytes | None = None) -> click.testing.Result:
    """Run a command of `cairn` over the district's databases."""
    group = wsgi.cairn
    command, *rest = arguments
    return click.testing.CliRunner().invoke(group.commands[command], rest, obj=district.desk, input=stdin)


def ran(district: District, *arguments: str, stdin: bytes | None = None) -> str:
    """Run a command that must succeed; return what it prints."""
    result = run(district, *arguments, stdin=stdin)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def lines(text: str | bytes) -> list[Any]:
    """Return the JSON values of the lines of a text."""
    return [msgspec.json.decode(one) for one in text.splitlines() if one]


def posted(district: District, count: int, **more: Any) -> list[dict[str, Any]]:
    """Post some statements and return them."""
    sent = [statement(about=f"task-{place}", **more) for place in range(count)]
    assert district.someone.post(sent).status_code == 200
    return sent
