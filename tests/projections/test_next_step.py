"""The smallest next step: doing exactly that makes proficient, and one point or one piece less does not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from projections.evidence.evidence import KINDS, VALIDATED, Evidence
from projections.mastery.decide import Outcome, decide
from projections.mastery.methods import METHODS
from projections.mastery.next_step import Step, next_step, smallest_step
from projections.mastery.rules import CompiledRule
from tests.projections.ruled import DAY, FORMATIVE, PORTFOLIO, SUMMATIVE, TASK, piece, pieces, ruled

MIX = [{"kinds": ["portfolio"], "at_least": 1}, {"kinds": ["performance_task", "local_summative"], "at_least": 2}]
WEIGHTS = [{"kind": "portfolio", "weight": 3}, {"kind": "local_summative", "weight": 2}]


def by(method: str, **changed: Any) -> CompiledRule:
    return ruled(method, **({"n": 2} if method == "n_mastery" else {}), **changed)


RULES = st.sampled_from(
    [
        *(by(method) for method in METHODS),
        *(by(method, revisions="append") for method in METHODS),
        *(by(method, compare="raw", min_contexts=2, min_scorers=3) for method in METHODS),
        *(by(method, mix=MIX, min_tasks=3) for method in METHODS),
        *(by(method, expires_after_days=30) for method in METHODS if method != "power_law"),
        *(by(method, weights=WEIGHTS, mix=MIX) for method in ("average", "weighted_average", "n_mastery")),
        by("independent_tasks"),
        by("independent_tasks", mix=MIX, min_contexts=2, min_scorers=2),
        by("independent_tasks", validated_only=True, cut="3.55"),
        by("independent_tasks", dichotomous="meets_cut", expires_after_days=30),
        by("average", attempts={"which": "all"}, revisions="append", min_evidence=4),
        by("highest", window_days=400, min_contexts=3),
    ]
)
EVIDENCE = st.lists(
    st.builds(
        lambda at, hundredths, **changed: piece(at, f"{hundredths / 100:.2f}", **changed),
        st.integers(1, 40),
        st.integers(0, 400),
        kind=st.sampled_from([TASK, PORTFOLIO, SUMMATIVE, FORMATIVE]),
        task=st.integers(1, 6),
        context=st.integers(0, 3),
        scorer=st.integers(0, 3),
        flags=st.sampled_from([0, VALIDATED]),
    ),
    max_size=7,
    unique_by=lambda one: one.statement_id,
)


def done(step: Step, at: int, points: Decimal, skip: int = 0) -> list[Evidence]:
    """Return the pieces of a step, as lazily as it allows: no more new contexts and scorers than are asked for."""
    return [
        piece(
            at + place,
            str(points),
            task=1000 + place,
            kind=KINDS.index(kinds[-1]),
            context=100 + place if place < step.contexts else 0,
            scorer=100 + place if place < step.scorers else 0,
            flags=VALIDATED * step.is_validated,
        )
        for place, kinds in enumerate(step.kinds[skip:])
    ]


def after(rule: CompiledRule, evidence: list[Evidence], more: list[Evidence], now: int | None) -> Outcome:
    return decide(rule, [*evidence, *more], None if now is None else max([now, *(one.timestamp for one in more)]))


@settings(max_examples=200, deadline=None)
@given(RULES, EVIDENCE, st.none() | st.just(60 * DAY))
def test_doing_exactly_the_next_step_makes_proficient_and_less_does_not(
    rule: CompiledRule, evidence: list[Evidence], now: int | None
) -> None:
    step = smallest_step(rule, decide(rule, evidence, now))
    assume(step is not None)
    assert step is not None
    assert step.points is not None
    assert after(rule, evidence, done(step, 61, step.points), now).status == "proficient"
    if step.points > rule.positive_only * Decimal("0.01"):
        less = done(step, 61, step.points - Decimal("0.01"))
        assert after(rule, evidence, less, now).status != "proficient"


@settings(max_examples=100, deadline=None)
@given(RULES, EVIDENCE)
def test_one_piece_fewer_does_not_suffice(rule: CompiledRule, evidence: list[Evidence]) -> None:
    step = smallest_step(rule, decide(rule, evidence))
    assume(step is not None)
    assert step is not None
    if len(step.kinds) > 1:
        assert after(rule, evidence, done(step, 61, rule.maximum, skip=1), None).status != "proficient"


@settings(max_examples=100, deadline=None)
@given(RULES, EVIDENCE)
def test_there_is_a_step_exactly_until_mastery_is_shown(rule: CompiledRule, evidence: list[Evidence]) -> None:
    outcome = decide(rule, evidence)
    assert (next_step(rule, outcome) == "") == (outcome.status == "proficient")
    assert not (outcome.status == "proficient" and smallest_step(rule, outcome))


@pytest.mark.parametrize(
    ("rule", "evidence", "sentence"),
    [
        (
            by("independent_tasks", kinds=["portfolio"], min_contexts=2),
            [piece(1, "3", kind=PORTFOLIO, context=7)],
            "Show it once more: one more portfolio, in a context that is new, at 3.00 or above.",
        ),
        (
            by("independent_tasks", mix=[{"kinds": ["portfolio"], "at_least": 1}], kinds=["portfolio", "credential"]),
            [],
            "Show it 2 more times: portfolio and portfolio or credential, each a different task, each at 3.00",
        ),
        (
            by("latest", kinds=["credential"], min_scorers=2, validated_only=True),
            [],
            "2 more credentials, scored by 2 people who are new, in validated assessments, each a different task, each",
        ),
        (by("mode", kinds=["performance_task"]), pieces("2", "2", "4"), "4.00"),
        (by("median", kinds=["performance_task"]), pieces("2", "4", "1"), "3.99"),
    ],
)
def test_the_step_is_one_sentence_that_names_all_that_is_asked(
    rule: CompiledRule, evidence: list[Evidence], sentence: str
) -> None:
    assert sentence in next_step(rule, decide(rule, evidence))


def test_mastery_that_lapsed_is_renewed_by_one_piece_at_the_cut() -> None:
    rule = by("independent_tasks", expires_after_days=30)
    outcome = decide(rule, pieces("4", "4"), as_of=90 * DAY)
    assert outcome.status == "insufficient_evidence"
    assert smallest_step(rule, outcome) == Step(Decimal("3.00"), (rule.kind_names,))


def test_with_weights_the_step_names_the_kind_that_takes_the_learner_there_soonest() -> None:
    rule = by("average", weights=WEIGHTS)
    step = smallest_step(rule, decide(rule, pieces("2.5")))
    assert step == Step(Decimal("3.16"), (("portfolio",),))
