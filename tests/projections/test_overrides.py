"""An override is an act of its own: it holds beside what is computed, and ends by a void, a clearing, or its time."""

from __future__ import annotations

import random
from typing import Any

import pytest

from lrs.errors import InvalidRequest
from projections import acts
from projections.acts import problems
from projections.building.runtime import Runtime
from projections.credit.reading import credit_of, credit_record
from projections.ids import decision_key
from tests.district import District
from tests.projections.overriding import PRINCIPAL, TEACHER, cleared, overridden
from tests.projections.scenes import (
    GEOMETRY,
    ORIGIN,
    POLICY,
    REGISTRAR,
    Json,
    act,
    decided,
    did,
    digests,
    first_acts,
    fold_in_turns,
    folded,
    forget,
    key_of,
    learner,
    new_runtimes,
    outcome,
    rule,
    standings,
    statuses,
    told,
    views,
    void,
)

ONE_TASK = did("ada", "essay", 0.5, 1)


def begun(district: District, *statements: Json) -> District:
    """Return a log with the acts of a school year's beginning, one piece of work, and these statements, folded."""
    return folded(district, [*first_acts(), ONE_TASK, *statements])


def pointers(statement: Json) -> list[str]:
    return [one.pointer.rpartition("~1override/")[2] for one in problems(statement)]


def newest(district: District, competency: str = "algebra") -> Json:
    return decided(district, "ada", competency)[-1]


def test_an_override_holds_beside_what_is_computed(shared_district: District) -> None:
    district = begun(shared_district, overridden("ada", 2))
    record = newest(district)
    assert (record["status"], record["level"], record["cause"]) == ("proficient", "Secure", "override")
    assert record["computed"] == {"status": "insufficient_evidence", "level": None}
    (shown,) = record["overrides"]
    assert (shown["reason"], shown["holds"], shown["objection"]) == ("Shown in an interview.", True, "")
    assert shown["by"]["name"] == "Teacher"
    assert record["verified"]


def test_the_map_marks_an_override_and_tells_both_values(shared_district: District) -> None:
    one = standings(begun(shared_district, overridden("ada", 2, level="Secure")), "ada")["algebra"]
    assert (one["status"], one["level"], one["overridden"]) == ("proficient", "Secure", True)
    assert one["computed"] == {"status": "insufficient_evidence", "level": None}
    assert one["override"]["id"].endswith("/overrides/ada/algebra")


def test_an_override_may_say_not_yet(shared_district: District) -> None:
    work = [did("ada", "exam", 0.9, 2), did("ada", "bridge", 0.9, 3)]
    district = begun(shared_district, *work, overridden("ada", 4, status="not_yet"))
    assert (newest(district)["status"], newest(district)["level"]) == ("not_yet", "Developing")
    assert newest(district)["computed"]["status"] == "proficient"


def test_clearing_an_override_restores_what_is_computed(shared_district: District) -> None:
    district = begun(shared_district, overridden("ada", 2))
    told(district, cleared("ada", 3))
    record = newest(district)
    assert (record["status"], record["overrides"], record["cause"]) == ("insufficient_evidence", [], "override")
    assert record["supersedes"] is not None
    assert not standings(district, "ada")["algebra"]["overridden"]


def test_voiding_an_override_restores_what_is_computed(shared_district: District) -> None:
    one = overridden("ada", 2)
    district = begun(shared_district, one)
    told(district, void(one["id"]))
    assert newest(district)["status"] == "insufficient_evidence"
    assert newest(district)["overrides"] == []


def test_voiding_a_clearing_brings_the_override_back(shared_district: District) -> None:
    clearing = cleared("ada", 3)
    district = begun(shared_district, overridden("ada", 2), clearing)
    assert newest(district)["status"] == "insufficient_evidence"
    told(district, void(clearing["id"]))
    assert newest(district)["status"] == "proficient"


def test_new_evidence_is_computed_while_an_override_holds(shared_district: District) -> None:
    district = begun(shared_district, overridden("ada", 2, status="not_yet"))
    told(district, did("ada", "exam", 0.9, 3), did("ada", "bridge", 0.9, 4))
    record = newest(district)
    assert (record["status"], record["computed"]["status"], record["cause"]) == (
        "not_yet",
        "proficient",
        "new_evidence",
    )
    assert len(record["inputs"]) == 3


