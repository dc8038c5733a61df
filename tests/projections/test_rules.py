from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from projections.documents import load
from projections.evidence.evidence import KINDS
from projections.mastery.methods import METHODS
from projections.mastery.rule_documents import DEFAULT_RULE, DEFAULT_RULE_DOCUMENT, RULE, rule_of
from projections.mastery.rules import ROLL_UPS, Method, compiled, mismatches
from projections.mastery.scales import DEFAULT_SCALE, DEFAULT_SCALE_DOCUMENT, SCALE, scale_of
from projections.mastery.wording import rule_text

PARENT, PART_IRI = "https://example.org/parent", "https://example.org/part"
PART = {"competency": PART_IRI, "points": 4}
POINTS: dict[str, Any] = {
    "method": {"name": "points_children", "required_points": 4, "children": [PART]},
    "competencies": [PARENT],
    "kinds": None,
}
MEAN = {"method": {"name": "average"}}
TEXTS: dict[str, Any] = {}


def rule(**changed: Any) -> dict[str, Any]:
    return {**DEFAULT_RULE_DOCUMENT, **changed}


def scale(**changed: Any) -> dict[str, Any]:
    return {**DEFAULT_SCALE_DOCUMENT, **changed}


def level(name: str, minimum: str) -> dict[str, str]:
    return {"name": name, "minimum": minimum}


def found(schema: Any, document: dict[str, Any]) -> list[str]:
    return [problem.pointer for problem in load(schema, document)[1]]


def test_the_default_scale_is_beginning_developing_secure_up_to_four() -> None:
    assert [(one.name, str(one.minimum)) for one in DEFAULT_SCALE.levels] == [
        ("Beginning", "0"),
        ("Developing", "2"),
        ("Secure", "3"),
    ]
    assert (DEFAULT_SCALE.maximum, DEFAULT_SCALE.proficient) == (Decimal(4), "Secure")


def test_the_default_rule_asks_for_two_independent_tasks_and_averages_nothing() -> None:
    assert DEFAULT_RULE.method == Method("independent_tasks", n=2)
    assert DEFAULT_RULE.kinds == ("performance_task", "portfolio", "local_summative", "state_summative")
    assert (DEFAULT_RULE.revisions, DEFAULT_RULE.dichotomous) == ("replace", "exclude")


@pytest.mark.parametrize(
    ("changed", "pointers"),
    [
        ({"levels": [level("Only", "0")], "proficient": "Only"}, ["/levels"]),
        ({"levels": [level("A", "1"), level("B", "2")], "proficient": "B"}, ["/levels/0/minimum"]),
        ({"levels": [level("A", "0"), level("B", "2"), level("C", "2")], "proficient": "C"}, ["/levels/2/minimum"]),
        ({"levels": [level("A", "0"), level("B", "5")], "proficient": "B"}, ["/levels/1/minimum"]),
        ({"levels": [level("A", "0"), level("A", "2")], "proficient": "A"}, ["/levels"]),
        ({"levels": [level("A", "0"), level("B", "2.005")], "proficient": "B"}, ["/levels/1/minimum"]),
        ({"proficient": "Mastered"}, ["/proficient"]),
        ({"proficient": "Beginning"}, ["/proficient"]),
        ({"maximum": "0"}, ["/maximum"]),
        ({"colour": "red"}, ["/colour"]),
    ],
)
def test_an_unsound_scale_is_refused_at_the_place(changed: dict[str, Any], pointers: list[str]) -> None:
    assert found(SCALE, scale(**changed)) == pointers


@pytest.mark.parametrize(
    ("method", "pointers"),
    [
        ({"name": "weighted_average", "w": 0}, ["/method/w"]),
        ({"name": "weighted_average", "w": 100}, ["/method/w"]),
        ({"name": "weighted_average", "w": None}, ["/method/w"]),
        ({"name": "weighted_average", "w": "65"}, ["/method/w"]),
        ({"name": "weighted_average", "n": 2}, ["/method/n"]),
        ({"name": "decaying_average", "w": 49}, ["/method/w"]),
        ({"name": "decaying_average", "w": 100}, ["/method/w"]),
        ({"name": "n_mastery"}, ["/method/n"]),
        ({"name": "n_mastery", "n": 0}, ["/method/n"]),
        ({"name": "n_mastery", "n": 11}, ["/method/n"]),
        ({"name": "independent_tasks", "n": 0}, ["/method/n"]),
        ({"name": "independent_tasks", "w": 65}, ["/method/w"]),
        ({"name": "highest", "w": 65, "n": 1, "cut": "3"}, ["/method/cut", "/method/n", "/method/w"]),
        ({"name": "power_law", "cut": "3"}, ["/method/cut"]),
        ({"name": "mean"}, ["/method/name"]),
        ({"w": 65}, ["/method/name"]),
    ],
)
def test_a_parameter_out_of_range_or_out_of_place_is_refused(method: dict[str, Any], pointers: list[str]) -> None:
    assert found(RULE, rule(method=method)) == pointers


