from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.evidence.evidence import GROUP, KINDS, Evidence
from projections.mastery.decide import Outcome, decide, decide_in_order
from projections.mastery.methods import METHODS
from projections.mastery.next_step import next_step
from projections.mastery.rule_documents import DEFAULT_RULE, DEFAULT_RULE_DOCUMENT, rule_of
from projections.mastery.rules import CompiledRule, compiled
from projections.mastery.scales import DEFAULT_SCALE

DEFAULT = compiled(DEFAULT_RULE, DEFAULT_SCALE)
TASK = KINDS.index("performance_task")
FORMATIVE = KINDS.index("formative")


def rule(method: str, n: int | None = None, **changed: Any) -> CompiledRule:
    document = {**DEFAULT_RULE_DOCUMENT, "method": {"name": method, **({"n": n} if n else {})}, **changed}
    return compiled(rule_of(document), DEFAULT_SCALE)


def piece(at: int, points: str | None, **changed: Any) -> Evidence:
    """Return a piece of evidence at a time, on a task of its own, worth these points of four."""
    hundredths = None if points is None else int(Decimal(points) * 100)
    evidence = Evidence(
        position=at,
        statement_id=f"{at:08}-0000-4000-8000-000000000000",
        timestamp=at * 1_000_000,
        kind=TASK,
        task=at,
        revision=0,
        score_num=hundredths,
        score_den=None if points is None else 400,
        success=None,
        fingerprint=at,
    )
    return evidence._replace(**changed)


def pieces(*points: str) -> list[Evidence]:
    return [piece(at, one) for at, one in enumerate(points, 1)]


def reasons(outcome: Outcome) -> list[tuple[int, str]]:
    return [(evidence.position, reason) for evidence, reason in outcome.excluded]


def used(outcome: Outcome) -> list[int]:
    return [one.evidence.position for one in outcome.inputs]


PIECES = st.builds(
    lambda at, hundredths, **changed: piece(at, None if hundredths is None else f"{hundredths / 100:.2f}", **changed),
    st.integers(1, 40),
    st.none() | st.integers(0, 400),
    kind=st.sampled_from([TASK, FORMATIVE]),
    task=st.integers(1, 5),
    revision=st.integers(0, 3),
    success=st.none() | st.booleans(),
)
EVIDENCE = st.lists(PIECES, max_size=8, unique_by=lambda one: one.statement_id)
RULES = st.sampled_from(
    [
        *(rule(method, 2 if method == "n_mastery" else None) for method in METHODS),
        *(rule(method, 2 if method == "n_mastery" else None, revisions="append") for method in METHODS),
        *(rule(method, 2 if method == "n_mastery" else None, revisions="best") for method in METHODS),
        DEFAULT,
        rule("independent_tasks", revisions="best", dichotomous="meets_cut"),
        rule("average", dichotomous="meets_cut", min_tasks=2, min_evidence=3),
    ]
)


def test_two_different_tasks_at_the_cut_are_proficient() -> None:
    outcome = decide(DEFAULT, pieces("3", "2", "3.5"))
    assert outcome[:4] == ("proficient", "Secure", Decimal("3.5"), Decimal("3.50"))
    assert [(one.evidence.position, one.points, one.weight) for one in outcome.inputs] == [
        (1, 3, "counts"),
        (2, 2, "below the cut"),
        (3, Decimal("3.5"), "counts"),
    ]
    assert (outcome.excluded, outcome.unmet) == ((), ())


def test_the_level_shown_is_that_of_the_latest_task_at_the_cut() -> None:
    assert decide(DEFAULT, pieces("4", "3", "0")).raw == 3


def test_one_task_is_too_little_and_never_a_failure() -> None:
    outcome = decide(DEFAULT, pieces("4"))
    assert outcome[:4] == ("insufficient_evidence", None, None, None)
    assert outcome.unmet == (("min_tasks", "1", "2"),)


def test_one_of_two_tasks_at_the_cut_is_not_yet_and_stays_below_proficient() -> None:
    outcome = decide(DEFAULT, pieces("2", "4"))
    assert outcome[:4] == ("not_yet", "Developing", Decimal(4), Decimal("4.00"))
    assert outcome.unmet == (("tasks_at_cut", "1", "2"),)


def test_no_evidence_is_a_status_of_its_own() -> None:
    assert decide(DEFAULT, [])[:7] == (
        "no_evidence", None, None, None, (), (), (("min_evidence", "0", "1"), ("min_tasks", "0", "2")),
    )  # fmt: skip