def test_an_override_expires_for_evidence_from_its_last_day_on(shared_district: District) -> None:
    district = begun(shared_district, overridden("ada", 2, expires="2026-09-10"))
    assert newest(district)["status"] == "proficient"
    told(district, did("ada", "exam", 0.2, 20))
    record = newest(district)
    assert (record["status"], record["overrides"][0]["objection"]) == ("not_yet", "expired")


def test_a_reader_sees_an_override_expired_when_time_alone_has_passed(shared_district: District) -> None:
    """Statements are stored now, long after the override's last day; what was decided of it stays."""
    district = begun(shared_district, overridden("ada", 2, expires="2026-09-10"))
    record, one = newest(district), standings(district, "ada")["algebra"]
    assert (record["status"], record["lapses"]) == ("proficient", "2026-09-10T00:00:00.000000Z")
    assert (one["lapsed"], one["status"], one["overridden"]) == (True, "insufficient_evidence", False)
    assert one["decided"] == {"status": "proficient", "level": "Secure"}
    assert record["now"]["lapsed"]


@pytest.mark.parametrize(
    ("terms", "more", "objection"),
    [
        ({"allowed": False}, {}, "not_allowed_by_rule"),
        ({"allowed": True, "second_person": True}, {}, "needs_second_person"),
        ({"allowed": True, "second_person": True}, {"approved_by": PRINCIPAL}, ""),
        ({"allowed": True}, {"level": "Mastered"}, "level_does_not_fit"),
        ({"allowed": True}, {"level": "Developing"}, "level_does_not_fit"),
    ],
)
def test_the_rule_says_which_overrides_hold(shared_district: District, terms: Json, more: Json, objection: str) -> None:
    district = begun(shared_district, overridden("ada", 2, **more))
    told(district, rule(2, 3, overrides=terms))
    record = newest(district)
    assert record["overrides"][0]["objection"] == objection
    assert record["status"] == ("insufficient_evidence" if objection else "proficient")


def test_the_rule_bounds_how_long_an_override_holds(shared_district: District) -> None:
    district = begun(shared_district, overridden("ada", 2))
    told(district, rule(2, 3, overrides={"allowed": True, "max_days": 10}), did("ada", "exam", 0.2, 12.5))
    assert newest(district)["overrides"][0]["objection"] == "expired"


def test_an_override_needs_no_evidence_that_is_aligned(shared_district: District) -> None:
    district = begun(shared_district, overridden("ada", 2, GEOMETRY))
    record = newest(district, "geometry")
    assert (record["status"], record["computed"]["status"], record["inputs"]) == ("proficient", "no_evidence", [])
    assert record["verified"]


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"evidence": []}, "evidence"),
        ({"evidence": ["no-uuid"]}, "evidence/0"),
        ({"approved_by": TEACHER}, "approved_by"),
        ({"learner": TEACHER}, "learner"),
        ({"status": "eligible"}, "status"),
        ({"policy": "https://district.example.org/policies/math-1"}, "competency"),
    ],
)
def test_an_override_that_cannot_stand_is_refused_with_its_place(more: dict[str, Any], pointer: str) -> None:
    assert pointer in pointers(overridden("ada", 2, **more))


@pytest.mark.parametrize("field", ["evidence", "reason", "learner", "status"])
def test_an_override_says_everything_that_it_rests_on(field: str) -> None:
    one = overridden("ada", 2)
    (document,) = one["result"]["extensions"].values()
    del document[field]
    assert pointers(one) == [field]


def test_credit_is_never_overridden_by_one_person(shared_district: District) -> None:
    one = overridden("ada", 2, None, status="eligible", policy="https://district.example.org/policies/math-1")
    assert pointers(one) == ["approved_by"]
    with pytest.raises(InvalidRequest):
        told(begun(shared_district), one)


def history() -> list[Json]:
    """Return acts and work in which overrides come, change hands, end and come again."""
    voided = overridden("ada", 5, GEOMETRY, name="voided")
    return [
        overridden("ada", 2),
        did("ada", "exam", 0.9, 3),
        overridden("bob", 2, expires="2026-09-12"),
        did("bob", "essay", 0.9, 4),
        cleared("ada", 6),
        voided,
        overridden("ada", 8, status="not_yet", name="again"),
        did("bob", "exam", 0.2, 20),
        overridden("eve", 9),
        void(voided["id"]),
    ]


