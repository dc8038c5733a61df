"""The filters of GET statements: every place that they look at, and none besides."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from hashlib import sha1
from typing import Any

import pytest

from tests.conformance.tool import Json, Tool, sub_statement

Place = Callable[[Tool], Json]
"""From a tool to what a statement must have for Ann, or the activity `wanted`, to stand in that place."""


def _nested(**more: Any) -> Place:
    return lambda tool: {"object": sub_statement(tool.statement("inner", about="inner", **more))}


def _inner(part: Place) -> Place:
    return lambda tool: {"object": sub_statement(tool.statement("inner", about="inner"), **part(tool))}


AGENT: dict[str, Place] = {
    "actor": lambda tool: {"actor": tool.agent("ann")},
    "member of the actor": lambda tool: {"actor": tool.group("ben", "ann")},
    "member of an identified actor": lambda tool: {"actor": tool.group("ann", mbox="mailto:7b@example.org")},
    "object": lambda tool: {"object": tool.agent("ann")},
    "member of the object": lambda tool: {"object": tool.group("ann", "ben")},
}
IN_CONTEXT: dict[str, Place] = {
    "instructor": lambda tool: {"context": {"instructor": tool.agent("ann")}},
    "member of the instructor": lambda tool: {"context": {"instructor": tool.group("ben", "ann")}},
    "member of the team": lambda tool: {"context": {"team": tool.group("ben", "ann")}},
}
RELATED_AGENT: dict[str, Place] = {
    **IN_CONTEXT,
    **{f"{name} of the SubStatement": _inner(place) for name, place in (AGENT | IN_CONTEXT).items()},
}
NEWER: dict[str, Place] = {
    "contextAgents": lambda tool: {
        "context": {
            "contextAgents": [
                {"objectType": "contextAgent", "agent": tool.agent("ann"), "relevantTypes": ["https://example.org/t"]}
            ]
        }
    },
    "member of contextGroups": lambda tool: {
        "context": {
            "contextGroups": [
                {"objectType": "contextGroup", "group": tool.group("ann"), "relevantTypes": ["https://example.org/t"]}
            ]
        }
    },
}
NEWER |= {f"{name} of the SubStatement": _inner(place) for name, place in NEWER.items()}


def _about(kind: str) -> Place:
    return lambda tool: {"context": {"contextActivities": {kind: [{"id": tool.activity("wanted")}]}}}


KINDS: dict[str, Place] = {kind: _about(kind) for kind in ("parent", "grouping", "category", "other")}
RELATED_ACTIVITY: dict[str, Place] = {
    **KINDS,
    "object of the SubStatement": _inner(lambda tool: {"object": {"id": tool.activity("wanted")}}),
    **{f"{name} of the SubStatement": _inner(place) for name, place in KINDS.items()},
}


def stored(tool: Tool, places: Mapping[str, Place]) -> dict[str, str]:
    """Store a statement for each place in one batch, and some that have nothing there; return the places by id."""
    sent = {name: {**tool.statement("other"), **place(tool)} for name, place in places.items()}
    tool.store(tool.statement("other"), *sent.values(), tool.statement("other"))
    return {one["id"]: name for name, one in sent.items()}


def found(tool: Tool, placed: Mapping[str, str], **query: Any) -> list[str]:
    """Return the places of the statements that meet a query, in the order in which they were stored."""
    return [placed[one] for one in tool.ids(**query, ascending="true")]


def test_XAPI_00181_agent_finds_actor_and_object_and_the_members_of_either(tool: Tool) -> None:
    placed = stored(tool, AGENT | RELATED_AGENT)
    ann = tool.agent("ann")
    assert found(tool, placed, agent=ann) == list(AGENT)
    assert found(tool, placed, agent=ann, related_agents="false") == list(AGENT)
    assert tool.ids(agent=tool.agent("nobody")) == []


def test_XAPI_00176_related_agents_finds_every_other_place_too(tool: Tool) -> None:
    placed = stored(tool, AGENT | RELATED_AGENT)
    assert found(tool, placed, agent=tool.agent("ann"), related_agents="true") == [*AGENT, *RELATED_AGENT]


def test_S_4_1_6_1_related_agents_finds_context_agents_and_context_groups(newer: Tool) -> None:
    placed = stored(newer, NEWER)
    assert found(newer, placed, agent=newer.agent("ann")) == []
    assert found(newer, placed, agent=newer.agent("ann"), related_agents="true") == list(NEWER)


def test_XAPI_00176_related_agents_finds_the_authority(tool: Tool) -> None:
    sent = tool.statement()
    tool.store(sent)
    asked = {"agent": tool.one(sent["id"])["authority"], "verb": sent["verb"]["id"]}
    assert tool.ids(**asked) == tool.ids(**asked, related_agents="false") == []
    assert tool.ids(**asked, related_agents="true") == [sent["id"]]


IDENTIFIERS: dict[str, Callable[[str], Json]] = {
    "mbox": lambda mark: {"mbox": f"mailto:{mark}@example.org"},
    "mbox_sha1sum": lambda mark: {"mbox_sha1sum": sha1(mark.encode()).hexdigest()},
    "openid": lambda mark: {"openid": f"https://id.example.org/{mark}"},
    "account": lambda mark: {"account": {"homePage": "https://sis.example.org", "name": mark}},
}


@pytest.mark.parametrize("identity", IDENTIFIERS.values(), ids=IDENTIFIERS)
def test_XAPI_00181_agents_and_identified_groups_are_found_by_their_identifier_alone(
    tool: Tool, identity: Callable[[str], Json]
) -> None:
    kinds = [{"objectType": kind, **identity(kind[0] + tool.mark)} for kind in ("Agent", "Group")]
    sent = [tool.statement(actor={**who, "name": "Somebody"}) for who in kinds]
    tool.store(*sent, tool.statement())
    for who, one in zip(kinds, sent, strict=True):
        assert tool.ids(agent={**who, "name": "Another name"}) == [one["id"]]


def test_XAPI_00176_related_agents_finds_an_identified_group_in_the_context_by_its_own_identifier(tool: Tool) -> None:
    group = {"objectType": "Group", "mbox": f"mailto:{tool.mark}@example.org"}
    types = {"relevantTypes": ["https://example.org/t"]}
    places: Json = {"team": {"team": group}, "instructor": {"instructor": {**group, "member": [tool.agent("ben")]}}}
    if tool.version == "2.0.0":
        places["contextGroups"] = {"contextGroups": [{"objectType": "contextGroup", "group": group, **types}]}
    sent = [tool.statement(context=context) for context in places.values()]
    tool.store(*sent, tool.statement())
    assert tool.ids(agent=group) == []
    assert tool.ids(agent=group, related_agents="true", ascending="true") == [one["id"] for one in sent]


def test_XAPI_00180_verb_finds_its_very_id(tool: Tool) -> None:
    sent = [tool.statement(verb=name) for name in ("passed", "passed-twice", "passed")]
    tool.store(*sent)
    assert tool.ids(verb=tool.verb("passed")) == [sent[2]["id"], sent[0]["id"]]
    assert tool.ids(verb=tool.verb("PASSED")) == []


def test_XAPI_00179_activity_finds_the_object_and_nothing_else(tool: Tool) -> None:
    direct: dict[str, Place] = {"object": lambda tool: {"object": {"id": tool.activity("wanted")}}}
    placed = stored(tool, direct | RELATED_ACTIVITY)
    for more in ({}, {"related_activities": "false"}):
        assert found(tool, placed, activity=tool.activity("wanted"), **more) == ["object"]


def test_XAPI_00177_related_activities_finds_every_other_place(tool: Tool) -> None:
    placed = stored(tool, RELATED_ACTIVITY)
    assert found(tool, placed, activity=tool.activity("wanted"), related_activities="true") == list(RELATED_ACTIVITY)


def test_XAPI_00178_registration_finds_its_own_in_either_case(tool: Tool) -> None:
    registration = str(uuid.uuid4())
    sent = tool.statement(context={"registration": registration})
    nested = {**tool.statement(), **_nested(context={"registration": registration})(tool)}
    tool.store(sent, nested, tool.statement(context={"registration": str(uuid.uuid4())}), tool.statement())
    for asked in (registration, registration.upper()):
        assert tool.ids(registration=asked) == [sent["id"]]


def test_XAPI_00164_filters_given_together_must_all_be_met(tool: Tool) -> None:
    registration = str(uuid.uuid4())
    course = {"contextActivities": {"parent": [{"id": tool.activity("course")}]}}
    context = {"registration": registration, **course}
    wanted = tool.statement("ann", "passed", "fractions", context=context)
    near = [
        tool.statement("ben", "passed", "fractions", context=context),
        tool.statement("ann", "failed", "fractions", context=context),
        tool.statement("ann", "passed", "decimals", context=course),
        tool.statement("ann", "passed", "fractions", context={"registration": str(uuid.uuid4())}),
    ]
    tool.store(*near[:2], wanted, *near[2:])
    asked = {"agent": tool.agent("ann"), "verb": tool.verb("passed"), "registration": registration}
    assert tool.ids(**asked) == [wanted["id"]]
    assert tool.ids(**asked, activity=tool.activity("fractions")) == [wanted["id"]]
    assert tool.ids(**asked, activity=tool.activity("course"), related_activities="true") == [wanted["id"]]
    assert tool.ids(**asked, activity=tool.activity("course")) == []


def test_XAPI_00149_no_match_is_200_with_an_empty_array(tool: Tool) -> None:
    page = tool.page({"verb": tool.verb("unheard")})
    assert (page["statements"], page.get("more", "")) == ([], "")


BAD: list[Json] = [
    {"foo": "bar"},
    {"Verb": "http://adlnet.gov/expapi/verbs/passed"},
    {"agent": "ann"},
    {"agent": {"name": "Ann"}},
    {"verb": "passed"},
    {"activity": "fractions"},
    {"registration": "1234"},
    {"statementId": "1234"},
    {"since": "yesterday"},
    {"until": "2026-13-01T00:00:00Z"},
    {"limit": "-1"},
    {"ascending": "yes"},
    {"related_agents": "1"},
    {"format": "EXACT"},
    {"attachments": "maybe"},
    {
        "statementId": "00000000-0000-4000-8000-000000000001",
        "voidedStatementId": "00000000-0000-4000-8000-000000000002",
    },
    {"statementId": "00000000-0000-4000-8000-000000000001", "limit": "1"},
    {"voidedStatementId": "00000000-0000-4000-8000-000000000001", "since": "2026-01-01T00:00:00Z"},
]


@pytest.mark.parametrize("query", BAD, ids=str)
def test_XAPI_00324_a_query_that_cannot_be_used_is_400(tool: Tool, query: Json) -> None:
    """XAPI-00150, 00151, 00325; Communication 2.1.3 and 3.2."""
    answer = tool.get(query=query)
    assert answer.status == 400
    assert "X-Experience-API-Consistent-Through" in answer.headers
