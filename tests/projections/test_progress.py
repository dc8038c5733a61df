"""Progress: what is mastered and what is missing are together the framework, and next is what waits for nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.frameworks.documents import Competency, Framework, Progression
from projections.frameworks.progression import order_of
from projections.progress import progress_of
from projections.registry import Act, Acts
from tests.district import District
from tests.projections.scenes import (
    ALGEBRA,
    FRAMEWORK,
    GEOMETRY,
    RATIOS,
    Json,
    act,
    address_of,
    aligned,
    did,
    first_acts,
    folded,
    framework,
)

STATUSES = ("no_evidence", "insufficient_evidence", "not_yet", "proficient")
MOST = 9


def _iri(number: int) -> str:
    return f"https://district.example.org/c/{number}"


competencies = st.lists(
    st.tuples(st.sampled_from(["academic", "work_habits"]), st.sampled_from(STATUSES)), min_size=1, max_size=MOST
)
progressions = st.lists(st.tuples(st.integers(0, MOST), st.integers(0, MOST)), max_size=12)


def scene(found: list[tuple[Any, str]], pairs: list[tuple[int, int]]) -> tuple[Framework, Json]:
    """Return a framework, whose progressions may run in rings or out of it, and a learner's map of it."""
    members = tuple(
        Competency(_iri(number), f"c{number}", "Can.", strand=strand) for number, (strand, _) in enumerate(found)
    )
    steps = tuple(Progression(_iri(before), _iri(after)) for before, after in pairs if before != after)
    one = Framework(FRAMEWORK, "Mathematics", "1", members, progressions=steps)
    standings = [
        {"uri": _iri(number), "status": status, "level": None, "value": None, "decision": None, "next_step": "more"}
        for number, (_, status) in enumerate(found)
    ]
    return one, {"learner": {}, "as_of": {}, "frameworks": [{"competencies": standings}]}


def progress(one: Framework, found: Json) -> Json:
    """Return the progress behind a map, with the framework adopted."""
    return progress_of(found, Acts([Act(1, "framework", 0, "id", one)]))


@given(competencies, progressions)
def test_mastered_and_missing_are_the_framework_and_nothing_is_both(
    found: list[tuple[str, str]], pairs: list[tuple[int, int]]
) -> None:
    one, standings = scene(found, pairs)
    told = progress(one, standings)
    for strand, parts in (("academic", told["frameworks"]), ("work_habits", told["work_habits"])):
        mastered = [each["uri"] for part in parts for each in part["mastered"]]
        missing = [each["uri"] for part in parts for each in part["missing"]]
        own = [each.uri for each in one.competencies if each.strand == strand]
        assert sorted(mastered + missing) == sorted(own)
        assert {
            each for number, each in enumerate(map(_iri, range(len(found)))) if found[number][1] == "proficient"
        } & {*own} == {*mastered}


@given(competencies, progressions)
def test_what_is_missing_stands_behind_what_it_waits_for(
    found: list[tuple[str, str]], pairs: list[tuple[int, int]]
) -> None:
    one, standings = scene(found, pairs)
    places = {uri: place for place, uri in enumerate(order_of(one).steps)}
    for part in progress(one, standings)["frameworks"]:
        order = [places[each["uri"]] for each in part["missing"]]
        assert order == sorted(order)
        for each in part["missing"]:
            assert all(places[earlier["uri"]] < places[each["uri"]] for earlier in each["waits_for"])
        assert part["next"] == [each for each in part["missing"] if not each["waits_for"]]
        assert bool(part["next"]) == bool(part["missing"])


def test_a_ring_leaves_somewhere_to_begin() -> None:
    one, standings = scene([("academic", "not_yet")] * 3, [(0, 1), (1, 2), (2, 0)])
    [part] = progress(one, standings)["frameworks"]
    assert [each["uri"] for each in part["next"]] == [_iri(0)]


def test_what_precedes_from_outside_holds_nobody_back() -> None:
    one, standings = scene([("academic", "not_yet")], [(MOST, 0)])
    [part] = progress(one, standings)["frameworks"]
    assert [each["waits_for"] for each in part["missing"]] == [[]]


