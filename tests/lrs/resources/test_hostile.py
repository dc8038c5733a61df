"""What nobody sends by accident, on every resource: each input has a stated answer, and none is a 5xx."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from tests.district import District, said, statement

BEN = '{"mbox":"mailto:ben@example.org"}'
ACTIVITY = "https://tool.example.org/a"
STATE = f"activityId={ACTIVITY}&agent={quote(BEN)}&stateId=s"
WHOLE = {
    "statements": "",
    "activities": f"activityId={ACTIVITY}",
    "activities/state": STATE,
    "activities/profile": f"activityId={ACTIVITY}&profileId=p",
    "agents": f"agent={quote(BEN)}",
    "agents/profile": f"agent={quote(BEN)}&profileId=p",
}
DOCUMENTS = ("activities/state", "activities/profile", "agents/profile")
DEEP = "[" * 200 + "]" * 200
AGENTS = {
    "a key twice": '{"mbox":"mailto:a@example.org","mbox":"mailto:b@example.org"}',
    "a key twice, once escaped": '{"mbox":"mailto:a@example.org","mb\\u006fx":"mailto:b@example.org"}',
    "NaN": '{"mbox":NaN}',
    "too deep": f'{{"mbox":"mailto:a@example.org","name":{DEEP}}}',
    "very much too deep": "[" * 20_000,
    "U+0000": '{"mbox":"mailto:a@example.org","name":"a\\u0000b"}',
    "half a surrogate pair": '{"mbox":"mailto:a@example.org","name":"\\ud800"}',
    "a huge number": f'{{"mbox":{2**70}}}',
    "a number as name": f'{{"mbox":"mailto:a@example.org","name":{2**70}}}',
    "cut": '{"mbox":"mailto:a@example.org"',
    "more behind": f"{BEN}{BEN}",
    "an array": f"[{BEN}]",
    "null": "null",
    "nothing": "",
    "two identifiers": '{"mbox":"mailto:a@example.org","openid":"https://a.example.org"}',
    "an unknown key": '{"mbox":"mailto:a@example.org","dummy":1}',
}
BODIES = {
    "a key twice": b'{"a":1,"a":2}',
    "NaN": b'{"a":NaN}',
    "infinity": b'{"a":-Infinity}',
    "cut": b'{"a":1',
    "not UTF-8": b'{"a":"\xff"}',
    "half a surrogate pair": b'{"a":"\\ud800"}',
    "too deep": f'{{"a":{DEEP}}}'.encode(),
    "very much too deep": b"[" * 1_000_000,
    "nothing": b"",
}


def ask(district: District, method: str, resource: str, query: str, **more: Any) -> TestResponse:
    headers = {**district.someone.headers, **more.pop("headers", {})}
    return district.app.test_client().open(f"/xapi/{resource}?{query}", method=method, headers=headers, **more)


@pytest.mark.parametrize("resource", ["statements", "activities/state", "agents", "agents/profile"])
@pytest.mark.parametrize("text", AGENTS.values(), ids=AGENTS)
def test_an_agent_in_a_query_that_is_none_is_400_and_its_place_is_told(
    district: District, resource: str, text: str
) -> None:
    """XAPI-00249 and the like; the same answer wherever an agent is asked for."""
    rest = "&".join(part for part in WHOLE[resource].split("&") if part and not part.startswith("agent="))
    answer = ask(district, "GET", resource, f"agent={quote(text)}&{rest}")
    assert answer.status_code == 400
    assert {one["pointer"] for one in said(answer)["problems"]} == {"?agent"}


@pytest.mark.parametrize("value", ["%FF", "%ED%A0%80", "%C0%AF", "%00", "a%00b", "\xff"], ids=repr)
@pytest.mark.parametrize("resource", [*WHOLE, "about"])
def test_a_query_that_is_not_utf_8_or_holds_a_nul_is_400_on_every_resource(
    district: District, resource: str, value: str
) -> None:
    """Else U+FFFD would be looked for, and PostgreSQL cannot be asked for a NUL at all."""
    for name in ("stateId", "profileId", "activityId", "verb", "agent", "more", "unknown"):
        answer = ask(district, "GET", resource, f"{WHOLE.get(resource, '')}&{name}={value}")
        assert answer.status_code == 400


@pytest.mark.parametrize("query", ["%", "%zz", "&&&", "=", "a=1&a=1", "%u0041", "a" * 5_000])
@pytest.mark.parametrize("resource", [*WHOLE, "about"])
def test_a_query_of_nonsense_is_never_a_5xx(district: District, resource: str, query: str) -> None:
    answer = ask(district, "GET", resource, query)
    assert answer.status_code in {200, 400}


@pytest.mark.parametrize("resource", DOCUMENTS)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_json_that_cannot_be_merged_is_400_and_the_document_stays(
    district: District, resource: str, body: bytes
) -> None:
    """XAPI-00235: a POST merges, so its body must be a JSON object that any database can keep."""
    json_type = {"Content-Type": "application/json"}
    query = WHOLE[resource]
    first = ask(district, "PUT", resource, query, data=b'{"kept":1}', headers={**json_type, "If-None-Match": "*"})
    assert first.status_code == 204
    tag = ask(district, "GET", resource, query).headers["ETag"]
    answer = ask(district, "POST", resource, query, data=body, headers={**json_type, "If-Match": tag})
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert ask(district, "GET", resource, query).data == b'{"kept":1}'


@pytest.mark.parametrize("resource", DOCUMENTS)
@pytest.mark.parametrize("body", [b"\x00\xff\xfe", "\ufeff{}".encode(), b"", b"\r\n" * 10, bytes(range(256))], ids=repr)
def test_a_document_that_is_no_json_is_kept_byte_for_byte(district: District, resource: str, body: bytes) -> None:
    kind = {"Content-Type": "application/octet-stream", "If-None-Match": "*"}
    assert ask(district, "PUT", resource, WHOLE[resource], data=body, headers=kind).status_code == 204
    answer = ask(district, "GET", resource, WHOLE[resource])
    assert (answer.data, answer.headers["Content-Type"]) == (body, "application/octet-stream")


@pytest.mark.parametrize("resource", DOCUMENTS)
def test_a_number_beyond_64_bits_survives_a_merge(district: District, resource: str) -> None:
    headers = {"Content-Type": "application/json", "If-None-Match": "*"}
    query, big = WHOLE[resource], json.dumps({"big": 2**70, "float": 1e-300}).encode()
    assert ask(district, "PUT", resource, query, data=big, headers=headers).status_code == 204
    tag = ask(district, "GET", resource, query).headers["ETag"]
    more = {"Content-Type": "application/json", "If-Match": tag}
    assert ask(district, "POST", resource, query, data=b'{"more":1}', headers=more).status_code == 204
    assert json.loads(ask(district, "GET", resource, query).data) == {"big": 2**70, "float": 1e-300, "more": 1}


@pytest.mark.parametrize("resource", DOCUMENTS)
def test_a_document_that_is_cut_is_refused(district: District, resource: str) -> None:
    headers = {"Content-Type": "text/plain", "If-None-Match": "*"}
    cut = {"CONTENT_LENGTH": "100"}
    answer = ask(district, "PUT", resource, WHOLE[resource], data=b"text", headers=headers, environ_overrides=cut)
    assert answer.status_code == 400
    assert ask(district, "GET", resource, WHOLE[resource]).status_code == 404


@pytest.mark.parametrize("name", ["Content-Type", "Accept-Language", "If-Match", "If-None-Match", "Origin", "Expect"])
@pytest.mark.parametrize("value", ["\xff\xfe", '"', "," * 1_000, "x" * 5_000, "q=", ";;;", "=?utf-8?q?x?="], ids=repr)
def test_a_header_of_nonsense_is_never_a_5xx(district: District, name: str, value: str) -> None:
    headers = {"Content-Type": "application/json", name: value}
    answers = [ask(district, "GET", "statements", "format=canonical", headers=headers)]
    answers.append(ask(district, "POST", "statements", "", data=json.dumps(statement()), headers=headers))
    for method in ("PUT", "POST", "DELETE", "GET"):
        answers.append(ask(district, method, "activities/state", STATE, data=b"{}", headers=headers))
    assert not [one.status_code for one in answers if one.status_code >= 500]


@pytest.mark.parametrize("resource", WHOLE)
def test_head_answers_as_get_does_on_every_resource(district: District, resource: str) -> None:
    """Communication 1.1: also where there is nothing, and where the request is wrong."""
    for query in (WHOLE[resource], "foo=bar"):
        head, got = (ask(district, method, resource, query) for method in ("HEAD", "GET"))
        assert (head.status_code, head.data) == (got.status_code, b"")
        assert set(dict(head.headers)) == set(dict(got.headers))
