"""The edge rules that every decision keeps, by their numbers in the domain's list: on evidence alone and over a log."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrs.errors import NotFound
from projections import acts
from projections.mastery.decide import decide
from projections.mastery.next_step import next_step
from projections.mastery.rule_documents import DEFAULT_RULE
from projections.mastery.scales import DEFAULT_SCALE
from projections.mastery.wording import rule_text
from projections.wording import CAUSE_WORDS, EXCLUSION_WORDS, STATUS_WORDS, UNMET_WORDS
from tests.district import District
from tests.projections.overriding import cleared, overridden
from tests.projections.ruled import (
    DAY,
    FORMATIVE,
    HABIT,
    PORTFOLIO,
    left_out,
    piece,
    pieces,
    refused,
    ruled,
    unmet,
    used,
)
from tests.projections.scenes import (
    ALGEBRA,
    REGISTRAR,
    Json,
    act,
    decided,
    did,
    first_acts,
    folded,
    learner,
    standings,
    void,
    waiting,
)

VOIDED = did("vic", "exam", 0.9, 2)
EXCUSED = did("eve", "exam", 0.1, 3)
HALF_DONE = {**did("ines", "essay", 0.9, 1), "result": {"score": {"raw": 9}}}
PAIR = {"objectType": "Group", "member": [learner("gil"), learner("gus")]}
TWICE = {"contextActivities": {"grouping": [{"id": ALGEBRA}], "parent": [{"id": ALGEBRA}]}}


@pytest.fixture(scope="module")
def school(shared_district: District) -> District:
    """A school in which each learner meets one of the edge rules."""
    return folded(
        shared_district,
        [
            *first_acts(),
            *(did("late", "exam", 0.9, 2), did("late", "essay", 0.9, 1)),
            *(did("vic", "essay", 0.9, 1), VOIDED, void(VOIDED["id"])),
            *(did("rev", "essay", 0.3, 1), did("rev", "exam", 0.9, 2), did("rev", "essay", 0.9, 3, revision=1)),
            *(did("new", "essay", 0.9, 1), did("new", "bridge", 0.9, 2)),
            *(did("dup", "essay", 0.9, 1, context=TWICE), did("dup", "exam", 0.9, 2)),
            *(did("gil", "essay", 0.9, 1, actor=PAIR, name="pair/essay"), did("gil", "exam", 0.9, 2)),
            *(did("ovi", "essay", 0.9, 1), overridden("ovi", 2), cleared("ovi", 3)),
            *(did("eve", "essay", 0.9, 1), did("eve", "bridge", 0.9, 2), EXCUSED),
            act(acts.excuse(EXCUSED["id"], "The fire alarm rang.", REGISTRAR), 4, "excusal"),
            HALF_DONE,
        ],
    )


def newest(school: District, who: str) -> Json:
    return decided(school, who, "algebra")[-1]


def reasons(record: Json) -> list[tuple[str, str]]:
    return [(one["statement_id"], one["reason"]) for one in record["excluded"]]


def test_edge_rule_1_no_score_is_no_zero_and_a_zero_is_a_score() -> None:
    outcome = decide(ruled("average"), [piece(1, "0"), piece(2, None), piece(3, "4")])
    assert (outcome.raw, left_out(outcome)) == (Decimal(2), [(2, "no_score")])


def test_edge_rule_2_too_little_evidence_is_a_status_of_its_own() -> None:
    assert decide(ruled("average", min_evidence=3), pieces("0", "0")).status == "insufficient_evidence"
    assert decide(ruled("average", min_evidence=3), []).status == "no_evidence"


@pytest.mark.parametrize(("score", "status", "shown"), [(29949, "not_yet", "2.99"), (29950, "proficient", "3.00")])
def test_edge_rule_3_the_value_that_people_see_is_compared_with_the_cut(score: int, status: str, shown: str) -> None:
    outcome = decide(ruled("latest"), [piece(1, None, score_num=score, score_den=40_000)])
    assert (outcome.status, str(outcome.rounded), outcome.raw) == (status, shown, Decimal(score) / 10_000)


@settings(max_examples=50)
@given(st.integers(0, 400), st.integers(-4, 4), st.sampled_from(["latest", "highest", "average", "median", "mode"]))
def test_edge_rule_3_holds_on_both_sides_of_each_half_of_a_hundredth(hundredths: int, off: int, method: str) -> None:
    ten_thousandths = hundredths * 100 + 50 + off
    outcome = decide(ruled(method), [piece(1, None, score_num=ten_thousandths, score_den=40_000)])
    assert outcome.rounded == Decimal(hundredths + (off >= 0)) / 100


def test_edge_rule_4_a_tie_in_time_is_broken_by_the_statement_id() -> None:
    first, second = piece(1, "4", statement_id="a"), piece(2, "2", statement_id="b", timestamp=DAY)
    assert decide(ruled("latest"), [second, first]).raw == decide(ruled("latest"), [first, second]).raw == 2


def test_edge_rule_5_a_late_piece_computes_anew_and_the_earlier_decision_stays(school: District) -> None:
    first, second = decided(school, "late", "algebra")
    assert (first["status"], second["status"], second["cause"]) == ("insufficient_evidence", "proficient", "late")
    assert (first["superseded_by"], second["supersedes"]) == (second["decision_id"], first["decision_id"])


def test_edge_rule_6_a_void_of_what_was_used_supersedes_with_the_reason(school: District) -> None:
    *_, before, after = decided(school, "vic", "algebra")
    assert (before["status"], after["status"], after["cause"]) == ("proficient", "insufficient_evidence", "void")
    assert reasons(after) == [(VOIDED["id"], "voided")]


def test_edge_rule_7_a_revision_takes_the_place_of_the_earlier_try_which_stays_visible(school: District) -> None:
    record = newest(school, "rev")
    assert (record["status"], [one["reason"] for one in record["excluded"]]) == (
        "proficient",
        ["superseded_by_revision"],
    )


def test_edge_rule_8_a_try_at_another_task_adds(school: District) -> None:
    assert (newest(school, "new")["status"], len(newest(school, "new")["inputs"])) == ("proficient", 2)


def test_edge_rule_9_the_mix_of_evidence_has_minimums() -> None:
    rule = ruled("average", min_tasks=2, min_contexts=2, mix=[{"kinds": ["portfolio"], "at_least": 1}])
    outcome = decide(rule, [piece(1, "4", context=1)])
    assert outcome.status == "insufficient_evidence"
    assert unmet(outcome) == [("min_tasks", "1", "2"), ("min_contexts", "1", "2"), ("min_of_kinds", "0", "1 portfolio")]
    assert decide(rule, [piece(1, "4", context=1), piece(2, "4", context=2, kind=PORTFOLIO)]).status == "proficient"


def test_edge_rule_10_formative_work_counts_only_where_the_rule_says_so() -> None:
    practice = [piece(1, "4"), piece(2, "0", kind=FORMATIVE)]
    assert left_out(decide(ruled("average"), practice)) == [(2, "kind_not_counted")]
    assert used(decide(ruled("average", kinds=["performance_task", "formative"]), practice)) == [1, 2]


def test_edge_rule_11_a_rule_that_names_behaviour_is_refused() -> None:
    for word in ("work_habit", "behaviour", "effort", "participation"):
        ((pointer, words),) = refused("average", kinds=["portfolio", word])
        assert (pointer, "strand of its own" in words) == ("/kinds/1", True)


@settings(max_examples=50)
@given(st.lists(st.integers(0, 400), max_size=5), st.sampled_from(["average", "independent_tasks", "latest"]))
def test_edge_rule_11_behaviour_moves_no_academic_decision(habits: list[int], method: str) -> None:
    rule, work = ruled(method, window_days=3), pieces("3", "1", "4")
    shown = [piece(at, None, score_num=one, score_den=400, kind=HABIT) for at, one in enumerate(habits, 50)]
    assert decide(rule, [*work, *shown])._replace(excluded=()) == decide(rule, work)._replace(excluded=())


def test_edge_rule_12_windows_and_expiry_use_the_moment_of_the_decision() -> None:
    rule = ruled("average", window_days=30)
    assert decide(rule, pieces("0", "4"), as_of=2 * DAY) == decide(rule, pieces("0", "4"))
    assert decide(rule, pieces("0", "4"), as_of=31 * DAY).raw == 4


def test_edge_rule_13_two_references_to_one_competency_count_once(school: District) -> None:
    assert (newest(school, "dup")["status"], len(newest(school, "dup")["inputs"])) == ("proficient", 2)


def test_edge_rule_14_a_groups_work_is_evidence_of_each_member_and_marked(school: District) -> None:
    assert [one["group"] for one in newest(school, "gil")["inputs"]] == [True, False]
    assert [one["group"] for one in newest(school, "gus")["inputs"]] == [True]


def test_edge_rule_15_clearing_an_override_restores_what_is_computed(school: District) -> None:
    computed, set_by_hand, restored = decided(school, "ovi", "algebra")
    assert [one["status"] for one in (computed, set_by_hand, restored)] == [
        "insufficient_evidence",
        "proficient",
        "insufficient_evidence",
    ]
    assert set_by_hand["computed"]["status"] == computed["status"]


def test_edge_rule_15_an_excusal_leaves_a_piece_out_and_says_so(school: District) -> None:
    record = newest(school, "eve")
    assert (record["status"], reasons(record)) == ("proficient", [(EXCUSED["id"], "excused")])


def test_edge_rule_16_from_an_incomplete_source_nothing_is_decided(school: District) -> None:
    assert HALF_DONE["id"] in [statement_id for _, statement_id in waiting(school)]
    with pytest.raises(NotFound):
        standings(school, "ines")


def test_edge_rule_17_not_yet_is_the_only_negative_label() -> None:
    sentences = [
        *STATUS_WORDS.values(),
        *CAUSE_WORDS.values(),
        *EXCLUSION_WORDS.values(),
        *UNMET_WORDS.values(),
        rule_text(DEFAULT_RULE, DEFAULT_SCALE),
        next_step(ruled("average"), decide(ruled("average"), pieces("0"))),
        *(level.name for level in DEFAULT_SCALE.levels),
    ]
    assert STATUS_WORDS["not_yet"] == "Not yet"
    assert [one for one in sentences if re.search(r"(?i)\bfail|deficien|below average|poor|bad\b|weak", one)] == []
