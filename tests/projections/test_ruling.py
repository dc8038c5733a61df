"""Which rule holds for a competency, from which moment on; and which published rule never does, with the reason."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from lrs.xapi.values import timestamp_us
from projections.mastery.rule_documents import DEFAULT_RULE, DEFAULT_RULE_DOCUMENT, rule_of
from projections.mastery.scales import DEFAULT_SCALE
from projections.registry import READERS, Act, Acts

MATH, ALGEBRA, EFFORT = (f"https://example.org/{name}" for name in ("math", "algebra", "effort"))
FRAMEWORK = {
    "uri": MATH,
    "title": "Mathematics",
    "scale": {"id": DEFAULT_SCALE.id, "version": 1},
    "version": "1",
    "competencies": [
        {"uri": ALGEBRA, "name": "Algebra", "statement": "Can do it."},
        {"uri": EFFORT, "name": "Effort", "statement": "Tries.", "strand": "work_habits"},
    ],
}


def rule(name: str, day: str | None, version: int = 1, **changed: Any) -> Act:
    """Return the act of a version of a rule that is in force from a day on; None: of before rules had one."""
    document = {**DEFAULT_RULE_DOCUMENT, "id": f"https://example.org/rules/{name}", "version": version, **changed}
    document.pop("effective_from")
    place = hash((name, version, day)) % 10**9 + 10
    return Act(place, "rule", place, f"{name}@{version}", rule_of(document | ({"effective_from": day} if day else {})))


def holding(*rules: Act) -> Acts:
    framework = Act(1, "framework", 1, "framework", READERS["framework"](FRAMEWORK))
    return Acts([framework, Act(2, "scale", 2, "scale", DEFAULT_SCALE), *rules])


def turns(acts: Acts, competency: str = ALGEBRA) -> list[tuple[int, str | None]]:
    return [(one.since, one.rule and one.rule.statement_id) for one in acts.rules_over_time(competency)]


def on(day: str) -> int:
    return timestamp_us(f"{day}T00:00:00Z")


def clashing(acts: Acts) -> list[tuple[str, str]]:
    return [(one.act.statement_id, one.by.statement_id) for one in acts.clashes]


def test_a_version_holds_from_its_date_until_the_next_ones() -> None:
    acts = holding(rule("a", "2026-08-01"), rule("a", "2027-08-01", 2))
    assert turns(acts) == [(on("2026-08-01"), "a@1"), (on("2027-08-01"), "a@2")]
    for day, version in (("2026-07-31", None), ("2026-08-01", 1), ("2027-07-31", 1), ("2027-08-01", 2)):
        found = acts.rule_for(ALGEBRA, on(day))
        assert (found[0].document.version if found else None) == version


@pytest.mark.parametrize("day", ["2026-08-01", "2026-07-01"])
def test_two_versions_of_one_rule_are_never_in_force_on_one_date(day: str) -> None:
    acts = holding(rule("a", "2026-08-01"), rule("a", day, 2))
    assert (turns(acts), clashing(acts)) == ([(on("2026-08-01"), "a@1")], [("a@2", "a@1")])
    assert acts.clashes[0].reason == (
        "version 1 holds from 2026-08-01 on: publish this one from a later date, or void the other"
    )


def test_versions_of_before_rules_had_dates_take_each_others_place() -> None:
    acts = holding(rule("a", None), rule("a", None, 2), rule("a", "2026-08-01", 3))
    assert (turns(acts), clashing(acts)) == ([(0, "a@2"), (on("2026-08-01"), "a@3")], [])


def test_the_most_particular_rule_in_force_holds() -> None:
    acts = holding(
        rule("all", "2026-01-01"),
        rule("framework", "2026-02-01", framework=MATH),
        rule("own", "2026-03-01", competencies=[ALGEBRA]),
    )
    assert [name for _, name in turns(acts)] == ["all@1", "framework@1", "own@1"]
    assert clashing(acts) == []


def test_a_rule_of_the_district_goes_before_the_one_that_every_log_begins_with() -> None:
    default = Act(3, "rule", 3, "default", DEFAULT_RULE)
    acts = holding(default, rule("all", "2026-01-01"))
    assert (turns(acts), clashing(acts)) == ([(0, "default"), (on("2026-01-01"), "all@1")], [])


@pytest.mark.parametrize(
    "reach", [{}, {"framework": MATH}, {"competencies": [ALGEBRA]}, {"framework": MATH, "competencies": [ALGEBRA]}]
)
def test_of_two_rules_that_are_equally_particular_the_first_holds_and_the_other_is_told(reach: dict[str, Any]) -> None:
    first, second = rule("z", "2026-01-01", **reach), rule("a", "2026-02-01", **reach)
    acts = holding(second, first)
    assert (turns(acts), clashing(acts)) == ([(on("2026-01-01"), "z@1")], [("a@1", "z@1")])
    assert acts.clashes[0].reason.startswith("https://example.org/rules/z is for the same competencies")


def test_rules_for_different_competencies_do_not_clash() -> None:
    acts = holding(
        rule("a", "2026-01-01", competencies=[ALGEBRA]),
        rule("b", "2026-01-01", competencies=[f"{ALGEBRA}/2"]),
        rule("c", "2026-01-01", framework=MATH),
        rule("d", "2026-01-01", framework=f"{MATH}/2"),
    )
    assert clashing(acts) == []


def test_a_rule_holds_in_its_own_strand_alone() -> None:
    habits = rule("habits", "2026-01-01", strand="work_habits", kinds=["work_habit"])
    acts = holding(rule("all", "2026-01-01"), habits)
    assert [name for _, name in turns(acts)] == ["all@1"]
    assert [name for _, name in turns(acts, EFFORT)] == ["habits@1"]
    assert clashing(acts) == []


def test_a_version_that_leaves_a_competency_out_ends_its_rule() -> None:
    acts = holding(rule("a", "2026-01-01"), rule("a", "2026-02-01", 2, competencies=[f"{ALGEBRA}/2"]))
    assert turns(acts) == [(on("2026-01-01"), "a@1"), (on("2026-02-01"), None)]
    assert acts.rule_for(ALGEBRA) is None
    assert acts.rules_over_time(ALGEBRA)[1].positions == (0, 0)


def test_a_rule_whose_scale_is_not_published_is_never_in_force() -> None:
    acts = holding(rule("a", "2026-01-01", scale={"id": DEFAULT_SCALE.id, "version": 9}))
    assert turns(acts) == []


def test_the_order_of_publication_changes_nothing() -> None:
    rules = [
        rule("a", "2026-01-01"), rule("a", "2026-01-01", 2), rule("a", "2026-05-01", 3), rule("b", "2026-02-01"),
    ]  # fmt: skip
    told = {str((turns(holding(*order)), clashing(holding(*order)))) for order in permutations(rules)}
    assert len(told) == 1


def test_a_rule_that_names_children_which_its_parent_has_not_is_never_in_force() -> None:
    method = {"name": "points_children", "required_points": 1, "children": [{"competency": EFFORT, "points": 4}]}
    document = {**DEFAULT_RULE_DOCUMENT, "id": "https://example.org/rules/points", "competencies": [ALGEBRA]}
    document = {name: value for name, value in document.items() if name != "kinds"} | {"method": method}
    acts = holding(rule("all", "2026-01-01"), Act(5, "rule", 5, "points", rule_of(document)))
    assert [name for _, name in turns(acts)] == ["all@1"]
    assert clashing(acts) == [("points", "framework")]
    assert acts.clashes[0].reason == (
        f"/method/children/0/competency: is no child of {ALGEBRA} in its framework: take it out"
    )
