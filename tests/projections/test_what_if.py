"""What if another rule, alignment or normaliser held: held against publishing it for real."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from sqlalchemy import select

from lrs.errors import InvalidRequest
from lrs.xapi.values import key64
from projections.evidence.tables import learner
from projections.insight.what_if import Answer, Question, answer
from projections.mastery.rule_documents import DEFAULT_RULE_DOCUMENT
from tests.district import District
from tests.projections.scenes import (
    ALGEBRA,
    FRAMEWORK,
    GEOMETRY,
    ORIGIN,
    TOOL,
    aligned,
    did,
    digests,
    first_acts,
    fixed_id,
    folded,
    key_of,
    live_ids,
    normaliser,
    rule,
    statuses,
    told,
)

Json = dict[str, Any]
PEOPLE = ("ann", "ben", "cai", "dot")


def year() -> list[Json]:
    """Return what four learners do: none, one, two and three tasks at the cut."""
    return [
        *first_acts(),
        aligned("poster", ALGEBRA),
        did("ann", "quiz", 1.0, 1),
        did("ben", "essay", 0.9, 2),
        did("cai", "essay", 0.9, 2),
        did("cai", "exam", 0.8, 3),
        did("dot", "essay", 0.9, 2),
        did("dot", "exam", 0.95, 3),
        did("dot", "poster", 0.9, 4),
    ]


def candidate_rule(**changed: Any) -> Json:
    document = {**DEFAULT_RULE_DOCUMENT, "id": f"{ORIGIN}/rules/candidate", "framework": FRAMEWORK, **changed}
    return {name: value for name, value in document.items() if name not in ("approver", "effective_from")}


def tasks(number: int) -> Json:
    return candidate_rule(method={"name": "independent_tasks", "n": number})


def asked(district: District, document: Mapping[str, Any], after: int = 0, through: int | None = None) -> Answer:
    return answer(question(district, document, after, through))


def question(district: District, document: Mapping[str, Any], after: int = 0, through: int | None = None) -> Question:
    with district.desk.derived.connect() as connection:
        builds = live_ids(connection, district)
    log_url, derived_url = district.settings.log_url, district.settings.derived_url
    last = through or district.size()
    return Question(log_url, derived_url, district.log.log_id, builds, dict(document), after, last)


def changes(found: Answer, competency: str = ALGEBRA) -> dict[str, str]:
    names = {key_of(name): name for name in PEOPLE}
    own = [one for one in found.differences if one.competency == key64("competency", competency)]
    return {names[one.learner]: one.change for one in own}


@pytest.fixture(scope="module")
def school(shared_district: District) -> District:
    """A log that nobody adds to."""
    return folded(shared_district, year())


@pytest.fixture
def own_school(district: District) -> District:
    return folded(district, year())


def test_a_stricter_rule_takes_mastery_from_those_who_have_just_enough(school: District) -> None:
    assert changes(asked(school, tasks(3))) == {"cai": "lost"}


def test_a_laxer_rule_gives_mastery_to_those_who_had_one_task_less(school: District) -> None:
    assert changes(asked(school, tasks(1))) == {"ben": "gained"}


def test_a_rule_that_says_the_same_changes_nobody(school: District) -> None:
    found = asked(school, candidate_rule())
    assert not found.differences
    assert len(found.unchanged) == 6


def test_differences_and_unchanged_keys_are_all_keys_with_evidence(school: District) -> None:
    everything = asked(school, candidate_rule()).unchanged
    for number in (1, 2, 3):
        found = asked(school, tasks(number))
        keys = [(one.learner, one.competency) for one in found.differences] + found.unchanged
        assert sorted(keys) == sorted(everything)


def test_what_was_gained_hangs_on_the_evidence_that_now_suffices(school: District) -> None:
    (ben,) = (one for one in asked(school, tasks(1)).differences if one.learner == key_of("ben") and one.decisive)
    assert ben.decisive is not None
    assert ben.decisive.statement_id == fixed_id("ben/essay/0.9/2/0")
    assert ben.decisive.without != "proficient"


def test_what_was_lost_hangs_on_the_evidence_that_had_sufficed(school: District) -> None:
    (cai,) = (one for one in asked(school, tasks(3)).differences if one.competency == key64("competency", ALGEBRA))
    assert cai.decisive is not None
    assert cai.decisive.statement_id == fixed_id("cai/exam/0.8/3/0")
    assert (cai.before.status, cai.after.status) == ("proficient", "insufficient_evidence")


@pytest.mark.parametrize("number", [1, 3])
def test_a_candidate_rule_foretells_what_its_publication_brings(own_school: District, number: int) -> None:
    school = own_school
    found = asked(school, tasks(number))
    expected = foretold(school, found)
    changed = {name: value for name, value in tasks(number).items() if name != "version"}
    told(school, rule(on=-3, name="candidate", **changed))
    assert now(school) == expected


def test_a_candidate_alignment_foretells_what_its_publication_brings(own_school: District) -> None:
    school = own_school
    document = {"activity": f"{TOOL}/quiz", "competencies": [ALGEBRA, GEOMETRY], "kind": "performance_task"}
    found = asked(school, document)
    assert changes(found) == {"ann": "changed_level"}
    expected = foretold(school, found)
    told(school, aligned("quiz", ALGEBRA, GEOMETRY, on=30, name="candidate"))
    assert now(school) == expected


def test_a_candidate_that_ends_an_alignment_takes_its_evidence_away(school: District) -> None:
    document = {"activity": f"{TOOL}/exam", "competencies": [], "kind": "local_summative"}
    assert changes(asked(school, document)) == {"cai": "lost"}


def test_a_candidate_normaliser_foretells_what_its_publication_brings(district: District) -> None:
    def scaled(who: str, task: str, on: float) -> Json:
        score: Json = {"result": {"score": {"scaled": 0.6}}, "context": {"platform": "Moodle"}}
        return did(who, task, 0, on, name=f"{who}/{task}/scaled", **score)

    school = folded(district, [*first_acts(), *(scaled("ann", task, 2) for task in ("essay", "exam"))])
    act = normaliser("Moodle", "-1")
    (document,) = act["result"]["extensions"].values()
    found = asked(school, document)
    assert changes(found) == {"ann": "gained"}
    expected = foretold(school, found)
    told(school, act)
    assert now(school) == expected


def foretold(district: District, found: Answer) -> dict[tuple[str, str], str]:
    names = {key64("competency", iri): iri.rpartition("/")[2] for iri in (ALGEBRA, GEOMETRY)}
    who = {key_of(name): name for name in PEOPLE}
    return now(district) | {(who[one.learner], names[one.competency]): one.after.status for one in found.differences}


def now(district: District) -> dict[tuple[str, str], str]:
    """Return the status of everybody who has any evidence."""
    with district.desk.derived.connect() as connection:
        build = live_ids(connection, district)["evidence"]
        query = select(learner.c.learner).where(learner.c.build_id == build)
        known = set(connection.scalars(query.order_by(learner.c.learner)))
    some = [who for who in PEOPLE if key_of(who) in known]
    return {(who, name): status for who in some for name, status in statuses(district, who).items()}


def test_what_if_leaves_log_and_builds_as_they_are(school: District) -> None:
    before, size = digests(school), school.size()
    asked(school, tasks(3))
    assert (digests(school), school.size()) == (before, size)


def test_a_span_keeps_to_the_competencies_that_moved_in_it(school: District) -> None:
    last = school.size()
    found = asked(school, tasks(3), after=last - 3)
    keys = {one.learner for one in found.differences} | {learner for learner, _ in found.unchanged}
    assert keys == {key_of("dot")}


def test_a_span_ends_where_it_is_told_to(school: District) -> None:
    cut = school.size() - 4
    assert changes(asked(school, tasks(1), through=cut)) == {"ben": "gained", "cai": "gained"}


def test_the_answer_is_the_same_in_several_processes(school: District) -> None:
    told_: list[tuple[int, int]] = []
    shared = answer(question(school, tasks(3)), 2, lambda done, of: told_.append((done, of)))
    assert shared == asked(school, tasks(3))
    assert told_[-1][0] == told_[-1][1] == len(told_)


def test_an_unsound_candidate_is_refused_with_every_problem(school: District) -> None:
    with pytest.raises(InvalidRequest) as refused:
        asked(school, {**tasks(2), "method": {"name": "best_of_all"}, "kinds": ["guess"]})
    assert _pointers(refused.value.problems) == {"/method/name", "/kinds/0"}


def test_a_candidate_under_an_unknown_scale_is_refused(school: District) -> None:
    with pytest.raises(InvalidRequest) as refused:
        asked(school, {**tasks(2), "scale": {"id": f"{ORIGIN}/scales/none", "version": 1}})
    assert _pointers(refused.value.problems) == {"/scale"}


def _pointers(problems: Iterable[Any]) -> Counter[str] | set[str]:
    return {one.pointer for one in problems}
