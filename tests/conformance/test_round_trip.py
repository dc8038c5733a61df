"""What was sent comes back: whole statements, to the last property, number and character."""

from __future__ import annotations

import json
import uuid
from decimal import Decimal
from typing import Any

import pytest

from tests.conformance.tool import JSON, Json, Tool, exactly, instant, reference, sub_statement

EXTENSIONS: Json = {
    "https://example.org/null": None,
    "https://example.org/empty-text": "",
    "https://example.org/empty-object": {},
    "https://example.org/empty-array": [],
    "https://example.org/false": False,
    "https://example.org/zero": 0,
    "https://example.org/nested": {"a": [None, "", {}, [], {"b": [1, [2, {"c": None}]]}], "id": "x", "stored": "y"},
    "https://example.org/many": list(range(100)),
    "https://example.org/numbers": [2**53 + 1, -(2**63), 0.1, 1.7976931348623157e308, 5e-324, 0.12123434, -0.5],
    "https://example.org/text": 'ÄÖÜ ß € 漢字 עברית 😀 e\u0301 \u200d \u2028 \\ " / \b\f\n\r\t \u007f',
}
DEFINITION: Json = {
    "name": {"en-US": "Fractions", "de": "Brüche", "zh-Hant": "分數"},
    "description": {"en-US": "Halves & <quarters>", "fr-CA": "Moitiés « et » quarts"},
    "type": "http://adlnet.gov/expapi/activities/cmi.interaction",
    "moreInfo": "https://example.org/more?a=b&c=%20d#e",
    "interactionType": "choice",
    "correctResponsesPattern": ["golf[,]tetris", ""],
    "choices": [{"id": "golf", "description": {"en-US": "Golf"}}, {"id": "tetris", "description": {"ja": "テトリス"}}],
    "extensions": EXTENSIONS,
}


def context(tool: Tool) -> Json:
    """Return a context with every property of 1.0.3."""
    return {
        "registration": str(uuid.uuid4()),
        "instructor": {**tool.agent("teacher"), "name": "Frau Müller"},
        "team": tool.group("ann", "ben", name="7b", mbox=f"mailto:{tool.mark}@example.org"),
        "contextActivities": {
            "parent": [{"objectType": "Activity", "id": tool.activity("unit"), "definition": DEFINITION}],
            "grouping": [{"objectType": "Activity", "id": tool.activity(f"course{one}")} for one in range(3)],
            "category": [{"objectType": "Activity", "id": "https://example.org/profile"}],
            "other": [{"objectType": "Activity", "id": "https://example.org/ünïcode/%C3%BC?q=a+b"}],
        },
        "revision": "4.2β",
        "platform": "Tool 漢字",
        "language": "zh-Hant",
        "statement": reference(str(uuid.uuid4())),
        "extensions": EXTENSIONS,
    }


def whole(tool: Tool) -> Json:
    """Return a statement with every property that a tool may send."""
    return {
        "id": str(uuid.uuid4()),
        "actor": {"objectType": "Group", "name": "Ann & Ben", "member": [tool.agent("ann"), tool.agent("ben")]},
        "verb": {"id": tool.verb("answered"), "display": {"en-US": "answered", "de": "beantwortete"}},
        "object": {"objectType": "Activity", "id": tool.activity("task"), "definition": DEFINITION},
        "result": {
            "score": {"scaled": 0.123456789012345, "raw": 12.5, "min": -3.25, "max": 98765432109876.5},
            "success": False,
            "completion": True,
            "response": "golf[,]tetris – 'ü'",
            "duration": "P3Y1M29DT4H35M59.14S",
            "extensions": EXTENSIONS,
        },
        "context": context(tool),
        "timestamp": "2020-02-29T23:59:58.123Z",
        "version": "1.0.2",
        "attachments": [
            {
                "usageType": "https://example.org/usage",
                "display": {"en-US": "A scan", "de": "Ein Scan"},
                "description": {"de": "Größe A4"},
                "contentType": "image/png; charset=binary",
                "length": 27,
                "sha2": "495395e777cd98da653df9615d09c0fd6bb2f8d4788394cd53c56a3bfdcd848a",
                "fileUrl": "https://example.org/scan.png",
            }
        ],
    }


def objects(tool: Tool) -> dict[str, Json]:
    """Return an object of every kind."""
    inner = {**tool.statement(timestamp="2020-01-01T00:00:00.500Z"), "context": context(tool)}
    return {
        "Agent": {**tool.agent("ann"), "name": "Ann"},
        "Group": tool.group("ann", "ben", openid=f"https://id.example.org/{tool.mark}"),
        "StatementRef": reference(str(uuid.uuid4())),
        "SubStatement": sub_statement(inner, result={"extensions": EXTENSIONS, "score": {"raw": 0.1}}),
    }


def sent_part(found: Json, sent: Json) -> Json:
    """Return what came back, without what the record store adds."""
    return {name: value for name, value in found.items() if name in sent}


def both_ways(tool: Tool, named: str, **query: Any) -> list[Json]:
    """Return a statement as it comes alone, and as it comes in a page."""
    return [tool.one(named), *tool.found(**query)]


def test_D_2_2_every_property_comes_back_as_it_was_sent(tool: Tool) -> None:
    """Data 2.2, 2.4; XAPI-00002, 00014, 00015, 00119, 00122, 00332."""
    sent = whole(tool)
    tool.store(sent)
    back = both_ways(tool, sent["id"], verb=sent["verb"]["id"])
    assert [exactly(sent_part(found, sent)) for found in back] == [exactly(sent)] * 2
    assert {frozenset(found.keys() - sent.keys()) for found in back} == {frozenset({"stored", "authority"})}


