"""Data 2.4.4.1: activities, their definitions and interactions."""

from __future__ import annotations

from typing import Any

import pytest

from lrs.errors import Problem
from lrs.xapi.activities import COMPONENT_LISTS, INTERACTION_TYPES, check_activity
from tests.lrs.xapi.examples import COURSE, QUIZ, with_value, without

TABLE: list[tuple[str, list[Any], list[Any]]] = [
    ("/id", ["urn:x:y", "https://example.org/größe"], ["", "quiz", "/quiz", 1, {}, "a=b://x"]),
    ("/objectType", ["Activity"], ["activity", "Agent", 1]),
    ("/definition", [{}], [[], "x", 1]),
    ("/definition/name", [{}, {"en": "x"}], ["x", {"e": "x"}, {"en": 1}, {"en": {}}]),
    ("/definition/description", [{}, {"en": ""}], ["x", {"12": "x"}, {"en": None}]),
    ("/definition/type", ["urn:x:y"], ["", "quiz", 1]),
    ("/definition/moreInfo", ["https://example.org"], ["", "x", "urn:x:y", 1]),
    ("/definition/extensions", [{}, {"x:y": None}, {"x:y": [1]}], [[], {"y": 1}]),
    ("/definition/interactionType", list(INTERACTION_TYPES), ["", "Choice", "true_false", "essay", 1, {}]),
    ("/definition/correctResponsesPattern", [[], ["a[,]b"], [""]], ["a", [1], {}, [["a"]]]),
    *[
        (f"/definition/{name}", [[], [{"id": "a"}], [{"id": "a"}, {"id": "b"}]], [{}, "a", ["a"], [{}]])
        for name in COMPONENT_LISTS
    ],
    ("/definition/choices/0/id", ["", "A"], [1, None, {}]),
    ("/definition/choices/0/description", [{}, {"en": "x"}], ["x", {"e": "x"}, {"en": 1}]),
]
CASES = [(pointer, value, True) for pointer, accepted, _ in TABLE for value in accepted]
CASES += [(pointer, value, False) for pointer, _, refused in TABLE for value in refused]


def found(activity: object) -> list[str]:
    reported: list[Problem] = []
    check_activity(activity, "", reported)  # type: ignore[arg-type]
    return [problem.pointer for problem in reported]


@pytest.mark.parametrize("activity", [QUIZ, COURSE, {"id": "x:y"}])
def test_an_activity_needs_no_more_than_an_id(activity: dict[str, Any]) -> None:
    assert found(activity) == []
    assert found(without(activity, "/id")) == ["/id"]


@pytest.mark.parametrize(("pointer", "value", "is_valid"), CASES)
def test_each_property_takes_its_values_and_no_others(pointer: str, value: object, is_valid: bool) -> None:
    reported = found(with_value(QUIZ, pointer, value))
    assert (reported == []) == is_valid
    assert all(place.startswith(pointer) for place in reported)


@pytest.mark.parametrize("name", ["correctResponsesPattern", *COMPONENT_LISTS])
def test_the_fields_of_an_interaction_need_its_type(name: str) -> None:
    assert found({"id": "x:y", "definition": {name: []}}) == ["/definition/interactionType"]
    assert found({"id": "x:y", "definition": {name: [], "interactionType": "other"}}) == []


def test_an_interaction_type_may_stand_alone() -> None:
    assert found({"id": "x:y", "definition": {"interactionType": "numeric"}}) == []


def test_no_id_of_a_component_stands_twice_in_a_list() -> None:
    assert found(with_value(QUIZ, "/definition/choices/1/id", "half")) == ["/definition/choices/1/id"]
    twice = {"source": [{"id": "a"}], "target": [{"id": "a"}], "interactionType": "matching"}
    assert found({"id": "x:y", "definition": twice}) == []


@pytest.mark.parametrize("value", [None, [], "x:y", 1])
def test_an_activity_is_an_object(value: object) -> None:
    assert found(value) == [""]
