"""The real server at the level of bytes: what a test client of the framework cannot show."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest

from lrs.settings import Settings
from tests.district import Client, District, open_district, statement
from tests.serving import Server, served


@dataclass(frozen=True)
class Wire:
    """A server, and a credential to speak to it with."""

    server: Server
    client: Client
    district: District

    def spoken(self, *pieces: bytes | float, end: bool = False) -> bytes:
        """Send pieces over one connection, wait for an answer at each number of seconds, and return all of it."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as line:
            said = b""
            for piece in pieces:
                if isinstance(piece, bytes):
                    line.sendall(piece)
                else:
                    said += line.recv(100_000)
            if end:
                line.shutdown(socket.SHUT_WR)
            while more := line.recv(100_000):
                said += more
        return said

    def head(self, method: str = "POST", path: str = "/xapi/statements", **headers: Any) -> bytes:
        """Return the text of a request up to its body."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        lines = {"Host": "x", "Connection": "close", "Content-Type": "application/json", **self.client.headers, **named}
        return "\r\n".join([f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in lines.items()), "", ""]).encode()


@pytest.fixture(scope="module")
def wire(shared_settings: Settings) -> Iterator[Wire]:
    """A server on each dialect."""
    with open_district(shared_settings) as empty, served(shared_settings) as server:
        district = empty.with_new_log("wire")
        yield Wire(server, district.client("all"), district)


def test_a_body_is_asked_for_where_its_sender_waits_for_that(wire: Wire) -> None:
    """RFC 9110 section 10.1.1: Expect: 100-continue."""
    body = json.dumps(statement()).encode()
    said = wire.spoken(wire.head(Expect="100-continue", Content_Length=len(body)), 1.0, body)
    assert said.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")


def test_a_body_that_is_cut_off_is_refused_and_nothing_is_stored(wire: Wire) -> None:
    """Its sender promised more by Content-Length and went away."""
    before, body = wire.district.size(), json.dumps(statement()).encode()
    said = wire.spoken(wire.head(Content_Length=len(body) + 100), body, end=True)
    assert said.startswith(b"HTTP/1.1 400") or not said
    half = b"%x\r\n%s\r\n" % (len(body) - 5, body[:-5])
    said = wire.spoken(wire.head(Transfer_Encoding="chunked"), half, end=True)
    assert said.startswith(b"HTTP/1.1 400") or not said
    assert wire.district.size() == before


def test_a_body_in_chunks_is_taken(wire: Wire) -> None:
    body = json.dumps(statement()).encode()
    pieces = [b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:])]
    said = wire.spoken(wire.head(Transfer_Encoding="chunked"), *pieces, b"0\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 200")


def test_gzip_goes_both_ways(wire: Wire) -> None:
    body = gzip.compress(json.dumps([statement() for _ in range(20)]).encode())
    assert wire.spoken(wire.head(Content_Length=len(body), Content_Encoding="gzip"), body).startswith(b"HTTP/1.1 200")
    _, _, got = wire.spoken(wire.head("GET", Accept_Encoding="gzip")).partition(b"\r\n\r\n")
    assert len(json.loads(gzip.decompress(got))["statements"]) >= 20


@pytest.mark.parametrize("path", ["/xapi/statements", "/xapi/about", "/xapi/statements?foo=bar", "/xapi/nothing"])
def test_head_is_get_without_the_body(wire: Wire, path: str) -> None:
    head, _, nothing = wire.spoken(wire.head("HEAD", path)).partition(b"\r\n\r\n")
    got, _, body = wire.spoken(wire.head("GET", path)).partition(b"\r\n\r\n")
    assert (nothing, head.split(b"\r\n")[0]) == (b"", got.split(b"\r\n")[0])
    assert body
    assert f"content-length: {len(body)}".encode() in head.lower()


def test_a_head_in_a_form_is_answered_and_keeps_nobody_waiting(wire: Wire) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", wire.server.port, timeout=10)
    form = urlencode(wire.client.headers)
    for _ in range(2):
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/xapi/statements?method=HEAD", form, kind)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
    connection.close()


def test_a_refused_body_is_read_to_its_end_so_that_the_answer_arrives(wire: Wire) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", wire.server.port, timeout=20)
    headers = {**wire.client.headers, "Content-Type": "text/plain"}
    connection.request("POST", "/xapi/statements", b"x" * 20_000_000, headers)
    assert connection.getresponse().status in {413, 415}
    connection.close()
