"""What could be evidence and is not: why, whose, how much; and what becomes of it when an act mends it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from projections import acts
from projections.evidence.producers import SHIPPED
from projections.evidence.reading import SET_ASIDE
from projections.evidence.reasons import REASONS
from projections.evidence.rubrics import RUBRICS
from tests.district import District
from tests.projections.scenes import (
    ALGEBRA,
    GEOMETRY,
    ORIGIN,
    REGISTRAR,
    TOOL,
    Json,
    activity,
    address_of,
    aligned,
    day,
    decided,
    did,
    digests,
    first_acts,
    fixed_id,
    folded,
    learner,
    outcome,
    statuses,
    told,
    void,
    waiting,
)

few = settings(
    max_examples=5,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)


def begun(district: District, *statements: Json) -> District:
    """Return a log with the acts of a school year's beginning and these statements, folded."""
    return folded(district, [*first_acts(), *statements])


def listed(district: District, **query: Any) -> Json:
    """Return what the resource tells."""
    answer = district.client("all/read").get("/api/v1/quarantine", query)
    assert answer.status_code == 200, answer.text
    found: Json = answer.get_json()
    return found


def published(what: str, on: float = 9, **document: Any) -> Json:
    """Return the publication of a document under an id and time of its own."""
    statement = acts.publish(what, document, REGISTRAR)
    return {**statement, "id": fixed_id(f"{what}/{document['id']}/{document['version']}"), "timestamp": day(on)}


def excused(statement: Json, on: float = 9) -> Json:
    """Return the statement that excuses another one."""
    excusal = acts.excuse(statement["id"], "The sheet was lost.", REGISTRAR)
    return {**excusal, "id": fixed_id(f"excuse/{statement['id']}"), "timestamp": day(on)}


UNALIGNED = [did("ada", f"lab-{number}", 0.9, number) for number in range(5)]
COMPLETED = did("ben", "essay", 0.9, 1, verb={"id": "http://adlnet.gov/expapi/verbs/completed"})


def test_the_quarantine_is_counted_by_reason_and_credential_and_told_page_by_page(shared_district: District) -> None:
    district = begun(shared_district, *UNALIGNED, COMPLETED)
    first = listed(district, limit=4)
    assert (first["count"], first["by_reason"]) == (6, {"completion": 1, "unaligned": 5})
    assert [(one["count"], one["by_reason"]) for one in first["by_credential"]] == [(6, first["by_reason"])]
    rest = listed(district, limit=4, after=first["after"])
    ids = [one["statement_id"] for one in first["newest"] + rest["newest"]]
    assert ids == [one["id"] for one in reversed([*UNALIGNED, COMPLETED])]
    assert rest["after"] is None


def test_the_quarantine_is_filtered_by_reason_and_by_credential(shared_district: District) -> None:
    district = begun(shared_district, *UNALIGNED, COMPLETED)
    key = listed(district)["by_credential"][0]["key"]
    assert [one["reason"] for one in listed(district, reason="completion", credential=key)["newest"]] == ["completion"]
    assert listed(district, credential="nobody")["newest"] == []
    assert district.client("all/read").get("/api/v1/quarantine", {"after": "x"}).status_code == 400


def test_every_listed_statement_says_whether_it_waits_or_was_set_aside(shared_district: District) -> None:
    found = listed(begun(shared_district, UNALIGNED[0], COMPLETED))["newest"]
    assert [one["disposition"] for one in found] == ["set_aside", "waits"]


def test_an_event_that_is_told_twice_counts_once_and_is_listed_as_a_duplicate(shared_district: District) -> None:
    essay = did("ada", "essay", 0.9, 1)
    again = {**essay, "id": fixed_id("again")}
    district = begun(shared_district, essay, again, did("ada", "essay", 0.8, 2))
    found = listed(district, reason="duplicate")
    first, second = sorted([essay["id"], again["id"]])
    assert found["duplicates"] == 1
    assert [(one["statement_id"], one["detail"]) for one in found["newest"]] == [
        (second, f"tells of the same event as {first}")
    ]
    told(district, void(first))
    assert listed(district)["duplicates"] == 0


def test_every_reason_is_explained_with_a_way_to_mend_it() -> None:
    assert set(REASONS) > SET_ASIDE
    assert all(one.meaning.endswith(".") and one.fix for one in REASONS.values())


def test_a_pattern_set_late_takes_up_all_that_it_stands_for(shared_district: District) -> None:
    other = did("ben", "other/1", 0.9, 1)
    district = begun(shared_district, *UNALIGNED, did("ada", "units/1/lab", 0.9, 6), other)
    told(district, aligned("units/*", ALGEBRA, on=9))
    assert len(waiting(district)) == 6
    told(district, aligned("*", GEOMETRY, on=9, name="wide"))
    assert waiting(district) == []
    assert statuses(district, "ada")["algebra"] == "insufficient_evidence"
    told(district, aligned("*", on=10))
    assert len(waiting(district)) == 6


