"""A parent's decision follows its children's, at the same position, up to the root; however they arrive."""

from __future__ import annotations

import random

import pytest

from projections.building.runtime import Runtime
from tests.district import District
from tests.projections.overriding import MATHEMATICS, NUMBERS, cleared, overridden, parts, rolled_up
from tests.projections.scenes import (
    ALGEBRA,
    GEOMETRY,
    RATIOS,
    Json,
    aligned,
    decided,
    did,
    digests,
    fold_in_turns,
    folded,
    forget,
    new_runtimes,
    outcome,
    rule,
    scale,
    standings,
    statuses,
    told,
    void,
)

ALL = {"name": "all_children"}
WEAKEST = {"name": "weakest_child"}


def points(required_points: int, *required: str) -> Json:
    """Return the method of points: four for numbers and four for ratios."""
    children = [{"competency": one, "points": 4, "required": one in required} for one in (NUMBERS, RATIOS)]
    return {"name": "points_children", "required_points": required_points, "children": children}


def laid_down(*rules: Json) -> list[Json]:
    """Return the acts of a year in which each task shows one part, and one task is enough."""
    one_task = rule(1, method={"name": "highest"})
    tasks = [aligned("sums", NUMBERS), aligned("shares", RATIOS), aligned("angles", GEOMETRY)]
    return [scale(), one_task, parts(), *tasks, *rules]


def begun(district: District, *statements: Json, rules: tuple[Json, ...] = (rolled_up(ALGEBRA, ALL),)) -> District:
    return folded(district, [*laid_down(*rules), *statements])


SUMS = did("ada", "sums", 0.9, 1)
SHARES = did("ada", "shares", 0.8, 2)
WEAK_SHARES = did("ada", "shares", 0.3, 2, name="weak")
ANGLES = did("ada", "angles", 0.9, 3)


def test_a_parent_is_decided_at_the_position_of_its_child(shared_district: District) -> None:
    district = begun(shared_district, SUMS, SHARES)
    first, second = decided(district, "ada", "algebra")
    assert [one["as_of"]["position"] for one in (first, second)] == [district.size() - 1, district.size()]
    assert (first["status"], second["status"]) == ("insufficient_evidence", "proficient")
    assert (second["cause"], second["verified"]) == ("new_evidence", True)
    assert {one["name"]: one["status"] for one in second["children"]} == {
        "numbers": "proficient",
        "ratios": "proficient",
    }


def test_a_child_without_a_record_never_matches(shared_district: District) -> None:
    district = begun(shared_district, SUMS)
    record = decided(district, "ada", "algebra")[-1]
    assert record["status"] == "insufficient_evidence"
    assert [(one["have"], one["need"]) for one in record["unmet"]] == [("1", "2")]


def test_a_parent_without_any_evidence_below_it_is_not_decided(shared_district: District) -> None:
    district = begun(shared_district, ANGLES)
    assert standings(district, "ada")["algebra"]["decision"] is None
    assert statuses(district, "ada")["algebra"] == "no_evidence"


def test_a_leaf_is_never_decided_by_a_rule_that_rolls_up(shared_district: District) -> None:
    district = begun(shared_district, ANGLES, rules=(rolled_up(GEOMETRY, ALL),))
    assert statuses(district, "ada")["geometry"] == "no_evidence"


@pytest.mark.parametrize(
    ("method", "work", "status"),
    [
        (points(8), (SUMS, SHARES), "proficient"),
        (points(8), (SUMS,), "insufficient_evidence"),
        (points(8), (SUMS, WEAK_SHARES), "not_yet"),
        (points(4), (SUMS,), "proficient"),
        (points(4, RATIOS), (SUMS, WEAK_SHARES), "not_yet"),
        (points(4, RATIOS), (SUMS,), "insufficient_evidence"),
        (WEAKEST, (SUMS, WEAK_SHARES), "not_yet"),
        (WEAKEST, (SUMS, SHARES), "proficient"),
    ],
)
def test_a_parent_follows_the_rule_of_its_children(
    shared_district: District, method: Json, work: tuple[Json, ...], status: str
) -> None:
    district = begun(shared_district, *work, rules=(rolled_up(ALGEBRA, method),))
    assert statuses(district, "ada")["algebra"] == status