@pytest.mark.parametrize(
    ("method", "read"),
    [
        ({"name": "weighted_average"}, Method("weighted_average", w=65)),
        ({"name": "weighted_average", "w": 1}, Method("weighted_average", w=1)),
        ({"name": "decaying_average"}, Method("decaying_average", w=65)),
        ({"name": "decaying_average", "w": 50}, Method("decaying_average", w=50)),
        ({"name": "independent_tasks"}, Method("independent_tasks", n=2)),
        ({"name": "n_mastery", "n": 10, "cut": "2.5"}, Method("n_mastery", n=10, cut=Decimal("2.5"))),
        ({"name": "highest"}, Method("highest")),
    ],
)
def test_a_default_parameter_is_written_into_the_rule(method: dict[str, Any], read: Method) -> None:
    assert rule_of(rule(method=method)).method == read


@pytest.mark.parametrize("kind", ["behaviour", "work_habits", "effort", "participation"])
def test_a_rule_that_names_behaviour_is_refused_in_words(kind: str) -> None:
    ((problem,)) = load(RULE, rule(kinds=["portfolio", kind]))[1]
    assert problem.pointer == "/kinds/1"
    assert "strand of its own" in problem.message


@pytest.mark.parametrize(
    ("changed", "pointers"),
    [
        ({"kinds": []}, ["/kinds"]),
        ({"kinds": ["seat_time"]}, ["/kinds/0"]),
        ({"min_contexts": 0}, ["/min_contexts"]),
        ({"learner": "https://example.org/alice"}, ["/learner"]),
        ({"min_evidence": 0}, ["/min_evidence"]),
        ({"revisions": "append"}, ["/revisions"]),
        ({"revisions": "newest"}, ["/revisions"]),
        ({"dichotomous": "half"}, ["/dichotomous"]),
        ({"cut": "3.005"}, ["/cut"]),
        ({"cut": "3", "method": {"name": "n_mastery", "n": 2, "cut": "3"}}, ["/cut"]),
        ({"competencies": []}, ["/competencies"]),
        ({"scale": {"id": "https://example.org/scale"}}, ["/scale/version"]),
        ({"version": 0, "id": "plain"}, ["/id", "/version"]),
    ],
)
def test_an_unsound_rule_is_refused_at_the_place(changed: dict[str, Any], pointers: list[str]) -> None:
    assert found(RULE, rule(**changed)) == pointers


def test_the_cut_is_the_proficient_minimum_unless_the_rule_or_its_method_says_so() -> None:
    n_mastery = {"name": "n_mastery", "n": 2, "cut": "2.5"}
    assert compiled(DEFAULT_RULE, DEFAULT_SCALE).cut == 3
    assert compiled(rule_of(rule(cut="3.5")), DEFAULT_SCALE).cut == Decimal("3.5")
    assert compiled(rule_of(rule(method=n_mastery)), DEFAULT_SCALE).cut == Decimal("2.5")


def test_the_minimums_hold_what_the_method_itself_needs() -> None:
    def minimums(**changed: Any) -> tuple[int, int]:
        one = compiled(rule_of(rule(**changed)), DEFAULT_SCALE)
        return one.min_evidence, one.min_tasks

    assert minimums() == (1, 2)
    assert minimums(min_tasks=4, min_evidence=5) == (5, 4)
    assert minimums(method={"name": "n_mastery", "n": 3}) == (3, 1)
    assert minimums(method={"name": "power_law"}) == (3, 1)
    assert minimums(method={"name": "average"}) == (1, 1)


def test_a_rule_fits_only_its_own_scale_and_a_cut_that_can_be_reached() -> None:
    assert mismatches(DEFAULT_RULE, DEFAULT_SCALE) == []
    other = scale_of(scale(version=2))
    assert [problem.pointer for problem in mismatches(DEFAULT_RULE, other, "/rule")] == ["/rule/scale"]
    assert [problem.pointer for problem in mismatches(rule_of(rule(cut="80")), DEFAULT_SCALE)] == ["/cut"]
    high = rule_of(rule(method={"name": "independent_tasks", "cut": "4.01"}))
    assert [problem.pointer for problem in mismatches(high, DEFAULT_SCALE)] == ["/method/cut"]


