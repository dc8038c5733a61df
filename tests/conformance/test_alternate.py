"""The alternate request syntax of 1.0.3 (Communication 1.3), and its end in 2.0."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from tests.conformance.shelf import Shelf
from tests.conformance.tool import VERSION, Answer, Tool

FORM = "application/x-www-form-urlencoded"


def form(tool: Tool, method: str, path: str = "statements", more: str = "", **fields: str) -> Answer:
    """Send a request whose method is in the query and whose parameters, headers and content are in a form."""
    named = {name.replace("__", "-"): value for name, value in fields.items()}
    return tool.ask("POST", f"{path}?method={method}{more}", None, urlencode(named).encode(), Content_Type=FORM)


def test_XAPI_00148_a_get_in_a_form_is_answered_as_a_get(older: Tool) -> None:
    older.store(*(older.statement() for _ in range(3)))
    query = {"verb": older.verb("answered"), "limit": "2", "ascending": "true"}
    answer = form(older, "GET", **query)
    assert (answer.status, answer.value["statements"]) == (200, older.page(query)["statements"])


def test_XAPI_00336_a_put_and_a_post_in_a_form_store_statements(older: Tool) -> None:
    put, posted = older.statement(), older.statement()
    kind = {"Content__Type": "application/json"}
    assert form(older, "PUT", statementId=put["id"], content=json.dumps(put), **kind).status == 204
    assert form(older, "POST", content=json.dumps([posted]), **kind).value == [posted["id"]]
    assert older.one(put["id"])["actor"] == older.one(posted["id"])["actor"]


def test_XAPI_00336_the_headers_may_stand_in_the_form_alone(older: Tool) -> None:
    sent = older.statement()
    given = {name.replace("-", "__"): value for name, value in older.headers({"Accept-Encoding": None}).items()}
    bare = replace(older, credential=None)
    text = urlencode({name.replace("__", "-"): value for name, value in given.items()} | {"content": json.dumps(sent)})
    headers = {VERSION: None, "Content_Type": FORM}
    assert bare.ask("POST", "statements?method=POST", None, text.encode(), **headers).value == [sent["id"]]
    assert bare.ask("POST", "statements?method=GET", None, b"limit=1", **headers).status in {400, 401}


def test_XAPI_00336_a_document_lives_its_life_in_forms(older: Tool) -> None:
    shelf = Shelf(older, "state")
    place = {name: value if isinstance(value, str) else json.dumps(value) for name, value in shelf.owner.items()}
    place["stateId"] = "one"
    path, kind = "activities/state", {"Content__Type": "application/json"}
    assert form(older, "PUT", path, content='{"a":1}', **place, **kind).status == 204
    assert form(older, "POST", path, content='{"b":2}', **place, **kind).status == 204
    assert form(older, "GET", path, **place).value == {"a": 1, "b": 2}
    assert form(older, "DELETE", path, **place).status == 204
    assert shelf.ask("GET").status == 404


def test_C_1_3_what_is_wrong_with_a_form_is_400(older: Tool) -> None:
    sent = older.statement()
    assert form(older, "PUT", more="&statementId=x", statementId=sent["id"], content=json.dumps(sent)).status == 400
    assert form(older, "GET", **{VERSION.replace("-", "__"): "0.8"}).status == 400
    assert older.ask("PUT", "statements", {"method": "PUT"}, b"a=b", Content_Type=FORM).status == 400
    assert older.ask("POST", "statements", {"method": "PUT"}, b"", Content_Type=FORM).status == 400


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_S_4_1_1_2_0_has_no_alternate_syntax(newer: Tool, method: str) -> None:
    sent = newer.statement()
    answer = form(newer, method, statementId=sent["id"], content=json.dumps(sent), Content__Type="application/json")
    assert 400 <= answer.status < 500
    assert newer.get(query={"statementId": sent["id"]}).status == 404
