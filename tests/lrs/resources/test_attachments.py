"""Statements with attachments, in and out: Data 2.4.11 and Communication 1.5 of xAPI 1.0.3, 4.1.3 of 2.0."""

from __future__ import annotations

import gzip
import hashlib
import io
import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select

from lrs.resources import multipart
from lrs.store.tables import attachment, attachment_chunk, attachment_pending, statement_attachment
from tests.district import District, open_district, said, statement
from tests.parcels import BOUNDARY, KIND, attached, declared, mixed, part, pieces, send

ESSAY = b"here is a simple attachment"
DIGESTS = ("sha224", "sha256", "sha384", "sha512")


def sha2(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def with_data(*data: bytes, **more: Any) -> dict[str, Any]:
    return statement(attachments=[declared(one) for one in data], **more)


def rows(district: District) -> tuple[int, ...]:
    """Return how many rows the log has of attachments, chunks, pending ones and links."""
    with district.engine.connect() as connection:
        tables = (attachment, attachment_chunk, attachment_pending, statement_attachment)
        counts = [select(func.count()).select_from(one).where(one.c.log_id == district.log.log_id) for one in tables]
        return tuple(connection.scalar(one) or 0 for one in counts)


def refused(district: District, body: bytes, kind: str = KIND["Content_Type"], status: int = 400) -> Any:
    """Send a body that must be refused and leave nothing; return the problem's details."""
    client, before = district.someone, (district.size(), rows(district))
    answer = client.post(body, Content_Type=kind)
    assert answer.status_code == status, answer.text
    assert (district.size(), rows(district)) == before
    return said(answer)


@pytest.fixture
def narrow(district: District) -> Iterator[District]:
    """The same log behind a server that takes 2,000 bytes of statements and 3,000 of attachments."""
    limits = replace(district.settings, body_limit_bytes=2_000, attachment_limit_bytes=3_000)
    with open_district(limits) as one:
        yield replace(district, app=one.app, desk=one.desk)


def test_a_statement_and_the_data_of_its_attachment_make_the_round_trip(district: District) -> None:
    sent = with_data(ESSAY)
    answer = send(district.someone, sent, ESSAY)
    assert (answer.status_code, said(answer)) == (200, [sent["id"]])
    back = district.someone.get(query={"statementId": sent["id"], "attachments": "true"})
    first, second = pieces(back)
    assert msgspec.json.decode(first.data)["attachments"] == sent["attachments"]
    assert second.data == ESSAY
    assert second.headers == {
        "Content-Type": "text/plain; charset=ascii",
        "Content-Transfer-Encoding": "binary",
        "X-Experience-API-Hash": sha2(ESSAY),
    }


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_multipart_is_taken_under_both_versions_by_post_and_put(district: District, version: str) -> None:
    """XAPI-00127; 2.0 4.1.3."""
    headers = {**KIND, "X_Experience_API_Version": version}
    one, two = with_data(ESSAY), with_data(ESSAY)
    assert district.someone.post(mixed(one, part(ESSAY)), **headers).status_code == 200
    assert district.someone.put(two["id"], mixed(two, part(ESSAY)), **headers).status_code == 204
    for sent in (one, two):
        back = district.someone.get(query={"statementId": sent["id"], "attachments": "true"})
        assert attached(back) == {sha2(ESSAY): ESSAY}


def test_a_put_without_an_id_in_its_statement_takes_attachments(district: District) -> None:
    sent = with_data(ESSAY)
    statement_id = sent.pop("id")
    assert district.someone.put(statement_id, mixed(sent, part(ESSAY)), **KIND).status_code == 204


@pytest.mark.parametrize(
    "boundary", ["b", "-------314159265358979323846", "a b", "=", "x" * 70], ids=lambda one: one[:9]
)
def test_a_boundary_may_be_quoted_or_bare(district: District, boundary: str) -> None:
    """RFC 2046 section 5.1.1."""
    for written in (f'"{boundary}"', boundary):
        if " " in written and not written.startswith('"'):
            continue
        sent = with_data(ESSAY)
        body = mixed(sent, part(ESSAY, boundary), boundary=boundary)
        answer = district.someone.post(body, Content_Type=f"multipart/mixed; boundary={written}")
        assert answer.status_code == 200, answer.text


def test_the_example_of_the_specification_is_taken(district: District) -> None:
    """Communication 1.5.2: an empty preamble, no blank behind the colons, no line behind the end."""
    sent = with_data(ESSAY)
    body = b"\r\n" + mixed(sent, part(ESSAY)).replace(b": ", b":").removesuffix(b"\r\n")
    assert district.someone.post(body, **KIND).status_code == 200


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n",
        b"\r\n\r\n--\r\n",
        bytes(range(256)) * 5,
        b"\0" * 1_000,
        f"--{BOUNDARY}".encode()[:-1],
        f"x--{BOUNDARY}--\r\n".encode(),
        f"x\n--{BOUNDARY}\n".encode(),
        f"x\r\n--{BOUNDARY}y\r\n".encode(),
        f"x\r\n--{BOUNDARY[:-1]}\r\n".encode(),
    ],
    ids=lambda data: repr(data[:12]),
)
def test_any_bytes_make_the_round_trip(district: District, data: bytes) -> None:
    sent = with_data(data)
    assert send(district.someone, sent, data).status_code == 200
    back = district.someone.get(query={"statementId": sent["id"], "attachments": "true"})
    assert back.data.count(data) >= 1
    assert back.data.endswith(data + b"\r\n--" + back.content_type.partition("boundary=")[2].encode() + b"--\r\n")