# Over the log


@pytest.fixture(scope="module")
def term(shared_district: District) -> District:
    """A log where ada is secure in algebra, after which geometry and then ratios come."""
    progressed = framework(on=-9)
    document = next(iter(progressed["result"]["extensions"].values()))
    document["progressions"] = [{"before": ALGEBRA, "after": GEOMETRY}, {"before": GEOMETRY, "after": RATIOS}]
    acts = [progressed if one["id"] == progressed["id"] else one for one in first_acts()]
    work = [did("ada", "essay", 0.95, 1), did("ada", "bridge", 0.4, 2), did("ada", "exam", 0.95, 3)]
    alignment = aligned("bridge", GEOMETRY, on=-7, name="only geometry")
    return folded(shared_district, [*acts, alignment, aligned("exam", ALGEBRA, kind="local_summative", on=-7), *work])


def told_of(district: District, who: str, **query: Any) -> Json:
    """Return a learner's progress as the API tells it."""
    answer = district.client("all/read").get(f"/api/v1/learners/{address_of(who)}/progress", query)
    assert answer.status_code == 200, answer.text
    found: Json = answer.get_json()
    return found


def _uris(found: list[Json]) -> list[str]:
    return [one["uri"] for one in found]


def test_the_three_parts_of_a_learners_progress(term: District) -> None:
    [part] = told_of(term, "ada")["frameworks"]
    assert _uris(part["mastered"]) == [ALGEBRA]
    assert _uris(part["missing"]) == [GEOMETRY, RATIOS]
    assert _uris(part["next"]) == [GEOMETRY]
    assert part["next"][0]["next_step"]
    assert part["missing"][1]["waits_for"] == [{"uri": GEOMETRY, "name": "geometry"}]


def test_progress_as_of_the_beginning_has_nothing_mastered(term: District) -> None:
    [part] = told_of(term, "ada", as_of=term.size() - 2)["frameworks"]
    assert (part["mastered"], _uris(part["next"])) == ([], [ALGEBRA])


def test_progress_says_the_same_as_the_map(term: District) -> None:
    found = term.client("all/read").get(f"/api/v1/learners/{address_of('ada')}/mastery").get_json()
    standings = {one["uri"]: one for part in found["frameworks"] for one in part["competencies"]}
    [part] = told_of(term, "ada")["frameworks"]
    for one in [*part["mastered"], *part["missing"]]:
        assert {name: standings[one["uri"]][name] for name in ("status", "level", "value", "decision")} == {
            name: one[name] for name in ("status", "level", "value", "decision")
        }


def test_a_competency_that_was_retired_stands_apart_and_is_not_missing(shared_district: District) -> None:
    work = [did("ada", "essay", 0.95, 1), did("ada", "bridge", 0.95, 2), did("ada", "exam", 0.95, 3)]
    district = folded(shared_district, [*first_acts(), *work, framework("2", (GEOMETRY, RATIOS), on=9)])
    found = told_of(district, "ada")
    [part] = found["frameworks"]
    assert sorted(_uris(part["mastered"]) + _uris(part["missing"])) == [GEOMETRY, RATIOS]
    assert [(one["uri"], one["status"]) for one in found["retired"]] == [(ALGEBRA, "proficient")]


def test_work_habits_are_a_part_of_their_own(shared_district: District) -> None:
    adoption = framework()
    document = next(iter(adoption["result"]["extensions"].values()))
    document["competencies"][2]["strand"] = "work_habits"
    acts = [act(adoption, -9, "framework with habits") if one["id"] == adoption["id"] else one for one in first_acts()]
    found = told_of(folded(shared_district, [*acts, did("ada", "essay", 0.95, 1)]), "ada")
    assert [_uris(part["missing"]) for part in found["frameworks"]] == [[ALGEBRA, GEOMETRY]]
    assert [_uris(part["missing"]) for part in found["work_habits"]] == [[RATIOS]]
