"""The alternate request syntax of xAPI 1.0.3 Communication 1.3: XAPI-00148, XAPI-00336."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from werkzeug.test import TestResponse

from tests.district import District, open_district, said, statement

FORM = "application/x-www-form-urlencoded"
VERSION = "X-Experience-API-Version"


def fields(district: District, **more: Any) -> dict[str, Any]:
    """Return a form that carries the headers of an ordinary request."""
    return {**district.someone.headers, **more}


def send(
    district: District, method: str, form: Mapping[str, Any] | bytes, path: str = "/xapi/statements", kind: str = FORM
) -> TestResponse:
    """POST a form with no header but its content type: all others stand in the form."""
    data = form if isinstance(form, bytes) else urlencode(form).encode()
    headers = {"Content-Type": kind} if kind else {}
    return district.app.test_client().post(f"{path}?method={method}", data=data, headers=headers)


def put_form(district: District, sent: dict[str, Any], **more: Any) -> dict[str, Any]:
    content = msgspec.json.encode(sent).decode()
    named = {"statementId": sent["id"], "content": content, "Content-Type": "application/json"}
    return fields(district, **{**named, **more})


@pytest.mark.parametrize("kind", [FORM, f"{FORM}; charset=UTF-8", "text/plain", "text/plain;charset=UTF-8", ""])
def test_a_put_in_a_form_stores_the_statement(district: District, kind: str) -> None:
    """Credential and version stand in the form; old browsers, and Storyline, call it text/plain."""
    sent = statement(result={"response": "50% & 100% = ünïcode + more"})
    assert send(district, "PUT", put_form(district, sent), kind=kind).status_code == 204
    assert said(district.someone.get(query={"statementId": sent["id"]}))["result"] == sent["result"]


def test_a_form_without_content_type_of_its_content_means_json(district: District) -> None:
    form = put_form(district, statement())
    del form["Content-Type"]
    assert send(district, "PUT", form).status_code == 204


def test_a_get_in_a_form_is_answered_as_a_get(district: District) -> None:
    sent = [statement() for _ in range(3)]
    district.someone.post(sent)
    page = said(send(district, "GET", fields(district, limit="2")))
    assert len(page["statements"]) == 2
    assert len(said(district.someone.get(page["more"]))["statements"]) > 0
    one = send(district, "get", fields(district, statementId=sent[0]["id"]))
    assert said(one)["id"] == sent[0]["id"]


def test_a_post_in_a_form_stores_a_batch(district: District) -> None:
    sent = [statement(), statement()]
    form = fields(district, content=msgspec.json.encode(sent).decode())
    assert said(send(district, "POST", form)) == [one["id"] for one in sent]


def test_a_head_in_a_form_promises_no_bytes(district: District) -> None:
    """Its sender knows of a POST alone, and would wait for as many bytes as Content-Length says."""
    answer = send(district, "HEAD", fields(district))
    assert (answer.status_code, answer.data) == (200, b"")
    assert "Content-Length" not in answer.headers


def test_a_document_lives_its_whole_life_in_forms(district: District) -> None:
    """Communication 1.3 holds for all resources."""
    named = {"activityId": "https://tool.example.org/a", "agent": '{"mbox":"mailto:a@example.org"}', "stateId": "s"}
    path = "/xapi/activities/state"
    text = fields(district, **named, content="plain \u2713", **{"Content-Type": "text/plain"})
    assert send(district, "PUT", text, path).status_code == 204
    got = send(district, "GET", fields(district, **named), path)
    assert (got.status_code, got.data, got.mimetype) == (200, "plain \u2713".encode(), "text/plain")
    tag = got.headers["ETag"]
    wrong = fields(district, **named, content="x", **{"Content-Type": "text/plain", "If-Match": '"0"'})
    assert send(district, "PUT", wrong, path).status_code == 412
    assert send(district, "DELETE", fields(district, **named, **{"If-Match": tag}), path).status_code == 204
    assert send(district, "GET", fields(district, **named), path).status_code == 404


@pytest.mark.parametrize("scheme", ["header", "form"])
def test_it_is_refused_under_2_0_in_words(district: District, scheme: str) -> None:
    """2.0 has no alternate syntax (s26-33)."""
    before, sent = district.size(), statement()
    form = put_form(district, sent, **({VERSION: "2.0.0"} if scheme == "form" else {}))
    headers = {"Content-Type": FORM, **({VERSION: "2.0.0"} if scheme == "header" else {})}
    answer = district.app.test_client().post("/xapi/statements?method=PUT", data=urlencode(form), headers=headers)
    assert answer.status_code == 400
    assert "2.0 has no alternate request syntax" in said(answer)["detail"]
    assert district.size() == before


def test_another_query_parameter_beside_method_is_400(district: District) -> None:
    sent = statement()
    answer = send(district, f"PUT&statementId={sent['id']}", put_form(district, sent))
    assert (answer.status_code, said(answer)["problems"][0]["pointer"]) == (400, "?statementId")


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "DELETE"])
def test_method_on_anything_but_a_post_is_400(district: District, method: str) -> None:
    headers = {**district.someone.headers, "Content-Type": FORM}
    path, form = "/xapi/statements?method=GET", urlencode(fields(district))
    assert district.app.test_client().open(path, method=method, data=form, headers=headers).status_code == 400


@pytest.mark.parametrize("method", ["", "PATCH", "OPTIONS", "PUT%00", "GET&method=PUT"])
def test_a_method_that_is_none_is_400(district: District, method: str) -> None:
    assert send(district, method, fields(district)).status_code == 400


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", FORM),
        (b"", ""),
        (b"{}", FORM),
        (b'[{"id":1}]', FORM),
        (b'{"a":1}', "application/json"),
        (b"a=1", "multipart/form-data; boundary=x"),
        (b"content=%ff&x=%ff", FORM),
        (b"%ff=1", FORM),
        (b"limit=1&limit=2", FORM),
        (b"Authorization=a&authorization=b", FORM),
        (b"If-Match=a%0d%0aX-Evil:1", FORM),
        (b"&".join(b"f%d=1" % number for number in range(101)), FORM),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_body_that_is_no_sound_form_is_400(district: District, body: bytes, kind: str) -> None:
    """XAPI-00336, and what no client could have meant."""
    headers = {**district.someone.headers, **({"Content-Type": kind} if kind else {})}
    answer = district.app.test_client().post("/xapi/statements?method=GET", data=body, headers=headers)
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert answer.headers[VERSION] == "1.0.3"


def test_a_wrong_version_in_the_form_is_400_and_a_wrong_secret_401(district: District) -> None:
    assert send(district, "GET", fields(district, **{VERSION: "0.8"})).status_code == 400
    assert send(district, "GET", fields(district, Authorization="Basic eDp5")).status_code == 401
    form = fields(district)
    del form[VERSION]
    assert send(district, "GET", form).status_code == 400


def test_a_form_is_held_to_the_limit_of_bodies(district: District) -> None:
    with open_district(replace(district.settings, body_limit_bytes=2_000)) as narrow:
        form = fields(district, content="x" * 2_000)
        assert send(replace(district, app=narrow.app), "PUT", form).status_code == 413


def test_a_cut_form_is_400_and_stores_nothing(district: District) -> None:
    before, form = district.size(), urlencode(put_form(district, statement())).encode()
    environ = {"CONTENT_LENGTH": str(len(form) + 5)}
    headers = {"Content-Type": FORM}
    answer = district.app.test_client().post(
        "/xapi/statements?method=PUT", data=form, headers=headers, environ_overrides=environ
    )
    assert (answer.status_code, district.size()) == (400, before)


def test_elsewhere_method_is_a_parameter_as_any_other(district: District) -> None:
    assert district.app.test_client().get("/health?method=PUT").status_code == 200
