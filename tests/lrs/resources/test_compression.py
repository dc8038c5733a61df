"""gzip on the way out (RFC 9110 section 8.4), for whoever asks for it."""

from __future__ import annotations

import gzip

import pytest

from tests.district import District, said, statement


@pytest.fixture
def full(district: District) -> District:
    """A log with a page of statements in it."""
    district.someone.post([statement() for _ in range(20)])
    return district


@pytest.mark.parametrize("asked", ["gzip", "gzip, deflate, br", "br;q=1, gzip;q=0.5", "*"])
def test_a_page_is_compressed_for_who_asks(full: District, asked: str) -> None:
    plain = full.someone.get(query={"ascending": "true", "limit": "20"})
    answer = full.someone.get(query={"ascending": "true", "limit": "20"}, Accept_Encoding=asked)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert int(answer.headers["Content-Length"]) == len(answer.data) < len(plain.data) / 2
    assert gzip.decompress(answer.data) == plain.data
    assert "Accept-Encoding" in answer.vary
    assert "Accept-Encoding" in plain.vary


@pytest.mark.parametrize("asked", [None, "", "identity", "br", "gzip;q=0"])
def test_it_is_not_for_who_does_not(full: District, asked: str | None) -> None:
    answer = full.someone.get(query={}, **({} if asked is None else {"Accept_Encoding": asked}))
    assert "Content-Encoding" not in answer.headers
    assert said(answer)["statements"]


def test_small_answers_are_left_as_they_are(full: District) -> None:
    assert "Content-Encoding" not in full.someone.get(query={"limit": "1"}, Accept_Encoding="gzip").headers


def test_head_tells_what_get_would(full: District) -> None:
    got, head = full.someone.get(Accept_Encoding="gzip"), full.someone.send("HEAD", Accept_Encoding="gzip")
    assert (head.data, head.headers["Content-Encoding"]) == (b"", "gzip")
    assert head.headers["Content-Length"] == got.headers["Content-Length"]


def test_a_multipart_answer_is_left_alone(full: District) -> None:
    answer = full.someone.get(query={"attachments": "true"}, Accept_Encoding="gzip")
    assert (answer.mimetype, "Content-Encoding" in answer.headers) == ("multipart/mixed", False)


def test_a_document_keeps_its_bytes_and_its_etag(full: District) -> None:
    """Its ETag is the SHA-1 of what was stored, and If-Match is held against that."""
    named = {"activityId": "https://tool.example.org/a", "agent": '{"mbox":"mailto:a@example.org"}', "stateId": "s"}
    client, path = full.app.test_client(), "/xapi/activities/state"
    headers = {**full.someone.headers, "Content-Type": "application/json", "Accept-Encoding": "gzip"}
    text = b'{"a":"' + b"x" * 5_000 + b'"}'
    assert client.put(path, query_string=named, data=text, headers=headers).status_code == 204
    answer = client.get(path, query_string=named, headers=headers)
    assert (answer.data, "Content-Encoding" in answer.headers) == (text, False)
