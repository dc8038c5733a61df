"""format, Accept-Language and attachments of GET /statements: xAPI 1.0.3 Communication 2.1.3."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.district import District, said, statement
from tests.lrs.xapi.examples import BEN, full

DISPLAY = {"en-US": "passed", "de": "bestand", "fr-CA": "réussi"}


def stored(district: District, sent: dict[str, Any]) -> str:
    sent["id"] = str(uuid.uuid4())
    answer = district.someone.post(sent)
    assert answer.status_code == 200, answer.text
    return str(sent["id"])


def shown(district: District, statement_id: str, form: str, **headers: str) -> dict[str, Any]:
    """Return a statement by its id; a list shows it in the very same way."""
    answer = district.someone.get(query={"statementId": statement_id, "format": form}, **headers)
    assert answer.status_code == 200, answer.text
    alone: dict[str, Any] = said(answer)
    page = said(district.someone.get(query={"format": form}, **headers))
    assert alone in page["statements"]
    return alone


def test_exact_keeps_the_very_text_of_what_was_sent(district: District) -> None:
    """Data 2.2: numbers and their form, the order of members, escapes: not another serialisation."""
    name = str(uuid.uuid4())
    extensions = (
        '{"http://example.org/x": [1.10, 1E2, -0.0, 1180591620717411303424, "\\u00e9\\/", {"b": 1, "a": null}]}'
    )
    text = (
        f'{{"id":"{name}","actor":{{"mbox":"mailto:a@example.org"}},"verb":{{"id":"http://example.org/v"}},'
        f'"object":{{"id":"http://example.org/a"}},"result":{{"extensions":{extensions}}}}}'
    )
    assert district.someone.post(text.encode()).status_code == 200
    assert extensions in district.someone.get(query={"statementId": name}).text


def test_exact_takes_no_notice_of_accept_language(district: District) -> None:
    name = stored(district, statement(verb="passed") | {"verb": {"id": "http://example.org/v", "display": DISPLAY}})
    assert shown(district, name, "exact", Accept_Language="de")["verb"]["display"] == DISPLAY


def test_a_lone_context_activity_comes_back_in_an_array(district: District) -> None:
    """Data 2.4.6.2."""
    sent = full()
    lone = sent["context"]["contextActivities"]["category"]
    name = stored(district, sent)
    found = shown(district, name, "exact")
    assert found["context"]["contextActivities"]["category"] == [lone]
    assert found["result"] == sent["result"]


def test_ids_keeps_what_identifies(district: District) -> None:
    sent = full()
    found = shown(district, stored(district, sent), "ids")
    assert found["actor"] == {"objectType": "Agent", "account": sent["actor"]["account"]}
    assert found["authority"].keys() == {"objectType", "account"}
    assert found["verb"] == {"id": sent["verb"]["id"]}
    assert found["object"] == {"id": sent["object"]["id"]}
    assert found["context"]["instructor"] == BEN
    assert found["context"]["contextActivities"]["parent"] == [{"id": "https://learn.example.org/courses/fractions"}]
    assert {"id", "stored", "timestamp"} <= found.keys()


def test_ids_keeps_the_identities_of_an_anonymous_groups_members(district: District) -> None:
    members = [{"name": "Ann", "mbox": "mailto:ann@example.org"}, {"name": "Ben", "mbox": "mailto:ben@example.org"}]
    sent = statement(actor={"objectType": "Group", "name": "Pair", "member": members})
    found = shown(district, stored(district, sent), "ids")
    assert found["actor"] == {"objectType": "Group", "member": [{"mbox": one["mbox"]} for one in members]}


@pytest.mark.parametrize(
    ("wanted", "tag"),
    [("de", "de"), ("de-AT, es;q=0.5", "de"), ("fr, de;q=0.1", "fr-CA"), ("es", "en-US"), ("", "en-US")],
)
def test_canonical_shows_one_language_in_each_map(district: District, wanted: str, tag: str) -> None:
    """The language is chosen for each map by itself, as RFC 2616 reads Accept-Language."""
    definition = {"name": DISPLAY, "description": {"de": "nur deutsch"}}
    sent = statement() | {"verb": {"id": "http://example.org/v", "display": DISPLAY}}
    sent["object"]["definition"] = definition
    found = shown(district, stored(district, sent), "canonical", Accept_Language=wanted)
    assert found["verb"]["display"] == {tag: DISPLAY[tag]}
    assert found["object"]["definition"] == {"name": {tag: DISPLAY[tag]}, "description": {"de": "nur deutsch"}}
    assert found["actor"] == sent["actor"]


@pytest.mark.parametrize("form", ["ids", "canonical"])
def test_large_numbers_survive_every_format(district: District, form: str) -> None:
    sent = statement(result={"extensions": {"http://example.org/x": [2**70, 0.12123434, -(2**63)]}})
    found = shown(district, stored(district, sent), form)
    assert found["result"] == sent["result"]


def test_without_attachments_json_is_sent(district: District) -> None:
    for query in ({}, {"attachments": "false"}):
        answer = district.someone.get(query=query)
        assert (answer.status_code, answer.content_type) == (200, "application/json")


def test_with_attachments_the_json_is_the_first_part_of_multipart_mixed(district: District) -> None:
    """Communication 1.5.2; also where there is no attachment to send. The boundary is the first parameter, unquoted."""
    sent = statement()
    district.someone.post(sent)
    for query in ({"attachments": "true"}, {"attachments": "true", "statementId": sent["id"]}):
        answer = district.someone.get(query=query)
        kind, boundary = answer.headers["Content-Type"].split("; boundary=")
        assert (answer.status_code, kind) == (200, "multipart/mixed")
        before, part, after = answer.data.split(b"--" + boundary.encode())
        assert (before, after) == (b"", b"--\r\n")
        head, _, body = part.partition(b"\r\n\r\n")
        assert head == b"\r\nContent-Type: application/json"
        assert sent["id"].encode() in body
