"""The sample district shows every case that a demonstration needs, the same at every run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Any

import pytest

from adapters.demo.district import BATCH, SCHOOL_DAYS, acts, batches, facts, late_acts, notable
from lrs.xapi.statement import problems
from lrs.xapi.values import is_uuid, key64
from projections import acts as registrar
from projections.evidence.evidence import KINDS
from projections.profile import REVISION
from tests.adapters.demo.conclusions import VOIDED, Conclusions

Statement = dict[str, Any]
ELIGIBLE = {"S-1001", "S-1002", "S-1003"}


@cache
def statements() -> tuple[Statement, ...]:
    return tuple(statement for batch in batches() for statement in batch)


@cache
def concluded(late: bool = False) -> Conclusions:
    return Conclusions(statements(), [*acts(), *(late_acts() if late else [])])


def without(is_left_out: Callable[[Statement], bool]) -> Conclusions:
    return Conclusions((one for one in statements() if not is_left_out(one)), acts())


def learner_of(statement: Statement) -> str:
    return str(statement["actor"]["account"]["name"])


def moment_of(statement: Statement) -> datetime:
    return datetime.fromisoformat(statement["timestamp"])


def word_of(statement: Statement) -> str:
    return str(statement["verb"]["id"]).rpartition("/")[2]


def revision_of(statement: Statement) -> int:
    return int(statement.get("context", {}).get("extensions", {}).get(REVISION, 0))


def late_ids() -> set[str]:
    """Return the statements that arrive more than three days after something newer."""
    late, newest = set(), datetime(2026, 8, 1, tzinfo=UTC)
    for statement in statements():
        if moment_of(statement) < newest - timedelta(days=3):
            late.add(statement["id"])
        newest = max(newest, moment_of(statement))
    return late


def aligned() -> set[str]:
    return {document["activity"] for kind, document in acts() if kind == "alignment"}


def scores_of(platform: str) -> list[dict[str, float]]:
    found = [one for one in statements() if one.get("context", {}).get("platform") == platform]
    return [one["result"]["score"] for one in found if "score" in one.get("result", {})]


def test_two_runs_give_the_same_bytes() -> None:
    assert json.dumps(list(batches())) == json.dumps(list(batches()))
    assert json.dumps([*acts(), *late_acts()]) == json.dumps([*acts(), *late_acts()])


def test_another_seed_gives_another_autumn_with_other_ids() -> None:
    ids = {statement["id"] for batch in batches(seed=7) for statement in batch}
    assert not ids & {statement["id"] for statement in statements()}


def test_every_statement_is_valid_xapi() -> None:
    assert [found for statement in statements() for found in problems(statement, "1.0.3")] == []


def test_every_id_is_a_uuid_of_its_own() -> None:
    ids = [statement["id"] for statement in statements()]
    assert len(set(ids)) == len(ids)
    assert all(map(is_uuid, ids))


def test_no_statement_carries_what_the_store_sets() -> None:
    assert not any({"authority", "stored"} & statement.keys() for statement in statements())


def test_batches_are_full_but_for_the_last() -> None:
    sizes = [len(batch) for batch in batches()]
    assert set(sizes[:-1]) == {BATCH}
    assert 0 < sizes[-1] <= BATCH


def test_every_document_can_be_published() -> None:
    clerk = {"account": {"homePage": "https://sis.sample-county.example", "name": "registrar"}}
    for kind, document in [*acts(), *late_acts()]:
        to_statement = {"framework": registrar.adopt, "alignment": registrar.align}.get(kind)
        act = to_statement(document, clerk) if to_statement else registrar.publish(kind, document, clerk)
        assert registrar.problems(act) == []
        assert problems(act, "1.0.3") == []


def test_the_district_publishes_each_kind_of_document() -> None:
    kinds = Counter(kind for kind, _ in acts())
    assert kinds == {"framework": 1, "scale": 1, "rule": 2, "policy": 1, "normaliser": 3, "alignment": 60}
    assert {document["kind"] for kind, document in acts() if kind == "alignment"} == {
        "formative",
        "performance_task",
        "local_summative",
        "portfolio",
        "state_summative",
    }


def test_the_late_act_is_a_second_version_of_the_rule_for_one_competency() -> None:
    ((_, second),) = late_acts()
    (first,) = [document for kind, document in acts() if kind == "rule" and document["id"] == second["id"]]
    assert (first["version"], second["version"]) == (1, 2)
    assert first["competencies"] == second["competencies"]


def test_the_framework_has_twelve_competencies_on_a_progression_and_says_that_it_is_illustrative() -> None:
    framework = acts()[0][1]
    assert len(framework["competencies"]) == 12
    assert "illustrative" in framework["title"]
    uris = [competency["uri"] for competency in framework["competencies"]]
    assert all(uris.index(one["before"]) < uris.index(one["after"]) for one in framework["progressions"])
    assert {uri for one in framework["progressions"] for uri in one.values()} == set(uris)


def test_the_facts_count_what_is_there() -> None:
    told = facts()
    assert told["statements"] == len(statements())
    assert told["voids"] == sum(one["verb"]["id"] == VOIDED for one in statements())
    assert told["revisions"] == sum(revision_of(one) > 1 for one in statements())
    assert told["late"] == len(late_ids())
    assert told["views"] == sum(word_of(one) == "experienced" for one in statements())
    assert told["parts"] == sum("subContentId" in one["object"]["id"] for one in statements())
    assert told["sets"] + told["completions"] == sum(word_of(one) == "completed" for one in statements())


def test_about_three_thousand_statements_come_from_sixty_learners() -> None:
    assert 2_800 <= len(statements()) <= 3_300
    assert len({learner_of(one) for one in statements() if one["verb"]["id"] != VOIDED}) == facts()["learners"] == 60


def test_everything_happens_on_school_days() -> None:
    assert {moment_of(statement).date() for statement in statements()} <= set(SCHOOL_DAYS)
    assert all(time(13, 50) <= moment_of(statement).time() < time(19, 31) for statement in statements())


def test_moodle_sends_scaled_from_minus_one_to_one_and_often_nothing_else() -> None:
    scores = scores_of("Moodle")
    whole = [score for score in scores if "raw" in score]
    assert min(score["scaled"] for score in scores) < 0
    assert 0 < len(whole) < len(scores)
    assert all(score["scaled"] == pytest.approx(2 * score["raw"] / score["max"] - 1) for score in whole)


@pytest.mark.parametrize("platform", ["H5P", "Open edX"])
def test_the_other_tools_send_scaled_from_zero_to_one(platform: str) -> None:
    assert all(score["scaled"] == pytest.approx(score["raw"] / score["max"], abs=1e-4) for score in scores_of(platform))


def test_the_tools_speak_with_their_own_verbs() -> None:
    words: dict[str, set[str]] = {}
    for statement in statements():
        words.setdefault(statement.get("context", {}).get("platform", ""), set()).add(word_of(statement))
    assert words == {
        "Moodle": {"scored", "completed", "experienced"},
        "H5P": {"answered", "completed"},
        "Open edX": {"scored", "passed", "failed"},
        "": {"voided"},
    }


def test_a_question_inside_a_practice_set_names_the_set_as_its_parent() -> None:
    parts = [one for one in statements() if "subContentId" in one["object"]["id"]]
    assert parts
    assert all(one["object"]["id"].startswith(one["context"]["contextActivities"]["parent"][0]["id"]) for one in parts)


def test_every_revision_is_better_and_later_than_the_first_try() -> None:
    tries: dict[tuple[str, str, int], Statement] = {}
    for statement in statements():
        if revision_of(statement):
            tries[learner_of(statement), statement["object"]["id"], revision_of(statement)] = statement
    revised = [
        (tries[learner, activity, 1], second) for (learner, activity, number), second in tries.items() if number == 2
    ]
    assert len(revised) > 100
    assert all(first["result"]["score"]["scaled"] < second["result"]["score"]["scaled"] for first, second in revised)
    assert all(moment_of(first) < moment_of(second) for first, second in revised)


def test_every_void_arrives_after_the_statement_that_it_voids() -> None:
    places = {statement["id"]: place for place, statement in enumerate(statements())}
    voids = [one for one in statements() if one["verb"]["id"] == VOIDED]
    assert len(voids) >= 3
    assert all(places[one["object"]["id"]] < places[one["id"]] for one in voids)


def test_every_duplicate_tells_of_one_event_under_another_id() -> None:
    told = Counter(json.dumps({**statement, "id": ""}, sort_keys=True) for statement in statements())
    assert set(told.values()) == {1, 2}
    assert sum(count == 2 for count in told.values()) == facts()["duplicates"] > 10


def test_what_is_unaligned_or_only_completed_is_what_the_evidence_projection_leaves_unused() -> None:
    unused = Counter(Conclusions((one for one in statements() if one["verb"]["id"] != VOIDED), acts()).unused)
    assert unused == {"unaligned": facts()["unaligned"], "completion": facts()["sets"]}


def test_only_aligned_activities_become_evidence_and_all_five_kinds_do() -> None:
    kinds = {KINDS[one.kind] for evidence in concluded().evidence.values() for one in evidence}
    assert kinds == {"formative", "performance_task", "local_summative", "portfolio", "state_summative"}
    assert all("score" not in one.get("result", {}) for one in statements() if word_of(one) == "experienced")
    assert len(aligned()) == 60


def test_no_learner_has_evidence_of_the_last_competency() -> None:
    last = key64("competency", concluded().competencies[-1])
    assert last not in {competency for _, competency in concluded().evidence}


def test_one_learner_has_no_evidence_at_all_but_completes_things() -> None:
    assert {word_of(one) for one in statements() if learner_of(one) == "S-1060"} <= {"completed", "experienced"}
    assert any(one["object"]["id"] in aligned() for one in statements() if learner_of(one) == "S-1060")
    assert "S-1060" not in {learner for learner, _ in concluded().evidence}


def test_every_other_learner_has_evidence() -> None:
    assert len({learner for learner, _ in concluded().evidence}) == 59


def test_eligible_are_these_three_and_the_one_whom_the_second_version_stops() -> None:
    learners = {learner for learner, _ in concluded().evidence}
    eligible = {learner for learner in learners if concluded().credit(learner).outcome == "eligible"}
    assert eligible == ELIGIBLE | {"S-1011"}


def test_under_the_second_version_of_the_rule_one_learner_is_no_longer_eligible() -> None:
    assert concluded(late=True).credit("S-1011").outcome == "not_yet"
    assert all(concluded(late=True).credit(learner).outcome == "eligible" for learner in ELIGIBLE)


def test_one_eligible_learner_got_there_by_revisions() -> None:
    first_tries = without(lambda one: revision_of(one) > 1)
    for place in (2, 5, 8):
        tasks = [
            given for given in concluded().outcome("S-1002", place).excluded if given[1] == "superseded_by_revision"
        ]
        assert len(tasks) == 1
    assert concluded().credit("S-1002").outcome == "eligible"
    assert first_tries.outcome("S-1002", 2).inputs[0].points < 3  # type: ignore[operator]


def test_one_learner_is_eligible_only_when_the_late_arrivals_are_in() -> None:
    late = late_ids()
    assert without(lambda one: one["id"] in late).unmet("S-1003") == [("4", "5")]


def test_one_learner_is_a_single_competency_short() -> None:
    assert concluded().unmet("S-1004") == [("9 of 12", "10 of 12")]


def test_one_learner_lacks_only_the_portfolio() -> None:
    assert concluded().unmet("S-1005") == [("0", "3")]


def test_one_learner_lacks_only_one_strand_of_the_examination() -> None:
    assert concluded().unmet("S-1006") == [("4", "5")]


def test_a_void_lowered_the_level_of_one_learner() -> None:
    before = without(lambda one: one["verb"]["id"] == VOIDED).outcome("S-1012", 6)
    after = concluded().outcome("S-1012", 6)
    assert (before.status, before.level, after.status) == ("proficient", "Secure", "not_yet")
    assert after.level in {"Beginning", "Developing"}


def test_a_void_left_one_learner_with_too_little_evidence() -> None:
    assert without(lambda one: one["verb"]["id"] == VOIDED).outcome("S-1007", 4).status == "proficient"
    assert concluded().outcome("S-1007", 4).status != "proficient"


def test_a_void_took_one_learners_eligibility() -> None:
    assert without(lambda one: one["verb"]["id"] == VOIDED).credit("S-1008").outcome == "eligible"
    assert concluded().unmet("S-1008") == [("4", "5")]


def test_a_task_sent_twice_counts_once() -> None:
    outcome = concluded().outcome("S-1009", 10)
    assert outcome.status == "not_yet"
    assert "duplicate" in [reason for _, reason in outcome.excluded]


def test_practice_alone_is_not_enough_evidence() -> None:
    assert {reason for _, reason in concluded().outcome("S-1010", 3).excluded} == {"kind_not_counted"}


def test_the_notable_learners_are_named_with_what_they_show() -> None:
    assert notable().keys() == {f"S-{number}" for number in (*range(1001, 1013), 1060)}
    assert all(notable().values())