@pytest.mark.parametrize("algorithm", DIGESTS)
def test_the_hash_may_be_any_of_sha2_in_either_case(district: District, algorithm: str) -> None:
    """XAPI-00103."""
    data = algorithm.encode()
    name = hashlib.new(algorithm, data).hexdigest()
    sent = statement(attachments=[declared(data, algorithm, sha2=name.upper())])
    answer = district.someone.post(mixed(sent, part(data, X_Experience_API_Hash=name)), **KIND)
    assert answer.status_code == 200
    back = district.someone.get(query={"statementId": sent["id"], "attachments": "true"})
    assert attached(back) == {name.upper(): data}
    assert back.data.count(name.upper().encode()) == 2


@pytest.mark.parametrize("length", [0, 1, 10**9])
def test_the_declared_length_is_not_checked(district: District, length: int) -> None:
    """XAPI-00127: the suite's own picture has twice as many bytes as its length says."""
    sent = statement(attachments=[declared(ESSAY, length=length)])
    assert send(district.someone, sent, ESSAY).status_code == 200


def test_a_file_url_alone_is_enough_and_data_may_come_with_it(district: District) -> None:
    """Communication 1.5.1 and 1.5.2."""
    url = {"fileUrl": "https://example.org/essay"}
    alone, beside = (statement(attachments=[declared(ESSAY, **url)]) for _ in range(2))
    assert district.someone.post(alone).status_code == 200
    assert send(district.someone, beside, ESSAY).status_code == 200
    for sent, data in ((alone, {}), (beside, {sha2(ESSAY): ESSAY})):
        back = district.someone.get(query={"statementId": sent["id"], "attachments": "true"})
        assert attached(back) == data


def test_multipart_may_hold_statements_without_data(district: District) -> None:
    """2.0 4.1.3; Communication 1.5.2 of 1.0.3."""
    by_url = statement(attachments=[declared(ESSAY, fileUrl="https://example.org/essay")])
    for sent in (by_url, statement(), [statement(), statement()]):
        assert district.someone.post(mixed(sent), **KIND).status_code == 200


def test_an_attachment_of_a_sub_statement_comes_with_its_data(district: District) -> None:
    """Data 2.4.11."""
    nested = {**statement(attachments=[declared(ESSAY)]), "objectType": "SubStatement"}
    nested.pop("id")
    sent = statement(object=nested)
    assert refused(district, mixed(sent))["problems"][0]["pointer"] == "/object/attachments/0"
    assert send(district.someone, sent, ESSAY).status_code == 200
    back = district.someone.get(query={"statementId": sent["id"], "attachments": "true"})
    assert attached(back) == {sha2(ESSAY): ESSAY}


def test_data_of_json_alone_is_missing_and_the_answer_names_multipart(district: District) -> None:
    """Communication 1.5.1: application/json takes attachments with a fileUrl only, however well the data is known."""
    send(district.someone, with_data(ESSAY), ESSAY)
    batch = [statement(), with_data(ESSAY)]
    problem = refused(district, msgspec.json.encode(batch), "application/json")["problems"][0]
    assert problem["pointer"] == "/1/attachments/0"
    assert "multipart/mixed" in problem["message"]


