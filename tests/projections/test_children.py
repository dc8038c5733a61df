"""The pure decision on a parent: Moodle's truth table, the weakest part, and what is never a failure."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.xapi.values import key64
from projections.mastery.decide import ChildStanding, Outcome, decide
from projections.mastery.next_step import next_step, smallest_step
from projections.mastery.outcome import Status
from projections.mastery.rules import CompiledRule
from tests.projections.ruled import piece, ruled, unmet

CHILD = "https://example.org/child"
KEYS = [key64("competency", f"{CHILD}/{number}") for number in range(5)]
ALL, WEAKEST = ruled("all_children"), ruled("weakest_child")


def child(number: int, points: int = 4, **more: Any) -> dict[str, Any]:
    return {"competency": f"{CHILD}/{number}", "points": points, **more}


def points(required: int, *children: dict[str, Any]) -> CompiledRule:
    return ruled("points_children", required_points=required, children=list(children))


def standing(number: int, status: Status, value: str | None = None, **more: Any) -> ChildStanding:
    worth = None if value is None else Decimal(value)
    return ChildStanding(KEYS[number], status, None, worth, Decimal(4), **more)


def parent(rule: CompiledRule, *children: ChildStanding) -> Outcome:
    return decide(rule, [], children=children)


SHOWN, MISSED = standing(0, "proficient", "3.50"), standing(1, "not_yet", "2.00")


@pytest.mark.parametrize(
    ("rule", "children", "status"),
    [
        (points(8, child(0), child(1)), [standing(0, "proficient"), standing(1, "proficient")], "proficient"),
        (points(8, child(0), child(1)), [standing(0, "proficient"), standing(1, "not_yet")], "not_yet"),
        (points(8, child(0), child(1)), [standing(0, "proficient")], "not_yet"),
        (
            points(4, child(0), child(1, required=True)),
            [standing(0, "proficient"), standing(1, "not_yet")],
            "not_yet",
        ),
        (
            points(4, child(0), child(1, required=True)),
            [standing(0, "proficient"), standing(1, "no_evidence")],
            "insufficient_evidence",
        ),
        (points(4, child(0), child(1)), [standing(0, "proficient"), standing(1, "no_evidence")], "proficient"),
        (
            points(0 + 1, child(0, 0, required=True), child(1)),
            [standing(0, "proficient"), standing(1, "proficient")],
            "proficient",
        ),
        (points(4, child(0), child(1)), [standing(2, "proficient"), standing(3, "proficient")], "no_evidence"),
    ],
    ids=[
        "four and four of eight", "one is missing", "one has no record", "a required one is unmet",
        "a required one without record", "points alone suffice", "a required one without points", "no child is named",
    ],
)  # fmt: skip
def test_points_follow_moodles_truth_table(rule: CompiledRule, children: list[ChildStanding], status: str) -> None:
    assert parent(rule, *children).status == status


def test_unmet_points_and_required_children_are_told_apart() -> None:
    outcome = parent(points(6, child(0), child(1, required=True)), SHOWN, MISSED)
    assert unmet(outcome) == [("child_points", "4", "6"), ("required_children", "0", "1")]
    assert [(one.points, one.required) for one in sorted(outcome.children)] == [
        (one.points, one.required)
        for one in sorted([SHOWN._replace(points=4), MISSED._replace(points=4, required=True)])
    ]


def test_all_children_must_be_proficient() -> None:
    assert parent(ALL, SHOWN, SHOWN._replace(competency=KEYS[1]))[:4] == ("proficient", "Secure", None, None)
    outcome = parent(ALL, SHOWN, MISSED)
    assert (outcome.status, unmet(outcome)) == ("not_yet", [("children_proficient", "1", "2")])


@pytest.mark.parametrize("rule", [ALL, WEAKEST, points(4, child(0))], ids=["all", "weakest", "points"])
def test_a_competency_without_children_never_matches(rule: CompiledRule) -> None:
    assert parent(rule).status == "no_evidence"
    assert decide(rule, [piece(1, "4"), piece(2, "4")]).status == "no_evidence"


@pytest.mark.parametrize("rule", [ALL, WEAKEST], ids=["all", "weakest"])
def test_a_child_without_a_decision_is_waited_for_and_fails_nobody(rule: CompiledRule) -> None:
    for status in ("no_evidence", "insufficient_evidence"):
        assert parent(rule, SHOWN, MISSED, standing(2, status)).status == "insufficient_evidence"
    assert parent(rule, standing(0, "no_evidence"), standing(1, "no_evidence")).status == "no_evidence"


def test_the_weakest_child_is_the_result() -> None:
    both = parent(WEAKEST, SHOWN, standing(1, "proficient", "3.20"))
    assert both[:4] == ("proficient", "Secure", Decimal("3.20"), Decimal("3.20"))
    assert parent(WEAKEST, SHOWN, MISSED)[:4] == ("not_yet", "Developing", Decimal(2), Decimal("2.00"))


def test_a_child_that_is_not_proficient_is_weaker_than_one_that_is_whatever_its_points() -> None:
    outcome = parent(WEAKEST, standing(0, "proficient", "3.00"), standing(1, "not_yet", "4.00"))
    assert outcome[:3] == ("not_yet", "Developing", Decimal("4.00"))


def test_a_childs_value_is_brought_to_the_parents_scale() -> None:
    hundred = standing(0, "not_yet", "55")._replace(maximum=Decimal(100))
    assert parent(WEAKEST, hundred).rounded == Decimal("2.20")


def test_a_parent_lapses_with_the_first_of_its_children() -> None:
    outcome = parent(ALL, SHOWN._replace(lapses=9), MISSED._replace(lapses=5), standing(2, "proficient"))
    assert outcome.lapses == 5


@given(st.permutations([SHOWN, MISSED, standing(2, "proficient", "3.10"), standing(3, "no_evidence")]))
def test_the_order_of_the_children_changes_nothing(children: list[ChildStanding]) -> None:
    for rule in (ALL, WEAKEST, points(9, child(0), child(1), child(2))):
        assert parent(rule, *children) == parent(rule, *sorted(children))


@pytest.mark.parametrize("statuses", list(permutations(["proficient", "not_yet", "no_evidence"])))
@pytest.mark.parametrize(
    "rule",
    [
        ALL,
        WEAKEST,
        points(5, child(0, 1), child(1, 4), child(2, 3)),
        points(3, child(0, 2, required=True), child(1, 3)),
    ],
    ids=["all", "weakest", "points", "required"],
)
def test_becoming_proficient_in_exactly_the_named_children_is_enough_and_one_less_is_not(
    rule: CompiledRule, statuses: list[Status]
) -> None:
    children = [standing(number, status, "3.00") for number, status in enumerate(statuses)]
    outcome = parent(rule, *children)
    step = smallest_step(rule, outcome)
    if step is None:
        assert outcome.status == "proficient"
        return
    for left in [None, *step.children]:
        chosen = set(step.children) - {left}
        after = [one._replace(status="proficient") if one.competency in chosen else one for one in children]
        assert (parent(rule, *after).status == "proficient") == (left is None)


def test_the_step_of_a_parent_names_its_parts() -> None:
    outcome = parent(ALL, SHOWN, MISSED)
    assert (
        next_step(ALL, outcome, {KEYS[1]: "Ratios"}.__getitem__) == "Become proficient in 1 more of its parts: Ratios."
    )
    assert next_step(ALL, outcome) == "Become proficient in 1 more of its parts."
    assert next_step(ALL, parent(ALL)) == "No part of this competency can be shown yet."
    assert next_step(ALL, parent(ALL, SHOWN)) == ""
