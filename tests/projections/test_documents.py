from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from lrs.errors import InvalidRequest, Problem
from projections.documents import DocumentSchema, continued, load, plain
from projections.evidence.documents import (
    ALIGNMENT,
    KIND_WORDS,
    NORMALISER,
    Account,
    Alignment,
    Match,
    Normaliser,
    Range,
    alignment_of,
    kind_words,
    normaliser_of,
)
from projections.evidence.evidence import KINDS
from projections.frameworks.documents import (
    FRAMEWORK,
    Competency,
    Framework,
    Progression,
    ScaleNamed,
    framework_of,
)

ALGEBRA = "https://example.org/competencies/algebra"
RATIOS = "https://example.org/competencies/ratios"


def framework(**changed: Any) -> dict[str, Any]:
    return {
        "uri": "https://example.org/frameworks/mathematics",
        "title": "Mathematics",
        "version": "2026",
        "scale": {"id": "https://example.org/scales/four", "version": 1},
        "competencies": [competency(ALGEBRA), competency(RATIOS)],
        **changed,
    }


def competency(uri: str, **more: Any) -> dict[str, Any]:
    return {"uri": uri, "name": "Name", "statement": "Can do it.", **more}


def alignment(**changed: Any) -> dict[str, Any]:
    return {
        "activity": "https://tool.example/quiz/7",
        "competencies": [ALGEBRA],
        "kind": "performance_task",
        **changed,
    }


def normaliser(**changed: Any) -> dict[str, Any]:
    return {
        "id": "https://example.org/normalisers/quizzer",
        "version": 1,
        "title": "Quizzer writes -1 to 1",
        "match": {"authority": {"homePage": "https://lms.example", "name": "quizzer"}},
        "scaled": {"minimum": "-1", "maximum": "1"},
        **changed,
    }


def problems(schema: DocumentSchema[Any], document: object, pointer: str = "") -> list[Problem]:
    value, found = load(schema, document, pointer)
    assert value is None
    return found


def pointers(schema: DocumentSchema[Any], document: object) -> list[str]:
    return [problem.pointer for problem in problems(schema, document)]


def test_a_framework_becomes_one_value() -> None:
    document = framework(
        creator="District",
        competencies=[
            competency(ALGEBRA),
            competency(RATIOS, name="Ratios", statement="Can use ratios.", code="6.RP", parent=ALGEBRA, order=2),
        ],
        progressions=[{"before": RATIOS, "after": "https://elsewhere.example/not-in-here"}],
    )
    assert framework_of(document) == Framework(
        "https://example.org/frameworks/mathematics",
        "Mathematics",
        "2026",
        (
            Competency(ALGEBRA, "Name", "Can do it."),
            Competency(RATIOS, "Ratios", "Can use ratios.", "6.RP", ALGEBRA, 2),
        ),
        "District",
        (Progression(RATIOS, "https://elsewhere.example/not-in-here"),),
        scale=ScaleNamed("https://example.org/scales/four", 1),
    )


def test_a_competency_that_appears_twice_is_refused_at_its_second_place() -> None:
    twice = framework(competencies=[competency(ALGEBRA), competency(RATIOS), competency(ALGEBRA)])
    assert pointers(FRAMEWORK, twice) == ["/competencies/2/uri"]


def test_parents_that_lead_back_are_refused_and_parents_elsewhere_are_not() -> None:
    circle = framework(competencies=[competency(ALGEBRA, parent=RATIOS), competency(RATIOS, parent=ALGEBRA)])
    assert pointers(FRAMEWORK, circle) == ["/competencies/0/parent", "/competencies/1/parent"]
    itself = framework(competencies=[competency(ALGEBRA, parent=ALGEBRA)])
    assert pointers(FRAMEWORK, itself) == ["/competencies/0/parent"]
    assert load(FRAMEWORK, framework(competencies=[competency(ALGEBRA, parent="https://elsewhere.example/x")]))[1] == []


def test_all_problems_are_told_in_the_order_of_their_pointers() -> None:
    document = framework(version=1, surprise=True, competencies=[{"uri": "no iri", "name": "", "statement": None}, 7])
    del document["title"]
    assert [str(problem) for problem in problems(FRAMEWORK, document, "/result")] == [
        "/result/competencies/0/name: must have 1 to 10000 characters",
        "/result/competencies/0/statement: must not be null: leave it out",
        "/result/competencies/0/uri: must be an IRI with its scheme, such as https://example.org/algebra",
        "/result/competencies/1: must be an object",
        "/result/surprise: is not a field here: take it out",
        "/result/title: is missing",
        "/result/version: must be text",
    ]


