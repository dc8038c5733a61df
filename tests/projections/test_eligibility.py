from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.credit.eligibility import Eligibility, Facts, Leaf, Standing, TaskFact, eligibility
from projections.credit.policies import (
    NEVER_FOR_CREDIT,
    POLICY,
    AllOf,
    AnyOf,
    CompetencyAtLevel,
    EvidenceOf,
    ShareOfCompetencies,
    policy_of,
    policy_text,
)
from projections.documents import load
from projections.evidence.evidence import KINDS

ALGEBRA = "https://example.org/competencies/algebra"
RATIOS = "https://example.org/competencies/ratios"
MATHEMATICS = "https://example.org/frameworks/mathematics"
LEVELS = ("Beginning", "Developing", "Secure")
TASK = KINDS.index("performance_task")
STATE = KINDS.index("state_summative")
NOTHING = Facts({}, {}, ())

ALGEBRA_SECURE = {"competency_at_level": {"competency": ALGEBRA, "level": "Secure"}}
RATIOS_SECURE = {"competency_at_level": {"competency": RATIOS, "level": "Secure"}}
FOUR_FIFTHS = {"share_of_competencies": {"framework": MATHEMATICS, "level": "Secure", "share": "0.80"}}
TWO_TASKS = {"evidence": {"kinds": ["performance_task", "portfolio"], "count": 2, "minimum_share": "0.94"}}


def policy(require: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "https://example.org/policies/math-1",
        "version": 1,
        "title": "Math 1 by demonstration",
        "course": {"code": "21032X0", "title": "NC Math 1"},
        "units": "1",
        "require": require,
    }


def answer(require: dict[str, Any], facts: Facts) -> Eligibility:
    return eligibility(policy_of(policy(require)), facts)


def standings(**levels: str | None) -> Facts:
    known = {"algebra": ALGEBRA, "ratios": RATIOS}
    return Facts({known[name]: Standing("not_yet", level, LEVELS) for name, level in levels.items()}, {}, ())


def secure(count: int, total: int) -> Facts:
    all_of_them = tuple(f"{MATHEMATICS}/{place}" for place in range(total))
    return Facts(
        {uri: Standing("proficient", "Secure", LEVELS) for uri in all_of_them[:count]}, {MATHEMATICS: all_of_them}, ()
    )


def tasks(*facts: tuple[int, int, int | None]) -> Facts:
    """Return facts of (kind, task, score in percent)."""
    return Facts(
        {}, {}, [TaskFact(kind, task, percent, None if percent is None else 100) for kind, task, percent in facts]
    )


@pytest.mark.parametrize(
    ("level", "have", "is_met"),
    [
        ("Secure", "Secure", True),
        ("Developing", "Developing", False),
        ("Beginning", "Beginning", False),
        (None, "not yet", False),
        ("Gold", "Gold", False),
    ],
)
def test_a_competency_is_met_at_its_level_or_above(level: str | None, have: str, is_met: bool) -> None:
    (leaf,) = answer(ALGEBRA_SECURE, standings(algebra=level)).leaves
    assert leaf == Leaf("/require", f"{ALGEBRA} is at Secure or above", have, "Secure", is_met)


def test_a_level_above_the_needed_one_is_enough() -> None:
    require = {"competency_at_level": {"competency": ALGEBRA, "level": "Developing"}}
    assert answer(require, standings(algebra="Secure")).outcome == "eligible"


def test_a_level_that_the_scale_does_not_know_is_never_reached() -> None:
    require = {"competency_at_level": {"competency": ALGEBRA, "level": "Mastered"}}
    assert answer(require, standings(algebra="Secure")).outcome == "not_yet"


def test_without_any_standing_there_is_no_evidence() -> None:
    (leaf,) = answer(ALGEBRA_SECURE, NOTHING).leaves
    assert (leaf.have, leaf.met) == ("no evidence", False)


@pytest.mark.parametrize(
    ("count", "total", "have", "need", "is_met"),
    [
        (4, 5, "4 of 5", "4 of 5", True),
        (3, 5, "3 of 5", "4 of 5", False),
        (79, 100, "79 of 100", "80 of 100", False),
        (80, 100, "80 of 100", "80 of 100", True),
        (5, 6, "5 of 6", "5 of 6", True),
        (4, 6, "4 of 6", "5 of 6", False),
        (1, 1, "1 of 1", "1 of 1", True),
        (0, 0, "0 of 0", "1 of 0", False),
    ],
)
def test_a_share_is_counted_and_never_rounded_up(count: int, total: int, have: str, need: str, is_met: bool) -> None:
    (leaf,) = answer(FOUR_FIFTHS, secure(count, total)).leaves
    assert (leaf.have, leaf.need, leaf.met) == (have, need, is_met)