def test_a_grandparent_follows_too(shared_district: District) -> None:
    rules = rolled_up(ALGEBRA, ALL), rolled_up(MATHEMATICS, ALL)
    district = begun(shared_district, SUMS, SHARES, ANGLES, rules=rules)
    assert statuses(district, "ada")["mathematics"] == "proficient"
    assert len(decided(district, "ada", "mathematics")) == 3
    told(district, void(SUMS["id"]))
    newest = decided(district, "ada", "mathematics")[-1]
    assert (newest["cause"], newest["status"], newest["verified"]) == ("void", "insufficient_evidence", True)


def test_an_override_of_a_child_moves_its_parent(shared_district: District) -> None:
    district = begun(shared_district, SUMS, overridden("ada", 3, RATIOS))
    newest = decided(district, "ada", "algebra")[-1]
    assert (newest["status"], newest["cause"]) == ("proficient", "override")
    told(district, cleared("ada", 4, RATIOS))
    assert statuses(district, "ada")["algebra"] == "insufficient_evidence"


def test_a_rule_that_begins_to_roll_up_decides_on_what_is_there(shared_district: District) -> None:
    district = begun(shared_district, SUMS, SHARES, rules=())
    assert standings(district, "ada")["algebra"]["decision"] is None
    told(district, rolled_up(ALGEBRA, ALL, on=5))
    (only,) = decided(district, "ada", "algebra")
    assert (only["status"], only["cause"], only["verified"]) == ("proficient", "rule_change", True)


def test_a_framework_that_takes_a_part_away_decides_anew(shared_district: District) -> None:
    rules = (rolled_up(MATHEMATICS, ALL),)
    district = begun(shared_district, ANGLES, rules=rules)
    assert statuses(district, "ada")["mathematics"] == "insufficient_evidence"
    told(district, parts("2", 5, whole=(GEOMETRY,)))
    newest = decided(district, "ada", "mathematics")[-1]
    assert (newest["status"], newest["cause"]) == ("proficient", "rule_change")


def history() -> list[Json]:
    """Return work and acts that move parents and grandparents in every way."""
    return [
        SUMS,
        WEAK_SHARES,
        did("bob", "angles", 0.9, 3),
        overridden("ada", 4, RATIOS),
        did("bob", "sums", 0.9, 5),
        ANGLES,
        void(SUMS["id"]),
        rolled_up(ALGEBRA, WEAKEST, version=2, on=7),
        did("ada", "sums", 0.7, 8),
        cleared("ada", 9, RATIOS),
        did("bob", "shares", 0.8, 10),
    ]


RULES = (rolled_up(ALGEBRA, ALL), rolled_up(MATHEMATICS, WEAKEST))


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_how_a_batch_is_cut_changes_nothing_about_parents(shared_district: District, batch: int) -> None:
    district = begun(shared_district, *history(), rules=RULES)
    before = digests(district)
    forget(district)
    fold_in_turns(district, new_runtimes(district, batch))
    assert digests(district) == before
    assert Runtime(district.engine, district.desk.derived, 50).verify(district.log.log_id) == before


def test_any_order_of_arrival_ends_in_the_same_parents(shared_district: District) -> None:
    found = set()
    for seed in range(4):
        order = history()
        random.Random(seed).shuffle(order)
        found.add(outcome(begun(shared_district, *order, rules=RULES)))
    assert len(found) == 1


def test_every_prefix_tells_of_parents_what_a_replay_of_it_does(shared_district: District) -> None:
    district = begun(shared_district, *history(), rules=RULES)
    statements = [*laid_down(*RULES), *history()]
    for size in range(len(statements) - 4, len(statements) + 1, 2):
        assert outcome(district, size) == outcome(folded(shared_district, statements[:size]))