def test_evidence_that_all_fails_to_count_is_no_evidence() -> None:
    outcome = decide(DEFAULT, [piece(1, "4", kind=FORMATIVE)])
    assert outcome.status == "no_evidence"
    assert reasons(outcome) == [(1, "kind_not_counted")]


def test_null_is_excluded_and_zero_is_kept() -> None:
    outcome = decide(rule("average"), [piece(1, "0"), piece(2, None), piece(3, "4")])
    assert outcome.raw == 2
    assert reasons(outcome) == [(2, "no_score")]


def test_too_few_pieces_are_insufficient_evidence() -> None:
    outcome = decide(rule("average", min_evidence=3), pieces("4", "4"))
    assert (outcome.status, outcome.raw) == ("insufficient_evidence", None)
    assert outcome.unmet == (("min_evidence", "2", "3"),)


def test_many_tries_at_one_task_are_still_one_task() -> None:
    tries = [piece(at, "4", task=9) for at in (1, 2, 3)]
    outcome = decide(rule("average", revisions="append", min_tasks=2), tries)
    assert outcome.status == "insufficient_evidence"
    assert outcome.unmet == (("min_tasks", "1", "2"),)
    assert decide(DEFAULT, tries).status == "insufficient_evidence"


@pytest.mark.parametrize(
    ("hundredths", "status", "shown"), [("2.995", "proficient", "3.00"), ("2.9949", "not_yet", "2.99")]
)
def test_the_rounded_value_is_compared_with_the_cut(hundredths: str, status: str, shown: str) -> None:
    numerator = int(Decimal(hundredths) * 10_000)
    one = piece(1, None, score_num=numerator, score_den=40_000)
    outcome = decide(rule("latest"), [one])
    assert (outcome.status, str(outcome.rounded), outcome.raw) == (status, shown, Decimal(hundredths))
    two = decide(DEFAULT, [one, one._replace(statement_id="other", task=2, fingerprint=2)])
    assert two.status == status


def test_points_are_one_exact_division() -> None:
    outcome = decide(rule("latest"), [piece(1, None, score_num=1, score_den=3)])
    assert str(outcome.raw) == "1.333333333333333333333333333"


def test_a_score_on_another_scale_is_brought_to_this_one() -> None:
    assert decide(rule("latest"), [piece(1, None, score_num=2, score_den=5)]).raw == Decimal("1.6")


def test_a_tie_in_time_is_broken_by_the_statement_id() -> None:
    first, second = piece(1, "4", statement_id="a"), piece(2, "2", statement_id="b", timestamp=1_000_000)
    assert decide(rule("latest"), [second, first]).raw == 2
    assert decide(rule("latest"), [second._replace(statement_id="A"), first]).raw == 4


def test_a_late_piece_takes_its_place_by_time_and_not_by_arrival() -> None:
    assert decide(rule("latest"), [*pieces("2", "3"), piece(0, "4")]).raw == 3


def test_a_revision_replaces_the_earlier_try() -> None:
    tries = [piece(at, points, task=7, revision=at) for at, points in enumerate(("1", "1", "1", "4"), 1)]
    outcome = decide(rule("average"), tries)
    assert outcome.raw == 4
    assert reasons(outcome) == [(at, "superseded_by_revision") for at in (1, 2, 3)]


def test_the_higher_revision_counts_even_when_it_is_older() -> None:
    outcome = decide(rule("latest"), [piece(1, "3", task=7, revision=2), piece(2, "4", task=7, revision=1)])
    assert (outcome.raw, reasons(outcome)) == (Decimal(3), [(2, "superseded_by_revision")])


def test_a_revision_below_the_cut_takes_the_task_away() -> None:
    assert decide(DEFAULT, [*pieces("3", "3"), piece(3, "2", task=1)]).status == "not_yet"


def test_a_try_at_another_task_adds() -> None:
    assert used(decide(rule("average"), pieces("1", "4"))) == [1, 2]


def test_append_counts_each_try() -> None:
    tries = [piece(1, "2", task=7), piece(2, "4", task=7, revision=1)]
    assert decide(rule("average", revisions="append"), tries).raw == 3


def test_best_keeps_the_highest_try() -> None:
    tries = [piece(1, "2", task=7), piece(2, "4", task=7, revision=1), piece(3, "3", task=7, revision=2)]
    outcome = decide(rule("average", revisions="best"), tries)
    assert outcome.raw == 4
    assert reasons(outcome) == [(1, "not_the_best_revision"), (3, "not_the_best_revision")]


