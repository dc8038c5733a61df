"""What may be sent: sizes, encodings, content types, and text that is no JSON that can be kept."""

from __future__ import annotations

import gzip
import io
import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from lrs.settings import Settings
from tests.district import District, open_district, said, statement

LIMIT = Settings().body_limit_bytes
GZIP = {"Content_Encoding": "gzip"}


@pytest.fixture
def narrow(district: District) -> Iterator[District]:
    """The same log behind a server that takes 2,000 bytes and three statements at once."""
    with open_district(replace(district.settings, body_limit_bytes=2_000, batch_limit=3)) as one:
        yield replace(district, app=one.app, desk=one.desk)


def text_of_size(size: int) -> bytes:
    sent = statement(result={"response": ""})
    padding = size - len(msgspec.json.encode(sent))
    return msgspec.json.encode({**sent, "result": {"response": "x" * padding}})


def with_text(part: str) -> bytes:
    """Return a statement's text with a piece of JSON text as the value of an extension."""
    text = json.dumps(statement(result={"extensions": {"http://example.org/x": "HERE"}}))
    return text.replace('"HERE"', part).encode("utf-8", "surrogatepass")


def test_a_body_of_just_the_limit_is_taken_and_one_byte_more_is_413(district: District, narrow: District) -> None:
    """Communication 3.2."""
    client = replace(district.someone, app=narrow.app)
    assert client.post(text_of_size(2_000)).status_code == 200
    before = district.size()
    answer = client.post(text_of_size(2_001))
    assert (answer.status_code, answer.content_type) == (413, "application/problem+json")
    assert "2000" in said(answer)["detail"]
    assert client.put(str(uuid.uuid4()), text_of_size(2_001)).status_code == 413
    assert district.size() == before


def test_ten_megabytes_are_taken_unless_set_otherwise(district: District) -> None:
    assert LIMIT == 10_000_000
    assert district.someone.post(text_of_size(LIMIT)).status_code == 200
    assert district.someone.post(text_of_size(LIMIT + 1)).status_code == 413


def test_a_body_without_length_is_held_to_the_limit_too(district: District, narrow: District) -> None:
    for size, status in ((2_000, 200), (2_001, 413)):
        environ = {"wsgi.input": io.BytesIO(text_of_size(size)), "wsgi.input_terminated": True}
        environ |= {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
        headers = {**district.someone.headers, "Content-Type": "application/json"}
        answer = narrow.app.test_client().post("/xapi/statements", headers=headers, environ_overrides=environ)
        assert answer.status_code == status


def test_a_body_that_is_refused_is_read_to_its_end(district: District, narrow: District) -> None:
    """Else the server cuts the connection, and who is still sending never sees the answer."""
    for kind, status in (("application/json", 413), ("multipart/mixed; boundary=x", 400), ("text/plain", 415)):
        stream = io.BytesIO(b"x" * 100_000)
        environ = {"wsgi.input": stream, "CONTENT_LENGTH": "100000"}
        headers = {**district.someone.headers, "Content-Type": kind}
        answer = narrow.app.test_client().post("/xapi/statements", headers=headers, environ_overrides=environ)
        assert answer.status_code == status
        assert stream.read() == b""


def test_a_batch_of_just_the_limit_is_taken_and_one_more_is_413(district: District, narrow: District) -> None:
    client = replace(district.someone, app=narrow.app)
    assert client.post([statement() for _ in range(3)]).status_code == 200
    before = district.size()
    assert client.post([statement() for _ in range(4)]).status_code == 413
    assert district.size() == before


def test_a_body_shorter_than_its_content_length_is_400_and_nothing_is_stored(district: District) -> None:
    body, before = msgspec.json.encode(statement()), district.size()
    for terminated in (True, False):
        environ: dict[str, Any] = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body) + 10)}
        environ |= {"wsgi.input_terminated": True} if terminated else {}
        headers = {**district.someone.headers, "Content-Type": "application/json"}
        answer = district.app.test_client().post("/xapi/statements", headers=headers, environ_overrides=environ)
        assert answer.status_code == 400
        assert f"Content-Length says {len(body) + 10} bytes, but {len(body)} came" in said(answer)["detail"]
    assert district.size() == before


def test_gzip_bodies_are_taken(district: District) -> None:
    sent = [statement() for _ in range(3)]
    assert district.someone.post(gzip.compress(msgspec.json.encode(sent)), **GZIP).status_code == 200
    assert district.someone.put(sent[0]["id"], gzip.compress(msgspec.json.encode(sent[0])), **GZIP).status_code == 204
    assert district.someone.get(query={"statementId": sent[2]["id"]}).status_code == 200


