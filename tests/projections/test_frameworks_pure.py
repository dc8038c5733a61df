"""Frameworks without a log: levels before they go live, the order of a progression, what a version changed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.documents import load
from projections.frameworks.difference import Changed, Difference, difference
from projections.frameworks.documents import FRAMEWORK, Framework, framework_of, kept, state_alignments
from projections.frameworks.progression import depths, in_tree_order, order_of
from projections.frameworks.rubrics import RUBRIC

BASE = "https://example.org/c/"
SCALE = {"id": "https://example.org/scales/four", "version": 1}


def competency(name: str, **more: Any) -> dict[str, Any]:
    return {"uri": BASE + name, "name": name, "statement": f"Can do {name}.", **more}


def document(*names: str, **more: Any) -> dict[str, Any]:
    members = [competency(name) for name in names]
    return {"uri": BASE, "title": "F", "version": "1", "competencies": members, "scale": SCALE, **more}


def steps(*pairs: str) -> list[dict[str, str]]:
    return [{"before": BASE + pair[0], "after": BASE + pair[1]} for pair in pairs]


def made(*names: str, **more: Any) -> Framework:
    return framework_of(document(*names, **more))


def short(uris: Any) -> str:
    return "".join(uri.removeprefix(BASE) for uri in uris)


def criterion(name: str, *scores: str | None) -> dict[str, Any]:
    levels = [{"quality": f"Q{place}", **({"score": one} if one else {})} for place, one in enumerate(scores)]
    return {"id": f"{BASE}criterion/{name}", "competency": BASE + name, "levels": levels}


def rubric(*criteria: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": f"{BASE}rubric", "title": "R", "criteria": list(criteria), **more}


def pointers(schema: Any, one: dict[str, Any]) -> list[str]:
    return [problem.pointer for problem in load(schema, one, "")[1]]


# Levels


def test_without_levels_every_competency_is_named_and_a_draft_is_not_refused() -> None:
    bare = document("a", "b")
    del bare["scale"]
    assert pointers(FRAMEWORK, bare) == ["/competencies/0", "/competencies/1"]
    assert pointers(FRAMEWORK, {**bare, "status": "draft"}) == []


def test_a_criterion_with_scores_is_levels_enough_for_its_competency() -> None:
    bare = document("a", "b", rubrics=[rubric(criterion("a", "1", "3"))])
    del bare["scale"]
    assert pointers(FRAMEWORK, bare) == ["/competencies/1"]


@pytest.mark.parametrize("scores", [(), ("1",), ("1", None), ("1", "1"), ("1", "3", "2")])
def test_levels_without_scores_that_rise_or_fall_are_no_thresholds(scores: tuple[str | None, ...]) -> None:
    bare = document("a", rubrics=[rubric(criterion("a", *scores))])
    del bare["scale"]
    assert pointers(FRAMEWORK, bare) == ["/competencies/0"]


def test_a_competency_that_gathers_others_needs_no_levels_of_its_own() -> None:
    bare = document("a", rubrics=[rubric(criterion("b", "3", "1"))])
    bare["competencies"].append(competency("b", parent=BASE + "a"))
    del bare["scale"]
    assert pointers(FRAMEWORK, bare) == []


def test_a_published_rubric_needs_an_approver_and_thresholds() -> None:
    published = {"version": 1, "approver": "Board", "effective_from": "2026-08-01"}
    assert pointers(RUBRIC, rubric(criterion("a", "1", "2"), **published)) == []
    assert pointers(RUBRIC, rubric(criterion("a", "1", "2"))) == ["/approver", "/effective_from", "/version"]
    assert pointers(RUBRIC, rubric(criterion("a", "1"), **published)) == ["/criteria/0/levels"]
    twice = rubric(criterion("a", "1", "2"), criterion("a", "1", "2"), **published)
    assert pointers(RUBRIC, twice) == ["/criteria/1/id"]


def test_an_association_type_that_is_none_is_refused() -> None:
    one = {"type": "looksLike", "origin": BASE, "destination": BASE}
    assert pointers(FRAMEWORK, document("a", associations=[one])) == ["/associations/0/type"]
    assert pointers(FRAMEWORK, document("a", associations=[{**one, "type": "ext:looksLike"}])) == []


def test_an_exact_match_outside_the_framework_is_a_state_alignment_in_either_direction() -> None:
    state = "https://state.example/1"
    ends = [(BASE + "a", state), (state, BASE + "b"), (BASE + "a", BASE + "b")]
    matches = [{"type": "exactMatchOf", "origin": one, "destination": other} for one, other in ends]
    assert {short([uri]) for uri in state_alignments(made("a", "b", "c", associations=matches))} == {"a", "b"}


def test_what_the_projections_keep_of_a_framework_is_without_its_source() -> None:
    sourced = document("a", source={"format": "CASE", "package": {"CFDocument": {}}})
    assert kept(sourced) == document("a")
    assert framework_of(sourced).source is not None


# The order of a progression


def test_what_precedes_comes_first_and_else_the_tree_decides() -> None:
    order = order_of(made("a", "b", "c", "d", progressions=steps("db", "ba")))
    assert short(order.steps) == "cdba"
    assert [order.stages[BASE + name] for name in "abcd"] == [2, 1, 0, 0]
    assert (order.rings, order.dangling) == ((), ())


def test_a_ring_is_told_and_cut_at_its_last_step() -> None:
    order = order_of(made("a", "b", "c", progressions=steps("ab", "bc", "ca")))
    assert [short(ring) for ring in order.rings] == ["abca"]
    assert short(order.steps) == "abc"


def test_a_loose_end_is_told_and_let_be() -> None:
    order = order_of(made("a", "b", progressions=steps("ba", "bz", "yb")))
    assert short(order.steps) == "ba"
    assert [short((one.before, one.after)) for one in order.dangling] == ["bz", "yb"]


def test_a_tree_is_read_parents_first_and_siblings_by_their_order() -> None:
    members = [
        competency("d", parent=BASE + "a", order=2), competency("a", order=5),
        competency("c", parent=BASE + "a", order=1), competency("b", order=3),
        competency("e", parent=BASE + "c"), competency("f", parent=BASE + "nowhere"),
    ]  # fmt: skip
    read = made(competencies=members).competencies
    assert short(one.uri for one in in_tree_order(read)) == "baced" + "f"
    assert {short([uri]): depth for uri, depth in depths(read).items()} == dict(
        zip("bacedf", [0, 0, 1, 2, 1, 0], strict=True)
    )


letters = st.sampled_from("abcdef")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(letters, letters).map("".join), max_size=12))
def test_whatever_precedes_what_the_order_holds_all_and_breaks_only_rings(pairs: list[str]) -> None:
    order = order_of(made(*"abcdef", progressions=steps(*pairs)))
    found = short(order.steps)
    assert sorted(found) == list("abcdef")
    broken = {(one[0], one[1]) for one in pairs if found.index(one[0]) >= found.index(one[1])}
    assert broken <= {(short([ring[-2]]), short([ring[-1]])) for ring in order.rings}
    assert bool(broken) == bool(order.rings)


# What a version changed


def test_a_difference_names_what_was_added_changed_and_retired() -> None:
    before, after = document("a", "b"), document("b", "c", version="2")
    after["competencies"][0]["statement"] = "Can do more."
    found = difference(framework_of(before), framework_of(after))
    assert found == Difference((BASE + "c",), (Changed(BASE + "b", ("statement",)),), (BASE + "a",), ("version",))


def test_between_a_framework_and_itself_nothing_differs() -> None:
    assert not difference(made("a"), made("a"))
    assert difference(None, made("a")).added == (BASE + "a",)
