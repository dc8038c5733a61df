"""Roster, cohorts, gaps, readiness, releases and studies, over HTTP and over the views."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from projections import acts
from projections.frameworks.documents import FRAMEWORK as FRAMEWORK_SCHEMA
from tests.district import District, said
from tests.projections.scenes import (
    ALGEBRA,
    FRAMEWORK,
    GEOMETRY,
    ORIGIN,
    RATIOS,
    REGISTRAR,
    address_of,
    aligned,
    did,
    first_acts,
    fixed_id,
    folded,
    learner,
    statuses,
    told,
    void,
)
from tests.projections.scenes import act as published

Json = dict[str, Any]


def enrolled(who: str, school: str, on: float = -5, name: str = "", **more: Any) -> Json:
    document = {"id": f"{ORIGIN}/roster/{who}", "learner": learner(who), "school": school, **more}
    return published(acts.enrol(document, REGISTRAR), on, name or f"enrolment/{who}/{school}/{on}")


def masters(who: str) -> list[Json]:
    return [did(who, "essay", 0.9, 2), did(who, "exam", 0.9, 3)]


def cohort(district: District, competency: str = ALGEBRA, **query: Any) -> dict[tuple[str, str], Json]:
    answer = district.client("all/read").get("/api/v1/cohorts", {"competency": competency, **query})
    assert answer.status_code == 200, answer.text
    (one,) = said(answer)["competencies"]
    return {(cell["family"], cell["name"]): cell for cell in one["groups"]}


@pytest.fixture(scope="module")
def school(shared_district: District) -> District:
    """Two schools and a learner of none: ann and ben master algebra, cai has begun, dot is only enrolled."""
    return folded(
        shared_district,
        [
            *first_acts(),
            enrolled("ann", "North", grade="9", subgroups=["newcomers"]),
            enrolled("ben", "North", grade="10"),
            enrolled("cai", "South", grade="9", subgroups=["newcomers", "english learners"]),
            enrolled("dot", "South"),
            *masters("ann"),
            *masters("ben"),
            did("cai", "essay", 0.9, 2),
            did("eve", "essay", 0.5, 2),
        ],
    )


def test_cohorts_count_by_school_grade_and_subgroup(school: District) -> None:
    found = cohort(school)
    proficient = {cell: one["counts"]["proficient"] for cell, one in found.items()}
    assert proficient == {
        ("everyone", "everyone"): 2,
        ("school", "(no school)"): 0,
        ("school", "North"): 2,
        ("school", "South"): 0,
        ("grade", "10"): 1,
        ("grade", "9"): 1,
        ("subgroup", "english learners"): 0,
        ("subgroup", "newcomers"): 1,
    }


def test_every_group_shares_out_all_its_learners(school: District) -> None:
    for cell in cohort(school).values():
        assert sum(cell["counts"].values()) == cell["size"]


def test_who_is_enrolled_and_has_no_evidence_is_counted_as_that(school: District) -> None:
    assert cohort(school)["school", "South"]["counts"]["no_evidence"] == 1


def test_mean_and_median_leave_out_who_has_no_value(school: District) -> None:
    north = cohort(school)["school", "North"]
    assert (north["mean"], north["median"]) == ("3.60", "3.60")


def test_a_group_narrows_the_cohort(school: District) -> None:
    assert cohort(school, school="North")["everyone", "everyone"]["size"] == 2


def test_an_unknown_group_is_told_with_those_that_there_are(school: District) -> None:
    answer = school.client("all/read").get("/api/v1/cohorts", {"school": "West"})
    assert answer.status_code == 404
    assert "North" in said(answer)["detail"]


def test_a_void_takes_an_enrolment_back_and_the_earlier_one_holds(district: District) -> None:
    moved = enrolled("ann", "South", on=5, name="move")
    one = folded(district, [*first_acts(), enrolled("ann", "North"), *masters("ann"), moved])
    assert ("school", "South") in cohort(one)
    position = one.size()
    told(one, void(fixed_id("move")))
    assert ("school", "North") in cohort(one)
    assert ("school", "South") in cohort(one, as_of=position)


def test_the_latest_enrolment_counts_and_not_the_one_that_came_last(district: District) -> None:
    late = enrolled("ann", "North", on=-5)
    one = folded(district, [*first_acts(), enrolled("ann", "South", on=5), *masters("ann"), late])
    assert ("school", "South") in cohort(one)


def test_an_enrolment_that_is_over_counts_no_more(district: District) -> None:
    over = enrolled("ann", "South", on=5, to="2020-01-01")
    one = folded(district, [*first_acts(), enrolled("ann", "North"), over, *masters("ann")])
    assert ("school", "North") in cohort(one)


def test_a_linked_account_is_enrolled_as_its_learner(district: District) -> None:
    link: Json = {
        "id": f"{ORIGIN}/links/ann",
        "learner": learner("ann"),
        "accounts": [learner("ann-old")],
        "reason": "moved",
    }
    linked = published(acts.link(link, REGISTRAR), -5, "link")
    one = folded(district, [*first_acts(), linked, enrolled("ann-old", "North"), *masters("ann")])
    assert cohort(one)["school", "North"]["counts"]["proficient"] == 1


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"learner": {"name": "nobody"}}, "/learner"),
        ({"school": ""}, "/school"),
        ({"from": "2026-09-02", "to": "2026-09-01"}, "/to"),
        ({"subgroups": ["a", "a"]}, "/subgroups"),
        ({"until": "2026-09-01"}, "/until"),
    ],
)
def test_an_unsound_enrolment_is_refused_with_its_place(school: District, changed: Json, pointer: str) -> None:
    answer = school.someone.post(enrolled("zoe", **{"school": "North", **changed}))
    assert answer.status_code == 400
    assert any(one["pointer"].endswith(f"roster{pointer}") for one in said(answer)["problems"])


# Prerequisites


def progressing(*pairs: tuple[str, str]) -> Json:
    members = [{"uri": one, "name": one.rpartition("/")[2], "statement": "Can."} for one in (ALGEBRA, GEOMETRY, RATIOS)]
    steps = [{"before": before, "after": after} for before, after in pairs]
    known = next(one for one in first_acts() if one["object"]["id"] == FRAMEWORK)
    (extension, document), *_ = known["result"]["extensions"].items()
    changed = {**document, "competencies": members, "progressions": steps, "version": "2"}
    assert not FRAMEWORK_SCHEMA.validate(changed)
    return published({**known, "result": {"extensions": {extension: changed}}}, -4, "framework/2")


def test_gaps_are_who_goes_on_without_what_comes_before(district: District) -> None:
    one = folded(district, [*first_acts(), progressing((RATIOS, ALGEBRA)), *masters("ann"), did("ben", "quiz", 0.9, 1)])
    (gap,) = said(one.client("all/read").get("/api/v1/cohorts/gaps"))["gaps"]
    assert (gap["before"]["uri"], gap["after"]["uri"]) == (RATIOS, ALGEBRA)
    assert gap["learners"] == [address_of("ann")]


def test_a_ring_of_progressions_is_told_and_not_followed(district: District) -> None:
    one = folded(district, [*first_acts(), progressing((RATIOS, ALGEBRA), (ALGEBRA, RATIOS)), *masters("ann")])
    found = said(one.client("all/read").get("/api/v1/cohorts/gaps"))
    assert [sorted(set(ring)) for ring in found["rings"]] == [sorted([ALGEBRA, RATIOS])]


def test_ready_and_needs_are_what_the_learners_standings_say(district: District) -> None:
    ready = progressing((ALGEBRA, RATIOS), (GEOMETRY, RATIOS))
    only_algebra = [did("ben", "essay", 0.9, 2), did("ben", "poster", 0.9, 3)]
    one = folded(district, [*first_acts(), ready, aligned("poster", ALGEBRA), *masters("ann"), *only_algebra])
    told(one, did("ann", "bridge", 0.9, 4), did("cai", "essay", 0.4, 2))
    found = said(one.client("all/read").get("/api/v1/cohorts/ready", {"competency": RATIOS}))
    known = {who: statuses(one, who) for who in ("ann", "ben", "cai")}
    assert found["ready"] == addresses(who for who, own in known.items() if both(own))
    assert {need["competency"]["name"]: need["learners"] for need in found["needs"]} == {
        name: addresses(who for who, own in known.items() if own[name] != "proficient")
        for name in ("algebra", "geometry")
    }


def both(own: Mapping[str, str]) -> bool:
    return own["algebra"] == own["geometry"] == "proficient"


def addresses(people: Iterable[str]) -> list[str]:
    signed = {address_of(who): int(address_of(who), 16) for who in people}
    return sorted(signed, key=lambda one: signed[one] - (1 << 64 if signed[one] >= 1 << 63 else 0))