def test_an_unknown_framework_is_never_covered() -> None:
    assert answer(FOUR_FIFTHS, NOTHING).outcome == "not_yet"


@pytest.mark.parametrize(
    ("facts", "have", "is_met"),
    [
        (tasks((TASK, 1, 94), (TASK, 2, 100)), "2", True),
        (tasks((TASK, 1, 94), (TASK, 2, 93)), "1", False),
        (tasks((TASK, 1, 94), (TASK, 1, 100)), "1", False),
        (tasks((TASK, 1, 94), (STATE, 2, 100)), "1", False),
        (tasks((TASK, 1, 94), (TASK, 2, None)), "1", False),
        (tasks((TASK, 1, 94), (KINDS.index("portfolio"), 2, 95)), "2", True),
        (tasks(), "0", False),
    ],
)
def test_evidence_counts_different_tasks_of_its_kinds_at_its_share(facts: Facts, have: str, is_met: bool) -> None:
    (leaf,) = answer(TWO_TASKS, facts).leaves
    assert (leaf.have, leaf.need, leaf.met) == (have, "2", is_met)


def test_a_share_is_compared_exactly() -> None:
    require = {"evidence": {"kinds": ["performance_task"], "count": 1, "minimum_share": "0.333333333"}}
    third = Facts({}, {}, [TaskFact(TASK, 1, 1, 3)])
    less = Facts({}, {}, [TaskFact(TASK, 1, 333_333_332, 1_000_000_000)])
    assert answer(require, third).outcome == "eligible"
    assert answer(require, less).outcome == "not_yet"


def test_evidence_without_a_minimum_needs_no_score() -> None:
    require = {"evidence": {"kinds": ["credential"], "count": 1}}
    assert answer(require, tasks((KINDS.index("credential"), 1, None))).outcome == "eligible"


@pytest.mark.parametrize(
    ("algebra", "ratios", "all_of", "any_of"),
    [
        ("Secure", "Secure", "eligible", "eligible"),
        ("Secure", "Developing", "not_yet", "eligible"),
        ("Developing", "Secure", "not_yet", "eligible"),
        ("Developing", "Developing", "not_yet", "not_yet"),
    ],
)
def test_all_of_needs_every_branch_and_any_of_one(algebra: str, ratios: str, all_of: str, any_of: str) -> None:
    facts = standings(algebra=algebra, ratios=ratios)
    assert answer({"all_of": [ALGEBRA_SECURE, RATIOS_SECURE]}, facts).outcome == all_of
    assert answer({"any_of": [ALGEBRA_SECURE, RATIOS_SECURE]}, facts).outcome == any_of


def test_every_leaf_is_reported_with_its_path_in_the_policy() -> None:
    require = {"all_of": [{"any_of": [ALGEBRA_SECURE, RATIOS_SECURE]}, FOUR_FIFTHS, TWO_TASKS]}
    found = answer(require, standings(algebra="Secure"))
    assert found.outcome == "not_yet"
    assert [(leaf.path, leaf.met) for leaf in found.leaves] == [
        ("/require/all_of/0/any_of/0", True),
        ("/require/all_of/0/any_of/1", False),
        ("/require/all_of/1", False),
        ("/require/all_of/2", False),
    ]


def test_a_flood_of_formative_work_earns_no_credit() -> None:
    flood = [(KINDS.index(kind), task, 100) for kind in NEVER_FOR_CREDIT for task in range(100)]
    assert answer(TWO_TASKS, tasks(*flood)).leaves[0].have == "0"


@given(st.permutations([(TASK, 1, 94), (TASK, 2, 96), (STATE, 3, 100), (TASK, 2, 10)]))
def test_the_order_of_the_tasks_changes_nothing(facts: list[tuple[int, int, int | None]]) -> None:
    assert answer(TWO_TASKS, tasks(*facts)) == answer(TWO_TASKS, tasks((TASK, 1, 94), (TASK, 2, 96)))


