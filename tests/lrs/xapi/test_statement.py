"""Data 2.2 to 2.4: which statements are valid, and what is said of those that are not."""

from __future__ import annotations

from typing import Any

import pytest

from lrs.xapi.statement import VOIDED, Version, is_voiding, problems
from lrs.xapi.values import Json
from tests.lrs.xapi.examples import ANN, BEN, CLASS, REFERENCE, full, least, nested, places, with_value, without

VERSIONS: tuple[Version, ...] = ("1.0.3", "2.0.0")
WHOLE = {"least": least(), "full": full(), "nested": nested()}
LANGUAGE_MAPS = ("/display", "/name", "/description")
PLACES = [(name, pointer) for name, statement in WHOLE.items() for pointer, _ in places(statement) if pointer]
OBJECTS = [
    (name, pointer)
    for name, statement in WHOLE.items()
    for pointer, part in places(statement)
    if isinstance(part, dict) and not pointer.endswith((*LANGUAGE_MAPS, "/extensions"))
]


def found(statement: Any, version: Version = "1.0.3", pointer: str = "") -> list[str]:
    return [str(problem) for problem in problems(statement, version, pointer)]


def pointers(statement: Any, version: Version = "1.0.3") -> list[str]:
    return [problem.pointer for problem in problems(statement, version)]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", WHOLE)
def test_a_valid_statement_has_no_problem(name: str, version: Version) -> None:
    assert found(WHOLE[name], version) == []


@pytest.mark.parametrize("value", [None, True, 1, "text", [], [least()]])
def test_what_is_no_object_is_no_statement(value: object) -> None:
    assert pointers(value) == [""]


@pytest.mark.parametrize(("name", "pointer"), PLACES)
def test_null_is_refused_everywhere_but_in_extensions(name: str, pointer: str) -> None:
    assert pointer in pointers(with_value(WHOLE[name], pointer, None))


@pytest.mark.parametrize(("name", "pointer"), PLACES)
def test_a_value_of_no_possible_type_is_refused_everywhere(name: str, pointer: str) -> None:
    value = WHOLE[name]
    for wrong in ([["?"]], {"?": "?"}):
        assert pointers(with_value(value, pointer, wrong)) != []


@pytest.mark.parametrize(("name", "pointer"), OBJECTS)
def test_an_unknown_key_is_refused_in_every_object(name: str, pointer: str) -> None:
    assert f"{pointer}/dummy" in pointers(with_value(WHOLE[name], f"{pointer}/dummy", 1))


@pytest.mark.parametrize(("name", "pointer"), OBJECTS)
def test_a_key_in_the_wrong_case_is_refused_with_the_right_spelling(name: str, pointer: str) -> None:
    part = dict(places(WHOLE[name]))[pointer]
    for key in part:
        wrong = key[0].upper() + key[1:]
        changed = with_value(without(WHOLE[name], f"{pointer}/{key}"), f"{pointer}/{wrong}", part[key])
        expected = f'{pointer}/{wrong}: unknown: did you mean "{key}"?'
        if (name, pointer, key) == ("nested", "/object", "objectType"):
            expected = "/object/objectType: missing: a SubStatement as object must say its objectType"
        assert expected in found(changed)


@pytest.mark.parametrize("name", ["actor", "verb", "object"])
def test_actor_verb_and_object_are_required(name: str) -> None:
    assert found(without(least(), f"/{name}")) == [f"/{name}: missing"]
    assert pointers(without(nested(), f"/object/{name}")) == [f"/object/{name}"]


def test_every_problem_is_reported_at_once_and_in_order() -> None:
    statement = {**least(), "actor": {}, "verb": {"id": "no"}, "veRb": 1, "timestamp": "now", "version": "9"}
    assert pointers(statement) == ["/actor", "/verb/id", "/veRb", "/timestamp", "/version"]


def test_pointers_start_where_the_caller_says() -> None:
    assert [problem.pointer for problem in problems({**least(), "verb": {}}, "1.0.3", "/3")] == ["/3/verb/id"]


def test_keys_are_escaped_in_pointers() -> None:
    assert pointers({**least(), "a/b~c": 1}) == ["/a~1b~0c"]