@pytest.mark.parametrize("document", [None, 3, "text", [], True])
def test_what_is_no_object_is_refused_at_its_own_place(document: object) -> None:
    assert problems(FRAMEWORK, document, "/here") == [Problem("/here", "must be an object")]


def test_a_name_with_slash_and_tilde_is_escaped_in_its_pointer() -> None:
    assert pointers(ALIGNMENT, alignment(**{"a/b~c": 1})) == ["/a~1b~0c"]
    assert continued("/x", 0, "a/b~c") == "/x/0/a~1b~0c"


def test_an_alignment_may_name_no_competency_and_so_ends() -> None:
    ended = alignment(competencies=[], task="https://example.org/tasks/bridge")
    assert alignment_of(ended) == Alignment(
        "https://tool.example/quiz/7", (), "performance_task", "https://example.org/tasks/bridge"
    )


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    (problem,) = problems(ALIGNMENT, alignment(kind="pop_quiz"))
    assert problem.pointer == "/kind"
    assert all(kind in problem.message for kind in KINDS)


def test_a_normaliser_matches_by_authority_platform_or_both() -> None:
    both = normaliser(
        match={"authority": {"homePage": "https://lms.example", "name": "quizzer"}, "platform": "Quizzer"}
    )
    assert normaliser_of(both) == Normaliser(
        "https://example.org/normalisers/quizzer",
        1,
        "Quizzer writes -1 to 1",
        Match(Account("https://lms.example", "quizzer"), "Quizzer"),
        Range(Decimal(-1), Decimal(1)),
    )
    assert normaliser_of(normaliser(match={"platform": "Quizzer"})).match == Match(None, "Quizzer")


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"match": {}}, "/match"),
        ({"match": {"authority": {"homePage": "nowhere", "name": "x"}}}, "/match/authority/homePage"),
        ({"scaled": {"minimum": "0", "maximum": "0.0"}}, "/scaled/maximum"),
        ({"scaled": {"minimum": "0", "maximum": "1.5"}}, "/scaled/maximum"),
        ({"scaled": {"minimum": "0"}}, "/scaled/maximum"),
        ({"version": 0}, "/version"),
        ({"version": True}, "/version"),
        ({"version": "1"}, "/version"),
        ({"version": 1.0}, "/version"),
    ],
)
def test_an_unsound_normaliser_is_refused_at_the_place(changed: dict[str, Any], pointer: str) -> None:
    assert pointers(NORMALISER, normaliser(**changed)) == [pointer]


@pytest.mark.parametrize(
    ("written", "read"),
    [("0.10", "0.10"), (0.1, "0.1"), (1, "1"), (0.3, "0.3"), (Decimal("0.25"), "0.25"), ("-0", "-0")],
)
def test_a_decimal_is_the_digits_it_is_written_with(written: object, read: str) -> None:
    scaled = normaliser_of(normaliser(scaled={"minimum": "-1", "maximum": written})).scaled
    assert str(scaled.maximum) == read


@pytest.mark.parametrize("written", ["1e-3", 1e-7, "NaN", "Infinity", " 1", "1,0", "", "1.", ".5", True, None, [], "١"])
def test_what_is_no_plain_decimal_is_refused(written: object) -> None:
    assert pointers(NORMALISER, normaliser(scaled={"minimum": "-1", "maximum": written})) == ["/scaled/maximum"]


def test_reading_an_unsound_document_raises_with_every_problem() -> None:
    with pytest.raises(InvalidRequest) as error:
        alignment_of({"activity": "x"})
    assert [problem.pointer for problem in error.value.problems] == ["/activity", "/competencies", "/kind"]


def test_every_kind_has_words() -> None:
    assert list(KIND_WORDS) == list(KINDS)


def test_kinds_read_as_a_list_in_their_own_order() -> None:
    assert kind_words(["portfolio"], many=False) == "portfolio"
    assert kind_words(["elo", "portfolio", "performance_task"], many=True) == (
        "performance tasks, portfolios or extended learning opportunities"
    )


@pytest.mark.parametrize(
    ("number", "text"),
    [("2.650", "2.65"), ("3.00", "3"), ("100", "100"), ("0", "0"), ("1E+2", "100"), ("1E-7", "0.0000001")],
)
def test_a_plain_decimal_has_no_exponent_and_no_idle_zero(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text
