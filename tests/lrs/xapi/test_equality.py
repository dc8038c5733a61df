"""Data 2.3.1, Statement Comparison Requirements: what two statements may differ in and still be one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.xapi.equality import is_equal
from tests.lrs.xapi.examples import (
    ANN,
    BEN,
    CLASS,
    COURSE,
    PAIR,
    REFERENCE,
    full,
    least,
    nested,
    places,
    with_value,
    without,
)

Statement = dict[str, Any]
Change = Callable[[Statement], Statement]


def put(pointer: str, value: object) -> Change:
    return lambda statement: with_value(statement, pointer, value)


def take(pointer: str) -> Change:
    return lambda statement: without(statement, pointer)


def upper(pointer: str) -> Change:
    return lambda statement: with_value(statement, pointer, dict(places(statement))[pointer].upper())


def reverse(pointer: str) -> Change:
    return lambda statement: with_value(statement, pointer, dict(places(statement))[pointer][::-1])


ANYWHERE: dict[str, tuple[str, Change]] = {
    "another display of the verb": ("/verb/display", put("/verb/display", {"fr": "répondu"})),
    "no display of the verb": ("/verb/display", take("/verb/display")),
    "another definition of the object": ("/object/definition", put("/object/definition", {"name": {"en": "New"}})),
    "no definition of the object": ("/object/definition", take("/object/definition")),
    "no objectType of an Activity": ("/object/objectType", take("/object/objectType")),
    "no objectType of an Agent": ("/actor/objectType", take("/actor/objectType")),
    "another definition in the context": ("/context", put("/context/contextActivities/category/definition", {})),
    "an array for one Activity": ("/context", put("/context/contextActivities/category", [COURSE])),
    "one Activity for an array": ("/context", put("/context/contextActivities/other", COURSE)),
    "members in another order": ("/context", reverse("/context/team/member")),
    "the domain in another case": ("/context", put("/context/instructor/mbox", "mailto:ben@SCHOOL.example.org")),
    "the registration in another case": ("/context", upper("/context/registration")),
    "the reference in another case": ("/context", put("/context/statement/id", REFERENCE["id"].lower())),
    "the language in another case": ("/context", put("/context/language", "EN-gb")),
    "no attachments": ("/attachments", take("/attachments")),
    "other attachments": ("/attachments", put("/attachments", [])),
    "more digits after hundredths": ("/result", put("/result/duration", "PT1M12.509S")),
    "a whole number with a point": ("/result", put("/result/score/raw", 5.0)),
}
AT_THE_TOP: dict[str, Change] = {
    "another timestamp": put("/timestamp", "2020-01-01T00:00:00Z"),
    "no timestamp": take("/timestamp"),
    "another stored": put("/stored", "2020-01-01T00:00:00Z"),
    "another authority": put("/authority", BEN),
    "another version": put("/version", "1.0.0"),
    "no version": take("/version"),
    "the id in another case": upper("/id"),
}


def moved(statement: Statement) -> Statement:
    """Return a statement whose duration has the hundredths that the changes add to."""
    return with_value(statement, "/result/duration", "PT1M12.50S")


def in_sub_statement(change: Change) -> Change:
    return lambda statement: {**statement, "object": change(statement["object"])}


WHOLE = moved(full())
NESTED = {**nested(), "object": moved(nested()["object"])}
PERMITTED = [(WHOLE, change) for _, change in ANYWHERE.values()] + [(WHOLE, change) for change in AT_THE_TOP.values()]
PERMITTED += [(NESTED, in_sub_statement(change)) for _, change in ANYWHERE.values()]


@pytest.mark.parametrize(("statement", "change"), PERMITTED)
def test_a_permitted_change_leaves_a_statement_equal(statement: Statement, change: Change) -> None:
    changed = change(statement)
    assert changed is not statement
    assert is_equal(statement, changed)
    assert is_equal(changed, statement)


@given(st.sets(st.sampled_from(range(len(ANYWHERE)))), st.sets(st.sampled_from(range(len(AT_THE_TOP)))), st.randoms())
def test_any_mixture_of_permitted_changes_leaves_a_statement_equal(
    anywhere: set[int], at_the_top: set[int], random: Any
) -> None:
    picked = {place: change for index, (place, change) in enumerate(ANYWHERE.values()) if index in anywhere}
    changes = [*picked.values(), *(change for index, change in enumerate(AT_THE_TOP.values()) if index in at_the_top)]
    whole, sub = WHOLE, NESTED
    for change in changes:
        whole = change(whole)
    for change in picked.values():
        sub = in_sub_statement(change)(sub)
    shuffled = dict(random.sample(sorted(whole.items(), key=str), len(whole)))
    assert is_equal(WHOLE, shuffled)
    assert is_equal(shuffled, WHOLE)
    assert is_equal(NESTED, sub)


KEPT = {
    "/actor/name": "Anna",
    "/actor/account/name": "S-1042",
    "/actor/account/homePage": "https://SIS.example.org",
    "/verb/id": "http://adlnet.gov/expapi/verbs/Answered",
    "/object/id": "https://learn.example.org/quizzes/fractions-4",
    "/result/success": False,
    "/result/response": "Half",
    "/result/score/scaled": 0.51,
    "/result/duration": "PT72.50S",
    "/context/registration": "6b1d7c52-0f0e-4f5c-9d0b-2f4f6a1c3e58",
    "/context/platform": "slate",
    "/context/revision": "4",
    "/context/language": "en-US",
    "/context/instructor": ANN,
    "/context/instructor/mbox": "mailto:Ben@School.Example.org",
    "/context/team/member": [ANN],
    "/context/team/openid": "https://id.example.org/7c",
    "/context/statement/id": "6b1d7c52-0f0e-4f5c-9d0b-2f4f6a1c3e58",
    "/context/contextActivities/parent": [],
    "/context/contextActivities/grouping": [COURSE],
}
REMOVED = [
    "/actor/name",
    "/result",
    "/result/score/min",
    "/context",
    "/context/team",
    "/context/contextActivities/grouping",
]
FORBIDDEN = [put(pointer, value) for pointer, value in KEPT.items()] + [take(pointer) for pointer in REMOVED]


@pytest.mark.parametrize("change", FORBIDDEN)
def test_any_other_change_makes_another_statement(change: Change) -> None:
    assert not is_equal(WHOLE, change(WHOLE))
    assert not is_equal(change(WHOLE), WHOLE)
    assert not is_equal(NESTED, in_sub_statement(change)(NESTED))


def test_the_timestamp_of_a_sub_statement_counts_as_an_instant() -> None:
    same = with_value(NESTED, "/object/timestamp", "2026-11-20T08:30:00.25Z")
    assert is_equal(NESTED, same)
    assert not is_equal(NESTED, with_value(same, "/object/timestamp", "2026-11-20T08:30:00.26Z"))
    assert not is_equal(NESTED, without(NESTED, "/object/timestamp"))


@pytest.mark.parametrize(
    ("one", "other"), [(True, 1), (False, 0), (None, False), ("1", 1), ([1], [True]), ({"a": 0}, {"a": False})]
)
def test_values_of_different_types_differ_in_extensions(one: object, other: object) -> None:
    pointer = "/context/extensions/https:~1~1learn.example.org~1x~1room"
    assert is_equal(with_value(WHOLE, pointer, one), with_value(WHOLE, pointer, one))
    assert not is_equal(with_value(WHOLE, pointer, one), with_value(WHOLE, pointer, other))


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (100, 1e2), (0.5, 5e-1), (2**70, float(2**70))])
def test_numbers_are_equal_by_value(one: float, other: float) -> None:
    assert is_equal(with_value(WHOLE, "/result/score/raw", one), with_value(WHOLE, "/result/score/raw", other))


def test_every_type_of_object_is_compared() -> None:
    targets = [{"id": "x:y"}, ANN, BEN, CLASS, PAIR, REFERENCE, {"objectType": "SubStatement", **least()}]
    for one, target in enumerate(targets):
        for two, other in enumerate(targets):
            assert is_equal({**least(), "object": target}, {**least(), "object": other}) == (one == two)


def test_context_actors_of_2_are_compared_as_agents() -> None:
    def said(mbox: str) -> Statement:
        entry = {"objectType": "contextAgent", "agent": {"mbox": mbox}}
        return with_value(full(), "/context/contextAgents", [entry])

    assert is_equal(said("mailto:a@EXAMPLE.org"), said("mailto:a@example.org"))
    assert not is_equal(said("mailto:a@example.org"), said("mailto:b@example.org"))
