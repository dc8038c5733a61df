"""What each field of a rule does to a decision, and which rules are refused."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.documents import load
from projections.evidence.evidence import EXCUSED, GROUP, OUTSIDE, VALIDATED
from projections.mastery.decide import Read, decide, decide_read
from projections.mastery.rule_documents import DEFAULT_RULE_DOCUMENT, RULE, rule_of
from projections.mastery.rules import METHOD_NAMES, strangers
from tests.projections.ruled import (
    DAY,
    FORMATIVE,
    HABIT,
    PORTFOLIO,
    SUMMATIVE,
    document,
    left_out,
    piece,
    pieces,
    refused,
    ruled,
    unmet,
    used,
)

CHILD = "https://example.org/child"
PARENT = "https://example.org/parent"


def child(number: int, points: int = 4, **more: Any) -> dict[str, Any]:
    return {"competency": f"{CHILD}/{number}", "points": points, **more}


def points_rule(**changed: Any) -> list[str]:
    method = {"required_points": 8, "children": [child(1), child(2)], **changed}
    return [pointer for pointer, _ in refused("points_children", **method)]


# Publication


@pytest.mark.parametrize("field", ["approver", "effective_from"])
def test_a_rule_is_published_with_who_approved_it_and_from_when_it_holds(field: str) -> None:
    written = document("latest")
    written.pop(field)
    assert refused("latest", **{field: None}) == [(f"/{field}", "must not be null: leave it out")]
    assert getattr(rule_of(written), field) in ("", 0)


@pytest.mark.parametrize("day", ["2026-8-1", "2026-02-30", "2026-08-01T00:00:00Z", 20260801, ""])
def test_the_day_from_which_a_rule_holds_is_a_date(day: object) -> None:
    assert refused("latest", effective_from=day) == [("/effective_from", "must be a date such as 2026-08-01")]


def test_a_rule_holds_from_the_first_moment_of_its_day_in_utc() -> None:
    assert rule_of(document("latest", effective_from="1970-01-03")).effective_from == 2 * DAY


# Strands


def test_an_academic_rule_that_names_work_habits_is_refused_with_the_reason() -> None:
    ((pointer, words),) = refused("latest", kinds=["portfolio", "work_habit"])
    assert pointer == "/kinds/1"
    assert words == "is a strand of its own: behaviour and work habits never count toward an academic competency"


def test_a_rule_for_work_habits_counts_nothing_else() -> None:
    assert [pointer for pointer, _ in refused("latest", strand="work_habits", kinds=["work_habit", "portfolio"])] == [
        "/kinds/1"
    ]
    rule = ruled("latest", strand="work_habits", kinds=["work_habit"])
    outcome = decide(rule, [piece(1, "4", kind=HABIT), piece(2, "1")])
    assert (used(outcome), left_out(outcome)) == ([1], [(2, "kind_not_counted")])


def test_behaviour_is_left_out_of_an_academic_decision_by_its_name() -> None:
    outcome = decide(ruled("latest"), [piece(1, "3"), piece(2, "0", kind=HABIT)])
    assert (outcome.status, left_out(outcome)) == ("proficient", [(2, "behaviour")])


# What counts


def test_excused_evidence_is_left_out_and_says_so() -> None:
    outcome = decide(ruled("average"), [piece(1, "4"), piece(2, "0", flags=EXCUSED)])
    assert (outcome.raw, left_out(outcome)) == (Decimal(4), [(2, "excused")])


def test_evidence_that_was_not_validated_is_left_out_where_the_rule_asks_for_validated() -> None:
    both = [piece(1, "4", flags=VALIDATED | GROUP), piece(2, "0")]
    assert left_out(decide(ruled("average", validated_only=True), both)) == [(2, "unvalidated")]
    assert left_out(decide(ruled("average"), both)) == []


def test_evidence_of_another_district_counts_unless_the_rule_only_shows_it() -> None:
    both = [piece(1, "4"), piece(2, "0", flags=OUTSIDE)]
    assert decide(ruled("average"), both).raw == 2
    assert left_out(decide(ruled("average", outside="shown"), both)) == [(2, "outside_district")]


def test_being_excused_comes_before_every_other_reason() -> None:
    rule = ruled("average", validated_only=True, outside="shown")
    assert left_out(decide(rule, [piece(1, "4", flags=EXCUSED | OUTSIDE)])) == [(1, "excused")]
    assert left_out(decide(rule, [piece(1, "4", flags=VALIDATED | OUTSIDE)])) == [(1, "outside_district")]


# Weights


def test_a_kind_weighs_in_the_average_as_the_rule_says() -> None:
    rule = ruled("average", weights=[{"kind": "portfolio", "weight": 3}])
    outcome = decide(rule, [piece(1, "4", kind=PORTFOLIO), piece(2, "2")])
    assert (outcome.raw, [one.weight for one in outcome.inputs]) == (Decimal("3.5"), ["0.75", "0.25"])


def test_weights_hold_for_what_came_before_in_a_weighted_average() -> None:
    rule = ruled("weighted_average", w=50, weights=[{"kind": "portfolio", "weight": 3}])
    outcome = decide(rule, [piece(1, "4", kind=PORTFOLIO), piece(2, "2"), piece(3, "3")])
    assert (outcome.raw, [one.weight for one in outcome.inputs]) == (Decimal("3.25"), ["0.375", "0.125", "0.5"])


def test_weights_hold_among_the_scores_that_are_kept() -> None:
    rule = ruled("n_mastery", n=2, weights=[{"kind": "portfolio", "weight": 3}])
    outcome = decide(rule, [piece(1, "4", kind=PORTFOLIO), piece(2, "1"), piece(3, "3")])
    assert (outcome.raw, [one.weight for one in outcome.inputs]) == (Decimal("3.75"), ["0.75", "0", "0.25"])


@pytest.mark.parametrize(
    ("method", "weights", "pointer"),
    [
        ("highest", [{"kind": "portfolio", "weight": 2}], "/weights"),
        ("average", [{"kind": "formative", "weight": 2}], "/weights/0/kind"),
        ("average", [{"kind": "portfolio", "weight": 2}, {"kind": "portfolio", "weight": 3}], "/weights/1/kind"),
        ("average", [{"kind": "portfolio", "weight": 0}], "/weights/0/weight"),
    ],
)
def test_a_weight_without_sense_is_refused(method: str, weights: list[Any], pointer: str) -> None:
    assert [found for found, _ in refused(method, weights=weights)] == [pointer]


# The mix


def test_too_few_contexts_are_insufficient_evidence_and_an_unknown_one_is_none() -> None:
    both = [piece(1, "4", context=7), piece(2, "4")]
    outcome = decide(ruled("average", min_contexts=2), both)
    assert (outcome.status, unmet(outcome)) == ("insufficient_evidence", [("min_contexts", "1", "2")])
    assert decide(ruled("average", min_contexts=2), [both[0], both[1]._replace(context=8)]).status == "proficient"


def test_too_few_scorers_are_insufficient_evidence() -> None:
    both = [piece(1, "4", scorer=7), piece(2, "4", scorer=7)]
    outcome = decide(ruled("average", min_scorers=2), both)
    assert (outcome.status, unmet(outcome)) == ("insufficient_evidence", [("min_scorers", "1", "2")])
    assert decide(ruled("average", min_scorers=2), [both[0], both[1]._replace(scorer=8)]).status == "proficient"


def test_a_missing_kind_is_told_in_words() -> None:
    rule = ruled("independent_tasks", mix=[{"kinds": ["performance_task", "portfolio"], "at_least": 2}])
    outcome = decide(rule, [piece(1, "4", kind=SUMMATIVE), piece(2, "4")])
    assert outcome.status == "insufficient_evidence"
    assert unmet(outcome) == [("min_of_kinds", "1", "2 performance tasks or portfolios")]
    assert decide(rule, [piece(1, "4", kind=PORTFOLIO), piece(2, "4")]).status == "proficient"


@pytest.mark.parametrize(
    ("mix", "pointer"),
    [
        ([{"kinds": ["formative"], "at_least": 1}], "/mix/0/kinds"),
        ([{"kinds": ["portfolio"], "at_least": 1}, {"kinds": ["portfolio"], "at_least": 2}], "/mix/1/kinds"),
        ([{"kinds": ["portfolio"], "at_least": 0}], "/mix/0/at_least"),
        ([{"kinds": [], "at_least": 1}], "/mix/0/kinds"),
    ],
)
def test_a_mix_without_sense_is_refused(mix: list[Any], pointer: str) -> None:
    assert [found for found, _ in refused("average", mix=mix)] == [pointer]


# Time


def test_a_window_looks_back_from_the_newest_piece_that_counts() -> None:
    rule = ruled("average", window_days=10)
    outcome = decide(rule, [piece(1, "0"), piece(11, "4"), piece(90, "1", kind=FORMATIVE)])
    assert (outcome.raw, left_out(outcome)) == (Decimal(4), [(90, "kind_not_counted"), (1, "outside_window")])
    assert decide(rule, [piece(2, "0"), piece(11, "4")]).raw == 2


def test_a_window_is_reckoned_at_the_moment_that_is_asked_about() -> None:
    rule, both = ruled("average", window_days=10), pieces("0", "4")
    assert decide(rule, both).lapses == 11 * DAY
    assert decide(rule, both, as_of=11 * DAY - 1).raw == 2
    after = decide(rule, both, as_of=11 * DAY)
    assert (after.raw, left_out(after), after.lapses) == (Decimal(4), [(1, "outside_window")], 12 * DAY)


def test_all_evidence_outside_the_window_is_insufficient_and_no_failure() -> None:
    outcome = decide(ruled("latest", window_days=10), pieces("4"), as_of=30 * DAY)
    assert (outcome.status, outcome.lapses, unmet(outcome)) == (
        "insufficient_evidence",
        None,
        [("min_evidence", "0", "1"), ("min_tasks", "0", "1")],
    )


def test_mastery_lapses_some_days_after_it_was_last_shown_at_the_cut() -> None:
    rule, shown = ruled("highest", expires_after_days=10), [*pieces("3", "4"), piece(5, "1")]
    fresh = decide(rule, shown)
    assert (fresh.status, fresh.lapses) == ("proficient", 12 * DAY)
    assert decide(rule, shown, as_of=12 * DAY - 1).status == "proficient"
    outcome = decide(rule, shown, as_of=12 * DAY)
    assert outcome[:4] == ("insufficient_evidence", None, None, None)
    assert unmet(outcome) == [("fresh_evidence", "0", "1 after 1970-01-13")]
    assert used(outcome) == [1, 2, 5]


def test_what_is_not_yet_shown_cannot_lapse() -> None:
    outcome = decide(ruled("highest", expires_after_days=10), pieces("1"), as_of=99 * DAY)
    assert (outcome.status, outcome.lapses) == ("not_yet", None)


def test_a_rule_without_window_and_expiry_does_not_look_at_the_time() -> None:
    assert decide(ruled("latest"), pieces("3"), as_of=10**18) == decide(ruled("latest"), pieces("3"))


@settings(max_examples=50)
@given(st.lists(st.integers(1, 60), max_size=6), st.integers(1, 200))
def test_time_alone_changes_nothing_before_the_moment_that_was_named(days: list[int], later: int) -> None:
    rule = ruled("highest", window_days=30, expires_after_days=20)
    evidence = [piece(day, "3.5", statement_id=f"{place}-{day}", fingerprint=place) for place, day in enumerate(days)]
    now = max(days, default=0) * DAY
    told = decide(rule, evidence, as_of=now)
    again = decide(rule, evidence, as_of=now + later * DAY)
    assert (again != told) == (told.lapses is not None and now + later * DAY >= told.lapses)


# Revisions and attempts

TRIES = [
    piece(1, "2", task=9, attempt=1),
    piece(2, "4", task=9, attempt=1, revision=1),
    piece(3, "3", task=9, attempt=2),
    piece(4, "1", task=9, attempt=3),
]


@pytest.mark.parametrize(
    ("attempts", "revisions", "kept", "reasons"),
    [
        ({"which": "latest"}, "replace", [4], {"another_attempt_counts"}),
        ({"which": "first"}, "replace", [2], {"another_attempt_counts", "superseded_by_revision"}),
        ({"which": "best"}, "replace", [2], {"another_attempt_counts", "superseded_by_revision"}),
        ({"which": "all"}, "replace", [2, 3, 4], {"superseded_by_revision"}),
        ({"which": "all"}, "append", [1, 2, 3, 4], set()),
        ({"which": "all"}, "best", [2, 3, 4], {"not_the_best_revision"}),
        ({"which": "first"}, "append", [1, 2], {"another_attempt_counts"}),
        (
            {"which": "latest", "most": 2},
            "replace",
            [3],
            {"another_attempt_counts", "beyond_attempts", "superseded_by_revision"},
        ),
        ({"which": "all", "most": 2}, "replace", [2, 3], {"beyond_attempts", "superseded_by_revision"}),
    ],
)
def test_attempts_and_revisions_are_two_choices(
    attempts: dict[str, Any], revisions: str, kept: list[int], reasons: set[str]
) -> None:
    outcome = decide(ruled("average", attempts=attempts, revisions=revisions), TRIES)
    assert (used(outcome), {reason for _, reason in outcome.excluded}) == (kept, reasons)


def test_of_two_attempts_that_are_equally_good_the_later_counts() -> None:
    both = [piece(1, "3", task=9, attempt=1), piece(2, "3", task=9, attempt=2)]
    assert used(decide(ruled("average", attempts={"which": "best"}), both)) == [2]


def test_attempts_that_all_count_are_still_one_task() -> None:
    rule = ruled("average", attempts={"which": "all"}, min_tasks=2)
    assert unmet(decide(rule, TRIES)) == [("min_tasks", "1", "2")]


def test_independent_tasks_refuse_to_count_a_task_twice() -> None:
    assert [pointer for pointer, _ in refused("independent_tasks", attempts={"which": "all"})] == ["/attempts/which"]


# Comparing


def test_a_rule_may_compare_what_was_computed_and_not_what_is_shown() -> None:
    one = [piece(1, None, score_num=29951, score_den=40000)]
    assert decide(ruled("latest"), one).status == "proficient"
    outcome = decide(ruled("latest", compare="raw"), one)
    assert (outcome.status, str(outcome.rounded), unmet(outcome)) == (
        "not_yet",
        "3.00",
        [("value_at_cut", "2.9951", "3.00")],
    )


def test_each_score_is_compared_like_the_value() -> None:
    both = [piece(1, None, score_num=29951, score_den=40000), piece(2, "3")]
    assert decide(ruled("n_mastery", n=2), both).status == "proficient"
    assert decide(ruled("n_mastery", n=2, compare="raw"), both).status == "not_yet"
    assert decide(ruled("independent_tasks", compare="raw"), both).status == "not_yet"


def test_rounding_is_half_up_to_two_places_and_nothing_else() -> None:
    assert refused("latest", rounding="half_up/2") == []
    assert [pointer for pointer, _ in refused("latest", rounding="half_even/2")] == ["/rounding"]


# Overrides and advisories


def test_an_override_policy_says_nothing_more_where_overrides_are_forbidden() -> None:
    assert refused("latest", overrides={"allowed": True, "second_person": True, "max_days": 90}) == []
    assert [pointer for pointer, _ in refused("latest", overrides={"allowed": False, "max_days": 90})] == [
        "/overrides/allowed"
    ]
    assert ruled("latest", overrides={"allowed": False}).overrides.allowed is False


def test_tracing_in_which_a_right_answer_tells_nothing_is_refused() -> None:
    assert refused("latest", advisory={"bkt": {"guess": "0.5", "slip": "0.49"}}) == []
    ((pointer, words),) = refused("latest", advisory={"bkt": {"guess": "0.5", "slip": "0.5"}})
    assert (pointer, words.partition(":")[0]) == ("/advisory/bkt/slip", "must be below 1 together with guess")
    assert [pointer for pointer, _ in refused("latest", advisory={"bkt": {"guess": "0.9"}})] == ["/advisory/bkt/slip"]


# Roll-ups


@pytest.mark.parametrize(
    ("changed", "pointers"),
    [
        ({}, []),
        ({"required_points": 0}, ["/method/required_points"]),
        ({"required_points": 9}, ["/method/required_points"]),
        ({"children": [child(1, -1), child(2, 9)]}, ["/method/children/0/points"]),
        ({"children": [child(1), child(1)]}, ["/method/children/0/competency", "/method/children/1/competency"]),
        ({"children": [{"competency": PARENT, "points": 8}]}, ["/method/children/0/competency"]),
        ({"children": []}, ["/method/children"]),
        ({"competencies": [PARENT, CHILD]}, ["/competencies"]),
        ({"min_evidence": 2, "window_days": 9}, ["/min_evidence", "/window_days"]),
        ({"kinds": ["portfolio"]}, ["/kinds"]),
    ],
)
def test_points_of_children_are_refused_as_moodle_refuses_them(changed: dict[str, Any], pointers: list[str]) -> None:
    assert points_rule(**changed) == pointers


@pytest.mark.parametrize("method", ["all_children", "weakest_child", "points_children"])
def test_a_rule_that_rolls_up_names_its_parents(method: str) -> None:
    own = {"required_points": 4, "children": [child(1)]} if method == "points_children" else {}
    written = document(method, **own)
    written.pop("competencies")
    assert [problem.pointer for problem in load(RULE, written)[1]] == ["/competencies"]


def test_children_are_a_parameter_of_points_alone() -> None:
    assert [pointer for pointer, _ in refused("all_children", children=[child(1)])] == ["/method/children"]
    assert [pointer for pointer, _ in refused("points_children", required_points=4)] == ["/method/children"]
    assert [pointer for pointer, _ in refused("points_children", children=[child(1)])] == ["/method/required_points"]


def test_a_child_that_is_none_in_the_framework_is_named_with_its_place() -> None:
    rule = rule_of(document("points_children", required_points=8, children=[child(1), child(2)]))
    assert [problem.pointer for problem in strangers(rule, {f"{CHILD}/1"}, "/rule")] == [
        "/rule/method/children/1/competency"
    ]


# Keeping what was read


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 4), st.integers(0, 3)), max_size=8))
def test_evidence_that_is_read_piece_by_piece_gives_the_same_decisions(told: list[tuple[int, int, int]]) -> None:
    evidence = [
        piece(at, None, score_num=score, score_den=400, task=task, flags=EXCUSED * (revision == 3), revision=revision)
        for at, (score, task, revision) in enumerate(told, 1)
    ]
    rule = ruled("independent_tasks")
    read = Read(rule)
    for count, one in enumerate(evidence, 1):
        read.add([one])
        assert decide_read(read) == decide(rule, evidence[:count])


def test_the_default_rule_names_no_field_that_it_does_not_need() -> None:
    rule = rule_of(DEFAULT_RULE_DOCUMENT)
    assert (rule.strand, rule.outside, rule.compare, rule.overrides.allowed) == ("academic", "counts", "rounded", True)


def test_the_rules_that_the_documentation_shows_are_taken() -> None:
    text = (Path(__file__).parents[2] / "docs" / "rules.md").read_text()
    shown = re.findall(r"```json rule\n(.*?)```", text, re.DOTALL)
    assert [load(RULE, json.loads(one))[1] for one in shown] == [[], []]


def test_the_documentation_names_every_field_and_every_method_of_a_rule() -> None:
    text = (Path(__file__).parents[2] / "docs" / "rules.md").read_text()
    assert [name for name in (*RULE.fields, *METHOD_NAMES) if f"`{name}`" not in text] == []