def test_declared_data_that_does_not_come_is_400_with_its_place(district: District) -> None:
    """XAPI-00129; data that an earlier statement brought must come again."""
    send(district.someone, with_data(ESSAY), ESSAY)
    batch = [statement(), with_data(b"other"), statement(), with_data(b"other", ESSAY)]
    problems = refused(district, mixed(batch, part(b"other")))["problems"]
    assert [one["pointer"] for one in problems] == ["/3/attachments/1"]
    assert sha2(ESSAY) in problems[0]["message"]
    assert refused(district, mixed(with_data(ESSAY)))["problems"][0]["pointer"] == "/attachments/0"


def test_a_part_that_nothing_declares_is_400(district: District) -> None:
    """XAPI-00128."""
    problem = refused(district, mixed(with_data(ESSAY), part(ESSAY), part(b"more")))["problems"][0]
    assert sha2(b"more") in problem["message"]
    refused(district, mixed(statement(), part(ESSAY)))
    refused(district, mixed([], part(ESSAY)))


def test_the_same_part_twice_counts_once(district: District) -> None:
    """Communication 1.5.2: only one copy SHOULD be sent."""
    sent = with_data(ESSAY, b"other")
    assert send(district.someone, sent, ESSAY, ESSAY, b"other", ESSAY).status_code == 200
    back = district.someone.get(query={"statementId": sent["id"], "attachments": "true"})
    assert attached(back) == {sha2(ESSAY): ESSAY, sha2(b"other"): b"other"}


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Experience_API_Hash": None},
        {"X_Experience_API_Hash": ""},
        {"X_Experience_API_Hash": "z" * 64},
        {"X_Experience_API_Hash": sha2(ESSAY)[:-1]},
        {"X_Experience_API_Hash": hashlib.sha1(ESSAY).hexdigest()},
        {"X_Experience_API_Hash": sha2(b"other")},
        {"X_Experience_API_Hash": hashlib.sha512(ESSAY).hexdigest()},
        {"Content_Transfer_Encoding": None},
        {"Content_Transfer_Encoding": "base64"},
        {"Content_Transfer_Encoding": "8bit"},
    ],
    ids=str,
)
def test_a_part_needs_its_hash_and_binary_as_its_encoding(district: District, headers: dict[str, str | None]) -> None:
    """XAPI-00132 and XAPI-00135."""
    refused(district, mixed(with_data(ESSAY), part(ESSAY, **headers)))


def test_data_that_was_changed_on_its_way_is_400_and_both_hashes_are_told(district: District) -> None:
    """XAPI-00132."""
    damaged = mixed(with_data(ESSAY), part(ESSAY)).replace(b"simple", b"zimple")
    told = msgspec.json.encode(refused(district, damaged)).decode()
    assert sha2(ESSAY.replace(b"simple", b"zimple")) in told


def test_the_type_of_a_part_may_differ_from_the_declared_one(district: District) -> None:
    """The example of Communication 1.5.2 leaves out the charset; what is sent back is what the statement declares."""
    sent = with_data(ESSAY)
    for kind in ("text/plain", "image/png", None):
        assert district.someone.post(mixed(sent, part(ESSAY, Content_Type=kind)), **KIND).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "", "application/octet-stream", "application/jsonx"])
def test_the_first_part_must_be_json(district: District, kind: str) -> None:
    """XAPI-00134."""
    body = mixed(with_data(ESSAY), part(ESSAY)).replace(b"application/json", kind.encode(), 1)
    assert "first part" in refused(district, body)["detail"]


def test_statements_stand_in_the_first_part_only(district: District) -> None:
    """XAPI-00133."""
    first, _, last = mixed(statement()).rpartition(f"--{BOUNDARY}--\r\n".encode())
    refused(district, first + mixed(statement()) + last)


def test_a_boundary_must_be_named_and_met(district: District) -> None:
    """XAPI-00130 and XAPI-00131."""
    sent = with_data(ESSAY)
    whole = mixed(sent, part(ESSAY))
    line = f"--{BOUNDARY}\r\n".encode()
    for kind in ("multipart/mixed", "multipart/mixed;", 'multipart/mixed; boundary="other"'):
        assert "boundary" in refused(district, whole, kind)["detail"]
    refused(district, whole.removeprefix(line))
    refused(district, line + whole.removeprefix(line).replace(line, b""))
    refused(district, whole.removesuffix(b"--\r\n"))
    refused(district, whole.replace(b"\r\n", b"\n"))


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/related", "multipart/alternative"])
def test_another_multipart_is_400(district: District, kind: str) -> None:
    """XAPI-00127."""
    refused(district, mixed(with_data(ESSAY), part(ESSAY)), f'{kind}; boundary="{BOUNDARY}"')


