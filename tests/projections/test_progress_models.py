"""The advisory models of progress: published tables and numbers, and that none of them decides."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.mastery.advisory import (
    Answer,
    Checks,
    Rating,
    Tracing,
    aleks,
    figures,
    khan,
    rated,
    traced,
)
from projections.mastery.decide import decide
from projections.mastery.figures import advisory_figures
from projections.mastery.rule_documents import rule_of
from projections.mastery.transitions import (
    KHAN_POINTS,
    Aleks,
    KhanState,
    aleks_after_answer,
    aleks_after_check,
    khan_after_exercise,
    khan_after_mixed,
)
from tests.projections.ruled import document, pieces, ruled

RIGHT, WRONG = Answer(True, Decimal(1), "formative"), Answer(False, Decimal(0), "formative")


@pytest.mark.parametrize(
    ("state", "share", "after"),
    [
        ("not_started", "0.69", "attempted"),
        ("not_started", "0.7", "familiar"),
        ("not_started", "0.99", "familiar"),
        ("not_started", "1", "proficient"),
        ("attempted", "0.7", "familiar"),
        ("familiar", "1", "proficient"),
        ("familiar", "0.5", "attempted"),
        ("mastered", "0.99", "proficient"),
        ("mastered", "0.69", "familiar"),
        ("mastered", "1", "mastered"),
    ],
)
def test_an_exercise_moves_a_learner_as_khan_academy_says(state: KhanState, share: str, after: str) -> None:
    assert khan_after_exercise(state, Decimal(share)) == after


@pytest.mark.parametrize(
    ("state", "up", "down"),
    [
        ("not_started", "familiar", "attempted"),
        ("attempted", "familiar", "attempted"),
        ("familiar", "proficient", "attempted"),
        ("proficient", "mastered", "familiar"),
        ("mastered", "mastered", "proficient"),
    ],
)
def test_a_question_among_other_skills_moves_one_step(state: KhanState, up: str, down: str) -> None:
    assert (khan_after_mixed(state, True), khan_after_mixed(state, False)) == (up, down)


def test_the_states_of_khan_academy_are_worth_these_points() -> None:
    assert KHAN_POINTS == {"not_started": 0, "attempted": 0, "familiar": 50, "proficient": 80, "mastered": 100}


def test_no_exercise_alone_makes_mastered() -> None:
    assert khan([RIGHT] * 9, Checks()) == "proficient"
    assert khan([RIGHT, RIGHT._replace(kind="interim")], Checks(("interim",))) == "mastered"


@pytest.mark.parametrize(
    ("answers", "points"),
    [
        ([True], 1),
        ([True, True], 3),
        ([True, True, True], 5),
        ([True, False, True], 1),
        ([False, False], 0),
        ([True, True, False, True, True], 5),
        ([True] * 9, 5),
    ],
)
def test_a_topic_is_learned_at_five_points_and_never_below_zero(answers: list[bool], points: int) -> None:
    state = Aleks()
    for is_right in answers:
        state = aleks_after_answer(state, is_right)
    assert (state.points, state.is_learned, state.is_mastered) == (points, points == 5, False)


def test_an_explanation_breaks_the_streak_and_moves_no_point() -> None:
    explained = aleks_after_answer(Aleks(2, True), is_right=True, is_explained=True)
    assert explained == Aleks(2, False)
    assert aleks_after_answer(explained, True).points == 3


def test_only_a_later_check_confirms_what_was_learned_and_it_can_be_lost_again() -> None:
    learned = Aleks(5)
    assert aleks_after_check(Aleks(3), True).is_mastered is False
    assert aleks_after_check(learned, True).is_mastered is True
    assert aleks_after_check(aleks_after_check(learned, True), False) == Aleks()
    assert aleks([RIGHT] * 3 + [RIGHT._replace(kind="interim")], Checks(("interim",))).is_mastered is True


@pytest.mark.parametrize(
    ("answers", "expected"),
    [("111", [".692683", ".919231", ".982763"]), ("0111", [".145763", ".490909", ".831438", ".961201"])],
)
def test_knowledge_tracing_meets_the_published_sequence(answers: str, expected: list[str]) -> None:
    found = list(traced([one == "1" for one in answers], Tracing()))
    assert [round(one, 6) for one in found] == [Decimal(one) for one in expected]


def test_what_is_forgotten_is_taken_off_each_time() -> None:
    (kept,) = traced([True], Tracing())
    (lost,) = traced([True], Tracing(forget=Decimal("0.1")))
    assert lost < kept


def test_an_elo_rating_meets_the_published_sequence() -> None:
    found = list(rated([True, True, False, True, True], Rating()))
    assert [round(one, 4) for one in found] == [Decimal(one) for one in ("0.5", ".8596", ".2209", ".6078", ".9016")]


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_a_probability_stays_one_and_a_right_answer_never_lowers_a_figure(answers: list[bool]) -> None:
    known = list(traced(answers, Tracing()))
    assert all(0 < one < 1 for one in known)
    ratings = [Decimal(0), *rated(answers, Rating())]
    assert all(
        (after > before) == is_right for before, after, is_right in zip(ratings, ratings[1:], answers, strict=False)
    )


def test_figures_stand_beside_a_decision_and_change_nothing_in_it() -> None:
    asked = {"bkt": {}, "elo": {}, "khan": {}, "aleks": {"checks": ["performance_task"]}}
    rule = rule_of(document("latest", advisory=asked))
    ready, evidence = ruled("latest", advisory=asked), pieces("3", "1", "4", "2")
    outcome = decide(ready, evidence)
    told = advisory_figures(rule.advisory, ready, outcome)
    assert [(one["name"], one["value"]) for one in told] == [
        ("bkt", "0.2963"), ("elo", "-0.1342"), ("khan", "0"), ("aleks", "0"),
    ]  # fmt: skip
    assert outcome == decide(ruled("latest"), evidence)
    assert advisory_figures(rule.advisory, ready, decide(ready, [])) == []
    assert figures(rule_of(document("latest")).advisory, [RIGHT, WRONG]) == []
