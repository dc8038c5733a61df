"""Storing statements: ids, what the record store sets itself, and when two statements are the same."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance.tool import Json, Tool, instant

CLAIMED = {"objectType": "Agent", "mbox": "mailto:somebody.else@example.org"}
Change = Callable[[Json], object]


def test_XAPI_00146_every_id_of_a_batch_is_answered_in_its_order(tool: Tool) -> None:
    sent = [tool.statement() for _ in range(7)]
    assert tool.store(*sent) == [one["id"] for one in sent]


def test_XAPI_00026_a_statement_without_id_gets_one_that_it_is_found_by(tool: Tool) -> None:
    sent = [tool.statement(f"learner{number}") for number in range(3)]
    for one in sent:
        del one["id"]
    ids = tool.store(*sent)
    assert len({uuid.UUID(one) for one in ids}) == 3
    assert [tool.one(one)["actor"] for one in ids] == [one["actor"] for one in sent]


def test_XAPI_00143_a_put_is_answered_204_without_content(tool: Tool) -> None:
    sent = tool.statement()
    answer = tool.put(sent)
    assert (answer.status, answer.data) == (204, b"")
    assert tool.one(sent["id"])["id"] == sent["id"]


def test_XAPI_00144_a_put_gives_the_statement_the_id_of_the_request_and_takes_no_other(tool: Tool) -> None:
    sent, named = tool.statement(), str(uuid.uuid4())
    assert tool.put(sent, named).status == 400
    assert tool.get(query={"statementId": named}).status == tool.get(query={"statementId": sent["id"]}).status == 404
    del sent["id"]
    assert tool.put(sent, named).status == 204
    assert tool.one(named)["actor"] == sent["actor"]


def test_XAPI_00326_a_batch_with_one_bad_statement_is_refused_whole(tool: Tool) -> None:
    good, bad = tool.statement(), tool.statement()
    bad["verb"] = {"id": "no IRI"}
    assert tool.post([good, bad]).status == 400
    assert tool.ids(verb=good["verb"]["id"]) == []


BAD: dict[str, Change] = {
    "a null": lambda one: one["object"].update(definition={"name": None}),
    "a null timestamp": lambda one: one.update(timestamp=None),
    "an unknown property": lambda one: one.update(dummy=1),
    "a property in another case": lambda one: one.update(Result={}),
    "no actor": lambda one: one.pop("actor"),
    "two identifiers": lambda one: one["actor"].update(mbox="mailto:ann@example.org"),
    "a verb without scheme": lambda one: one["verb"].update(id="passed"),
    "an activity without scheme": lambda one: one["object"].update(id="task"),
    "an mbox without mailto": lambda one: one.update(actor={"mbox": "ann@example.org"}),
    "a score beyond 1": lambda one: one.update(result={"score": {"scaled": 1.1}}),
    "a text for a truth": lambda one: one.update(result={"success": "true"}),
    "a registration that is no UUID": lambda one: one.update(context={"registration": "1234"}),
    "an id that is no UUID": lambda one: one.update(id="1234"),
    "an unknown offset": lambda one: one.update(timestamp="2015-01-01T00:00:00-00:00"),
    "an extension whose name is no IRI": lambda one: one.update(result={"extensions": {"x": 1}}),
    "an authority that is a large group": lambda one: one.update(
        authority={"objectType": "Group", "member": [CLAIMED, CLAIMED, CLAIMED]}
    ),
    "another version": lambda one: one.update(version="0.9.9"),
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_XAPI_00007_an_unsound_statement_is_400_and_not_stored(tool: Tool, change: Change) -> None:
    """XAPI-00001 to 00012, 00034, 00083, 00098, 00101, 00118, 00123; by POST and by PUT."""
    sent = tool.statement()
    named = sent["id"]
    change(sent)
    assert [tool.post(sent).status, tool.put(sent, named).status] == [400, 400]
    assert tool.ids(verb=tool.verb("answered")) == []


def test_XAPI_00097_a_stored_that_was_sent_is_overwritten(tool: Tool) -> None:
    old = "2001-02-03T04:05:06.789Z"
    one, other = (tool.statement(stored=old, timestamp=old) for _ in range(2))
    tool.store(one)
    tool.put(other)
    years = [instant(tool.one(sent["id"])["stored"]).year for sent in (one, other)]
    assert min(years) > 2020


def test_XAPI_00023_stored_and_timestamp_are_written_with_a_fraction_of_a_second(tool: Tool) -> None:
    sent = [tool.statement() for _ in range(3)]
    tool.store(*sent)
    for found in tool.found(verb=sent[0]["verb"]["id"]):
        assert "." in found["stored"]
        assert "." in found["timestamp"]
        assert instant(found["timestamp"]) == instant(found["stored"])


def test_D_2_4_8_stored_rises_in_the_order_in_which_statements_came(tool: Tool) -> None:
    sent = [tool.statement() for _ in range(5)]
    ids = [*tool.store(*sent[:3]), *tool.store(*sent[3:])]
    times = [instant(tool.one(one)["stored"]) for one in ids]
    assert times == sorted(set(times))


def test_XAPI_00099_authority_is_that_of_the_credential_whatever_is_claimed(tool: Tool, writer: Tool) -> None:
    plain, claiming = tool.statement(), tool.statement(authority=CLAIMED)
    tool.store(plain, claiming)
    own = tool.one(plain["id"])["authority"]
    assert tool.one(claiming["id"])["authority"] == own
    assert own != CLAIMED
    other = writer.statement()
    writer.store(other)
    assert tool.one(other["id"])["authority"] not in (own, CLAIMED)
    asked = {"agent": own, "related_agents": "true"}
    assert set(tool.ids(verb=plain["verb"]["id"], **asked)) == {plain["id"], claiming["id"]}


def test_XAPI_00332_the_version_that_was_sent_comes_back(tool: Tool) -> None:
    sent = [tool.statement(version=text) for text in ("1.0.0", "1.0.2", "1.0.9")]
    tool.store(*sent)
    assert [tool.one(one["id"])["version"] for one in sent] == ["1.0.0", "1.0.2", "1.0.9"]


def test_D_2_4_10_a_statement_without_version_gets_that_of_its_rules(tool: Tool) -> None:
    """1.0.3 Data 2.4.10 and 2.0 4.2.2."""
    (named,) = tool.store(tool.statement())
    assert tool.one(named)["version"] == {"1.0.3": "1.0.0", "2.0.0": "2.0.0"}[tool.version]


def test_S_4_1_6_1_an_id_twice_in_a_batch_is_400(newer: Tool) -> None:
    sent = newer.statement()
    assert newer.post([sent, newer.statement(), sent]).status == 400
    assert newer.ids(verb=sent["verb"]["id"]) == []


def whole(tool: Tool) -> Json:
    """Return a statement with something in it for every permitted change."""
    context: Json = {
        "registration": str(uuid.uuid4()),
        "team": tool.group("ann", "ben"),
        "contextActivities": {"category": [{"objectType": "Activity", "id": tool.activity("course")}]},
        "extensions": {"https://example.org/x": {"a": 1, "b": [1, 2]}},
    }
    definition = {"name": {"en": "Task"}, "type": "http://adlnet.gov/expapi/activities/assessment"}
    return {
        **tool.statement(),
        "object": {"objectType": "Activity", "id": tool.activity("task"), "definition": definition},
        "context": context,
        "result": {"score": {"scaled": 0.5}, "success": True, "duration": "PT1.23S"},
    }


def _with_duration(text: str) -> Change:
    return lambda one: one["result"].update(duration=text)


SAME: dict[str, Change] = {
    "nothing": lambda one: None,
    "the id in upper case": lambda one: one.update(id=one["id"].upper()),
    "a stored": lambda one: one.update(stored="2001-01-01T00:00:00.000Z"),
    "an authority": lambda one: one.update(authority=CLAIMED),
    "a version": lambda one: one.update(version="1.0.3"),
    "another display of the verb": lambda one: one["verb"].update(display={"fr": "répondu"}),
    "another definition of the activity": lambda one: one["object"].update(definition={"name": {"fr": "Tâche"}}),
    "a lone context activity": lambda one: one["context"]["contextActivities"].update(
        category=one["context"]["contextActivities"]["category"][0]
    ),
    "members in another order": lambda one: one["context"]["team"]["member"].reverse(),
    "the registration in upper case": lambda one: one["context"].update(
        registration=one["context"]["registration"].upper()
    ),
    "a finer duration": _with_duration("PT1.239S"),
    "properties in another order": lambda one: one.update(actor=one.pop("actor")),
}
ANOTHER: dict[str, Change] = {
    "another actor": lambda one: one["actor"]["account"].update(name="another"),
    "another verb": lambda one: one["verb"].update(id="http://adlnet.gov/expapi/verbs/failed"),
    "another activity": lambda one: one["object"].update(id="https://tool.example.org/another"),
    "another score": lambda one: one["result"]["score"].update(scaled=0.51),
    "1 for true": lambda one: one["context"]["extensions"].update({"https://example.org/x": {"a": True, "b": [1, 2]}}),
    "no success": lambda one: one["result"].pop("success"),
    "another duration": _with_duration("PT1.24S"),
    "another registration": lambda one: one["context"].update(registration=str(uuid.uuid4())),
    "an extension in another order": lambda one: one["context"]["extensions"].update(
        {"https://example.org/x": {"a": 1, "b": [2, 1]}}
    ),
    "one member less": lambda one: one["context"]["team"]["member"].pop(),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_D_2_3_1_a_statement_sent_again_is_left_alone(tool: Tool, change: Change) -> None:
    """Data 2.3.1, Statement Comparison Requirements: what may differ; by POST and by PUT."""
    sent = whole(tool)
    tool.store(sent)
    before, again = tool.one(sent["id"]), copy.deepcopy(sent)
    change(again)
    assert tool.post(again).status == 200
    assert tool.put(again).status == 204
    assert tool.found(verb=tool.verb("answered")) == [before]


@pytest.mark.parametrize("change", ANOTHER.values(), ids=ANOTHER)
def test_XAPI_00142_an_id_that_is_taken_by_another_statement_is_409_and_changes_nothing(
    tool: Tool, change: Change
) -> None:
    """Data 2.3.1 and Communication 2.1: 409 by POST and by PUT, and nothing of the batch is stored."""
    sent = whole(tool)
    tool.store(sent)
    before, other = tool.one(sent["id"]), copy.deepcopy(sent)
    change(other)
    assert [tool.put(other).status, tool.post([tool.statement(), other]).status] == [409, 409]
    assert tool.found(activity=tool.activity("task")) == [before]


def test_XAPI_00142_a_batch_may_hold_what_is_stored_already(tool: Tool) -> None:
    old, new = tool.statement(), tool.statement()
    tool.store(old)
    assert tool.store(new, old) == [new["id"], old["id"]]
    assert tool.ids(verb=old["verb"]["id"]) == [new["id"], old["id"]]


def test_D_2_4_9_a_statement_sent_again_by_another_keeps_its_authority(tool: Tool, writer: Tool) -> None:
    sent: Any = tool.statement()
    tool.store(sent)
    before = tool.one(sent["id"])
    assert writer.post(sent).status == 200
    assert tool.one(sent["id"]) == before
