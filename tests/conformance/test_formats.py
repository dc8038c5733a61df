"""The formats of GET statements, and what Accept-Language does: Communication 2.1.3."""

from __future__ import annotations

import pytest

from tests.conformance.tool import Json, Tool, exactly, sub_statement

NAMES = {"en-US": "Color", "en-GB": "Colour", "de": "Farbe"}


def activity(tool: Tool, name: str) -> Json:
    """Return an Activity in three languages."""
    return {"objectType": "Activity", "id": tool.activity(name), "definition": {"name": NAMES, "description": NAMES}}


def whole(tool: Tool) -> Json:
    """Return a statement with three languages everywhere, and names beside identifiers."""
    return {
        **tool.statement(context={"contextActivities": {"parent": [activity(tool, "course")]}}),
        "actor": {**tool.agent("ann"), "name": "Ann"},
        "verb": {"id": tool.verb("answered"), "display": NAMES},
        "object": activity(tool, "task"),
    }


def both_ways(tool: Tool, sent: Json, form: str, language: str | None = None) -> list[Json]:
    """Return a statement in a format as it comes alone, and as it comes in a page."""
    headers: Json = {"Accept_Language": language}
    alone = tool.get(query={"statementId": sent["id"], "format": form}, **headers)
    page = tool.get(query={"verb": tool.verb("answered"), "format": form}, **headers)
    assert (alone.status, page.status) == (200, 200)
    return [alone.value, *page.value["statements"]]


@pytest.mark.parametrize(
    ("asked", "given"),
    [("en-GB", "en-GB"), ("de, en-US;q=0.5", "de"), ("en-US;q=0.1, de;q=0.9", "de"), ("de-AT, en-US;q=0.5", "en-US")],
)
def test_XAPI_00172_canonical_has_one_language_in_every_map_the_one_that_is_wanted_most(
    tool: Tool, asked: str, given: str
) -> None:
    sent = whole(tool)
    tool.store(sent)
    one = {given: NAMES[given]}
    for found in both_ways(tool, sent, "canonical", asked):
        about = (found["object"], found["context"]["contextActivities"]["parent"][0])
        assert found["verb"]["display"] == one
        assert [place["definition"] for place in about] == [{"name": one, "description": one}] * 2


def test_XAPI_00172_canonical_reaches_into_substatements(tool: Tool) -> None:
    sent = {**tool.statement(), "object": sub_statement(whole(tool))}
    tool.store(sent)
    for found in both_ways(tool, sent, "canonical", "de"):
        assert found["object"]["verb"]["display"] == {"de": "Farbe"}
        assert found["object"]["object"]["definition"]["name"] == {"de": "Farbe"}


def test_C_2_1_3_canonical_has_one_language_even_if_none_is_asked_for(tool: Tool) -> None:
    sent = whole(tool)
    tool.store(sent)
    for found in both_ways(tool, sent, "canonical"):
        assert len(found["verb"]["display"]) == 1
        assert len(found["object"]["definition"]["name"]) == 1


@pytest.mark.parametrize("language", [None, "de", "en-GB;q=0.3"])
def test_XAPI_00168_exact_is_what_was_sent_whatever_language_is_wanted(tool: Tool, language: str | None) -> None:
    sent = whole(tool)
    tool.store(sent)
    for form in ("exact", None):
        query = {"statementId": sent["id"]} | ({"format": form} if form else {})
        found = tool.get(query=query, Accept_Language=language).value
        assert exactly({name: found[name] for name in sent}) == exactly(sent)


def test_XAPI_00168_ids_has_only_what_identifies(tool: Tool) -> None:
    sent = whole(tool)
    sent["context"]["team"] = tool.group("ann", "ben", name="7b", mbox=f"mailto:{tool.mark}@example.org")
    sent["context"]["instructor"] = {**tool.agent("teacher"), "name": "Frau Müller"}
    tool.store(sent)
    for found in both_ways(tool, sent, "ids"):
        assert "name" not in found["actor"]
        assert found["actor"]["account"] == sent["actor"]["account"]
        assert found["object"] == {"id": sent["object"]["id"]}
        assert found["context"]["contextActivities"]["parent"] == [{"id": tool.activity("course")}]
        assert found["verb"]["id"] == sent["verb"]["id"]
        assert found["context"]["team"].keys() <= {"objectType", "mbox"}
        assert found["context"]["instructor"].keys() <= {"objectType", "account"}
        assert found["id"] == sent["id"]


def test_XAPI_00168_ids_keeps_the_members_of_an_anonymous_group(tool: Tool) -> None:
    sent = {**tool.statement(), "actor": tool.group("ann", "ben", name="7b")}
    sent["actor"]["member"][0]["name"] = "Ann"
    tool.store(sent)
    for found in both_ways(tool, sent, "ids"):
        members = [one["account"] for one in found["actor"]["member"]]
        assert members == [one["account"] for one in sent["actor"]["member"]]
        assert all("name" not in one for one in found["actor"]["member"])


def test_C_2_1_3_the_format_holds_on_every_page(tool: Tool) -> None:
    sent = [whole(tool) for _ in range(3)]
    tool.store(*sent)
    found = tool.found(verb=tool.verb("answered"), format="ids", limit="1")
    assert [one["object"] for one in found] == [{"id": tool.activity("task")}] * 3
