"""Frameworks over a district's log: live and draft, versions, what is retired and what stays of it."""

from __future__ import annotations

from itertools import permutations

import pytest

from lrs.errors import InvalidRequest
from projections.registry import Acts
from tests.district import District
from tests.projections.scenes import (
    ALGEBRA,
    FRAMEWORK,
    GEOMETRY,
    RATIOS,
    Json,
    decided,
    folded,
    framework,
    outcome,
    post,
    rule,
    scale,
    shown,
    standings,
    statuses,
    told,
    views,
    void,
    waiting,
)

EARLY, LATE = shown("ada", RATIOS, "model", 0.9, 1), shown("ada", RATIOS, "late", 0.9, 12)
TWO = framework("2", (ALGEBRA, GEOMETRY), 9)


def acts_of(district: District) -> Acts:
    for view in views(district):
        found = view.acts()
    return found


def test_what_was_shown_before_a_competency_is_retired_stays_and_nothing_can_be_shown_after(
    shared_district: District,
) -> None:
    district = folded(shared_district, [scale(), rule(), framework(), EARLY, LATE, TWO])
    assert statuses(district, "ada") == {"algebra": "no_evidence", "geometry": "no_evidence"}
    assert waiting(district) == [("unaligned", LATE["id"])]
    told(district, framework("3", on=10))
    assert waiting(district) == []
    assert statuses(district, "ada")["ratios"] == "proficient"


def test_a_retired_competency_stays_known_with_the_act_that_left_it_out(shared_district: District) -> None:
    acts = acts_of(folded(shared_district, [scale(), rule(), framework(), EARLY, TWO]))
    assert list(acts.retired) == [RATIOS]
    assert acts.retired[RATIOS].by.statement_id == TWO["id"]
    assert acts.known(RATIOS) is not None
    assert RATIOS not in acts.competencies
    assert acts.rule_for(RATIOS) is not None


def test_the_adoptions_may_arrive_in_any_order(shared_district: District) -> None:
    retiring = [framework(), TWO, framework("2b", (ALGEBRA,), 5)]
    first = [scale(), rule(), EARLY, LATE]
    outcomes = {outcome(folded(shared_district, [*first, *order])) for order in permutations(retiring)}
    assert len(outcomes) == 1


def test_voiding_the_version_that_retired_a_competency_brings_it_back(shared_district: District) -> None:
    district = folded(shared_district, [scale(), rule(), framework(), EARLY, LATE, TWO])
    told(district, void(TWO["id"]))
    assert statuses(district, "ada")["ratios"] == "proficient"
    assert acts_of(district).retired == {}
    assert all(one["verified"] for one in decided(district, "ada", "ratios"))


def test_a_draft_is_seen_and_is_no_target_of_evidence(shared_district: District) -> None:
    district = folded(shared_district, [scale(), rule(), framework(status="draft"), EARLY])
    assert waiting(district) == [("unaligned", EARLY["id"])]
    acts = acts_of(district)
    assert (list(acts.frameworks), list(acts.drafts)) == ([], [FRAMEWORK])
    told(district, framework("2", on=10))
    assert waiting(district) == []
    assert acts_of(district).drafts == {}


def test_a_draft_of_the_next_version_leaves_the_live_one_as_it_is(shared_district: District) -> None:
    district = folded(
        shared_district, [scale(), rule(), framework(), EARLY, framework("2", (ALGEBRA,), 9, status="draft")]
    )
    assert standings(district, "ada")["ratios"]["evidence_count"] == 1
    acts = acts_of(district)
    assert acts.frameworks[FRAMEWORK].document.version == "1"
    assert acts.drafts[FRAMEWORK].document.version == "2"


def test_a_framework_without_levels_is_refused_with_the_list_of_its_competencies(district: District) -> None:
    bare: Json = framework()
    (document,) = bare["result"]["extensions"].values()
    del document["scale"]
    with pytest.raises(InvalidRequest) as caught:
        post(district, [bare])
    ends = [problem.pointer.rpartition("/framework/")[2] or problem.pointer for problem in caught.value.problems]
    assert [end.rpartition("framework/")[2] for end in ends] == [f"competencies/{place}" for place in range(3)]
    assert '"status": "draft"' in caught.value.problems[0].message
