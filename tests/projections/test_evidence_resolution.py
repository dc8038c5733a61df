"""What one statement is evidence of, by the documents that hold: the order of resolution, what matched, what counts."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from lrs.xapi.actors import ifi
from lrs.xapi.values import key64, timestamp_us
from projections import acts
from projections.acts import document
from projections.evidence.evidence import GROUP, KINDS, OUTSIDE, VALIDATED
from projections.evidence.naming import BY_ALIGNMENT, BY_CRITERION, BY_EXTENSION
from projections.evidence.normalise import BY_POINTS, BY_RUBRIC, BY_SCALED, MASTERY_SCORE, READ_FROM, Unused
from projections.evidence.producers import SHIPPED
from projections.evidence.resolve import Resolved, resolve
from projections.evidence.rubrics import RUBRICS
from projections.profile import ATTEMPT, CONTEXT, DISTRICT
from projections.registry import READERS, Act, Acts
from tests.projections.scenes import (
    ALGEBRA,
    GEOMETRY,
    ORIGIN,
    RATIOS,
    REGISTRAR,
    TOOL,
    Json,
    activity,
    aligned,
    day,
    did,
    framework,
    learner,
    scale,
    shown,
)

SCORED = "http://adlnet.gov/expapi/verbs/scored"
PASSED, FAILED = (f"http://adlnet.gov/expapi/verbs/{word}" for word in ("passed", "failed"))
H5P = "http://h5p.org/libraries/H5P.QuestionSet-1.20"
PART = "http://h5p.org/x-api/h5p-subContentId"
HABIT = f"{ORIGIN}/competencies/perseverance"


def held(*published: Json) -> Acts:
    """Return the acts of these statements, in this order of positions, with the scale and the framework before."""
    return Acts(_act(place, one) for place, one in enumerate([scale(), framework(), *published], 1))


def _act(place: int, one: Json) -> Act:
    carried = document(one)
    assert carried is not None
    return Act(place, carried[0], timestamp_us(one["timestamp"]), one["id"], READERS[carried[0]](carried[1]))


def align(activity_: str, *competencies: str, on: float = -8, kind: str = "performance_task", **more: Any) -> Json:
    """Return an alignment of an activity or a pattern, with more fields."""
    told = {"activity": activity_, "competencies": list(competencies), "kind": kind, **more}
    return {**acts.align(told, REGISTRAR), "id": f"{activity_}{on}{more}", "timestamp": day(on)}


def assessment(task: str = "exam", version: int = 1, on: float = -8, **more: Any) -> Json:
    """Return the registration of an assessment."""
    told = {"id": f"{TOOL}/{task}", "version": version, "title": task, "kind": "state_summative", **more}
    return {**acts.publish("assessment", told, REGISTRAR), "id": f"assessment {task} {version}", "timestamp": day(on)}


def shipped() -> list[Json]:
    """Return the publications of the normalisers that every log begins with."""
    return [{**acts.publish("normaliser", one, REGISTRAR), "id": one["id"], "timestamp": day(-9)} for one in SHIPPED]


def by(statement: Json, holding: Acts) -> Resolved | Unused | None:
    """Return what a statement is evidence of."""
    return resolve(statement, timestamp_us(statement["timestamp"]), holding)


def evidence(statement: Json, holding: Acts) -> Resolved:
    """Return what a statement is evidence of; it must be evidence."""
    found = by(statement, holding)
    assert isinstance(found, Resolved), found
    return found


def competencies(statement: Json, holding: Acts) -> list[str]:
    """Return the competencies that a statement is evidence of, by the last part of their IRIs; none if it is none."""
    found = by(statement, holding)
    names = {key64("competency", iri): iri.rpartition("/")[2] for iri in holding.targets}
    return sorted(names[one.competency] for one in found.competencies) if isinstance(found, Resolved) else []


def reason(statement: Json, holding: Acts) -> str:
    """Return why a statement is unused."""
    found = by(statement, holding)
    assert isinstance(found, Unused), found
    return found.reason


# The alignment table


def test_an_alignment_holds_between_its_dates_by_the_time_of_the_evidence() -> None:
    term = align(f"{TOOL}/lab", ALGEBRA, effective_from="2026-09-02", effective_until="2026-09-04")
    found = [competencies(did("ada", "lab", 0.9, on), held(term)) for on in (0, 1, 2, 3)]
    assert found == [[], ["algebra"], ["algebra"], []]


def test_of_alignments_whose_dates_meet_the_later_version_holds_then_the_one_set_last() -> None:
    first = align(f"{TOOL}/lab", ALGEBRA, on=-5)
    second = align(f"{TOOL}/lab", GEOMETRY, on=-8, version=2, effective_from="2026-09-03")
    assert competencies(did("ada", "lab", 0.9, 0), held(first, second)) == ["algebra"]
    assert competencies(did("ada", "lab", 0.9, 5), held(second, first)) == ["geometry"]


def test_a_pattern_aligns_all_that_begins_so_and_a_longer_one_comes_first() -> None:
    wide, narrow = align(f"{TOOL}/*", ALGEBRA), align(f"{TOOL}/labs/*", GEOMETRY)
    holding = held(wide, narrow)
    assert competencies(did("ada", "essay", 0.9, 1), holding) == ["algebra"]
    assert competencies(did("ada", "labs/7", 0.9, 1), holding) == ["geometry"]


def test_an_activitys_own_alignment_comes_before_any_pattern_even_where_it_is_ended() -> None:
    wide, own, ended = align(f"{TOOL}/*", ALGEBRA), align(f"{TOOL}/a", RATIOS), align(f"{TOOL}/b")
    assert competencies(did("ada", "a", 0.9, 1), held(wide, own, ended)) == ["ratios"]
    assert reason(did("ada", "b", 0.9, 1), held(wide, own, ended)) == "unaligned"


@pytest.mark.parametrize("wrong", [f"{TOOL}/*/x", f"{TOOL}/a*", f"{TOOL}/**"])
def test_a_pattern_is_open_at_its_end_alone(wrong: str) -> None:
    assert [one.pointer.rpartition("/")[2] for one in acts.problems(align(wrong, ALGEBRA))] == ["activity"]


def test_an_alignment_that_ends_before_it_begins_is_refused() -> None:
    wrong = align(f"{TOOL}/lab", ALGEBRA, effective_from="2026-09-02", effective_until="2026-09-02")
    assert [one.pointer.rpartition("/")[2] for one in acts.problems(wrong)] == ["effective_until"]


# What names a competency


@pytest.mark.parametrize(
    "type_",
    ["https://w3id.org/xapi/tla/activity-types/competency", "https://w3id.org/xapi/comp/activities/competency"],
)
def test_a_competency_that_no_framework_has_waits_for_one(type_: str) -> None:
    foreign: Json = {"id": f"{ORIGIN}/competencies/welding", "definition": {"type": type_}}
    on_object = did("ada", "x", 0.9, 1, object={**foreign, "objectType": "Activity"})
    in_context = did("ada", "x", 0.9, 1, context={"contextActivities": {"other": [foreign]}})
    assert [by(one, held()) for one in (on_object, in_context)] == [Unused("unknown_competency", foreign["id"])] * 2


def test_an_unknown_competency_does_not_hide_the_alignment_of_the_activity() -> None:
    foreign = {"id": f"{ORIGIN}/x", "definition": {"type": "https://w3id.org/xapi/comp/activities/competency"}}
    statement = did("ada", "essay", 0.9, 1, context={"contextActivities": {"other": [foreign]}})
    assert evidence(statement, held(aligned("essay", ALGEBRA))).competencies[0].matched == BY_ALIGNMENT


def test_an_extension_of_the_districts_own_names_competencies_once_a_normaliser_says_so() -> None:
    own = f"{ORIGIN}/extensions/standards"
    told = {
        "id": f"{ORIGIN}/normalisers/own", "version": 1, "title": "Own", "match": {"platform": "Own"},
        "scaled": {"minimum": "0", "maximum": "1"}, "alignments": [own],
    }  # fmt: skip
    published = {**acts.publish("normaliser", told, REGISTRAR), "id": "own", "timestamp": day(-7)}
    statement = did("ada", "x", 0.9, 1, context={"platform": "Own", "extensions": {own: [RATIOS]}})
    assert reason(statement, held()) == "unaligned"
    found = evidence(statement, held(published))
    assert [one.matched for one in found.competencies] == [BY_EXTENSION]


# The strand of work habits


def habits() -> Json:
    """Return the adoption of a framework with one work habit."""
    one = {"uri": HABIT, "name": "Perseverance", "statement": "Goes on.", "strand": "work_habits"}
    told = {
        "uri": f"{ORIGIN}/frameworks/habits", "title": "Habits", "version": "1", "competencies": [one],
        "scale": {"id": f"{ORIGIN}/scales/habits", "version": 1},
    }  # fmt: skip
    return {**acts.adopt(told, REGISTRAR), "id": "habits", "timestamp": day(-9)}


def test_behaviour_that_is_aligned_to_an_academic_competency_is_set_aside() -> None:
    holding = held(habits(), align(f"{TOOL}/effort", ALGEBRA, kind="work_habit"))
    assert by(did("ada", "effort", 0.9, 1), holding) == Unused("behaviour", ALGEBRA)


def test_of_a_habit_and_a_competency_only_the_habit_gets_evidence_of_a_habit() -> None:
    found = evidence(
        did("ada", "effort", 0.9, 1), held(habits(), align(f"{TOOL}/effort", ALGEBRA, HABIT, kind="work_habit"))
    )
    assert [(one.competency, KINDS[one.kind]) for one in found.competencies] == [
        (key64("competency", HABIT), "work_habit")
    ]
    assert found.unused == Unused("behaviour", ALGEBRA)


def test_evidence_of_a_habit_is_a_habits_whatever_the_alignment_calls_it() -> None:
    found = evidence(did("ada", "effort", 0.9, 1), held(habits(), align(f"{TOOL}/effort", HABIT)))
    assert [KINDS[one.kind] for one in found.competencies] == ["work_habit"]


# The assessment registry


def test_a_registered_assessment_says_the_kind_and_that_it_was_validated() -> None:
    valid = {"by": "The board of assessment", "on": "2026-08-01"}
    found = evidence(did("ada", "exam", 0.9, 1), held(aligned("exam", ALGEBRA), assessment(validated=valid)))
    assert (KINDS[found.competencies[0].kind], found.flags, found.assessment) == ("state_summative", VALIDATED, 4)


def test_a_task_of_an_assessment_has_its_kind_and_stays_a_task_of_its_own() -> None:
    holding = held(aligned("part-1", ALGEBRA), assessment(tasks=[f"{TOOL}/part-1"]))
    found = evidence(did("ada", "part-1", 0.9, 1), holding)
    assert (KINDS[found.competencies[0].kind], found.task) == ("state_summative", key64("task", f"{TOOL}/part-1"))


def test_of_several_versions_the_one_that_is_effective_at_the_time_of_the_evidence_holds() -> None:
    versions = [assessment(), assessment(version=2, kind="diagnostic", effective_from="2026-09-05")]
    holding = held(aligned("exam", ALGEBRA), *versions)
    kinds = [KINDS[evidence(did("ada", "exam", 0.9, on), holding).competencies[0].kind] for on in (0, 10)]
    assert kinds == ["state_summative", "diagnostic"]


@pytest.mark.parametrize(
    ("limit", "context", "expected"),
    [
        ({"max_attempts": 2}, {"extensions": {ATTEMPT: 3}}, "beyond_limit"),
        ({"max_revisions": 0}, {"extensions": {"https://w3id.org/xapi/cairn/extensions/revision": 1}}, "beyond_limit"),
        ({"scorers": [learner("ms-poe")]}, {"instructor": learner("ben")}, "other_scorer"),
        ({"scorers": [learner("ms-poe")]}, {}, "other_scorer"),
    ],
)
def test_what_the_registry_does_not_allow_is_set_aside(limit: Json, context: Json, expected: str) -> None:
    holding = held(aligned("exam", ALGEBRA), assessment(**limit))
    assert reason(did("ada", "exam", 0.9, 1, context=context), holding) == expected


def test_what_the_registry_allows_counts_with_its_attempt_and_its_scorer() -> None:
    holding = held(aligned("exam", ALGEBRA), assessment(max_attempts=2, scorers=[learner("ms-poe")]))
    context = {"extensions": {ATTEMPT: 2}, "instructor": learner("ms-poe")}
    found = evidence(did("ada", "exam", 0.9, 1, context=context), holding)
    assert (found.attempt, found.scorer) == (2, key64("agent", str(ifi(learner("ms-poe")))))


def test_the_context_is_the_one_told_else_the_assessments_else_what_the_activity_is_part_of() -> None:
    course = {"contextActivities": {"grouping": [{"id": ALGEBRA}, {"id": f"{TOOL}/course"}]}}
    told = {**course, "extensions": {CONTEXT: "workshop"}}
    only = assessment(contexts=["laboratory"])
    found = [
        evidence(did("ada", "exam", 0.9, 1, context=context), held(aligned("exam", ALGEBRA), *more)).context
        for context, more in ((told, [only]), (course, [only]), (course, []), ({}, []))
    ]
    assert found == [key64("context", one) for one in ("workshop", "laboratory", f"{TOOL}/course")] + [0]


def test_evidence_of_another_district_is_marked() -> None:
    context = {"extensions": {DISTRICT: "https://other.example.org"}}
    assert evidence(did("ada", "essay", 0.9, 1, context=context), held(aligned("essay", ALGEBRA))).flags == OUTSIDE


# Producers


def from_(producer: Json, score: Json, **more: Any) -> Json:
    """Return a scored essay from a producer."""
    return did("ada", "essay", 0, 1, context=producer, result={"score": score}, **more)


CMI5: Json = {"contextActivities": {"category": [{"id": "https://w3id.org/xapi/cmi5/context/categories/cmi5"}]}}
OPEN_EDX: Json = {"extensions": {"https://w3id.org/xapi/openedx/extension/transformer-version": "9.0.1"}}
POINTS: Json = {"raw": 2, "min": 0, "max": 3, "scaled": 0.6667}


@pytest.mark.parametrize(
    ("producer", "score", "expected", "read_from"),
    [
        ({"platform": "Moodle"}, {"scaled": -0.5}, (1, 4), BY_SCALED),
        ({"platform": "Moodle"}, {"raw": 1, "max": 4, "scaled": -0.5}, (1, 4), BY_POINTS),
        ({"contextActivities": {"category": [{"id": H5P}]}}, POINTS, (2, 3), BY_POINTS),
        (OPEN_EDX, {"scaled": 0.25}, (1, 4), BY_SCALED),
        (CMI5, POINTS, (6667, 10000), BY_SCALED),
        ({"platform": "Canvas"}, {"scaled": 1}, (1, 1), BY_SCALED),
        ({}, POINTS, (2, 3), BY_POINTS),
        ({"platform": "Quizzer"}, {"scaled": 0.5}, (1, 2), BY_SCALED),
    ],
    ids=["moodle", "moodle points", "h5p", "open edx", "cmi5", "canvas", "generic points", "generic"],
)
def test_each_producers_scores_are_read_as_it_writes_them(
    producer: Json, score: Json, expected: tuple[int, int], read_from: int
) -> None:
    found = evidence(from_(producer, score), held(aligned("essay", ALGEBRA), *shipped()))
    one = found.competencies[0]
    assert ((one.score_num, one.score_den), READ_FROM[found.read_from]) == (expected, READ_FROM[read_from])


def test_open_edx_numbers_its_attempts_in_an_extension_of_its_own() -> None:
    numbered = {**activity("essay"), "definition": {"extensions": {"http://id.tincanapi.com/extension/attempt-id": 3}}}
    found = evidence(from_(OPEN_EDX, {"scaled": 1}, object=numbered), held(aligned("essay", ALGEBRA), *shipped()))
    assert found.attempt == 3


def test_every_shipped_normaliser_is_a_sound_document_under_a_name_of_its_own() -> None:
    assert [acts.problems(one) for one in shipped()] == [[]] * len(SHIPPED)
    assert len({one["id"] for one in SHIPPED}) == len(SHIPPED)


@pytest.mark.parametrize(
    ("verb", "scaled", "success", "is_sound"),
    [
        (PASSED, 0.85, True, True),
        (PASSED, 0.8499, True, False),
        (FAILED, 0.85, False, False),
        (FAILED, 0.8499, False, True),
        (PASSED, 0.9, False, False),
        (FAILED, 0.1, True, False),
        (SCORED, 0.1, True, True),
    ],
)
def test_a_result_that_contradicts_the_mastery_score_of_its_launch_is_nonconformant(
    verb: str, scaled: float, success: bool, is_sound: bool
) -> None:
    context = {**CMI5, "extensions": {MASTERY_SCORE: 0.85}}
    result = {"score": {"scaled": scaled}, "success": success}
    found = by(
        did("ada", "essay", 0, 1, verb={"id": verb}, context=context, result=result), held(aligned("essay", ALGEBRA))
    )
    assert isinstance(found, Resolved) is is_sound
    assert is_sound or (isinstance(found, Unused) and found.reason == "nonconformant")


def test_the_mastery_score_is_the_statements_and_never_the_courses() -> None:
    courses = {**activity("essay"), "definition": {"extensions": {MASTERY_SCORE: 0.99}}}
    statement = did(
        "ada", "essay", 0, 1, verb={"id": PASSED}, object=courses, context=CMI5, result={"score": {"scaled": 0.5}}
    )
    assert competencies(statement, held(aligned("essay", ALGEBRA))) == ["algebra"]


# Parts and wholes


def h5p(task: str, part: str = "") -> Json:
    """Return a score for an H5P content, or for a part of it."""
    about = activity(f"{task}?subContentId={part}" if part else task)
    if part:
        about["definition"] = {"extensions": {PART: part}}
    groups: Json = {"category": [{"id": H5P}], **({"parent": [{"id": f"{TOOL}/{task}"}]} if part else {})}
    return did("ada", task, 0.9, 1, object=about, context={"contextActivities": groups})


def test_a_whole_counts_and_its_parts_do_not() -> None:
    holding = held(aligned("set", ALGEBRA), *shipped())
    assert competencies(h5p("set"), holding) == ["algebra"]
    names_it = h5p("set", "q1")
    names_it["context"]["contextActivities"]["grouping"] = [{"id": ALGEBRA}]
    assert reason(names_it, holding) == "part_of_whole"


@pytest.mark.parametrize("parts", [f"{TOOL}/set?subContentId=q1", f"{TOOL}/set?subContentId=*"])
def test_parts_that_are_aligned_themselves_count_instead_of_the_whole(parts: str) -> None:
    holding = held(aligned("set", ALGEBRA, GEOMETRY), align(parts, ALGEBRA), *shipped())
    assert competencies(h5p("set", "q1"), holding) == ["algebra"]
    assert competencies(h5p("set"), holding) == ["geometry"]
    assert reason(h5p("set"), held(aligned("set", ALGEBRA), align(parts, ALGEBRA), *shipped())) == "counted_by_parts"


# Rubric results


def judged(*criteria: Json, **more: Any) -> Json:
    """Return a work that was scored by criteria."""
    return did(
        "ada",
        "essay",
        0,
        1,
        result={"score": {"scaled": 0.1}, "extensions": {RUBRICS: {"criteria": [*criteria], **more}}},
    )


def criterion(name: str, score: int | None = 3, most: int | None = 4, competency: str | None = None) -> Json:
    told: Json = {"id": f"{ORIGIN}/criteria/{name}", "score": score, "max": most, "competency": competency}
    return {key: value for key, value in told.items() if value is not None}


def test_each_criterion_is_evidence_for_its_own_competency_before_any_score() -> None:
    statement = judged(criterion("a", 3, 4, ALGEBRA), criterion("b", 1, 5, GEOMETRY), scorer=learner("ms-poe"))
    found = evidence(statement, held(aligned("essay", ALGEBRA)))
    shares = {
        (one.competency, one.matched): Decimal(one.score_num or 0) / Decimal(one.score_den or 1)
        for one in found.competencies
    }
    assert shares == {
        (key64("competency", ALGEBRA), BY_CRITERION): Decimal("0.75"),
        (key64("competency", GEOMETRY), BY_CRITERION): Decimal("0.2"),
    }
    assert (found.read_from, found.scorer) == (BY_RUBRIC, key64("agent", str(ifi(learner("ms-poe")))))
    assert found.competencies[0].criterion != found.competencies[1].criterion != 0


def test_criteria_of_one_competency_are_pooled_by_their_points() -> None:
    found = evidence(judged(criterion("a", 3, 10, ALGEBRA), criterion("b", 5, 10, ALGEBRA)), held())
    assert [(one.score_num, one.score_den) for one in found.competencies] == [(2, 5)]


def test_criteria_of_no_competency_count_together_for_what_the_work_is_aligned_to() -> None:
    found = evidence(judged(criterion("a", 1, 2), criterion("b", 0, 2)), held(aligned("essay", ALGEBRA)))
    assert [(one.matched, one.score_num, one.score_den) for one in found.competencies] == [(BY_ALIGNMENT, 1, 4)]


def test_a_published_rubric_gives_what_the_result_leaves_out() -> None:
    levels = [{"quality": "Beginning", "score": "1"}, {"quality": "Secure", "score": "4"}]
    told = {
        "id": f"{ORIGIN}/rubrics/essay", "version": 1, "title": "Essay", "approver": "The board",
        "effective_from": "2026-08-01",
        "criteria": [{"id": f"{ORIGIN}/criteria/a", "competency": RATIOS, "levels": levels}],
    }  # fmt: skip
    published = {**acts.publish("rubric", told, REGISTRAR), "id": "rubric", "timestamp": day(-7)}
    by_level = judged({"id": f"{ORIGIN}/criteria/a", "level": "Beginning"})
    assert reason(by_level, held()) == "unnormalisable"
    found = evidence(by_level, held(published)).competencies
    assert [(one.competency, one.score_num, one.score_den) for one in found] == [(key64("competency", RATIOS), 1, 4)]


@pytest.mark.parametrize(
    "wrong", [criterion("a", 5, 4), criterion("a", None), criterion("a", 1, None), criterion("a", 0, 0)]
)
def test_a_criterion_without_a_readable_score_waits(wrong: Json) -> None:
    assert reason(judged(wrong), held(aligned("essay", ALGEBRA))) == "unnormalisable"


# Time, groups


def test_what_is_dated_more_than_a_day_after_it_was_stored_is_set_aside() -> None:
    holding, hour = held(aligned("essay", ALGEBRA)), 3_600_000_000
    statement = did("ada", "essay", 0.9, 1)
    when = timestamp_us(statement["timestamp"])
    found = [resolve(statement, when, holding, when - hours * hour) for hours in (-9, 24, 25)]
    assert [isinstance(one, Resolved) for one in found] == [True, True, False]
    assert isinstance(found[2], Unused)
    assert found[2].reason == "future_dated"


def test_a_groups_evidence_is_marked_for_each_member() -> None:
    pair: Json = {"objectType": "Group", "member": [learner("ada"), learner("ben")]}
    found = evidence(did("pair", "essay", 0.9, 1, actor=pair), held(aligned("essay", ALGEBRA)))
    assert ([one.ifi for one in found.learners], found.flags) == ([str(ifi(one)) for one in pair["member"]], GROUP)


def test_a_thousand_completions_are_evidence_of_nothing() -> None:
    done: Iterable[Json] = (
        shown("ada", ALGEBRA, f"t{n}", 1, n / 100) | {"verb": {"id": "http://adlnet.gov/expapi/verbs/completed"}}
        for n in range(1_000)
    )
    assert {reason(one, held()) for one in done} == {"completion"}
