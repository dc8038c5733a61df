"""Attachments in and out: Data 2.4.11, Communication 1.5.2 and 2.1.3."""

from __future__ import annotations

import hashlib
import os

import pytest

from tests.conformance.tool import JSON, Answer, Tool
from tests.parcels import BOUNDARY, KIND, USAGE, Piece, declared, mixed, part, parts_of

DATA = {"text": "Ä text\r\n--x\r\n".encode(), "bytes": bytes(range(256)) * 5, "nothing": b""}


def posted(tool: Tool, *data: bytes, **headers: str) -> str:
    """Store a statement with the data of its attachments; return its id."""
    sent = tool.statement(attachments=[declared(one, contentType="text/x-own; charset=utf-8") for one in data])
    kind = {"Content_Type": "text/x-own; charset=utf-8", **headers}
    answer = tool.post(mixed(sent, *(part(one, **kind) for one in data)), **KIND)
    assert answer.status == 200, answer.data
    assert answer.value == [sent["id"]]
    return str(sent["id"])


def parts(answer: Answer) -> list[Piece]:
    """Return the parts of an answer, the statements first."""
    assert answer.status == 200, answer.data
    found = parts_of(answer.content_type, answer.data)
    assert found[0].headers["Content-Type"].startswith(JSON)
    return found


@pytest.mark.parametrize("data", DATA.values(), ids=DATA)
def test_XAPI_00167_the_data_comes_back_byte_for_byte_with_its_headers(tool: Tool, data: bytes) -> None:
    """Communication 1.5.2: Content-Type, Content-Transfer-Encoding and X-Experience-API-Hash of each part."""
    named, sha2 = posted(tool, data), hashlib.sha256(data).hexdigest()
    for query in ({"statementId": named}, {"verb": tool.verb("answered")}):
        _, piece = parts(tool.get(query={**query, "attachments": "true"}))
        assert piece.data == data
        assert piece.headers["X-Experience-API-Hash"] == sha2
        assert piece.headers["Content-Type"] == "text/x-own; charset=utf-8"
        assert piece.headers["Content-Transfer-Encoding"] == "binary"


def test_XAPI_00167_every_attachment_of_every_statement_comes_once(tool: Tool) -> None:
    data = [os.urandom(50) for _ in range(4)]
    posted(tool, data[0], data[1])
    posted(tool, data[1], data[2], data[3])
    _, *found = parts(tool.get(query={"verb": tool.verb("answered"), "attachments": "true"}))
    assert sorted(one.data for one in found) == sorted(data)


def test_XAPI_00165_with_attachments_the_answer_is_multipart_even_if_there_are_none(tool: Tool) -> None:
    (named,) = tool.store(tool.statement())
    for query in ({"statementId": named}, {"verb": tool.verb("unheard")}):
        answer = tool.get(query={**query, "attachments": "true"})
        assert answer.content_type.startswith("multipart/mixed; boundary=")
        assert len(parts(answer)) == 1


@pytest.mark.parametrize("asked", [{}, {"attachments": "false"}], ids=str)
def test_XAPI_00161_without_attachments_the_answer_is_json(tool: Tool, asked: dict[str, str]) -> None:
    named = posted(tool, b"data")
    for query in ({"statementId": named}, {"verb": tool.verb("answered")}):
        answer = tool.get(query={**query, **asked})
        assert (answer.status, answer.content_type.partition(";")[0]) == (200, JSON)
        assert answer.value


def test_D_2_4_11_what_is_said_of_an_attachment_comes_back(tool: Tool) -> None:
    data = os.urandom(30)
    said = {
        "usageType": USAGE,
        "display": {"en-US": "One", "de": "Eins"},
        "description": {"fr": "Un"},
        "contentType": "application/x-own",
        "length": 30,
        "sha2": hashlib.sha256(data).hexdigest(),
    }
    elsewhere = {**said, "sha2": "a" * 64, "length": 7, "fileUrl": "https://example.org/file"}
    sent = tool.statement(attachments=[said, elsewhere])
    assert tool.post(mixed([sent], part(data)), **KIND).status == 200
    assert tool.one(sent["id"])["attachments"] == [said, elsewhere]


def test_S_4_1_3_statements_may_come_as_multipart_without_attachments(tool: Tool) -> None:
    sent = tool.statement()
    assert tool.post(mixed([sent]), **KIND).value == [sent["id"]]
    assert tool.one(sent["id"])["actor"] == sent["actor"]


def test_XAPI_00143_a_statement_with_attachments_may_be_put(tool: Tool) -> None:
    sent = tool.statement(attachments=[declared(b"put")])
    assert tool.put(mixed(sent, part(b"put")), sent["id"], **KIND).status == 204
    assert parts(tool.get(query={"statementId": sent["id"], "attachments": "true"}))[1].data == b"put"


REFUSED = {
    "a part that nobody declares": lambda sent: mixed(sent, part(b"declared"), part(b"extra")),
    "no part for what is declared": lambda sent: mixed(sent),
    "another hash": lambda sent: mixed(sent, part(b"declared", X_Experience_API_Hash="0" * 64)),
    "no hash": lambda sent: mixed(sent, part(b"declared", X_Experience_API_Hash=None)),
    "other data": lambda sent: mixed(
        sent, part(b"changed", X_Experience_API_Hash=hashlib.sha256(b"declared").hexdigest())
    ),
    "an encoding that is not binary": lambda sent: mixed(sent, part(b"declared", Content_Transfer_Encoding="base64")),
    "no end": lambda sent: mixed(sent, part(b"declared")).removesuffix(f"--{BOUNDARY}--\r\n".encode())[:-20],
}


@pytest.mark.parametrize("name", REFUSED)
def test_XAPI_00128_a_body_whose_parts_do_not_fit_is_400_and_not_stored(tool: Tool, name: str) -> None:
    """XAPI-00128 to 00135."""
    sent = tool.statement(attachments=[declared(b"declared")])
    assert tool.post(REFUSED[name](sent), **KIND).status == 400
    assert tool.get(query={"statementId": sent["id"]}).status == 404


def test_XAPI_00127_an_attachment_without_data_or_url_is_400_as_json(tool: Tool) -> None:
    assert tool.post(tool.statement(attachments=[declared(b"missing")])).status == 400


def test_D_2_4_11_a_large_attachment_comes_back_whole(tool: Tool) -> None:
    data = os.urandom(1_500_000)
    named = posted(tool, data)
    assert parts(tool.get(query={"statementId": named, "attachments": "true"}))[1].data == data