def test_the_default_rule_reads_as_plain_sentences() -> None:
    assert rule_text(DEFAULT_RULE, DEFAULT_SCALE).split(". ")[1:] == [
        "It was approved by Cairn, as shipped and holds from 1970-01-01 on",
        "It holds for every competency",
        f"The scale is Beginning, Developing, Secure ({DEFAULT_SCALE.id}, version 1), from 0 to 4",
        "Its levels are Beginning from 0, Developing from 2, Secure from 3",
        "These kinds of evidence count: performance tasks, portfolios, local summatives and state summatives",
        "Other kinds are shown but do not count",
        "Evidence that was excused does not count",
        "Evidence of another district counts like any other",
        "The learner shows it in at least 2 different tasks, each scored 3 or above; nothing is averaged",
        "The level shown is that of the latest such task",
        "A learner is proficient, that is Secure or above, from 3 on",
        "Results are rounded half-up to two places before they are compared",
        "With fewer than 1 piece of evidence and 2 different tasks nothing is decided yet",
        "A revision replaces the earlier try at the same task",
        "Where a task is attempted anew, the latest attempt counts",
        "Work that was only marked as passed or not, without a score, does not count",
        "Until then the answer is: not yet",
        "It may be overridden by a person, with a reason and evidence.",
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "https://example.org/rules/other"},
        {"version": 7},
        {"title": "Another title"},
        {"framework": "https://example.org/frameworks/mathematics"},
        {"competencies": ["https://example.org/competencies/algebra"]},
        {"scale": {"id": DEFAULT_SCALE.id, "version": 2}},
        {"method": {"name": "independent_tasks", "n": 3}},
        {"method": {"name": "independent_tasks", "cut": "2.5"}},
        *({"method": {"name": name, **({"n": 2} if name == "n_mastery" else {})}} for name in METHODS),
        {"method": {"name": "weighted_average", "w": 70}},
        {"kinds": ["performance_task"]},
        {"kinds": [kind for kind in KINDS if kind != "work_habit"]},
        {"min_evidence": 4},
        {"min_tasks": 4},
        {"revisions": "best"},
        {"dichotomous": "meets_cut"},
        {"cut": "3.5"},
        {"approver": "The board"},
        {"effective_from": "2026-08-01"},
        {"strand": "work_habits", "kinds": ["work_habit"]},
        *({"method": {"name": name}, "competencies": [PARENT], "kinds": None} for name in ROLL_UPS[:2]),
        POINTS,
        {**POINTS, "method": {**POINTS["method"], "required_points": 3}},
        {**POINTS, "method": {**POINTS["method"], "children": [{**PART, "points": 5}]}},
        {**POINTS, "method": {**POINTS["method"], "children": [{**PART, "required": True}]}},
        {**POINTS, "method": {**POINTS["method"], "children": [{**PART, "competency": f"{PART_IRI}/2"}]}},
        {**MEAN, "weights": [{"kind": "portfolio", "weight": 2}]},
        {**MEAN, "weights": [{"kind": "portfolio", "weight": 3}]},
        {**MEAN, "weights": [{"kind": "performance_task", "weight": 2}]},
        {"min_contexts": 1},
        {"min_contexts": 2},
        {"min_scorers": 1},
        {"min_scorers": 2},
        {"mix": [{"kinds": ["portfolio"], "at_least": 1}]},
        {"mix": [{"kinds": ["portfolio"], "at_least": 2}]},
        {"mix": [{"kinds": ["portfolio", "performance_task"], "at_least": 1}]},
        {"validated_only": True},
        {"window_days": 365},
        {"window_days": 366},
        {"expires_after_days": 365},
        {"expires_after_days": 366},
        *({"attempts": {"which": which}} for which in ("first", "best")),
        {"attempts": {"which": "latest", "most": 3}},
        {"attempts": {"which": "latest", "most": 4}},
        {**MEAN, "attempts": {"which": "all"}},
        {"outside": "shown"},
        {"compare": "raw"},
        {"overrides": {"allowed": False}},
        {"overrides": {"allowed": True, "second_person": True}},
        {"overrides": {"allowed": True, "max_days": 90}},
        {"overrides": {"allowed": True, "max_days": 91}},
    ],
)
def test_every_field_of_a_rule_shows_in_its_text(changed: dict[str, Any]) -> None:
    document = rule(**changed)
    other = rule_of({name: value for name, value in document.items() if value is not None})
    its_scale = scale_of(scale(version=other.scale.version))
    TEXTS.setdefault(rule_text(other, its_scale), changed)
    assert rule_text(other, its_scale) != rule_text(DEFAULT_RULE, DEFAULT_SCALE)
    assert TEXTS[rule_text(other, its_scale)] == changed


def test_no_field_of_a_rule_is_missing_from_the_fields_that_are_changed_above() -> None:
    (marker,) = [mark for mark in test_every_field_of_a_rule_shows_in_its_text.pytestmark if mark.name == "parametrize"]
    changed = {field for case in marker.args[1] for field in case}
    assert changed | {"rounding", "advisory"} == set(RULE.fields)


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "https://example.org/scales/other"},
        {"version": 2},
        {"title": "Other"},
        {"maximum": "5"},
        {"levels": [level("Beginning", "0"), level("Secure", "3")]},
        {
            "levels": [
                {**level("Beginning", "0"), "description": "On the way"},
                level("Developing", "2"),
                level("Secure", "3"),
            ]
        },
        {"proficient": "Developing"},
    ],
)
def test_every_field_of_a_scale_shows_in_the_text(changed: dict[str, Any]) -> None:
    assert rule_text(DEFAULT_RULE, scale_of(scale(**changed))) != rule_text(DEFAULT_RULE, DEFAULT_SCALE)
