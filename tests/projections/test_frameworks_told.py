"""Frameworks and rubrics as the API and the pages tell them."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.demo.activities import framework as demo
from projections import acts
from tests.district import District, said
from tests.projections.scenes import (
    ALGEBRA,
    FRAMEWORK,
    GEOMETRY,
    RATIOS,
    REGISTRAR,
    first_acts,
    framework,
    post,
)
from tests.web.browser import faults, signed_in

RUBRIC = {
    "id": "https://district.example.org/rubrics/modelling",
    "version": 1,
    "title": "Modelling",
    "approver": "The board",
    "effective_from": "2026-08-01",
    "criteria": [
        {
            "id": "https://district.example.org/rubrics/modelling/choice",
            "category": "Choice of the model",
            "competency": ALGEBRA,
            "levels": [
                {"quality": "Beginning", "score": "1", "feedback": "Say what changes."},
                {"quality": "Secure", "score": "3", "exemplars": ["https://district.example.org/exemplars/tank"]},
            ],
        }
    ],
}
STEPS = [{"before": RATIOS, "after": ALGEBRA}, {"before": GEOMETRY, "after": "https://elsewhere.example/x"}]


@pytest.fixture(scope="module")
def told_district(shared_district: District) -> District:
    """A log with two frameworks, one of them in three versions, the last a draft, and a rubric."""
    district = shared_district.with_new_log("frameworks-told")
    second = framework("2", (ALGEBRA, GEOMETRY, RATIOS), 3, progressions=STEPS)
    third = framework("3", (ALGEBRA, RATIOS), 9)
    draft = framework("4", (ALGEBRA,), 12, status="draft")
    published = acts.publish("rubric", RUBRIC, REGISTRAR)
    post(district, [*first_acts(), second, third, draft, acts.adopt(demo(), REGISTRAR), published])
    district.fold()
    return district


def get(district: District, path: str, status: int = 200) -> Any:
    answer = district.someone.get(f"/api/v1/{path}")
    assert answer.status_code == status, answer.text
    return said(answer)


def key_of(district: District, uri: str) -> str:
    return next(str(one["key"]) for one in get(district, "frameworks")["frameworks"] if one["uri"] == uri)


def test_the_list_tells_version_status_and_counts(told_district: District) -> None:
    (one,) = [one for one in get(told_district, "frameworks")["frameworks"] if one["uri"] == FRAMEWORK]
    assert (one["version"], one["status"], one["competency_count"], one["retired_count"]) == ("3", "live", 2, 1)
    assert get(told_district, "frameworks?limit=1")["after"] is not None


def test_a_framework_tells_its_competencies_what_is_retired_and_the_draft_to_come(told_district: District) -> None:
    found = get(told_district, f"frameworks/{key_of(told_district, FRAMEWORK)}")
    assert [one["uri"] for one in found["competencies"]] == [ALGEBRA, RATIOS]
    assert [one["uri"] for one in found["retired"]] == [GEOMETRY]
    assert found["draft"]["version"] == "4"
    assert found["scale"]["levels"][0]["minimum"] == "0"
    assert all(one["has_levels"] for one in found["competencies"])


def test_competencies_without_a_state_standard_are_flagged(told_district: District) -> None:
    found = get(told_district, f"frameworks/{key_of(told_district, FRAMEWORK)}")
    warned = {one["warning"]: one["uris"] for one in found["warnings"]}
    assert warned["competencies are aligned to no standard of a state"] == [ALGEBRA, RATIOS]
    aligned = get(told_district, f"frameworks/{key_of(told_district, demo()['uri'])}")
    assert all(one["state_alignments"] for one in aligned["competencies"])
    assert "competencies are aligned to no standard of a state" not in {one["warning"] for one in aligned["warnings"]}


def test_every_version_tells_what_it_changed_against_what_was_live(told_district: District) -> None:
    versions = get(told_district, f"frameworks/{key_of(told_district, FRAMEWORK)}/versions")["versions"]
    assert [(one["version"], one["status"]) for one in versions] == [
        ("1", "live"), ("2", "live"), ("3", "live"), ("4", "draft"),
    ]  # fmt: skip
    assert versions[1]["difference"] == {
        "added": [], "changed": [], "retired": [], "framework": ["version", "progressions"],
    }  # fmt: skip
    assert versions[2]["difference"]["retired"] == [GEOMETRY]
    assert versions[3]["difference"]["retired"] == [RATIOS]


def test_the_progression_is_told_as_of_a_position(told_district: District) -> None:
    key = key_of(told_district, FRAMEWORK)
    second = get(told_district, f"frameworks/{key}/versions")["versions"][1]["position"]
    found = get(told_district, f"frameworks/{key}/progression?as_of={second}")
    assert [one["uri"] for one in found["steps"]] == [GEOMETRY, RATIOS, ALGEBRA]
    assert found["steps"][2] == {"uri": ALGEBRA, "stage": 1, "before": [RATIOS], "after": []}
    assert found["dangling"] == [STEPS[1]]


def test_rubrics_are_those_published_and_those_of_live_frameworks(told_district: District) -> None:
    found = get(told_district, "rubrics")["rubrics"]
    assert {one["title"] for one in found} == {"Modelling", demo()["rubrics"][0]["title"]}
    (key,) = [one["key"] for one in found if one["title"] == "Modelling"]
    rubric = get(told_district, f"rubrics/{key}")
    assert rubric["approver"] == "The board"
    assert [level["score"] for level in rubric["criteria"][0]["levels"]] == ["1", "3"]
    assert rubric["levels_without_exemplar"] == 1


@pytest.mark.parametrize("path", ["frameworks/nope", "frameworks/nope/versions", "rubrics/nope"])
def test_what_is_not_there_says_where_the_names_stand(told_district: District, path: str) -> None:
    assert "lists them" in get(told_district, path, 404)["detail"]


def test_the_pages_show_tree_order_versions_and_rubric(told_district: District) -> None:
    browser = signed_in(told_district.someone)
    assert "Mathematics" in browser.page("/frameworks")
    page = browser.page(f"/frameworks/{key_of(told_district, FRAMEWORK)}")
    for words in ("Competencies", "Retired", "Versions", "0 added, 0 changed, 1 retired", "a draft of version 4"):
        assert words in page
    order = browser.page(f"/frameworks/{key_of(told_district, demo()['uri'])}")
    assert "In which order" in order
    assert "State standard: State M1" in order
    (key,) = [one["key"] for one in get(told_district, "rubrics")["rubrics"] if one["title"] == "Modelling"]
    rubric = browser.page(f"/rubrics/{key}")
    assert "Choice of the model" in rubric
    assert [faults(one) for one in (page, order, rubric, browser.page("/frameworks"))] == [[]] * 4
