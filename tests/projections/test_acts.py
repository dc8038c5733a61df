from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from projections.acts import (
    CARRIED,
    act,
    adopt,
    align,
    clear,
    document,
    enrol,
    excuse,
    link,
    override,
    problems,
    publish,
)
from projections.mastery.rule_documents import DEFAULT_RULE_DOCUMENT
from projections.mastery.scales import DEFAULT_SCALE_DOCUMENT
from projections.profile import ADOPTED, ALIGNED, GRANTED, PUBLISHED, REVOKED, VERBS, activity_type, extension

REGISTRAR = {"objectType": "Agent", "account": {"homePage": "https://district.example", "name": "registrar"}}
ALGEBRA = "https://example.org/competencies/algebra"
FRAMEWORK = {
    "uri": "https://example.org/frameworks/mathematics",
    "title": "Mathematics",
    "version": "2026",
    "scale": {"id": "https://example.org/scales/four", "version": 1},
    "competencies": [{"uri": ALGEBRA, "name": "Algebra", "statement": "Can do algebra."}],
}
ALIGNMENT = {"activity": "https://tool.example/quiz/7", "competencies": [ALGEBRA], "kind": "portfolio"}
POLICY = {
    "id": "https://example.org/policies/math-1",
    "version": 1,
    "title": "Math 1",
    "course": {"code": "21032X0", "title": "NC Math 1"},
    "units": "1",
    "require": {"competency_at_level": {"competency": ALGEBRA, "level": "Secure"}},
}
NORMALISER = {
    "id": "https://example.org/normalisers/quizzer",
    "version": 1,
    "title": "Quizzer",
    "match": {"platform": "Quizzer"},
    "scaled": {"minimum": "-1", "maximum": "1"},
}
RUBRIC = {
    "id": "https://example.org/rubrics/modelling",
    "version": 1,
    "title": "Modelling",
    "approver": "The board",
    "effective_from": "2026-08-01",
    "criteria": [
        {
            "id": "https://example.org/rubrics/modelling/choice",
            "competency": ALGEBRA,
            "levels": [{"quality": "Beginning", "score": "1"}, {"quality": "Secure", "score": "3"}],
        }
    ],
}
ASSESSMENT = {"id": "https://tool.example/exam", "version": 1, "title": "Exam", "kind": "local_summative"}
IDENTITY = {
    "id": "https://district.example/identities/1",
    "learner": {"mbox": "mailto:ada@example.org"},
    "accounts": [{"account": {"homePage": "https://tool.example", "name": "17"}}],
    "reason": "Both are in the register under one number.",
}
EXCUSAL = {"evidence": "urn:uuid:11111111-2222-4333-8444-555555555555", "reason": "Ill"}
ENROLMENT = {
    "id": "https://district.example/roster/1",
    "learner": {"mbox": "mailto:ann@district.example"},
    "school": "North",
}
OVERRIDE = {
    "id": "https://district.example.org/overrides/1",
    "learner": {"mbox": "mailto:ada@example.org"},
    "competency": "https://district.example.org/competencies/algebra",
    "status": "proficient",
    "reason": "Shown in an interview.",
    "evidence": ["0b0f3c5e-6c5d-4a7e-9d5c-2f4d1c9a7b11"],
}
CLEARING = {
    "id": "https://district.example.org/clearings/1",
    "override": OVERRIDE["id"],
    "reason": "It was another's.",
}
ACTS = [
    ("framework", FRAMEWORK, adopt(FRAMEWORK, REGISTRAR)),
    ("alignment", ALIGNMENT, align(ALIGNMENT, REGISTRAR)),
    ("scale", DEFAULT_SCALE_DOCUMENT, publish("scale", DEFAULT_SCALE_DOCUMENT, REGISTRAR)),
    ("rule", DEFAULT_RULE_DOCUMENT, publish("rule", DEFAULT_RULE_DOCUMENT, REGISTRAR)),
    ("policy", POLICY, publish("policy", POLICY, REGISTRAR)),
    ("normaliser", NORMALISER, publish("normaliser", NORMALISER, REGISTRAR)),
    ("rubric", RUBRIC, publish("rubric", RUBRIC, REGISTRAR)),
    ("assessment", ASSESSMENT, publish("assessment", ASSESSMENT, REGISTRAR)),
    ("identity", IDENTITY, link(IDENTITY, REGISTRAR)),
    ("roster", ENROLMENT, enrol(ENROLMENT, REGISTRAR)),
    ("override", OVERRIDE, override(OVERRIDE, REGISTRAR)),
    ("clearing", CLEARING, clear(CLEARING, REGISTRAR)),
    ("excusal", EXCUSAL, excuse(str(EXCUSAL["evidence"]).removeprefix("urn:uuid:"), "Ill", REGISTRAR)),
]
RULE_PLACE = "/result/extensions/https:~1~1w3id.org~1xapi~1cairn~1extensions~1rule"


def published_rule(**changed: Any) -> dict[str, Any]:
    return deepcopy(publish("rule", {**DEFAULT_RULE_DOCUMENT, **changed}, REGISTRAR))


def pointers(statement: dict[str, Any], pointer: str = "") -> list[str]:
    return [problem.pointer for problem in problems(statement, pointer)]


