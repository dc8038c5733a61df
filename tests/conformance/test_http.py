"""HTTP around it all: versions, HEAD, credentials, compression, cut bodies, and the headers of xAPI."""

from __future__ import annotations

import gzip
import json
import socket
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode, urlsplit

import pytest

from tests.conformance.shelf import Shelf
from tests.conformance.subject import Credential
from tests.conformance.tool import JSON, THROUGH, VERSION, Answer, Json, Tool, instant

RESOURCES: dict[str, Json] = {
    "statements": {"limit": "1"},
    "activities/state": {"activityId": "https://example.org/a", "agent": {"mbox": "mailto:a@example.org"}},
    "activities/profile": {"activityId": "https://example.org/a"},
    "agents/profile": {"agent": {"mbox": "mailto:a@example.org"}},
    "activities": {"activityId": "https://example.org/a"},
    "agents": {"agent": {"mbox": "mailto:a@example.org"}},
}
EACH = pytest.mark.parametrize("path", RESOURCES)


def of_every_kind(tool: Tool) -> list[Answer]:
    """Return answers of every status that a tool can provoke."""
    sent = tool.statement()
    nobody = replace(tool, credential=None)
    return [
        tool.post(sent),
        tool.put(sent),
        tool.get(query={"statementId": sent["id"]}),
        tool.get(query={"foo": "bar"}),
        nobody.get(),
        tool.get(query={"statementId": str(uuid.uuid4())}),
        tool.post({**sent, "actor": tool.agent("another")}),
        tool.get("about"),
    ]


def test_XAPI_00333_every_answer_names_the_version_of_its_rules(tool: Tool) -> None:
    """Communication 3.3; 2.0 g4: refusals too."""
    answers = of_every_kind(tool)
    assert [one.status for one in answers] == [200, 204, 200, 400, 401, 404, 409, 200]
    assert [one.headers.get_all(VERSION) for one in answers] == [[tool.version]] * len(answers)


@EACH
def test_XAPI_00321_a_request_without_version_is_400_and_is_told_one(tool: Tool, path: str) -> None:
    answer = tool.get(path, RESOURCES[path], **{VERSION: None})
    assert answer.status == 400
    assert answer.headers[VERSION]


@pytest.mark.parametrize("given", ["0.9", "0.95", "1.1.0", "2.1.0", "3.0", "1", "x", ""])
def test_XAPI_00331_a_version_that_is_not_spoken_is_400(tool: Tool, given: str) -> None:
    assert tool.get(query={"limit": "1"}, **{VERSION: given}).status == 400


@pytest.mark.parametrize("given", ["1.0", "1.0.0", "1.0.2", "1.0.9"])
def test_XAPI_00331_every_patch_of_1_0_is_taken(older: Tool, given: str) -> None:
    answer = older.get(query={"limit": "1"}, **{VERSION: given})
    assert (answer.status, answer.headers[VERSION]) == (200, "1.0.3")


@EACH
def test_XAPI_00334_who_shows_no_good_credential_is_401(tool: Tool, stranger: Tool, path: str) -> None:
    """And learns how to show one (RFC 9110 section 11.6.1)."""
    assert tool.credential is not None
    wrong = replace(tool, credential=Credential(tool.credential.key, "wrong"))
    unknown = replace(tool, credential=Credential("nobody", "wrong"))
    for one in (stranger, wrong, unknown):
        answer = one.get(path, RESOURCES[path])
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_XAPI_00334_a_stranger_stores_nothing(tool: Tool, stranger: Tool) -> None:
    sent = stranger.statement()
    assert [stranger.post(sent).status, stranger.put(sent).status] == [401, 401]
    assert tool.get(query={"statementId": sent["id"]}).status == 404


@EACH
def test_C_4_2_a_credential_that_may_not_is_403(writer: Tool, path: str) -> None:
    assert writer.get(path, RESOURCES[path]).status == 403


def test_C_4_2_a_credential_that_may_only_write_does_write(tool: Tool, writer: Tool) -> None:
    (named,) = writer.store(writer.statement())
    assert tool.one(named)["id"] == named
    assert writer.ask("PUT", "activities/state", RESOURCES["activities/state"] | {"stateId": "x"}, b"x").status == 403


def _told(answer: Answer) -> dict[str, str]:
    """Return the headers of an answer, without those that tell the time or belong to the connection."""
    untold = {"date", "connection", "keep-alive", "server", THROUGH.lower()}
    return {name.lower(): value for name, value in answer.headers.items() if name.lower() not in untold}


def test_XAPI_00125_head_is_get_without_a_body(tool: Tool) -> None:
    """XAPI-00125, 00126: on every resource, with the same headers, for what is refused too."""
    (named,) = tool.store(tool.statement())
    shelf = Shelf(tool, "state")
    shelf.create(b'{"a":1}')
    state = ("activities/state", shelf.owner | {"stateId": "one"})
    asked = [("statements", {"statementId": named}), ("statements", {"foo": "bar"}), ("about", {}), state]
    asked += [(path, query) for path, query in RESOURCES.items() if path != "statements"]
    for path, query in asked:
        got, head = tool.get(path, query), tool.ask("HEAD", path, query)
        assert (head.status, head.data) == (got.status, b""), path
        assert _told(head) == _told(got), path
        assert int(head.headers["Content-Length"]) == len(got.data), path


