"""Which statements are evidence of what, by the acts that hold; and what becomes of that when an act comes or goes."""

from __future__ import annotations

from typing import Any

import pytest

from projections.evidence.touched import CHUNK
from tests.district import District
from tests.projections.scenes import (
    ALGEBRA,
    ALIGNMENT_EXTENSION,
    FRAMEWORK,
    GEOMETRY,
    PERFORMANCE,
    RATIOS,
    Json,
    activity,
    aligned,
    bare,
    day,
    decided,
    did,
    digests,
    first_acts,
    folded,
    framework,
    learner,
    normaliser,
    rule,
    scale,
    shown,
    standings,
    statuses,
    told,
    void,
    waiting,
)

GENERAL = {"objectType": "Group"}
NAMES_ALGEBRA: Json = {"contextActivities": {"parent": [{"id": ALGEBRA}]}}


def begun(district: District, *statements: Json) -> District:
    """Return a log with the acts of a school year's beginning and these statements, folded."""
    return folded(district, [*first_acts(), *statements])


def used(district: District, who: str, competency: str) -> list[Json]:
    """Return what the newest decision on a competency used."""
    return list(decided(district, who, competency)[-1]["inputs"])


def left_out(district: District, who: str, competency: str) -> list[tuple[str, str]]:
    """Return what the newest decision on a competency left out: the ids and the reasons."""
    return [(one["statement_id"], one["reason"]) for one in decided(district, who, competency)[-1]["excluded"]]


# Acts that come after the evidence


def test_an_alignment_published_late_makes_waiting_statements_evidence(shared_district: District) -> None:
    lab = did("ada", "lab", 0.9, 1)
    district = begun(shared_district, lab)
    before = district.size()
    assert waiting(district) == [("unaligned", lab["id"])]
    told(district, aligned("lab", ALGEBRA, on=9))
    assert waiting(district) == []
    assert [one["statement_id"] for one in used(district, "ada", "algebra")] == [lab["id"]]
    answer = district.someone.get("/api/v1/quarantine", {"as_of": before}).get_json()
    assert [one["statement_id"] for one in answer["newest"]] == [lab["id"]]


def test_a_learner_is_known_from_the_position_on_that_made_the_first_evidence(shared_district: District) -> None:
    district = begun(shared_district, did("ada", "lab", 0.9, 1))
    before = district.size()
    told(district, aligned("lab", ALGEBRA, on=9))
    reader = district.client("all/read")
    assert reader.get("/api/v1/learners", {"as_of": before}).get_json()["learners"] == []
    assert [one["name"] for one in reader.get("/api/v1/learners").get_json()["learners"]] == ["Ada"]


def test_another_alignment_moves_the_evidence_to_the_other_competency(shared_district: District) -> None:
    lab = did("ada", "lab", 0.9, 1)
    district = begun(shared_district, aligned("lab", ALGEBRA), lab)
    told(district, aligned("lab", GEOMETRY, on=9))
    assert statuses(district, "ada") == {
        "algebra": "no_evidence",
        "geometry": "insufficient_evidence",
        "ratios": "no_evidence",
    }
    assert left_out(district, "ada", "algebra") == [(lab["id"], "not_aligned")]
    assert decided(district, "ada", "algebra")[-1]["cause"] == "correction"


def test_an_alignment_set_earlier_in_time_does_not_move_it_back(shared_district: District) -> None:
    district = begun(shared_district, aligned("lab", GEOMETRY, on=5), did("ada", "lab", 0.9, 6))
    told(district, aligned("lab", ALGEBRA, on=4))
    assert statuses(district, "ada")["geometry"] == "insufficient_evidence"


def test_the_end_of_an_alignment_ends_the_evidence(shared_district: District) -> None:
    lab = did("ada", "lab", 0.9, 1)
    district = begun(shared_district, aligned("lab", ALGEBRA), lab)
    told(district, aligned("lab", on=9))
    assert statuses(district, "ada")["algebra"] == "no_evidence"
    assert waiting(district) == [("unaligned", lab["id"])]