def test_two_statements_of_one_event_count_once() -> None:
    first, copy = piece(1, "4", statement_id="a"), piece(2, "4", statement_id="b", timestamp=1_000_000, fingerprint=1)
    for arrival in ([first, copy], [copy, first]):
        outcome = decide(rule("average"), arrival)
        assert (used(outcome), reasons(outcome)) == ([1], [(2, "duplicate")])


def test_success_without_a_score_counts_only_when_the_rule_says_so() -> None:
    passed = [piece(1, None, success=True), piece(2, None, success=True)]
    assert reasons(decide(DEFAULT, passed)) == [(1, "no_score"), (2, "no_score")]
    outcome = decide(rule("independent_tasks", dichotomous="meets_cut"), passed)
    assert outcome[:4] == ("proficient", "Secure", Decimal(3), Decimal("3.00"))


def test_a_task_marked_as_not_passed_is_below_the_cut_and_has_no_points() -> None:
    tries = [piece(1, None, success=False), piece(2, "3")]
    outcome = decide(rule("independent_tasks", dichotomous="meets_cut"), tries)
    assert outcome[:3] == ("not_yet", "Developing", Decimal(3))
    assert [(one.points, one.weight) for one in outcome.inputs] == [(None, "below the cut"), (3, "counts")]
    none = decide(rule("independent_tasks", dichotomous="meets_cut"), [piece(at, None, success=False) for at in (1, 2)])
    assert none[:4] == ("not_yet", None, None, None)


def test_not_passed_without_a_score_enters_no_sum() -> None:
    tries = [piece(1, None, success=False), piece(2, "3")]
    outcome = decide(rule("average", dichotomous="meets_cut"), tries)
    assert (outcome.raw, reasons(outcome)) == (Decimal(3), [(1, "no_score")])


def test_n_mastery_below_n_is_not_yet_without_a_value() -> None:
    outcome = decide(rule("n_mastery", 2), pieces("3", "1", "2"))
    assert outcome[:4] == ("not_yet", None, None, None)
    assert outcome.unmet == (("scores_at_cut", "1", "2"),)
    assert decide(rule("n_mastery", 3), pieces("3", "1")).status == "insufficient_evidence"


def test_power_law_waits_for_three_scores_and_leaves_zero_out() -> None:
    assert decide(rule("power_law"), pieces("4", "4")).status == "insufficient_evidence"
    outcome = decide(rule("power_law"), pieces("1", "2", "3", "4", "0"))
    assert (outcome.rounded, reasons(outcome)) == (Decimal(4), [(5, "zero_score")])


def test_a_value_below_the_cut_names_what_is_there_and_what_is_needed() -> None:
    outcome = decide(rule("weighted_average"), pieces("2", "3"))
    assert outcome[:4] == ("not_yet", "Developing", Decimal("2.65"), Decimal("2.65"))
    assert outcome.unmet == (("value_at_cut", "2.65", "3.00"),)
    assert [one.weight for one in outcome.inputs] == ["0.35", "0.65"]


@pytest.mark.parametrize(
    ("points", "cut", "status", "level"),
    [
        ("1.99", "3", "not_yet", "Beginning"),
        ("2", "3", "not_yet", "Developing"),
        ("3.2", "3.5", "not_yet", "Developing"),
        ("3.5", "3.5", "proficient", "Secure"),
        ("2.5", "2.5", "proficient", "Secure"),
        ("0", "3", "not_yet", "Beginning"),
    ],
)
def test_status_and_level_never_contradict_each_other(points: str, cut: str, status: str, level: str) -> None:
    assert decide(rule("latest", cut=cut), pieces(points))[:2] == (status, level)


def test_a_score_below_zero_is_on_the_lowest_level() -> None:
    outcome = decide(rule("latest"), [piece(1, None, score_num=-1, score_den=2)])
    assert (outcome.level, outcome.rounded) == ("Beginning", Decimal(-2))


def test_a_group_result_counts_like_any_other() -> None:
    assert decide(rule("latest"), [piece(1, "3", flags=GROUP)]).status == "proficient"


