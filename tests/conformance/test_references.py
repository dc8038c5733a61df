"""StatementRefs that filters follow, and voiding: Communication 2.1.3, 2.1.4, Data 2.3.2."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from tests.conformance.tool import VOIDED, Json, Tool, reference, shifted
from tests.district import ids

ORDERS = list(itertools.permutations(range(3)))


def about(tool: Tool, target: Json, verb: str = "confirmed", **more: Any) -> Json:
    """Return a statement of somebody else whose object refers to another statement."""
    return {**tool.statement("andrew", verb, **more), "object": reference(target["id"])}


def voiding(tool: Tool, target: Json) -> Json:
    """Return a statement that voids another."""
    return {**about(tool, target), "verb": {"id": VOIDED}}


def told(tool: Tool) -> Json:
    """Return a statement with something for each filter to find."""
    context = {
        "registration": str(uuid.uuid4()),
        "instructor": tool.agent("teacher"),
        "contextActivities": {"parent": [{"id": tool.activity("course")}]},
    }
    return tool.statement("ben", "passed", "explosives", context=context)


def filters(tool: Tool, target: Json) -> list[dict[str, Any]]:
    """Return a query for each filter that the target meets."""
    return [
        {"agent": target["actor"]},
        {"verb": target["verb"]["id"]},
        {"activity": target["object"]["id"]},
        {"registration": target["context"]["registration"]},
        {"agent": tool.agent("teacher"), "related_agents": "true"},
        {"activity": tool.activity("course"), "related_activities": "true"},
        {"agent": target["actor"], "verb": target["verb"]["id"], "activity": target["object"]["id"]},
    ]


def each(tool: Tool, statements: Sequence[Json]) -> None:
    """Store statements one after the other."""
    for one in statements:
        tool.store(one)


@pytest.mark.parametrize("is_first", [True, False], ids=["target first", "reference first"])
def test_C_2_1_3_a_statement_is_found_by_what_it_refers_to_in_every_filter(tool: Tool, is_first: bool) -> None:
    target = told(tool)
    referring = about(tool, target)
    order = [target, referring] if is_first else [referring, target]
    each(tool, order)
    for query in filters(tool, target):
        assert tool.ids(**query) == ids(reversed(order)), query
    assert tool.ids(verb=referring["verb"]["id"]) == [referring["id"]]


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_C_2_1_3_references_are_followed_through_a_chain_in_every_order_of_arrival(
    tool: Tool, order: tuple[int, ...]
) -> None:
    target = told(tool)
    middle = about(tool, target)
    chain = [target, middle, about(tool, middle, "approved")]
    each(tool, [chain[place] for place in order])
    newest_first = [chain[place]["id"] for place in reversed(order)]
    for query in filters(tool, target)[-3:]:
        assert tool.ids(**query) == newest_first, query
    assert tool.ids(verb=tool.verb("confirmed")) == [one for one in newest_first if one != target["id"]]


def test_C_2_1_3_what_does_not_match_is_not_found_by_its_reference_either(tool: Tool) -> None:
    target, stranger = told(tool), tool.statement("ann", "failed")
    each(tool, [target, stranger, about(tool, stranger)])
    assert tool.ids(agent=target["actor"]) == [target["id"]]


def test_C_2_1_3_time_and_number_are_those_of_the_referring_statement(tool: Tool) -> None:
    target = told(tool)
    referring = about(tool, target)
    each(tool, [target, referring])
    stored = tool.one(referring["id"])["stored"]
    asked = {"verb": target["verb"]["id"]}
    assert tool.ids(**asked, since=shifted(stored, -1)) == [referring["id"]]
    assert tool.ids(**asked, until=shifted(stored, -1)) == [target["id"]]
    assert ids(tool.page({**asked, "limit": "1"})["statements"]) == [referring["id"]]


def test_XAPI_00018_a_voided_statement_is_404_by_its_id_and_200_by_voidedStatementId(tool: Tool) -> None:
    """XAPI-00155, 00163."""
    target = told(tool)
    each(tool, [target, voiding(tool, target)])
    assert tool.get(query={"statementId": target["id"]}).status == 404
    answer = tool.get(query={"voidedStatementId": target["id"]})
    assert (answer.status, answer.value["id"]) == (200, target["id"])


def test_XAPI_00157_a_statement_that_is_not_voided_is_404_by_voidedStatementId(tool: Tool) -> None:
    (named,) = tool.store(tool.statement())
    assert tool.get(query={"voidedStatementId": named}).status == 404
    assert tool.get(query={"voidedStatementId": str(uuid.uuid4())}).status == 404
    assert tool.get(query={"statementId": str(uuid.uuid4())}).status == 404


def test_XAPI_00162_lists_leave_out_the_voided_statement_and_keep_those_that_refer_to_it(tool: Tool) -> None:
    target, other = told(tool), tool.statement("ben", "passed")
    referring, void = about(tool, target), voiding(tool, target)
    each(tool, [target, other, referring, void])
    found = tool.ids(verb=target["verb"]["id"])
    assert found == [void["id"], referring["id"], other["id"]]


def test_D_2_3_2_a_statement_may_be_voided_before_it_arrives(tool: Tool) -> None:
    target = told(tool)
    void = voiding(tool, target)
    each(tool, [void, target])
    assert tool.get(query={"statementId": target["id"]}).status == 404
    assert tool.get(query={"voidedStatementId": target["id"]}).status == 200
    assert tool.ids(agent=target["actor"]) == [void["id"]]


def test_XAPI_00016_a_voiding_statement_cannot_be_voided(tool: Tool) -> None:
    target = told(tool)
    void = voiding(tool, target)
    each(tool, [target, void])
    assert tool.post(voiding(tool, void)).status in {200, 400, 403, 409}
    assert tool.get(query={"statementId": target["id"]}).status == 404
    assert tool.one(void["id"])["verb"] == void["verb"]


def test_XAPI_00017_a_voiding_statement_needs_a_statement_ref(tool: Tool) -> None:
    sent = tool.statement()
    sent["verb"] = {"id": VOIDED}
    assert tool.post(sent).status == 400