def test_an_ended_alignment_lends_no_kind_to_what_names_its_competency_itself(shared_district: District) -> None:
    district = begun(
        shared_district, aligned("model", ALGEBRA, kind="portfolio"), shown("ada", RATIOS, "model", 0.9, 1)
    )
    assert used(district, "ada", "ratios")[0]["evidence_kind"] == "portfolio"
    told(district, aligned("model", on=9))
    assert used(district, "ada", "ratios")[0]["evidence_kind"] == "performance_task"


def test_more_statements_than_are_read_at_once_are_realigned_by_one_act(shared_district: District) -> None:
    many = [did(f"learner{number}", "lab", 0.9, number / 1000) for number in range(CHUNK + 3)]
    district = bare(shared_district)
    told(district, *first_acts(), aligned("lab", ALGEBRA), *many)
    told(district, aligned("lab", GEOMETRY, RATIOS, on=9))
    assert statuses(district, f"learner{CHUNK + 2}")["ratios"] == "insufficient_evidence"
    told(district, void(many[0]["id"]))
    assert statuses(district, "learner0")["ratios"] == "no_evidence"


@pytest.mark.parametrize("batch", [1, 100])
def test_what_was_realigned_and_voided_in_one_batch_ends_where_it_was_moved_to(
    shared_district: District, batch: int
) -> None:
    lab = did("ada", "lab", 0.9, 1)
    story = [*first_acts(), aligned("lab", ALGEBRA), lab, aligned("lab", GEOMETRY, on=9), void(lab["id"])]
    assert statuses(folded(shared_district, story, batch), "ada") == dict.fromkeys(
        ("algebra", "geometry", "ratios"), "no_evidence"
    )
    assert digests(folded(shared_district, story, batch)) == digests(folded(shared_district, story, 2))


def test_a_framework_adopted_after_the_evidence_takes_it_up(shared_district: District) -> None:
    on_object = did("ada", "x", 0.9, 1, name="object", object={"id": ALGEBRA})
    in_context = shown("ada", GEOMETRY, "model", 0.9, 2)
    in_extension = did("ada", "y", 0.9, 3, context={"extensions": {ALIGNMENT_EXTENSION: [RATIOS]}})
    by_table = did("ada", "essay", 0.9, 4)
    late = [on_object, in_context, in_extension, by_table]
    district = folded(shared_district, [scale(), rule(), aligned("essay", ALGEBRA), *late])
    assert [reason for reason, _ in waiting(district)] == ["unaligned"] * 4
    told(district, framework())
    assert waiting(district) == []
    assert [one["evidence_count"] for one in standings(district, "ada").values()] == [2, 1, 1]


# How scores are read


def scaled(platform: str, value: float, name: str = "") -> Json:
    """Return a scaled score from a platform."""
    more: Json = {"result": {"score": {"scaled": value}}, "context": {"platform": platform}}
    return did("ada", "essay", 0, 1, name=name or f"{platform} {value}", **more)


@pytest.mark.parametrize(
    ("platform", "minimum", "value", "before", "after"),
    [
        ("Moodle", "-1", 0.5, "1/2", "3/4"),
        ("H5P", "0", 0.5, "1/2", "1/2"),
        ("Open edX", "0", 0.25, "1/4", "1/4"),
    ],
)
def test_a_normaliser_published_late_reads_the_scores_anew(
    shared_district: District, platform: str, minimum: str, value: float, before: str, after: str
) -> None:
    district = begun(shared_district, scaled(platform, value))
    assert used(district, "ada", "algebra")[0]["score"] == before
    told(district, normaliser(platform, minimum))
    one = used(district, "ada", "algebra")[0]
    assert (one["score"], one["normaliser_position"]) == (after, district.size())