@pytest.mark.parametrize("encoding", ["identity", "GZIP", "x-gzip"])
def test_the_name_of_an_encoding_is_taken_in_either_case(district: District, encoding: str) -> None:
    body = msgspec.json.encode(statement())
    body = body if encoding == "identity" else gzip.compress(body)
    assert district.someone.post(body, Content_Encoding=encoding).status_code == 200


def test_gzip_that_is_cut_goes_on_or_is_none_is_400(district: District) -> None:
    whole, before = gzip.compress(msgspec.json.encode(statement())), district.size()
    broken = [
        whole[:-1],
        whole[: len(whole) // 2],
        whole + b"garbage",
        whole + whole,
        b"",
        b"{}",
        whole[:-8] + bytes(8),
    ]
    for body in broken:
        assert district.someone.post(body, **GZIP).status_code == 400
    assert district.size() == before


def test_a_gzip_bomb_is_413_before_it_goes_off(district: District) -> None:
    bomb = gzip.compress(b" " * 200_000_000, 9)
    assert len(bomb) < 1_000_000
    answer = district.someone.post(bomb, **GZIP)
    assert (answer.status_code, said(answer)["status"]) == (413, 413)


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd"])
def test_an_encoding_that_is_not_ours_is_415(district: District, encoding: str) -> None:
    answer = district.someone.post(msgspec.json.encode(statement()), Content_Encoding=encoding)
    assert answer.status_code == 415
    assert "gzip" in said(answer)["detail"]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("APPLICATION/JSON", 200),
        ("text/plain", 415),
        ("application/octet-stream", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
        ("nonsense", 415),
        ("multipart/mixed; boundary=x", 400),
        ("multipart/form-data; boundary=x", 400),
    ],
)
def test_statements_come_as_json(district: District, kind: str, status: int) -> None:
    """Communication 1.5.1."""
    sent = statement()
    assert district.someone.post(sent, Content_Type=kind).status_code == status
    assert district.someone.put(sent["id"], sent, Content_Type=kind).status_code == (204 if status == 200 else status)


@pytest.mark.parametrize(
    "value",
    [
        "žluťoučký kůň 日本語 😀 \u202e \ufeff \uffff",
        2**70,
        -(2**70),
        0.12123434,
        1e-300,
        True,
        None,
        {"": {"": []}},
        "\\u0000",
        "\x7f\x1f\t\r\n",
    ],
    ids=repr,
)
def test_every_value_of_json_makes_the_round_trip(district: District, value: Any) -> None:
    """Communication 1.4: UTF-8; Data 2.2: numbers keep their precision."""
    sent = statement(result={"extensions": {"http://example.org/x": value}})
    sent["verb"]["display"] = {"cs": str(value)}
    assert district.someone.post(json.dumps(sent, ensure_ascii=False).encode()).status_code == 200
    found = said(district.someone.get(query={"statementId": sent["id"]}))
    assert found["result"] == sent["result"]
    assert type(found["result"]["extensions"]["http://example.org/x"]) is type(value)
    assert found["verb"] == sent["verb"]


@pytest.mark.parametrize(
    "part",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "01",
        "+1",
        ".5",
        "1e400",
        "'x'",
        '{"a":1,"a":2}',
        '{"a":{"b":1,"\\u0062":1}}',
        '"\\u0000"',
        '"\\ud800"',
        '"\ud800"',
        '"\x00"',
        '"\n"',
        "[" * 200 + "]" * 200,
        '{"a":' * 200 + "1" + "}" * 200,
        "[1,]",
        "/* x */ 1",
        "",
    ],
    ids=repr,
)
def test_text_that_is_no_strict_json_or_cannot_be_kept_is_400(district: District, part: str) -> None:
    before = district.size()
    text = with_text(part)
    for body in (text, b"[" + text + b"]"):
        answer = district.someone.post(body)
        assert answer.status_code == 400
        assert said(answer)["problems"]
    assert district.size() == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"[",
        b"null",
        b"1",
        b'"x"',
        b"[1]",
        b"[[]]",
        b"[null]",
        b"{}{}",
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b"[" * 1_000_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda body: repr(body[:12]),
)
def test_a_body_that_is_no_statement_is_400_by_post_and_put(district: District, body: bytes) -> None:
    before = district.size()
    assert district.someone.post(body).status_code == 400
    assert district.someone.put(str(uuid.uuid4()), body).status_code == 400
    assert district.size() == before