def test_a_batch_is_stored_whole_or_not_at_all(district: District) -> None:
    good, bad = with_data(ESSAY), {**with_data(b"other"), "verb": {"id": "no iri"}}
    problems = refused(district, mixed([good, bad], part(ESSAY), part(b"other")))["problems"]
    assert [one["pointer"] for one in problems] == ["/1/verb/id"]


def test_a_conflict_leaves_no_data(district: District) -> None:
    """What the append itself refuses, after the data was stored."""
    taken = statement()
    district.someone.post(taken)
    batch = [with_data(b"new"), {**taken, "verb": {"id": "https://verbs.example.org/other"}}]
    refused(district, mixed(batch, part(b"new")), status=409)


def test_a_conflict_leaves_the_data_that_another_statement_has(district: District) -> None:
    taken, essay = statement(), with_data(ESSAY)
    district.someone.post(taken)
    send(district.someone, essay, ESSAY)
    batch = [with_data(ESSAY), {**taken, "verb": {"id": "https://verbs.example.org/other"}}]
    refused(district, mixed(batch, part(ESSAY)), status=409)
    back = district.someone.get(query={"statementId": essay["id"], "attachments": "true"})
    assert attached(back) == {sha2(ESSAY): ESSAY}


def test_the_same_data_is_stored_once_for_each_log(district: District) -> None:
    assert send(district.someone, [with_data(ESSAY), with_data(ESSAY)], ESSAY).status_code == 200
    assert send(district.someone, with_data(ESSAY, ESSAY), ESSAY).status_code == 200
    assert rows(district) == (1, 1, 0, 3)
    other = district.with_new_log(secrets.token_hex(6))
    assert rows(other) == (0, 0, 0, 0)


def test_a_request_sent_again_is_left_alone(district: District) -> None:
    sent = with_data(ESSAY)
    for _ in range(2):
        assert send(district.someone, sent, ESSAY).status_code == 200
    assert rows(district) == (1, 1, 0, 1)


def test_data_for_a_statement_that_is_stored_without_it_is_left_alone(district: District) -> None:
    sent = statement(attachments=[declared(ESSAY, fileUrl="https://example.org/essay")])
    district.someone.post(sent)
    assert send(district.someone, sent, ESSAY).status_code == 200
    assert rows(district)[3] == 0


def test_a_page_has_each_distinct_attachment_once(district: District) -> None:
    """XAPI-00161 and Communication 1.5.2."""
    batch = [with_data(ESSAY), statement(), with_data(b"other", ESSAY), with_data(b"\r\n")]
    send(district.someone, batch, ESSAY, b"other", b"\r\n")
    back = district.someone.get(query={"attachments": "true"})
    assert attached(back) == {sha2(one): one for one in (ESSAY, b"other", b"\r\n")}
    assert len(msgspec.json.decode(pieces(back)[0].data)["statements"]) >= 4


def test_a_page_has_only_the_attachments_of_its_own_statements(district: District) -> None:
    send(district.someone, [with_data(ESSAY), with_data(b"newer")], ESSAY, b"newer")
    first = district.someone.get(query={"attachments": "true", "limit": "1"})
    assert attached(first) == {sha2(b"newer"): b"newer"}
    second = district.someone.get(msgspec.json.decode(pieces(first)[0].data)["more"])
    assert attached(second) == {sha2(ESSAY): ESSAY}


@pytest.mark.parametrize("wanted", [{}, {"attachments": "false"}])
def test_without_attachments_the_answer_is_json(district: District, wanted: dict[str, str]) -> None:
    """XAPI-00161."""
    sent = with_data(ESSAY)
    send(district.someone, sent, ESSAY)
    for query in ({"statementId": sent["id"]}, {}):
        back = district.someone.get(query={**query, **wanted})
        assert back.content_type == "application/json"
        assert ESSAY not in back.data