@given(RULES, EVIDENCE, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(rule: CompiledRule, evidence: list[Evidence], random: Any) -> None:
    shuffled = list(evidence)
    random.shuffle(shuffled)
    assert decide(rule, shuffled) == decide(rule, evidence)


@given(RULES, EVIDENCE)
def test_sorted_evidence_needs_no_sorting(rule: CompiledRule, evidence: list[Evidence]) -> None:
    in_order = sorted(evidence, key=lambda one: (one.timestamp, one.statement_id))
    assert decide_in_order(rule, in_order) == decide(rule, evidence)


@given(RULES, EVIDENCE)
def test_each_piece_is_either_used_or_excluded(rule: CompiledRule, evidence: list[Evidence]) -> None:
    outcome = decide(rule, evidence)
    told = [one.evidence for one in outcome.inputs] + [one for one, _ in outcome.excluded]
    assert sorted(told) == sorted(evidence)
    assert list(used(outcome)) == sorted(used(outcome))


@given(RULES, EVIDENCE)
def test_the_used_evidence_alone_gives_the_same_decision(rule: CompiledRule, evidence: list[Evidence]) -> None:
    outcome = decide(rule, evidence)
    again = decide(rule, [one.evidence for one in outcome.inputs])
    assert again._replace(excluded=()) == outcome._replace(excluded=())


@given(
    st.sampled_from([DEFAULT, rule("independent_tasks", revisions="best"), rule("highest"), rule("n_mastery", 2)]),
    EVIDENCE,
    st.integers(300, 400),
    st.integers(41, 60),
)
def test_one_more_task_at_the_cut_never_takes_proficiency_away(
    rule: CompiledRule, evidence: list[Evidence], hundredths: int, at: int
) -> None:
    before = decide(rule, evidence)
    after = decide(rule, [*evidence, piece(at, None, score_num=hundredths, score_den=400)])
    assert before.status != "proficient" or after.status == "proficient"


@given(EVIDENCE, st.integers(300, 400), st.integers(41, 60))
def test_a_revision_at_the_cut_never_takes_proficiency_away(evidence: list[Evidence], hundredths: int, at: int) -> None:
    before = decide(DEFAULT, evidence)
    for task in {one.task for one in evidence}:
        revision = piece(at, None, score_num=hundredths, score_den=400, task=task, revision=9)
        assert before.status != "proficient" or decide(DEFAULT, [*evidence, revision]).status == "proficient"


@given(RULES, EVIDENCE, st.integers(0, 400))
def test_formative_evidence_changes_no_decision_that_does_not_count_it(
    rule: CompiledRule, evidence: list[Evidence], hundredths: int
) -> None:
    flood = [piece(at, None, score_num=hundredths, score_den=400, kind=FORMATIVE) for at in range(50, 60)]
    assert decide(rule, [*evidence, *flood])._replace(excluded=()) == decide(rule, evidence)._replace(excluded=())


@given(RULES, EVIDENCE, st.integers(1, 400))
def test_how_long_it_took_changes_no_decision(rule: CompiledRule, evidence: list[Evidence], factor: int) -> None:
    slower = [one._replace(timestamp=one.timestamp * factor) for one in evidence]
    assert decide(rule, slower)[:4] == decide(rule, evidence)[:4]


@pytest.mark.parametrize(
    ("rule", "points", "sentence"),
    [
        (DEFAULT, ["3", "2"], "Show it once more: one more {one} at 3.00 or above."),
        (DEFAULT, [], "Show it 2 more times: 2 more {many}, each a different task, each at 3.00 or above."),
        (DEFAULT, ["3", "3"], ""),
        (rule("weighted_average"), ["2", "3"], "Show it once more: one more {one} at 3.27 or above."),
        (rule("average"), ["0"], "Show it 3 more times: 3 more {many}, each a different task, each at 4.00 or above."),
        (rule("average"), ["0"] * 20, "Keep showing it: each {one} at 3.00 or above helps."),
        (rule("average", min_evidence=2), ["2.5"], "Show it once more: one more {one} at 3.49 or above."),
    ],
)
def test_the_next_step_is_one_plain_sentence(rule: CompiledRule, points: Sequence[str], sentence: str) -> None:
    expected = sentence.format(
        one="performance task, portfolio, local summative or state summative",
        many="performance tasks, portfolios, local summatives or state summatives",
    )
    assert next_step(rule, decide(rule, pieces(*points))) == expected


@given(RULES, EVIDENCE)
def test_doing_exactly_the_next_step_makes_proficient_and_a_hundredth_less_does_not(
    rule: CompiledRule, evidence: list[Evidence]
) -> None:
    step = next_step(rule, decide(rule, evidence))
    if not step.startswith("Show"):
        return
    times = 1 if "once" in step else int(step.split()[2])
    points = Decimal(step.split(" at ")[1].split()[0])
    assert _after(rule, evidence, times, points).status == "proficient"
    assert _after(rule, evidence, times, points - Decimal("0.01")).status != "proficient"


def _after(rule: CompiledRule, evidence: list[Evidence], times: int, points: Decimal) -> Outcome:
    return decide(rule, [*evidence, *(piece(at, str(points)) for at in range(50, 50 + times))])