@pytest.mark.parametrize("kind", sorted(NEVER_FOR_CREDIT))
def test_a_policy_that_counts_evidence_for_learning_is_refused_in_words(kind: str) -> None:
    require = {"all_of": [{"evidence": {"kinds": ["portfolio", kind], "count": 1}}]}
    (problem,) = load(POLICY, policy(require))[1]
    assert problem.pointer == "/require/all_of/0/evidence/kinds/1"
    assert problem.message == f"{kind} evidence guides learning: it never counts toward credit"


@pytest.mark.parametrize(
    ("require", "pointer"),
    [
        ({}, "/require"),
        ({**ALGEBRA_SECURE, **TWO_TASKS}, "/require"),
        ({"all_of": []}, "/require/all_of"),
        ({"any_of": [ALGEBRA_SECURE, {}]}, "/require/any_of/1"),
        ({"none_of": [ALGEBRA_SECURE]}, "/require/none_of"),
        ({"seat_time": {"hours": 120}}, "/require/seat_time"),
        ({"share_of_competencies": {"framework": MATHEMATICS, "level": "Secure", "share": "1.01"}},
         "/require/share_of_competencies/share"),
        ({"share_of_competencies": {"framework": MATHEMATICS, "level": "Secure", "share": "0"}},
         "/require/share_of_competencies/share"),
        ({"evidence": {"kinds": ["portfolio"], "count": 0}}, "/require/evidence/count"),
        ({"evidence": {"kinds": ["portfolio"], "count": 1, "hours": 3}}, "/require/evidence/hours"),
        ({"evidence": {"kinds": ["behaviour"], "count": 1}}, "/require/evidence/kinds/0"),
        ({"competency_at_level": {"competency": ALGEBRA}}, "/require/competency_at_level/level"),
    ],
)  # fmt: skip
def test_an_unsound_tree_is_refused_at_the_place(require: dict[str, Any], pointer: str) -> None:
    assert [problem.pointer for problem in load(POLICY, policy(require))[1]][:1] == [pointer]


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"units": "0"}, "/units"),
        ({"units": -1}, "/units"),
        ({"course": {"code": "X"}}, "/course/title"),
        ({"hours": 120}, "/hours"),
        ({"require": [ALGEBRA_SECURE]}, "/require"),
    ],
)
def test_an_unsound_policy_is_refused_at_the_place(changed: dict[str, Any], pointer: str) -> None:
    assert [problem.pointer for problem in load(POLICY, {**policy(ALGEBRA_SECURE), **changed})[1]] == [pointer]


@pytest.mark.parametrize(("depth", "is_sound"), [(10, True), (11, False), (5000, False)])
def test_a_tree_has_at_most_ten_groups_inside_each_other(depth: int, is_sound: bool) -> None:
    require: dict[str, Any] = ALGEBRA_SECURE
    for _ in range(depth):
        require = {"all_of": [require]}
    assert [problem.pointer for problem in load(POLICY, policy(require))[1]] == ([] if is_sound else ["/require"])


def test_a_tree_becomes_nested_values() -> None:
    assert policy_of(policy({"all_of": [{"any_of": [ALGEBRA_SECURE]}, FOUR_FIFTHS, TWO_TASKS]})).require == AllOf(
        (
            AnyOf((CompetencyAtLevel(ALGEBRA, "Secure"),)),
            ShareOfCompetencies(MATHEMATICS, "Secure", Decimal("0.80")),
            EvidenceOf(("performance_task", "portfolio"), 2, Decimal("0.94")),
        )
    )


def test_a_policy_reads_as_plain_lines() -> None:
    require = {"all_of": [{"any_of": [ALGEBRA_SECURE, RATIOS_SECURE]}, FOUR_FIFTHS, TWO_TASKS]}
    assert policy_text(policy_of(policy(require))).splitlines() == [
        "Math 1 by demonstration (policy https://example.org/policies/math-1, version 1).",
        "It gives 1 unit of credit for NC Math 1 (21032X0), however long it took, when:",
        "- all of these:",
        "  - at least one of these:",
        f"    - {ALGEBRA} is at Secure or above",
        f"    - {RATIOS} is at Secure or above",
        f"  - at least 80 percent of the competencies of {MATHEMATICS} are at Secure or above",
        "  - performance tasks or portfolios: at least 2 different tasks, each with at least 94 percent",
    ]