def test_an_answer_with_attachments_is_multipart_even_when_there_is_none(district: District) -> None:
    """The boundary is the first parameter, behind one space and not quoted: so the suite reads it."""
    sent = statement()
    district.someone.post(sent)
    for query in ({"statementId": sent["id"]}, {}, {"verb": "https://verbs.example.org/none"}):
        back = district.someone.get(query={**query, "attachments": "true"})
        kind, _, boundary = back.content_type.partition("; boundary=")
        assert (kind, boundary.isalnum()) == ("multipart/mixed", True)
        assert len(pieces(back)) == 1


def test_head_tells_what_get_would_send(district: District) -> None:
    """XAPI-00125."""
    sent = with_data(ESSAY)
    send(district.someone, sent, ESSAY)
    for query in ({"statementId": sent["id"]}, {}):
        query = {**query, "attachments": "true"}
        head, get = district.someone.send("HEAD", query), district.someone.get(query=query)
        assert (head.status_code, head.data) == (200, b"")
        assert head.content_length == get.content_length == len(get.data)
        assert head.content_type.startswith("multipart/mixed; boundary=")


@pytest.mark.parametrize("shape", ["ids", "exact", "canonical"])
def test_every_format_comes_with_its_attachments(district: District, shape: str) -> None:
    sent = with_data(ESSAY)
    send(district.someone, sent, ESSAY)
    query = {"statementId": sent["id"], "attachments": "true", "format": shape}
    assert attached(district.someone.get(query=query)) == {sha2(ESSAY): ESSAY}


def test_a_voided_statement_keeps_its_attachments(district: District) -> None:
    sent = with_data(ESSAY)
    send(district.someone, sent, ESSAY)
    district.someone.post(statement(verb="voided", object={"objectType": "StatementRef", "id": sent["id"]}))
    back = district.someone.get(query={"voidedStatementId": sent["id"], "attachments": "true"})
    assert attached(back) == {sha2(ESSAY): ESSAY}


def test_who_reads_only_its_own_statements_gets_only_their_data(district: District) -> None:
    mine = district.client("statements/write", "statements/read/mine")
    send(district.someone, with_data(ESSAY), ESSAY)
    send(mine, with_data(b"mine"), b"mine")
    assert attached(mine.get(query={"attachments": "true"})) == {sha2(b"mine"): b"mine"}


def test_who_knows_a_hash_does_not_get_the_data_by_it(district: District) -> None:
    """Only a statement that came with the data leads to it: a fileUrl would else open what others sent."""
    mine = district.client("statements/write", "statements/read/mine")
    send(district.someone, with_data(ESSAY), ESSAY)
    guess = statement(attachments=[declared(ESSAY, fileUrl="https://example.org/guess")])
    assert mine.post(guess).status_code == 200
    assert attached(mine.get(query={"statementId": guess["id"], "attachments": "true"})) == {}


def test_a_stranger_stores_and_reads_nothing(district: District) -> None:
    sent = with_data(ESSAY)
    assert send(district.client("statements/read"), sent, ESSAY).status_code == 403
    assert rows(district) == (0, 0, 0, 0)


def test_what_is_typed_is_what_is_sent_and_no_line_can_be_smuggled_in(district: District) -> None:
    for kind in ("text/html\r\nX-Evil: 1", "text/html\n", "text/html;\rx", "text/html; x=é", "text", "a b/c"):
        sent = statement(attachments=[declared(ESSAY, contentType=kind)])
        problems = refused(district, mixed(sent, part(ESSAY)))["problems"]
        assert problems[0]["pointer"] == "/attachments/0/contentType"
    kind = 'text/html; charset="utf-8"; q=1'
    sent = statement(attachments=[declared(ESSAY, contentType=kind)])
    send(district.someone, sent, ESSAY)
    back = district.someone.get(query={"statementId": sent["id"], "attachments": "true"})
    assert f"\r\nContent-Type: {kind}\r\n".encode() in back.data


def test_a_key_that_is_written_with_escapes_is_found_too(district: District) -> None:
    text = msgspec.json.encode(with_data(ESSAY)).replace(b'"attachments"', b'"\\u0061ttachments"')
    statement_id = said(district.someone.post(mixed(text, part(ESSAY)), **KIND))[0]
    back = district.someone.get(query={"statementId": statement_id, "attachments": "true"})
    assert attached(back) == {sha2(ESSAY): ESSAY}


