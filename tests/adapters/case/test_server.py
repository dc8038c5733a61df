"""A whole CASE server on this machine: its documents page by page, and the package of the one that is wanted."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.case import client
from adapters.case.client import read_package
from lrs.errors import InvalidRequest


class Server(ThreadingHTTPServer):
    """Serves `count` documents below `base`; one that `ignores_paging` gives the same page again and again."""

    count = 1
    base = "/ims/case/v1p1"
    ignores_paging = False
    asked: list[str]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


def document(number: int) -> dict[str, str]:
    return {"identifier": f"00000000-0000-4000-8000-{number:012d}", "title": f"Framework {number}"}


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        found = self.found()
        body = json.dumps(found).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def found(self) -> dict[str, Any]:
        parts, server = urlsplit(self.path), self.server
        known = [document(number) for number in range(server.count)]
        if parts.path == f"{server.base}/CFDocuments":
            query = parse_qs(parts.query)
            offset = 0 if server.ignores_paging else int(query["offset"][0])
            return {"CFDocuments": known[offset : offset + int(query["limit"][0])]}
        packages = {f"{server.base}/CFPackages/{one['identifier']}": one for one in known}
        return {"CFDocument": packages[parts.path], "CFItems": []} if parts.path in packages else {}

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(client, "PAGE", 3)
    with Server(("127.0.0.1", 0), Handler) as running:
        running.asked = []
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def title(package: dict[str, Any]) -> str:
    return str(package["CFDocument"]["title"])


@pytest.mark.parametrize("path", ["", "/", "/ims/case/v1p1", "/ims/case/v1p1/CFDocuments"])
def test_the_only_framework_of_a_server_needs_no_name(server: Server, path: str) -> None:
    assert title(read_package(f"{server.address}{path}", 5)) == "Framework 0"


def test_a_server_of_case_1_0_is_found_behind_its_root(server: Server) -> None:
    server.base = "/ims/case/v1p0"
    assert title(read_package(server.address, 5, document(0)["identifier"])) == "Framework 0"


def test_of_many_frameworks_one_is_taken_by_its_identifier(server: Server) -> None:
    server.count = 7
    assert title(read_package(server.address, 5, document(6)["identifier"])) == "Framework 6"
    assert len(server.asked) == 1


def test_of_many_frameworks_none_is_guessed_and_all_pages_are_named(server: Server) -> None:
    server.count = 7
    with pytest.raises(InvalidRequest, match="has 7 documents; say which with --document") as caught:
        read_package(server.address, 5)
    assert "Framework 6" in str(caught.value)
    assert [path.rpartition("offset=")[2] for path in server.asked] == ["0", "3", "6"]


def test_a_server_that_knows_no_paging_is_not_asked_for_ever(server: Server) -> None:
    server.count, server.ignores_paging = 3, True
    with pytest.raises(InvalidRequest, match="has 3 documents"):
        read_package(server.address, 5)
    assert len(server.asked) == 2


@pytest.mark.parametrize("kind", ["CFPackages", "CFDocuments"])
def test_the_address_of_a_document_leads_to_its_package(server: Server, kind: str) -> None:
    identifier = document(0)["identifier"]
    assert title(read_package(f"{server.address}/ims/case/v1p1/{kind}/{identifier}", 5)) == "Framework 0"


def test_a_server_without_the_framework_is_named_with_the_fix(server: Server) -> None:
    with pytest.raises(InvalidRequest, match="v1p0/CFPackages/nope: answered 404"):
        read_package(server.address, 5, "nope")


def test_the_bytes_that_came_are_told(server: Server) -> None:
    told: list[tuple[str, int, int]] = []
    read_package(server.address, 5, document(0)["identifier"], lambda *said: told.append(said))
    what, done, total = told[-1]
    assert what == "bytes read"
    assert done == total > 0
