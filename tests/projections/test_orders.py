"""Any order, any prefix, any void: what follows from the log depends on what is in it and on nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from projections.evidence.reading import quarantined
from tests.district import District
from tests.projections.scenes import (
    ALGEBRA,
    ALIGNMENT_EXTENSION,
    GEOMETRY,
    RATIOS,
    Json,
    aligned,
    did,
    first_acts,
    folded,
    framework,
    learner,
    normaliser,
    outcome,
    policy,
    post,
    rule,
    shown,
    standings,
    statuses,
    told,
    views,
    void,
)

LEARNERS = ("ada", "ben", "cleo")
RANKS = {"no_evidence": 0, "insufficient_evidence": 1, "not_yet": 2, "proficient": 3}

few = settings(
    max_examples=8,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)


def _scaled(who: str, platform: str, value: float, on: float) -> Json:
    more: Json = {"result": {"score": {"scaled": value}}, "context": {"platform": platform}}
    return did(who, "essay", 0, on, name=f"scaled/{who}/{platform}/{value}", **more)


def work() -> list[Json]:
    """Return what learners do, in the order of its days."""
    pair = {"objectType": "Group", "member": [learner("ada"), learner("ben")]}
    named: Json = {"context": {"extensions": {ALIGNMENT_EXTENSION: [RATIOS]}}}
    return [
        did("ada", "essay", 0.5, 1), did("ada", "essay", 0.9, 4, revision=2), did("ada", "exam", 0.8, 3),
        did("ada", "bridge", 0.76, 2), did("ada", "bridge", 0.4, 5, revision=1), did("ada", "quiz", 1, 1),
        did("ben", "essay", 0.9, 3), did("ben", "exam", 0.74, 2), did("ben", "exam", 0.9, 6, revision=1),
        did("ben", "lab", 0.85, 4), did("ben", "poem", 1, 5, **named), _scaled("ben", "H5P", 0.7, 7),
        did("cleo", "exam", 0.9, 2), did("cleo", "essay", 0.75, 3), _scaled("cleo", "Moodle", 0.4, 8),
        _scaled("cleo", "Moodle", -0.4, 9), shown("cleo", RATIOS, "model", 0.9, 5),
        shown("cleo", RATIOS, "second", 0.8, 6), did("pair", "bridge", 0.9, 6, actor=pair),
        {**did("ben", "essay", 0.9, 3), "id": "00000000-0000-4000-8000-000000000001"},
    ]  # fmt: skip


def all_acts() -> list[Json]:
    """Return what a registrar publishes in a year: versions, corrections, ends."""
    named = {"id": "https://district.example.org/rules/ratios", "competencies": [RATIOS]}
    return [
        *first_acts(), aligned("lab", GEOMETRY), aligned("lab", ALGEBRA, on=-5), aligned("quiz", on=-4),
        framework("2", (ALGEBRA, RATIOS), -3), framework("3", on=-2),
        normaliser("Moodle", "-1"), normaliser("H5P", "0"),
        rule(2, -1, method={"name": "independent_tasks", "n": 3}),
        rule(2, 5, "rule/2 again", method={"name": "latest"}),
        rule(1, 6, "rule/ratios", method={"name": "highest"}, **named), policy(2, 7, {"evidence": _two_exams()}),
    ]  # fmt: skip


def _two_exams() -> Json:
    return {"kinds": ["local_summative"], "count": 2}


def voids() -> list[Json]:
    """Return voids of some of the work."""
    targets = [one["id"] for one in work()]
    return [void(targets[place]) for place in (1, 6, 12, 16, 18)]


EVERYTHING = (*all_acts(), *work(), *voids())
shuffled = st.permutations(EVERYTHING).map(tuple)
logs = st.lists(st.sampled_from(range(len(EVERYTHING))), min_size=25, unique=True).map(
    lambda places: tuple(EVERYTHING[place] for place in places)
)
batches = st.sampled_from([1, 3, 7, 100])


@few
@given(one=logs, data=st.data(), batch=batches)
def test_any_order_of_arrival_ends_in_one_outcome(
    shared_district: District, one: tuple[Json, ...], data: Any, batch: int
) -> None:
    other = data.draw(st.permutations(one))
    assert outcome(folded(shared_district, one, batch)) == outcome(folded(shared_district, other))


@few
@given(one=shuffled)
def test_a_whole_year_in_any_order_of_arrival_ends_in_one_outcome(
    shared_district: District, one: tuple[Json, ...]
) -> None:
    assert outcome(folded(shared_district, one)) == outcome(folded(shared_district, EVERYTHING, 100))


@few
@given(one=shuffled, data=st.data())
def test_what_is_told_as_of_a_position_is_what_a_log_that_ends_there_tells(
    shared_district: District, one: tuple[Json, ...], data: Any
) -> None:
    size = data.draw(st.integers(1, len(one)))
    whole, prefix = folded(shared_district, one), folded(shared_district, one[:size])
    assert outcome(whole, size) == outcome(prefix)
    assert _shown(whole, size) == _shown(prefix, None)


def _shown(district: District, as_of: int | None) -> list[Any]:
    known = _known(district, as_of)
    for view in views(district, as_of):
        waiting = quarantined(view)
    return [{who: standings(district, who, as_of) for who in known}, waiting]


def _known(district: District, as_of: int | None) -> list[str]:
    answer = district.client("all/read").get("/api/v1/learners", {} if as_of is None else {"as_of": as_of})
    return sorted(one["name"].lower() for one in answer.get_json()["learners"])


@few
@given(one=logs, data=st.data())
def test_a_void_leaves_what_a_log_without_the_statement_says(
    shared_district: District, one: tuple[Json, ...], data: Any
) -> None:
    target = data.draw(st.sampled_from(work()))
    rest = [statement for statement in one if _is_not(target, statement)]
    both = data.draw(st.permutations([target, void(target["id"], name="taken back")]))
    place = data.draw(st.integers(0, len(rest)))
    later = data.draw(st.integers(place, len(rest)))
    voided = [*rest[:place], both[0], *rest[place:later], both[1], *rest[later:]]
    assert outcome(folded(shared_district, voided)) == outcome(folded(shared_district, rest))


@few
@given(one=logs, data=st.data())
def test_a_voided_act_leaves_what_a_log_without_it_says(
    shared_district: District, one: tuple[Json, ...], data: Any
) -> None:
    target = data.draw(st.sampled_from(all_acts()))
    rest = [statement for statement in one if _is_not(target, statement)]
    place = data.draw(st.integers(0, len(rest)))
    later = data.draw(st.integers(place, len(rest)))
    taken_back = void(target["id"], name="taken back")
    voided = [*rest[:place], target, *rest[place:later], taken_back, *rest[later:]]
    assert outcome(folded(shared_district, voided)) == outcome(folded(shared_district, rest))


def _is_not(target: Json, statement: Json) -> bool:
    return target["id"] not in {statement["id"], statement["object"]["id"]}


@few
@given(one=logs, share=st.sampled_from([0.75, 0.8, 1.0]), on=st.floats(0, 10), data=st.data())
def test_evidence_at_the_level_or_above_never_lowers_the_default_rules_answer(
    shared_district: District, one: tuple[Json, ...], share: float, on: float, data: Any
) -> None:
    rest = [statement for statement in one if "rule" not in str(statement["object"]["id"])]
    district = folded(shared_district, [*first_acts(), *_without(rest, first_acts())])
    who, competency = data.draw(st.sampled_from(LEARNERS)), data.draw(st.sampled_from([ALGEBRA, GEOMETRY, RATIOS]))
    told(district, shown(who, RATIOS, "before all", 0.1, -1).copy() | {"object": {"id": "https://tool.example.org/x"}})
    before = _ranks(district, who)
    told(district, shown(who, competency, "one-more", share, on))
    after = _ranks(district, who)
    assert all(after[name] >= rank for name, rank in before.items())


def _without(statements: Iterable[Json], others: Iterable[Json]) -> list[Json]:
    known = {one["id"] for one in others}
    return [one for one in statements if one["id"] not in known]


def _ranks(district: District, who: str) -> dict[str, int]:
    return {name: RANKS[status] for name, status in statuses(district, who).items()}


def noise() -> list[Json]:
    """Return what says nothing of a competency: unaligned scores, completion, and second copies under higher ids."""
    copies = [{**one, "id": f"ffffffff-ffff-4fff-bfff-{place:012}"} for place, one in enumerate(work()[:-1])]
    completed = {"id": "http://adlnet.gov/expapi/verbs/completed"}
    return [
        did("ada", "elsewhere", 1, 2), did("dan", "elsewhere", 1, 2), did("ada", "essay", 1, 9, verb=completed),
        did("ben", "exam", 1, 8, name="seen", result={"completion": True}), did("dan", "exam", 1, 8, verb=completed),
        *copies,
    ]  # fmt: skip


@few
@given(data=st.data(), one=st.permutations((*all_acts(), *work())))
def test_noise_changes_nothing(shared_district: District, one: list[Json], data: Any) -> None:
    more = data.draw(st.lists(st.sampled_from(noise()), unique_by=lambda each: str(each["id"]), min_size=3))
    places = [data.draw(st.integers(0, len(one))) for _ in more]
    loud = list(one)
    for place, statement in sorted(zip(places, more, strict=True), key=lambda pair: -pair[0]):
        loud.insert(place, statement)
    assert outcome(folded(shared_district, loud)) == outcome(folded(shared_district, one))


def test_the_outcome_tells_one_answer_from_another(shared_district: District) -> None:
    quiet = folded(shared_district, [*first_acts(), did("ada", "essay", 0.9, 1)])
    louder = folded(shared_district, [*first_acts(), did("ada", "essay", 0.9, 1), did("ada", "exam", 0.9, 2)])
    assert outcome(quiet) != outcome(louder)
    assert outcome(louder, quiet.size()) == outcome(quiet)
    post(louder, [void(did("ada", "exam", 0.9, 2)["id"])])
    louder.fold()
    assert outcome(louder) == outcome(quiet)