def test_a_negative_score_waits_until_its_senders_normaliser_is_published(shared_district: District) -> None:
    negative = scaled("Moodle", -0.5)
    district = begun(shared_district, negative)
    assert waiting(district) == [("unknown_producer", negative["id"])]
    told(district, normaliser("H5P", "-1"))
    assert waiting(district) == [("unknown_producer", negative["id"])]
    told(district, normaliser("Moodle", "-1"))
    assert waiting(district) == []
    assert used(district, "ada", "algebra")[0]["score"] == "1/4"


def test_a_newer_version_of_a_normaliser_reads_the_scores_anew(shared_district: District) -> None:
    district = begun(shared_district, normaliser("Moodle", "-1"), scaled("Moodle", 0.5))
    told(district, normaliser("Moodle", "0", on=9, version=2))
    assert used(district, "ada", "algebra")[0]["score"] == "1/2"


def test_points_with_their_range_are_read_the_same_whatever_a_normaliser_says(shared_district: District) -> None:
    district = begun(shared_district, did("ada", "essay", 0.8, 1, context={"platform": "Moodle"}))
    told(district, normaliser("Moodle", "-1"))
    assert used(district, "ada", "algebra")[0]["score"] == "4/5"
    assert len(decided(district, "ada", "algebra")) == 1


# Which competencies, and whose evidence


@pytest.mark.parametrize(
    ("statement", "matched"),
    [
        (did("ada", "x", 0.9, 1, name="by object", object={"id": ALGEBRA}), "object"),
        (shown("ada", ALGEBRA, "model", 0.9, 1), "context activity"),
        (
            did("ada", "x", 0.9, 1, name="x", context={"extensions": {ALIGNMENT_EXTENSION: {"a": [ALGEBRA]}}}),
            "extension",
        ),
        (did("ada", "essay", 0.9, 1), "alignment table"),
    ],
    ids=["1 object", "2 context", "3 extension", "4 table"],
)
def test_each_step_of_the_resolution_is_recorded(shared_district: District, statement: Json, matched: str) -> None:
    district = begun(shared_district, statement)
    record = decided(district, "ada", "algebra")[-1]
    shown_ = [*record["inputs"], *record["excluded"]]
    assert [(one["statement_id"], one["matched_by"]) for one in shown_] == [(statement["id"], matched)]


def test_the_first_step_that_finds_a_competency_decides(shared_district: District) -> None:
    both: Json = {
        "contextActivities": {"parent": [{"id": GEOMETRY}]},
        "extensions": {ALIGNMENT_EXTENSION: [RATIOS]},
    }
    district = begun(shared_district, did("ada", "essay", 0.9, 1, context=both))
    assert {name: one["evidence_count"] for name, one in standings(district, "ada").items()} == {
        "algebra": 0,
        "geometry": 1,
        "ratios": 0,
    }


def test_a_groups_work_is_evidence_for_every_member_and_marked(shared_district: District) -> None:
    pair = {**GENERAL, "member": [learner("ada"), learner("ben"), learner("ada")]}
    district = begun(shared_district, did("pair", "essay", 0.9, 1, actor=pair))
    for who in ("ada", "ben"):
        assert [one["group"] for one in used(district, who, "algebra")] == [True]


WAITING: list[tuple[str, Json]] = [
    ("unaligned", did("ada", "elsewhere", 0.9, 1)),
    ("completion", did("ada", "essay", 0.9, 1, verb={"id": "http://adlnet.gov/expapi/verbs/completed"})),
    ("completion", did("ada", "essay", 0.9, 1, verb={"id": "https://w3id.org/xapi/adl/verbs/waived"})),
    ("no_learner", did("x", "essay", 0.9, 1, actor={**GENERAL, "mbox": "mailto:class@example.org"})),
    ("no_activity", did("ada", "essay", 0.9, 1, object={**learner("ben")})),
    ("unnormalisable", did("ada", "essay", 0, 1, result={"score": {"raw": 7}})),
    ("unknown_producer", did("ada", "essay", 0, 1, result={"score": {"scaled": -0.1}})),
]