def test_messages_name_the_fix() -> None:
    statement = with_value(full(), "/object/definition/choices/1", {"ID": "third"})
    statement["actor"] = {**BEN, **ANN}
    statement["result"]["success"] = "true"
    statement["context"]["registration"] = None
    uuid = "a UUID in standard form, such as 2c6b2a1e-7f53-4c8e-9d43-0a4d9b1c5e77"
    assert found(statement) == [
        "/actor: give exactly one of mbox, mbox_sha1sum, openid, account; found mbox and account",
        '/object/definition/choices/1/ID: unknown: did you mean "id"?',
        "/object/definition/choices/1/id: missing",
        '/result/success: must be true or false, not "true"',
        f"/context/registration: must be {uuid}, not null: leave the property out instead",
    ]


def test_long_values_are_cut_in_messages() -> None:
    (message,) = found(with_value(least(), "/verb/id", "x" * 10_000))
    assert len(message) < 200


def test_many_unknown_keys_are_all_reported() -> None:
    assert len(found({**least(), **{f"actr{number}": 1 for number in range(500)}})) == 500


CASES: list[tuple[str, list[Any], list[Any]]] = [
    ("/id", ["6B1D7C52-0F0E-4F5C-9D0B-2F4F6A1C3E58"], ["", "6b1d7c52", 5, {}, True]),
    ("/verb/id", ["urn:x:y", VOIDED + "-not"], ["", "answered", "//x", "a=b://x", 5, {}]),
    (
        "/verb/display",
        [{}, {"en": ""}, {"zh-Hant-HK": "x"}],
        ["x", [], {"en_GB": "x"}, {"en": 1}, {"en": None}, {"": "x"}],
    ),
    (
        "/timestamp",
        ["2031-01-01T00:00:00Z", "2026-01-01T00:00:00"],
        ["", "today", 0, "2026-01-01", "2026-01-01T00:00:00-00:00"],
    ),
    ("/stored", ["2026-01-01T00:00:00+02:00"], ["", "now", 1, "2026-01-01T00:00:00-00"]),
    (
        "/version",
        ["1.0", "1.0.0", "1.0.9", "1.0.12"],
        ["", "1", "1.1.0", "0.9.9", "2.0.0", "1.0.", "1.0.x", 1.0, "1.0.3 "],
    ),
    ("/result/success", [True, False], ["true", 0, 1, {}]),
    ("/result/completion", [True, False], ["false", 0, 1, []]),
    ("/result/response", ["", "x" * 5000], [True, 1, {}, []]),
    ("/result/duration", ["P4W", "PT16559.14S", "PT1.23456S"], ["", "P4W1D", 60, "PA1S", "1:30"]),
    ("/result/extensions", [{}, {"x:y": None}, {"x:y": {"null": [None]}}], [[], {"y": 1}, {"": 1}, "x:y"]),
    ("/result/score", [{}, {"raw": 5}, {"min": -5, "max": 5, "raw": -5}, {"raw": 5, "max": 5}], [1, [], "1"]),
    ("/result/score/scaled", [-1, 0, 1, 1.0, -0.125], [1.0001, -1.0001, 10, "0.5", True]),
    ("/result/score/raw", [0, 10, 9.75], [-0.5, 10.5, "5", False]),
    ("/result/score/min", [-1, 5], [10, 11, 6, "0", True]),
    ("/result/score/max", [5, 100], [0, -1, 4, "10", True]),
    ("/context/registration", ["6b1d7c52-0f0e-4f5c-9d0b-2f4f6a1c3e58"], ["", "x", 1, {}]),
    ("/context/language", ["cmn", "fr-CA"], ["", "english-in-full", "en_GB", 1, {}]),
    ("/context/revision", ["", "1.2"], [1, {}, []]),
    ("/context/platform", ["", "Slate"], [1, {}, []]),
    (
        "/context/statement",
        [REFERENCE],
        [{}, {"id": REFERENCE["id"]}, {**REFERENCE, "id": "x"}, {**REFERENCE, "x": 1}, "x"],
    ),
    ("/context/statement/objectType", [], ["statementRef", "Activity", "SubStatement"]),
    ("/context/team", [CLASS, {"objectType": "Group", "member": [ANN]}], [ANN, BEN, {}, {"objectType": "Group"}]),
    ("/context/instructor", [ANN, CLASS], [{}, {"name": "Ann"}, {"objectType": "Person", "mbox": "mailto:a@b"}]),
    ("/context/contextActivities", [{}, {"parent": []}], [[], {"parents": []}, {"Parent": []}, "x", {"parent": "x:y"}]),
    (
        "/context/contextActivities/other",
        [{"id": "x:y"}, [{"id": "x:y"}], []],
        [{}, [{}], ["x:y"], [[{"id": "x:y"}]], [ANN]],
    ),
    ("/context/extensions", [{}, {"x:y": ""}], [[], {"y": 1}, {"room 7": 1}]),
]
TABLE = [
    (root + pointer, value, is_valid)
    for pointer, accepted, refused in CASES
    for is_valid, values in ((True, accepted), (False, refused))
    for value in values
    for root in ("", "/object")
    if not (root and pointer in ("/id", "/stored", "/version"))
]