@pytest.mark.parametrize(("kind", "carried", "statement"), ACTS, ids=[kind for kind, _, _ in ACTS])
def test_an_act_that_we_write_is_sound_and_gives_its_document_back(
    kind: str, carried: dict[str, Any], statement: dict[str, Any]
) -> None:
    assert problems(statement) == []
    assert document(statement) == (kind, carried)


def test_a_published_rule_is_a_statement_about_the_rule() -> None:
    assert publish("rule", DEFAULT_RULE_DOCUMENT, REGISTRAR) == {
        "actor": REGISTRAR,
        "verb": {"id": PUBLISHED, "display": {"en": "published"}},
        "object": {
            "objectType": "Activity",
            "id": DEFAULT_RULE_DOCUMENT["id"],
            "definition": {"type": activity_type("rule"), "name": {"en": "Two independent tasks"}},
        },
        "result": {"extensions": {extension("rule"): DEFAULT_RULE_DOCUMENT}},
    }


def test_an_alignment_says_nothing_of_what_the_activity_is() -> None:
    assert align(ALIGNMENT, REGISTRAR)["object"] == {"objectType": "Activity", "id": "https://tool.example/quiz/7"}


@pytest.mark.parametrize(
    "statement",
    [{}, {"verb": None}, {"verb": {"id": 3}}, {"verb": {"id": "http://adlnet.gov/expapi/verbs/passed"}}, {"verb": []}],
)
def test_a_statement_with_another_verb_is_no_act(statement: dict[str, Any]) -> None:
    assert problems(statement) == []
    assert document(statement) is None


def test_an_unknown_verb_under_the_profile_is_refused() -> None:
    statement = published_rule()
    statement["verb"]["id"] = f"{VERBS}abolished"
    assert pointers(statement, "/3") == ["/3/verb/id"]
    assert document(statement) is None


def test_an_unsound_document_is_refused_at_its_place_in_the_statement() -> None:
    statement = published_rule(method={"name": "weighted_average", "w": 100}, kinds=["work_habits"])
    assert pointers(statement) == [f"{RULE_PLACE}/kinds/0", f"{RULE_PLACE}/method/w"]
    assert pointers(statement, "/0")[0] == f"/0{RULE_PLACE}/kinds/0"


def test_the_object_must_be_what_the_document_is_about() -> None:
    statement = published_rule()
    statement["object"]["id"] = "https://example.org/another-rule"
    assert pointers(statement) == ["/object/id"]


@pytest.mark.parametrize("object_type", ["Agent", "StatementRef", "SubStatement", 7])
def test_the_object_must_be_an_activity(object_type: object) -> None:
    statement = published_rule()
    statement["object"]["objectType"] = object_type
    assert pointers(statement) == ["/object/objectType"]


@pytest.mark.parametrize("definition", [None, {}, {"type": activity_type("scale")}, "rule"])
def test_the_object_must_have_the_type_of_its_document(definition: object) -> None:
    statement = published_rule()
    statement["object"]["definition"] = definition
    assert pointers(statement) == ["/object/definition/type"]


def test_the_object_type_may_be_left_out_as_xapi_allows() -> None:
    statement = published_rule()
    del statement["object"]["objectType"]
    assert problems(statement) == []


@pytest.mark.parametrize("result", [None, {}, {"extensions": {}}, {"extensions": [1]}, {"extensions": {ADOPTED: {}}}])
def test_an_act_without_a_document_is_refused(result: object) -> None:
    statement = {**published_rule(), "result": result}
    assert pointers(statement) == ["/result/extensions"]
    assert document(statement) is None


def test_an_act_with_two_documents_is_refused() -> None:
    statement = published_rule()
    statement["result"]["extensions"][extension("scale")] = DEFAULT_SCALE_DOCUMENT
    assert pointers(statement) == ["/result/extensions"]
    assert document(statement) is None


def test_a_document_under_another_verb_does_not_count() -> None:
    statement = published_rule()
    statement["verb"]["id"] = ALIGNED
    assert pointers(statement) == ["/result/extensions"]


def test_other_extensions_beside_the_document_are_left_alone() -> None:
    statement = published_rule()
    statement["result"]["extensions"]["https://example.org/note"] = "approved on paper"
    assert problems(statement) == []
    assert document(statement) == ("rule", DEFAULT_RULE_DOCUMENT)


def test_a_document_that_is_no_object_is_refused() -> None:
    statement = published_rule()
    statement["result"]["extensions"][extension("rule")] = "two tasks"
    assert pointers(statement) == [RULE_PLACE]
    assert document(statement) is None


@pytest.mark.parametrize("verb", [GRANTED, REVOKED])
def test_an_act_about_a_credential_needs_only_its_type(verb: str) -> None:
    statement = act(verb, "https://district.example/credentials/quizzer", "credential", "Quizzer", {}, REGISTRAR)
    assert problems(statement) == []
    assert document(statement) == ("credential", {})
    del statement["result"]
    assert problems(statement) == []
    statement["object"]["definition"]["type"] = activity_type("rule")
    assert pointers(statement) == ["/object/definition/type"]


def test_every_kind_of_document_has_an_act_here() -> None:
    assert {kind for kind, _, _ in ACTS} | {"credential"} == set(CARRIED)