@pytest.mark.parametrize(
    "query", [{"limit": "1"}, {"foo": "bar"}, {"statementId": "00000000-0000-4000-8000-000000000001"}], ids=str
)
def test_XAPI_00153_consistent_through_is_on_every_get_of_statements(tool: Tool, query: dict[str, str]) -> None:
    """XAPI-00153, 00160: an ISO 8601 time that has come, by the server's own clock."""
    for method in ("GET", "HEAD"):
        answer = tool.ask(method, "statements", query)
        through, date = instant(answer.headers[THROUGH]), parsedate_to_datetime(answer.headers["Date"])
        assert through < date + timedelta(seconds=2)


def test_XAPI_00153_consistent_through_comes_to_what_was_stored(tool: Tool) -> None:
    (named,) = tool.store(tool.statement())
    stored, until = instant(tool.one(named)["stored"]), datetime.now(UTC) + timedelta(seconds=5)
    while instant(tool.get(query={"limit": "1"}).headers[THROUGH]) < stored:
        assert datetime.now(UTC) < until, "it lags by seconds"


def test_S_4_1_6_1_one_statement_is_last_modified_when_it_was_stored(tool: Tool) -> None:
    """2.0 s38; allowed under 1.0.3."""
    (named,) = tool.store(tool.statement())
    answer = tool.get(query={"statementId": named})
    modified = parsedate_to_datetime(answer.headers["Last-Modified"])
    assert modified == instant(answer.value["stored"]).replace(microsecond=0)


def test_RFC_9110_a_gzipped_body_is_taken(tool: Tool) -> None:
    sent = tool.statement()
    assert tool.post(gzip.compress(json.dumps(sent).encode()), Content_Encoding="gzip").value == [sent["id"]]
    assert tool.one(sent["id"])["actor"] == sent["actor"]


def test_RFC_9110_an_answer_may_be_gzipped_for_who_asks_and_says_the_same(tool: Tool) -> None:
    tool.store(*(tool.statement() for _ in range(20)))
    query = {"verb": tool.verb("answered")}
    packed, plain = tool.get(query=query, Accept_Encoding="gzip"), tool.get(query=query)
    assert plain.headers["Content-Encoding"] is None
    assert packed.value == plain.value


def test_RFC_9110_a_document_keeps_its_bytes_and_its_etag_for_who_asks_for_gzip(shelf: Shelf) -> None:
    body = json.dumps({"a": "b" * 3_000}).encode()
    tag = shelf.create(body)
    answer = shelf.ask("GET", Accept_Encoding="gzip")
    packed = answer.headers["Content-Encoding"] == "gzip"
    assert (gzip.decompress(answer.data) if packed else answer.data) == body
    assert packed or answer.headers["ETag"] == tag


def test_CORS_nothing_is_said_of_origins_to_who_names_none(tool: Tool) -> None:
    for answer in of_every_kind(tool):
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def _cut(tool: Tool, method: str, path: str, query: dict[str, str], kind: str, body: bytes) -> bytes:
    """Send a request that promises 100 bytes more than it has, go away, and return what was answered."""
    where = urlsplit(f"{tool.subject.endpoint}/{path}?{urlencode(query)}")
    lines = [f"{method} {where.path}?{where.query} HTTP/1.1", f"Host: {where.netloc}", f"Content-Type: {kind}"]
    lines += [f"Content-Length: {len(body) + 100}", f"{VERSION}: {tool.version}", "If-None-Match: *"]
    lines += [f"{name}: {value}" for name, value in tool.headers({}).items() if name == "Authorization"]
    with socket.create_connection((where.hostname or "", where.port or 80), timeout=20) as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        line.shutdown(socket.SHUT_WR)
        said = b""
        while more := line.recv(100_000):
            said += more
    return said


def test_RFC_9112_a_body_that_is_cut_off_is_not_stored(tool: Tool, states: Shelf) -> None:
    """Section 8: what is shorter than its Content-Length is incomplete, even where it reads as if it were whole."""
    sent = tool.statement()
    said = _cut(tool, "POST", "statements", {}, JSON, json.dumps(sent).encode())
    assert said.startswith(b"HTTP/1.1 400") or not said
    assert tool.get(query={"statementId": sent["id"]}).status == 404
    place = {name: value if isinstance(value, str) else json.dumps(value) for name, value in states.owner.items()}
    said = _cut(tool, "PUT", "activities/state", place | {"stateId": "one"}, "text/plain", b"half")
    assert said.startswith(b"HTTP/1.1 400") or not said
    assert states.ask("GET").status == 404


def test_C_3_2_what_is_no_json_is_400(tool: Tool) -> None:
    sent = json.dumps(tool.statement()).encode()
    for body in (b"", b"{", sent[:-1], sent + b"}", b"[" + sent, b"null", b'"x"', b"\xff" + sent, b"NaN"):
        assert tool.post(body).status == 400, body


def test_XAPI_00127_a_body_that_does_not_say_that_it_is_json_is_refused(tool: Tool) -> None:
    sent = json.dumps(tool.statement()).encode()
    for kind in ("text/plain", "multipart/form-data; boundary=x", "application/xml"):
        assert tool.post(sent, Content_Type=kind).status in {400, 415}
    assert tool.ids(verb=tool.verb("answered")) == []
