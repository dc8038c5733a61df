"""What is known of an activity and of an agent: Communication 2.4 and 2.5."""

from __future__ import annotations

import pytest

from tests.conformance.tool import Json, Tool, sub_statement


def defined(tool: Tool, **definition: object) -> Json:
    """Return an Activity with a definition."""
    return {"objectType": "Activity", "id": tool.activity("task"), "definition": definition}


def test_XAPI_00254_an_activity_is_what_all_statements_tell_of_it(tool: Tool) -> None:
    """XAPI-00251, 00253, 00254: languages add up."""
    kind = "http://adlnet.gov/expapi/activities/assessment"
    for definition in (
        {"name": {"en-US": "Task"}, "type": kind},
        {"name": {"de": "Aufgabe"}, "description": {"fr": "Tâche"}, "extensions": {"https://example.org/x": None}},
    ):
        tool.store({**tool.statement(), "object": defined(tool, **definition)})
    found = tool.get("activities", {"activityId": tool.activity("task")})
    assert (found.status, found.content_type.partition(";")[0]) == (200, "application/json")
    assert (found.value["id"], found.value["objectType"]) == (tool.activity("task"), "Activity")
    assert found.value["definition"]["name"] == {"en-US": "Task", "de": "Aufgabe"}
    assert found.value["definition"]["description"] == {"fr": "Tâche"}
    assert found.value["definition"]["type"] == kind
    assert found.value["definition"]["extensions"] == {"https://example.org/x": None}


def test_XAPI_00254_definitions_are_found_in_contexts_and_substatements(tool: Tool) -> None:
    activity = defined(tool, name={"en": "Task"})
    inner = tool.statement(context={"contextActivities": {"grouping": [activity]}})
    tool.store({**tool.statement(), "object": sub_statement(inner)})
    found = tool.get("activities", {"activityId": tool.activity("task")}).value
    assert found["definition"] == {"name": {"en": "Task"}}


def test_S_4_1_6_4_an_activity_that_no_statement_tells_of_is_its_id(newer: Tool) -> None:
    answer = newer.get("activities", {"activityId": newer.activity("unheard")})
    assert (answer.status, answer.value["id"]) == (200, newer.activity("unheard"))


def test_XAPI_00236_a_person_has_every_name_of_the_agent(tool: Tool) -> None:
    """XAPI-00236, 00237, 00242, 00248."""
    for name in ("Ann", "Ann Smith"):
        tool.store({**tool.statement(), "actor": {**tool.agent("ann"), "name": name}})
    answer = tool.get("agents", {"agent": tool.agent("ann")})
    assert (answer.status, answer.value["objectType"]) == (200, "Person")
    assert set(answer.value["name"]) == {"Ann", "Ann Smith"}
    assert answer.value["account"] == [tool.agent("ann")["account"]]


def test_C_2_4_a_person_that_nobody_named_has_the_identifier_that_was_asked_for(tool: Tool) -> None:
    agent = {"mbox": f"mailto:{tool.mark}@example.org"}
    found = tool.get("agents", {"agent": agent}).value
    assert (found["objectType"], found["mbox"]) == ("Person", [agent["mbox"]])
    assert not found.get("name")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("activities", {}),
        ("activities", {"activityId": "task"}),
        ("agents", {}),
        ("agents", {"agent": "ann"}),
        ("agents", {"agent": {"name": "Ann"}}),
        ("agents", {"agent": {"mbox": "mailto:a@example.org"}, "foo": "bar"}),
    ],
    ids=str,
)
def test_XAPI_00250_parameters_that_cannot_be_used_are_400(tool: Tool, path: str, query: Json) -> None:
    """XAPI-00243, 00249, 00250."""
    assert tool.get(path, query).status == 400


def test_XAPI_00317_about_lists_the_versions_and_needs_no_credential(tool: Tool, stranger: Tool) -> None:
    """XAPI-00315 to 00319."""
    for one in (tool.get("about"), stranger.get("about"), stranger.get("about", X_Experience_API_Version=None)):
        assert one.status == 200
        assert tool.version in one.value["version"]