def test_dates_set_late_end_the_evidence_outside_of_them(shared_district: District) -> None:
    district = begun(shared_district, did("ada", "essay", 0.9, 1), did("ada", "exam", 0.9, 20))
    assert statuses(district, "ada")["algebra"] == "proficient"
    document = {
        "activity": f"{TOOL}/exam", "competencies": [ALGEBRA], "kind": "local_summative",
        "effective_until": "2026-09-10", "version": 2,
    }  # fmt: skip
    told(district, {**acts.align(document, REGISTRAR), "id": fixed_id("dated"), "timestamp": day(30)})
    assert statuses(district, "ada")["algebra"] == "insufficient_evidence"
    assert [reason for reason, _ in waiting(district)] == ["unaligned"]


def test_an_assessment_registered_late_moves_kind_and_flags_and_its_void_moves_them_back(
    shared_district: District,
) -> None:
    district = begun(shared_district, did("ada", "quiz", 0.9, 1))
    registered = published(
        "assessment", id=f"{TOOL}/quiz", version=1, title="Quiz", kind="performance_task",
        validated={"by": "The board", "on": "2026-08-01"},
    )  # fmt: skip
    told(district, registered)
    answer = district.client("all/read").get(f"/api/v1/learners/{address_of('ada')}/evidence").get_json()
    one = answer["evidence"][0]
    assert (one["evidence_kind"], one["validated"], one["assessment"]["version"]) == ("performance_task", True, 1)
    told(district, void(registered["id"]))
    answer = district.client("all/read").get(f"/api/v1/learners/{address_of('ada')}/evidence").get_json()
    assert (answer["evidence"][0]["evidence_kind"], answer["evidence"][0]["validated"]) == ("formative", False)


def test_a_task_named_late_as_part_of_an_assessment_takes_its_kind(shared_district: District) -> None:
    district = begun(shared_district, did("ada", "quiz", 0.9, 1))
    told(
        district,
        published("assessment", id=f"{TOOL}/all", version=1, title="All", kind="portfolio", tasks=[f"{TOOL}/quiz"]),
    )
    found = district.client("all/read").get(f"/api/v1/learners/{address_of('ada')}/evidence").get_json()["evidence"]
    assert [one["evidence_kind"] for one in found] == ["portfolio"]
    registry = district.client("all/read").get("/api/v1/assessments").get_json()["assessments"]
    assert [(one["id"], one["evidence"]) for one in registry] == [(f"{TOOL}/all", 1)]


def test_a_rubric_published_late_reads_the_criteria_anew(shared_district: District) -> None:
    levels = [{"quality": "Beginning", "score": "1"}, {"quality": "Secure", "score": "4"}]
    criterion = {"id": f"{ORIGIN}/criteria/a", "competency": GEOMETRY, "levels": levels}
    result = {"extensions": {RUBRICS: [{"id": criterion["id"], "level": "Secure"}]}}
    district = begun(shared_district, did("ada", "essay", 0, 1, name="judged", result=result))
    assert [reason for reason, _ in waiting(district)] == ["unnormalisable"]
    told(
        district,
        published(
            "rubric", id=f"{ORIGIN}/rubrics/a", version=1, title="A", approver="The board",
            effective_from="2026-08-01", criteria=[criterion],
        ),
    )  # fmt: skip
    assert waiting(district) == []
    found = district.client("all/read").get(f"/api/v1/learners/{address_of('ada')}/evidence").get_json()["evidence"]
    told_of = {one["competency"]: (one["score"], one["matched_by"], one["criteria"]) for one in found}
    assert told_of[GEOMETRY] == ("1/1", "rubric criterion", [criterion["id"]])


@pytest.mark.parametrize("is_late", [True, False])
def test_an_excusal_marks_the_evidence_whenever_it_comes_and_a_void_unmarks_it(
    shared_district: District, is_late: bool
) -> None:
    essay = did("ada", "essay", 0.9, 1)
    excusal = excused(essay)
    district = begun(shared_district, *([essay, excusal] if is_late else [excusal, essay]))
    path = f"/api/v1/learners/{address_of('ada')}/evidence"
    one = district.client("all/read").get(path).get_json()["evidence"][0]
    assert (one["excused"], one["excused_because"]) == (True, "The sheet was lost.")
    told(district, void(excusal["id"]))
    assert [one["excused"] for one in district.client("all/read").get(path).get_json()["evidence"]] == [False]