@pytest.mark.parametrize(
    ("reason", "statement"), WAITING, ids=[f"{n} {reason}" for n, (reason, _) in enumerate(WAITING)]
)
def test_what_cannot_be_used_waits_with_its_reason(shared_district: District, reason: str, statement: Json) -> None:
    district = begun(shared_district, statement)
    assert waiting(district) == [(reason, statement["id"])]


@pytest.mark.parametrize(
    "statement",
    [
        did("ada", "essay", 0, 1, result={"completion": True}),
        did("ada", "essay", 0, 1, result={"response": "x"}),
        {**void(did("ada", "quiz", 1, 1)["id"]), "result": {"success": True}, "context": NAMES_ALGEBRA},
        {**aligned("essay", ALGEBRA, on=9), "result": {**aligned("essay", ALGEBRA, on=9)["result"], "success": True}},
    ],
    ids=["completion only", "response only", "a void", "an act"],
)  # fmt: skip
def test_what_never_could_be_evidence_waits_nowhere(shared_district: District, statement: Json) -> None:
    district = begun(shared_district, statement)
    told(district, aligned("essay", GEOMETRY, on=20))
    assert waiting(district) == []
    assert district.someone.get("/api/v1/learners").get_json()["learners"] == []


def test_a_statement_counts_once_for_a_competency_that_it_names_twice(shared_district: District) -> None:
    context = {"contextActivities": {"parent": [{"id": ALGEBRA}], "grouping": [{"id": ALGEBRA}]}}
    district = begun(shared_district, did("ada", "x", 0.9, 1, context=context, object=activity("x", PERFORMANCE)))
    assert standings(district, "ada")["algebra"]["evidence_count"] == 1


# Acts that are taken back, and acts that come twice


def publish_again(one: Json, **changed: Any) -> Json:
    """Return another publication of the same version, later, with other words."""
    key, document = next(iter(one["result"]["extensions"].items()))
    again = {**one, "result": {"extensions": {key: {**document, **changed}}}}
    return {**again, "id": "ffffffff-0000-4000-8000-00000000000a", "timestamp": day(50)}


def test_a_version_published_twice_stays_as_it_was_first_published(shared_district: District) -> None:
    district = begun(shared_district, did("ada", "essay", 0.9, 1), did("ada", "exam", 0.9, 2))
    told(district, publish_again(rule(), title="Another title", method={"name": "independent_tasks", "n": 5}))
    record = decided(district, "ada", "algebra")[-1]
    assert (record["status"], record["rule"]["title"]) == ("proficient", "Two independent tasks")


@pytest.mark.parametrize(
    ("taken_back", "before", "after"),
    [
        (aligned("lab", ALGEBRA, on=9), "proficient", "insufficient_evidence"),
        (rule(2, 9, method={"name": "independent_tasks", "n": 3}), "insufficient_evidence", "proficient"),
        (framework("2", (GEOMETRY,), 9), None, "proficient"),
        (rule(), "proficient", "no_evidence"),
    ],
    ids=["alignment", "rule version", "framework version", "the only rule"],
)
def test_a_voided_act_takes_its_effect_back(
    shared_district: District, taken_back: Json, before: str | None, after: str
) -> None:
    is_alignment = "alignment" in str(taken_back["result"]["extensions"])
    work = [did("ada", "essay", 0.9, 1), did("ada", "lab" if is_alignment else "exam", 0.9, 2)]
    acts = [one for one in first_acts() if one["id"] != taken_back["id"]]
    district = folded(shared_district, [*acts, *work, taken_back])
    assert statuses(district, "ada").get("algebra") == before
    told(district, void(taken_back["id"]))
    assert statuses(district, "ada")["algebra"] == after
    assert all(one["verified"] for one in decided(district, "ada", "algebra"))


def test_a_framework_that_is_taken_back_leaves_nothing_to_show(shared_district: District) -> None:
    district = begun(shared_district, did("ada", "essay", 0.9, 1))
    adopted = next(one["id"] for one in first_acts() if one["object"]["id"] == FRAMEWORK)
    told(district, void(adopted))
    assert standings(district, "ada") == {}
    assert [reason for reason, _ in waiting(district)] == ["unaligned"]
