"""Packages from files, and from a server on this machine that fails in the ways of real ones."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from adapters.case import client
from adapters.case.client import read_package
from lrs.errors import InvalidRequest

PACKAGE = {"CFDocument": {"title": "Schlüssel"}, "CFItems": []}
BODY = json.dumps(PACKAGE, ensure_ascii=False).encode()


class Server(ThreadingHTTPServer):
    """Answers each request with the next status of its list, the last one for ever; 0 stands for silence."""

    statuses: list[int]
    body = BODY
    requests = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/ims/case/v1p0/CFPackages/1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        statuses = self.server.statuses
        status = statuses[min(self.server.requests, len(statuses) - 1)]
        self.server.requests += 1
        if not status:
            time.sleep(0.3)
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(client, "BACKOFF_SECONDS", 0.01)
    with Server(("127.0.0.1", 0), Handler) as running:
        running.statuses = [200]
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_a_package_is_read_from_a_server(server: Server) -> None:
    assert read_package(server.address, 5) == PACKAGE
    assert server.requests == 1


@pytest.mark.parametrize("statuses", [[500, 200], [503, 502, 504, 200], [0, 200]])
def test_a_server_that_fails_for_a_while_is_asked_again(server: Server, statuses: list[int]) -> None:
    server.statuses = statuses
    assert read_package(server.address, 0.2) == PACKAGE
    assert server.requests == len(statuses)


def test_a_server_that_fails_for_good_is_given_up_after_four_attempts(server: Server) -> None:
    server.statuses = [503]
    with pytest.raises(InvalidRequest, match=r"answered 503; the server failed 4 times: try later or give a file"):
        read_package(server.address, 5)
    assert server.requests == 4


def test_a_server_that_stays_silent_is_given_up(server: Server) -> None:
    server.statuses = [0]
    with pytest.raises(InvalidRequest, match=r"cannot be reached .* check the address or give a file"):
        read_package(server.address, 0.05)


@pytest.mark.parametrize(
    ("status", "fix"), [(401, "is not public"), (403, "is not public"), (404, "the address of a CFPackage")]
)
def test_an_answer_that_will_not_change_is_not_asked_for_again(server: Server, status: int, fix: str) -> None:
    server.statuses = [status]
    with pytest.raises(InvalidRequest, match=f"answered {status}; .*{fix}"):
        read_package(server.address, 5)
    assert server.requests == 1


def test_a_refused_connection_is_named_with_the_fix(server: Server) -> None:
    server.server_close()
    with pytest.raises(InvalidRequest, match="check the address or give a file"):
        read_package(server.address, 1)


def test_a_package_over_the_limit_is_not_read_to_its_end(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LIMIT_BYTES", len(BODY) - 1)
    with pytest.raises(InvalidRequest, match="more than 0 MB; give one CFPackage"):
        read_package(server.address, 5)


def test_a_page_instead_of_json_is_refused(server: Server) -> None:
    server.body = b"<html></html>"
    with pytest.raises(InvalidRequest, match=r"not JSON .* a CFPackage in JSON is needed"):
        read_package(server.address, 5)


def test_a_package_is_read_from_a_file_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    plain, marked = tmp_path / "plain.json", tmp_path / "marked.json"
    plain.write_bytes(BODY)
    marked.write_bytes(b"\xef\xbb\xbf" + BODY)
    assert read_package(str(plain), 5) == read_package(str(marked), 5) == PACKAGE


def test_a_file_over_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "package.json"
    file.write_bytes(BODY)
    monkeypatch.setattr(client, "LIMIT_BYTES", len(BODY) - 1)
    with pytest.raises(InvalidRequest, match="give one CFPackage"):
        read_package(str(file), 5)


@pytest.mark.parametrize("content", [b"[]", b"3", b'"CFPackage"'])
def test_json_that_is_no_object_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "package.json"
    file.write_bytes(content)
    with pytest.raises(InvalidRequest, match="not a JSON object; give a whole CFPackage"):
        read_package(str(file), 5)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\xff", b"[" * 100_000])
def test_a_file_that_is_no_json_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "package.json"
    file.write_bytes(content)
    with pytest.raises(InvalidRequest, match="not JSON"):
        read_package(str(file), 5)


@pytest.mark.parametrize("source", ["", "nowhere.json", "ftp://case.example/1", "a\0b"])
def test_a_source_that_cannot_be_read_is_named_with_the_fix(source: str) -> None:
    with pytest.raises(InvalidRequest, match="give a file path or an http"):
        read_package(source, 5)