def test_D_2_2_a_put_statement_comes_back_as_it_was_sent(tool: Tool) -> None:
    sent = whole(tool)
    assert tool.put(sent).status == 204
    assert exactly(sent_part(tool.one(sent["id"]), sent)) == exactly(sent)


@pytest.mark.parametrize("kind", ["Agent", "Group", "StatementRef", "SubStatement"])
def test_D_2_4_4_an_object_of_every_kind_comes_back_as_it_was_sent(tool: Tool, kind: str) -> None:
    sent = {**tool.statement(), "object": objects(tool)[kind]}
    tool.store(sent)
    for found in both_ways(tool, sent["id"], verb=sent["verb"]["id"]):
        assert exactly(found["object"]) == exactly(sent["object"])


@pytest.mark.parametrize("value", [None, "", {}, {"a": None, "b": [{}]}], ids=str)
def test_XAPI_00119_an_extension_without_a_value_is_kept(tool: Tool, value: Any) -> None:
    sent = tool.statement(context={"extensions": {"https://example.org/x": value}})
    tool.store(sent)
    assert exactly(tool.one(sent["id"])["context"]) == exactly(sent["context"])


def test_XAPI_00002_numbers_keep_their_precision(tool: Tool) -> None:
    """At least that of IEEE 754 double precision; compared as decimals, since a reader may round as a writer does."""
    sent = tool.statement(result={"score": {"raw": 0.1234567890123456, "max": 1e300, "min": -123456789.987654321}})
    tool.store(sent)
    text = tool.get(query={"statementId": sent["id"]}).data.decode()
    score = json.loads(text, parse_float=Decimal)["result"]["score"]
    assert {name: float(value) for name, value in score.items()} == sent["result"]["score"]


def test_XAPI_00015_text_is_utf_8_whichever_way_it_is_escaped(tool: Tool) -> None:
    sent = tool.statement(result={"response": "é漢😀"})
    escaped = json.dumps(sent, ensure_ascii=True).encode()
    assert b"\\ud83d\\ude00" in escaped
    assert tool.post(escaped).status == 200
    assert tool.one(sent["id"])["result"] == {"response": "é漢😀"}


def test_XAPI_00096_a_lone_context_activity_comes_back_in_an_array(tool: Tool) -> None:
    activity = {"objectType": "Activity", "id": tool.activity("course")}
    lone = {"contextActivities": {"parent": activity, "other": [activity]}}
    sent = tool.statement(context=lone)
    nested = {**tool.statement(), "object": sub_statement(tool.statement(context=lone))}
    tool.store(sent, nested)
    arrays = {"parent": [activity], "other": [activity]}
    assert tool.one(sent["id"])["context"]["contextActivities"] == arrays
    assert tool.one(nested["id"])["object"]["context"]["contextActivities"] == arrays


def test_XAPI_00122_a_timestamp_keeps_its_instant_to_the_millisecond(tool: Tool) -> None:
    """Data 4.5: another zone is the same time."""
    for text in ("2015-06-30T22:59:59.123Z", "2015-06-30T22:59:59.987+05:30", "2039-01-01T00:00:00.001-08:00"):
        (named,) = tool.store(tool.statement(timestamp=text))
        assert instant(tool.one(named)["timestamp"]) == instant(text)


def test_S_4_2_7_times_are_answered_in_utc(newer: Tool) -> None:
    sent = newer.statement(timestamp="2008-09-15T15:53:00.601+02:00")
    nested = {**newer.statement(), "object": sub_statement(sent)}
    newer.store(sent, nested)
    for text in (newer.one(sent["id"])["timestamp"], newer.one(nested["id"])["object"]["timestamp"]):
        assert text.endswith(("Z", "+00:00"))
        assert instant(text) == instant("2008-09-15T13:53:00.601Z")


@pytest.mark.parametrize("text", ["P4W", "PT4H35M59.14S", "P3Y1M29DT4H35M59.14S", "PT0S"])
def test_XAPI_00124_a_duration_comes_back_as_the_text_that_was_sent(tool: Tool, text: str) -> None:
    (named,) = tool.store(tool.statement(result={"duration": text}))
    assert tool.one(named)["result"] == {"duration": text}


def test_S_4_2_2_context_agents_and_context_groups_come_back(newer: Tool) -> None:
    types = ["https://example.org/tutor", "https://example.org/peer"]
    given = {
        "contextAgents": [{"objectType": "contextAgent", "agent": newer.agent("ann"), "relevantTypes": types}],
        "contextGroups": [{"objectType": "contextGroup", "group": newer.group("ben"), "relevantTypes": types[:1]}],
    }
    sent = newer.statement(context=given)
    nested = {**newer.statement(), "object": sub_statement(newer.statement(context=given))}
    newer.store(sent, nested)
    assert exactly(newer.one(sent["id"])["context"]) == exactly(given)
    assert exactly(newer.one(nested["id"])["object"]["context"]) == exactly(given)


def test_D_2_4_6_2_context_agents_are_unknown_to_1_0_3(older: Tool) -> None:
    entry = {"objectType": "contextAgent", "agent": older.agent("ann"), "relevantTypes": ["https://example.org/t"]}
    assert older.post(older.statement(context={"contextAgents": [entry]})).status == 400


def test_D_2_2_a_large_statement_comes_back_whole(tool: Tool) -> None:
    sent = tool.statement(result={"response": "äbc" * 100_000})
    assert tool.post(json.dumps(sent).encode(), Content_Type=f"{JSON}; charset=utf-8").status == 200
    assert tool.one(sent["id"])["result"] == sent["result"]