@pytest.mark.parametrize(("pointer", "value", "is_valid"), TABLE)
def test_each_property_takes_its_values_and_no_others_also_in_a_sub_statement(
    pointer: str, value: object, is_valid: bool
) -> None:
    statement = with_value(nested() if pointer.startswith("/object/") else full(), pointer, value)
    reported = pointers(statement)
    assert (reported == []) == is_valid
    part = pointer.rpartition("/")[0] if "/score/" in pointer else pointer
    assert all(place.startswith(part) for place in reported)


@pytest.mark.parametrize("target", [{"id": "x:y"}, {"objectType": "Activity", "id": "x:y"}, ANN, BEN, CLASS, REFERENCE])
def test_an_object_may_be_an_activity_an_actor_or_a_reference(target: dict[str, Any]) -> None:
    assert found({**least(), "object": target}) == []
    assert (
        found(with_value({**least(), "object": {"objectType": "SubStatement", **least()}}, "/object/object", target))
        == []
    )


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ({}, "/object/id: missing"),
        ({"objectType": "Agent"}, "/object: give exactly one of mbox, mbox_sha1sum, openid, account; found none"),
        ({"mbox": "mailto:a@b"}, "/object/objectType: missing: an Agent or a Group as object must say its objectType"),
        ({"member": [ANN]}, "/object/objectType: missing: an Agent or a Group as object must say its objectType"),
        (least(), "/object/objectType: missing: a SubStatement as object must say its objectType"),
        ({"objectType": "StatementRef"}, "/object/id: missing"),
        ({"objectType": "SubStatement", **least(), "id": REFERENCE["id"]}, "/object/id: unknown: "),
    ],
)
def test_an_object_that_is_none_of_these_is_refused(target: dict[str, Any], problem: str) -> None:
    assert any(message.startswith(problem) for message in found({**least(), "object": target}))


@pytest.mark.parametrize("kind", ["activity", "agent", "statementref", "Substatement", "Statement", "", 1, None, {}])
def test_an_object_type_is_one_of_five_words(kind: object) -> None:
    (message,) = found(with_value(full(), "/object/objectType", kind))
    assert message.startswith(
        '/object/objectType: must be "Activity", "Agent", "Group", "StatementRef" or "SubStatement"'
    )


@pytest.mark.parametrize("name", ["id", "stored", "version", "authority"])
def test_a_sub_statement_lacks_what_the_lrs_sets(name: str) -> None:
    statement = with_value(nested(), f"/object/{name}", full()[name])
    assert pointers(statement) == [f"/object/{name}"]


def test_a_sub_statement_holds_no_other() -> None:
    statement = with_value(nested(), "/object/object", {"objectType": "SubStatement", **least()})
    assert "/object/object/objectType" in pointers(statement)


def test_the_timestamp_of_a_sub_statement_may_lie_ahead() -> None:
    assert found(with_value(nested(), "/object/timestamp", "2999-01-01T00:00:00Z")) == []


@pytest.mark.parametrize("target", [ANN, CLASS, REFERENCE])
def test_revision_and_platform_belong_to_an_activity(target: dict[str, Any]) -> None:
    assert pointers({**full(), "object": target}) == ["/context/revision", "/context/platform"]
    inside = with_value(nested(), "/object/object", target)
    assert pointers(inside) == ["/object/context/revision", "/object/context/platform"]


def test_raw_outside_of_both_bounds_names_the_one_it_breaks() -> None:
    assert found(with_value(full(), "/result/score/raw", 11)) == [
        "/result/score/raw: must not be more than max, which is 10, but is 11"
    ]
    assert found(with_value(full(), "/result/score/min", 10))[0] == (
        "/result/score/min: must be less than max, which is 10, but is 10"
    )


def test_a_voiding_statement_names_its_target_by_reference() -> None:
    voiding = {**least(), "verb": {"id": VOIDED}, "object": REFERENCE}
    assert found(voiding) == []
    assert is_voiding(voiding)
    assert not is_voiding(full())
    assert pointers({**voiding, "object": {"id": "x:y"}}) == ["/object/objectType"]
    assert pointers({**voiding, "object": ANN}) == ["/object/objectType"]