def story() -> list[Json]:
    """Return work, and acts of every kind that says what it is evidence of, in the order of their moments."""
    ben_too = {
        "id": f"{ORIGIN}/identities/1", "learner": learner("ada"), "accounts": [learner("ben")], "reason": "One child.",
    }  # fmt: skip
    levels = [{"quality": "Beginning", "score": "1"}, {"quality": "Secure", "score": "4"}]
    criterion = {"id": f"{ORIGIN}/criteria/a", "competency": GEOMETRY, "levels": levels}
    result = {"extensions": {RUBRICS: [{"id": criterion["id"], "level": "Secure"}]}}
    moodle = next(document for document in SHIPPED if document["id"].endswith("moodle"))
    negative: Json = {"result": {"score": {"scaled": -0.5}}, "context": {"platform": "Moodle"}}
    essay, link = did("ada", "essay", 0.9, 1), acts.link(ben_too, REGISTRAR)
    return [
        essay, did("ada", "units/7", 0.8, 2), did("ben", "quiz", 0.7, 3), did("ben", "exam", 0, 4, **negative),
        did("ada", "bridge", 0, 5, result=result),
        published("normaliser", on=6, **moodle),
        aligned("units/*", ALGEBRA, on=7), aligned("units/7", GEOMETRY, on=8),
        published("assessment", id=f"{TOOL}/quiz", version=1, title="Quiz", kind="performance_task"),
        published(
            "rubric", id=f"{ORIGIN}/rubrics/a", version=1, title="A", approver="The board",
            effective_from="2026-08-01", criteria=[criterion],
        ),
        excused(essay),
        {**link, "id": fixed_id("link"), "timestamp": day(10)},
    ]  # fmt: skip


@given(order=st.permutations(range(len(story()))), batch=st.integers(1, 9))
@few
def test_any_order_of_work_and_acts_ends_in_the_same(shared_district: District, order: list[int], batch: int) -> None:
    known = story()
    shuffled = folded(shared_district, [*first_acts(), *(known[place] for place in order)], batch)
    assert outcome(shuffled) == outcome(folded(shared_district, [*known, *first_acts()], 100))


def test_a_replay_of_acts_of_every_kind_comes_to_the_same_rows(shared_district: District) -> None:
    kept = [*first_acts(), *story(), void(story()[-1]["id"]), void(story()[-2]["id"]), void(story()[7]["id"])]
    district = folded(shared_district, kept, 3)
    assert digests(folded(shared_district, kept, 100)) == digests(district)
    district.runtime.verify(district.log.log_id)


def test_a_learners_evidence_is_told_page_by_page_oldest_first(shared_district: District) -> None:
    district = begun(shared_district, *[did("ada", "essay", 0.9, number) for number in (3, 1, 2)])
    reader, path = district.client("all/read"), f"/api/v1/learners/{address_of('ada')}/evidence"
    first = reader.get(path, {"limit": 2}).get_json()
    rest = reader.get(path, {"limit": 2, "after": first["after"]}).get_json()
    times = [one["timestamp"] for one in first["evidence"] + rest["evidence"]]
    assert (times, rest["after"]) == (sorted(times), None)
    assert len(times) == 3
    assert reader.get(path, {"competency": GEOMETRY}).get_json()["evidence"] == []


def test_evidence_shows_which_producers_normaliser_is_for_its_sender(shared_district: District) -> None:
    told_by = did("ada", "essay", 0, 1, result={"score": {"scaled": 0.5}}, context={"platform": "Moodle"})
    district = begun(shared_district, told_by, did("ada", "quiz", 0.9, 2))
    path = f"/api/v1/learners/{address_of('ada')}/evidence"
    found = district.client("all/read").get(path).get_json()["evidence"]
    assert [one["producer"]["title"] for one in found] == ["generic", "generic"]
    told(
        district,
        published(
            "normaliser", id=f"{ORIGIN}/normalisers/m", version=3, title="Moodle", match={"platform": "Moodle"},
            scaled={"minimum": "-1", "maximum": "1"},
        ),
    )  # fmt: skip
    one = district.client("all/read").get(path).get_json()["evidence"][0]
    assert (one["score"], one["producer"]["version"], one["normaliser"]["version"]) == ("3/4", 3, 3)


def test_nobody_reads_the_quarantine_or_evidence_without_the_right_to_read(shared_district: District) -> None:
    district = begun(shared_district, did("ada", "essay", 0.9, 1))
    writer = district.client("statements/write")
    for path in ("quarantine", f"learners/{address_of('ada')}/evidence", "assessments", "identities"):
        assert writer.get(f"/api/v1/{path}").status_code == 403


def test_a_part_that_is_aligned_late_takes_the_place_of_the_whole(shared_district: District) -> None:
    part = {
        **activity("set?subContentId=q1"),
        "definition": {"extensions": {"http://h5p.org/x-api/h5p-subContentId": "q1"}},
    }
    groups = {"contextActivities": {"category": [{"id": "http://h5p.org/libraries/H5P.QuestionSet-1.20"}]}}
    whole, one = did("ada", "set", 0.9, 1, context=groups), did("ada", "q1", 0.5, 1, object=part, context=groups)
    shipped = next(document for document in SHIPPED if "parts" in document)
    district = begun(shared_district, published("normaliser", on=-6, **shipped), aligned("set", ALGEBRA), whole, one)
    assert waiting(district) == [("part_of_whole", one["id"])]
    told(district, aligned("set?subContentId=q1", ALGEBRA, on=9))
    assert waiting(district) == [("counted_by_parts", whole["id"])]
    record = decided(district, "ada", "algebra")[-1]
    assert [piece["statement_id"] for piece in record["inputs"]] == [one["id"]]