def test_overrides_end_in_the_same_outcome_in_any_order_of_arrival(shared_district: District) -> None:
    orders = [history() for _ in range(3)]
    for seed, one in enumerate(orders):
        random.Random(seed).shuffle(one)
    found = {outcome(begun(shared_district, *one)) for one in [history(), *orders]}
    assert len(found) == 1


@pytest.mark.parametrize("batch", [1, 4, 100])
def test_how_a_batch_is_cut_changes_nothing_about_overrides(shared_district: District, batch: int) -> None:
    district = begun(shared_district, *history())
    before = digests(district)
    forget(district)
    fold_in_turns(district, new_runtimes(district, batch))
    assert digests(district) == before
    assert Runtime(district.engine, district.desk.derived, 50).verify(district.log.log_id) == before


def test_every_override_can_be_read_as_of_before_it(shared_district: District) -> None:
    district = begun(shared_district, overridden("ada", 2))
    assert statuses(district, "ada", district.size() - 1)["algebra"] == "insufficient_evidence"
    assert statuses(district, "ada", district.size())["algebra"] == "proficient"


def test_an_override_follows_a_learner_whose_accounts_are_linked(shared_district: District) -> None:
    link = {"id": f"{ORIGIN}/links/ada", "learner": learner("ada"), "accounts": [learner("a.l")], "reason": "One child"}
    linked = act(acts.link(link, REGISTRAR), 3, "link/ada")
    district = begun(shared_district, overridden("a.l", 2))
    told(district, linked)
    assert statuses(district, "ada")["algebra"] == "proficient"
    told(district, void(linked["id"]))
    assert statuses(district, "ada")["algebra"] == "insufficient_evidence"


POLICY_OVERRIDE: Any = {"status": "eligible", "policy": POLICY, "approved_by": PRINCIPAL}


def credit(district: District, as_of: int | None = None) -> Json:
    for view in views(district, as_of):
        found: Json = credit_of(view, key_of("ada"))["policies"][0]
    return found


def credit_decision(district: District) -> Json:
    for view in views(district):
        record: Json = credit_record(view, decision_key(credit(district)["decision"]))
    return record


def test_two_persons_can_override_a_credit_policy(shared_district: District) -> None:
    district = begun(shared_district, overridden("ada", 2, None, **POLICY_OVERRIDE))
    one, record = credit(district), credit_decision(district)
    assert (one["outcome"], one["overridden"], one["computed"]) == ("eligible", True, "not_yet")
    assert (record["outcome"], record["computed"], record["verified"]) == ("eligible", "not_yet", True)
    (shown,) = record["overrides"]
    assert (shown["by"]["name"], shown["approved_by"]["name"]) == ("Teacher", "Principal")


def test_clearing_a_credit_override_restores_the_answer(shared_district: District) -> None:
    district = begun(shared_district, overridden("ada", 2, None, **POLICY_OVERRIDE))
    told(district, cleared("ada", 3, POLICY))
    assert (credit(district)["outcome"], credit(district)["overridden"]) == ("not_yet", False)
    assert credit(district, district.size() - 1)["outcome"] == "eligible"


def test_a_credit_override_expires(shared_district: District) -> None:
    district = begun(shared_district, overridden("ada", 2, None, **POLICY_OVERRIDE, expires="2026-09-10"))
    assert credit_decision(district)["outcome"] == "eligible"
    assert (credit(district)["outcome"], credit(district)["lapsed"]) == ("not_yet", True)
    told(district, did("ada", "exam", 0.2, 20))
    assert (credit_decision(district)["outcome"], credit_decision(district)["overrides"]) == ("not_yet", [])


@pytest.mark.parametrize("batch", [1, 100])
def test_how_a_batch_is_cut_changes_nothing_about_credit_overrides(shared_district: District, batch: int) -> None:
    one = overridden("ada", 2, None, **POLICY_OVERRIDE)
    more = [did("ada", "exam", 0.9, 3), void(one["id"]), overridden("bob", 4, None, **POLICY_OVERRIDE)]
    district = begun(shared_district, one, *more, did("ada", "bridge", 0.9, 5))
    before = digests(district)
    forget(district)
    fold_in_turns(district, new_runtimes(district, batch))
    assert digests(district) == before
    assert Runtime(district.engine, district.desk.derived, 50).verify(district.log.log_id) == before