def test_gzip_is_taken(district: District) -> None:
    data = secrets.token_bytes(700_000) + bytes(700_000)
    sent = with_data(data)
    body = gzip.compress(mixed(sent, part(data)))
    assert district.someone.post(body, **KIND, Content_Encoding="gzip").status_code == 200
    back = district.someone.get(query={"statementId": sent["id"], "attachments": "true"})
    assert attached(back) == {sha2(data): data}


def test_gzip_that_is_cut_goes_on_or_is_none_is_400(district: District) -> None:
    whole, before = gzip.compress(mixed(with_data(ESSAY), part(ESSAY))), rows(district)
    for body in (whole[:-1], whole[:50], whole + b"x", whole + whole, b"", b"{}", whole[:-8] + bytes(8)):
        assert district.someone.post(body, **KIND, Content_Encoding="gzip").status_code == 400
    assert district.someone.post(whole, **KIND, Content_Encoding="br").status_code == 415
    assert rows(district) == before


def test_a_gzip_bomb_is_refused_before_it_goes_off(narrow: District) -> None:
    for body in (mixed(b" " * 50_000_000), mixed(with_data(ESSAY), part(bytes(50_000_000))), bytes(50_000_000)):
        answer = narrow.someone.post(gzip.compress(body), **KIND, Content_Encoding="gzip")
        assert answer.status_code in {400, 413}


def test_a_body_that_is_cut_is_400_and_nothing_is_stored(district: District) -> None:
    body, before = mixed(with_data(ESSAY), part(ESSAY)), district.size()
    for came in (body, body[:-5], body[:300], b""):
        environ: dict[str, Any] = {"wsgi.input": io.BytesIO(came), "CONTENT_LENGTH": str(len(body) + 10)}
        headers = {**district.someone.headers, "Content-Type": KIND["Content_Type"]}
        answer = district.app.test_client().post("/xapi/statements", headers=headers, environ_overrides=environ)
        assert answer.status_code == 400
        assert "Content-Length says" in said(answer)["detail"]
    assert (district.size(), rows(district)) == (before, (0, 0, 0, 0))


def test_a_body_without_length_is_taken_and_held_to_the_limits(narrow: District) -> None:
    for size, status in ((3_000, 200), (3_001, 413)):
        data = bytes(size)
        environ = {"wsgi.input": io.BytesIO(mixed(with_data(data), part(data))), "wsgi.input_terminated": True}
        environ |= {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
        headers = {**narrow.someone.headers, "Content-Type": KIND["Content_Type"]}
        answer = narrow.app.test_client().post("/xapi/statements", headers=headers, environ_overrides=environ)
        assert answer.status_code == status


def test_data_over_the_limit_is_413_in_words(narrow: District) -> None:
    parts = (bytes(1_000), bytes(1_001), bytes(999))
    assert send(narrow.someone, with_data(*parts), *parts).status_code == 200
    refused_ = refused(narrow, mixed(with_data(*parts, b"x"), *map(part, (*parts, b"x"))), status=413)
    assert "3000 bytes" in refused_["detail"]


def test_statements_over_the_limit_are_413_in_words(narrow: District) -> None:
    sent = statement(result={"response": "x" * 2_000})
    assert "2000 bytes" in refused(narrow, mixed(sent), status=413)["detail"]


def test_too_many_parts_are_413(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipart, "MOST_PARTS", 3)
    data = (b"1", b"2")
    assert send(district.someone, with_data(*data), *data).status_code == 200
    assert "parts" in refused(district, mixed(with_data(*data, b"3"), *map(part, (*data, b"3"))), status=413)["detail"]


def test_a_refused_multipart_is_read_to_its_end(district: District) -> None:
    for body in (mixed(b"{}", part(bytes(3_000_000))), mixed(statement(), part(bytes(3_000_000)))):
        stream = io.BytesIO(body)
        environ = {"wsgi.input": stream, "CONTENT_LENGTH": str(len(body))}
        headers = {**district.someone.headers, "Content-Type": KIND["Content_Type"]}
        answer = district.app.test_client().post("/xapi/statements", headers=headers, environ_overrides=environ)
        assert answer.status_code == 400
        assert stream.read() == b""


def test_data_of_many_chunks_makes_the_round_trip(district: District) -> None:
    data = secrets.token_bytes(3_000_000)
    sent = with_data(data)
    assert send(district.someone, sent, data).status_code == 200
    back = district.someone.get(query={"statementId": sent["id"], "attachments": "true"})
    assert back.content_length == len(back.data)
    assert back.data.count(data) == 1
    assert rows(district)[1] == 12
