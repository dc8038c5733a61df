"""What is told of groups of learners never tells of a small one: DOMAIN section 6, with its golden numbers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.insight.suppression import (
    HIDDEN,
    hidden_cells,
    hidden_for,
    share_of,
    shares_of,
    size_of,
    union,
)

SIZES = st.lists(st.integers(0, 60), min_size=1, max_size=7)


def apart(sizes: Sequence[int]) -> dict[str, int]:
    """Return groups of these sizes that share nobody."""
    found, first = {}, 0
    for place, size in enumerate(sizes):
        found[f"school {place}"] = ((1 << size) - 1) << first
        first += size
    return found


def hidden_sizes(sizes: Sequence[int], least: int = 10) -> list[int]:
    groups = apart(sizes)
    hidden = hidden_cells({"school": groups}, union(groups.values()), least)
    return sorted(size_of(groups[name]) for _, name in hidden)


def test_of_groups_of_40_12_8_and_11_the_8_and_the_next_smallest_are_withheld() -> None:
    assert hidden_sizes([40, 12, 8, 11]) == [8, 11]


def test_97_percent_of_40_is_told_as_at_least_95() -> None:
    assert share_of(39, 40) == ("≥95 %", None)


@pytest.mark.parametrize(
    ("size", "lowest", "highest"), [(300, 1, 99), (100, 2, 98), (40, 5, 95), (20, 10, 90), (10, 20, 80)]
)
def test_the_ends_of_the_range_widen_as_groups_get_smaller(size: int, lowest: int, highest: int) -> None:
    assert share_of(size, size).words == f"≥{highest} %"
    assert share_of(0, size).words == f"≤{lowest} %"


def test_a_share_in_the_middle_is_a_whole_percent_half_up() -> None:
    assert share_of(81, 200) == ("41 %", 41)


def test_groups_that_are_all_large_enough_are_all_told() -> None:
    assert hidden_sizes([40, 12, 11]) == []


def test_an_empty_group_is_told_as_empty_and_never_hides_another() -> None:
    assert hidden_sizes([40, 0, 12, 8]) == [8, 12]


def test_another_least_size_can_be_set() -> None:
    assert hidden_sizes([40, 12, 8, 11], least=5) == []


def test_two_hidden_groups_that_are_small_together_hide_a_third() -> None:
    assert hidden_sizes([2, 3, 40, 50]) == [2, 3, 40]


def test_learners_in_no_group_are_a_hidden_sibling() -> None:
    groups = apart([40, 30])
    everyone = union(groups.values()) | (0b111 << 70)
    assert hidden_cells({"school": groups}, everyone) == {("school", "school 1")}


def test_a_group_that_differs_from_another_by_one_learner_is_withheld() -> None:
    groups = {"english learners": (1 << 30) - 1, "newcomers": (1 << 29) - 1}
    assert ("subgroup", "newcomers") in hidden_cells({"subgroup": groups}, (1 << 200) - 1)


def test_a_group_that_is_all_but_everyone_is_withheld() -> None:
    everyone = (1 << 100) - 1
    assert hidden_cells({"subgroup": {"most": (1 << 95) - 1}}, everyone) == {("subgroup", "most")}


def test_families_are_held_against_each_other() -> None:
    schools = apart([50, 60])
    families = {"school": schools, "subgroup": {"bilingual": schools["school 0"] ^ 1}}
    assert ("subgroup", "bilingual") in hidden_cells(families, union(schools.values()))


def test_a_hidden_rest_of_which_all_are_proficient_hides_one_group_more() -> None:
    groups = apart([40, 60, 8, 12])
    proficient = union([groups["school 2"], groups["school 3"], 0b1111 << 4, groups["school 1"] & (0b1111111 << 42)])
    everyone = union(groups.values())
    assert hidden_cells({"school": groups}, everyone) == {("school", "school 2"), ("school", "school 3")}
    assert ("school", "school 0") in hidden_for({"school": groups}, everyone, [proficient])


def test_one_share_at_an_end_cannot_be_had_from_the_others() -> None:
    assert shares_of([30, 10, 0], 40) == [("75 %", 75), HIDDEN, ("≤5 %", None)]


@settings(max_examples=300, deadline=None)
@given(SIZES)
def test_totals_minus_visible_cells_never_reveal_a_hidden_one(sizes: list[int]) -> None:
    groups = apart(sizes)
    everyone = union(groups.values())
    hidden = [size_of(groups[name]) for _, name in hidden_cells({"school": groups}, everyone)]
    assert all(size >= 10 or size == 0 for size in sizes if size not in hidden)
    total_is_told = size_of(everyone) >= 10
    if hidden and total_is_told:
        assert len(hidden) >= 2
        assert sum(hidden) >= 10


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 2**40 - 1), min_size=1, max_size=5))
def test_no_two_visible_groups_differ_by_a_few_learners(members: list[int]) -> None:
    everyone = (1 << 40) - 1
    groups = {f"subgroup {place}": one for place, one in enumerate(members)}
    hidden = hidden_cells({"subgroup": groups}, everyone)
    visible = [one for name, one in groups.items() if ("subgroup", name) not in hidden and one] + [everyone]
    assert all(not 0 < size_of(one ^ other) < 10 for one in visible for other in visible)