def test_a_voided_verb_in_a_sub_statement_asks_the_same_and_voids_nothing() -> None:
    inner = {"objectType": "SubStatement", **least(), "verb": {"id": VOIDED}}
    assert pointers({**least(), "object": inner}) == ["/object/object/objectType"]
    assert not is_voiding({**least(), "object": {**inner, "object": REFERENCE}})


@pytest.mark.parametrize(
    ("text", "is_valid"),
    [("2.0.0", True), ("2.0.1", True), ("1.0", True), ("1.0.9", True), ("2.1.0", False), ("3", False)],
)
def test_version_2_takes_its_own_number_and_those_of_1(text: str, is_valid: bool) -> None:
    assert (found({**least(), "version": text}, "2.0.0") == []) == is_valid


CONTEXT_AGENT = {"objectType": "contextAgent", "agent": ANN, "relevantTypes": ["https://example.org/coach"]}
CONTEXT_GROUP = {"objectType": "contextGroup", "group": CLASS, "relevantTypes": ["https://example.org/class"]}


@pytest.mark.parametrize(("name", "entry"), [("contextAgents", CONTEXT_AGENT), ("contextGroups", CONTEXT_GROUP)])
def test_context_actors_are_known_in_2_only(name: str, entry: dict[str, Any]) -> None:
    for statement, pointer in ((full(), f"/context/{name}"), (nested(), f"/object/context/{name}")):
        changed = with_value(statement, pointer, [entry])
        assert found(changed, "2.0.0") == []
        assert pointers(changed, "1.0.3") == [pointer]


@pytest.mark.parametrize(
    ("name", "entry", "place"),
    [
        ("contextAgents", {**CONTEXT_AGENT, "objectType": "ContextAgent"}, "/0/objectType"),
        ("contextAgents", {"agent": ANN}, "/0/objectType"),
        ("contextAgents", {"objectType": "contextAgent"}, "/0/agent"),
        ("contextAgents", {**CONTEXT_AGENT, "agent": CLASS}, "/0/agent/objectType"),
        ("contextAgents", {**CONTEXT_AGENT, "relevantTypes": []}, "/0/relevantTypes"),
        ("contextAgents", {**CONTEXT_AGENT, "relevantTypes": ["coach"]}, "/0/relevantTypes/0"),
        ("contextAgents", {**CONTEXT_AGENT, "dummy": 1}, "/0/dummy"),
        ("contextGroups", {**CONTEXT_GROUP, "objectType": "contextAgent"}, "/0/objectType"),
        ("contextGroups", {"objectType": "contextGroup"}, "/0/group"),
        ("contextGroups", {**CONTEXT_GROUP, "group": ANN}, "/0/group/objectType"),
        ("contextGroups", {**CONTEXT_GROUP, "relevantTypes": []}, "/0/relevantTypes"),
    ],
)
def test_context_actors_are_complete_and_typed(name: str, entry: dict[str, Any], place: str) -> None:
    assert f"/context/{name}{place}" in pointers(with_value(full(), f"/context/{name}", [entry]), "2.0.0")


def test_context_actors_stand_in_an_array_and_need_no_relevant_types() -> None:
    bare = {"objectType": "contextAgent", "agent": ANN}
    assert found(with_value(full(), "/context/contextAgents", [bare]), "2.0.0") == []
    assert pointers(with_value(full(), "/context/contextAgents", bare), "2.0.0") == ["/context/contextAgents"]


def test_what_was_found_valid_once_is_valid_again_and_what_was_not_is_refused_again() -> None:
    statement: dict[str, Json] = {"actor": {"mbox": "mailto:ann@example.org"}, "object": {"id": "http://example.org/1"}}
    for _ in range(3):
        assert problems({**statement, "verb": {"id": "http://example.org/did"}}, "1.0.3") == []
        found = problems({**statement, "verb": {"id": "did"}}, "1.0.3", "/7")
        assert [one.pointer for one in found] == ["/7/verb/id"]


def test_a_number_too_big_for_the_memory_of_valid_parts_is_checked_all_the_same() -> None:
    statement: dict[str, Json] = {
        "actor": {"mbox": "mailto:ann@example.org"},
        "verb": {"id": "http://example.org/did"},
        "object": {"id": "http://example.org/1", "definition": {"extensions": {"http://example.org/n": 2**70}}},
    }
    assert problems(statement, "1.0.3") == []
