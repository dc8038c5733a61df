"""A decision stays as it was made; what comes later supersedes it and says why."""

from __future__ import annotations

import pytest

from projections.credit.reading import credit_of, credit_record
from projections.ids import decision_key
from tests.district import District
from tests.projections.scenes import (
    ALGEBRA,
    GEOMETRY,
    Json,
    decided,
    did,
    first_acts,
    folded,
    key_of,
    policy,
    rule,
    shown,
    told,
    views,
    void,
)


def begun(district: District, *statements: Json) -> District:
    """Return a log with the acts of a school year's beginning and these statements, folded."""
    return folded(district, [*first_acts(), *statements])


def answers(district: District, who: str) -> list[Json]:
    """Return the records of every answer of the credit policy for a learner, oldest first."""
    for view in views(district):
        newest = credit_of(view, key_of(who))["policies"][0]["decision"]
        records: list[Json] = []
        while newest is not None:
            records.insert(0, credit_record(view, decision_key(newest)))
            newest = records[0]["supersedes"]
    return records


def test_new_evidence_supersedes_and_both_decisions_name_each_other(shared_district: District) -> None:
    district = begun(shared_district, did("ada", "essay", 0.9, 1), did("ada", "exam", 0.9, 2))
    first, second = decided(district, "ada", "algebra")
    assert (first["status"], second["status"]) == ("insufficient_evidence", "proficient")
    assert (first["superseded_by"], second["supersedes"]) == (second["decision_id"], first["decision_id"])
    assert second["previous_digest"] == first["digest"]
    assert (second["cause"], second["superseded_by"]) == ("new_evidence", None)


def test_evidence_that_lies_before_what_is_known_is_late(shared_district: District) -> None:
    district = begun(shared_district, did("ada", "exam", 0.9, 2), did("ada", "essay", 0.9, 1))
    assert [one["cause"] for one in decided(district, "ada", "algebra")] == ["new_evidence", "late"]
    assert [one["position"] for one in decided(district, "ada", "algebra")[-1]["inputs"]] == [10, 9]


def test_a_void_supersedes_and_shows_the_voided_statement(shared_district: District) -> None:
    exam = did("ada", "exam", 0.9, 2)
    district = begun(shared_district, did("ada", "essay", 0.9, 1), exam)
    told(district, void(exam["id"]))
    newest = decided(district, "ada", "algebra")[-1]
    assert (newest["status"], newest["cause"]) == ("insufficient_evidence", "void")
    assert [(one["statement_id"], one["reason"], one["ended_by_position"]) for one in newest["excluded"]] == [
        (exam["id"], "voided", district.size())
    ]


def test_a_new_version_of_the_rule_supersedes_every_decision_under_the_old_one(shared_district: District) -> None:
    district = begun(shared_district, did("ada", "essay", 0.9, 1), did("ada", "exam", 0.9, 2))
    told(district, rule(2, 9, method={"name": "independent_tasks", "n": 3}))
    before, after = decided(district, "ada", "algebra")[-2:]
    assert (before["rule"]["version"], before["status"]) == (1, "proficient")
    assert (after["rule"]["version"], after["status"], after["cause"]) == (2, "insufficient_evidence", "rule_change")
    assert after["decision_id"].endswith(f".{district.size()}")
    assert [one["cause"] for one in decided(district, "ada", "geometry")][-1] == "rule_change"


def test_a_rule_for_one_competency_goes_before_the_rule_for_all(shared_district: District) -> None:
    district = begun(shared_district, did("ada", "bridge", 0.9, 1))
    own = rule(1, 9, "own rule", id="https://district.example.org/rules/own", competencies=[GEOMETRY], min_tasks=1)
    told(district, {**own, **rule_with(own, method={"name": "highest"})})
    assert decided(district, "ada", "geometry")[-1]["status"] == "proficient"
    assert decided(district, "ada", "algebra")[-1]["status"] == "insufficient_evidence"


def rule_with(one: Json, **changed: object) -> Json:
    """Return the result of a rule's publication with other fields."""
    key, document = next(iter(one["result"]["extensions"].items()))
    return {"result": {"extensions": {key: {**document, **changed}}}}


def test_evidence_before_any_rule_is_decided_when_a_rule_comes(shared_district: District) -> None:
    acts = [one for one in first_acts() if one["id"] != rule()["id"]]
    district = folded(shared_district, [*acts, did("ada", "essay", 0.9, 1)])
    first = decided(district, "ada", "algebra")[-1]
    assert (first["status"], first["unmet"]) == (
        "no_evidence",
        [{"requirement": "mastery_rule", "have": "0", "need": "1"}],
    )
    told(district, rule())
    newest = decided(district, "ada", "algebra")[-1]
    assert (newest["status"], newest["cause"], newest["verified"]) == ("insufficient_evidence", "rule_change", True)


def test_a_revision_replaces_the_earlier_try_at_the_task(shared_district: District) -> None:
    first = did("ada", "essay", 0.5, 1)
    district = begun(shared_district, first, did("ada", "essay", 0.9, 3, revision=2), did("ada", "exam", 0.9, 2))
    newest = decided(district, "ada", "algebra")[-1]
    assert newest["status"] == "proficient"
    assert [(one["statement_id"], one["reason"]) for one in newest["excluded"]] == [
        (first["id"], "superseded_by_revision")
    ]


def test_a_second_copy_under_another_id_counts_once_and_is_listed(shared_district: District) -> None:
    essay = did("ada", "essay", 0.9, 1)
    copy = {**essay, "id": "ffffffff-0000-4000-8000-00000000000a"}
    district = begun(shared_district, essay, copy)
    newest = decided(district, "ada", "algebra")[-1]
    assert newest["status"] == "insufficient_evidence"
    assert [(one["statement_id"], one["reason"]) for one in newest["excluded"]] == [(copy["id"], "duplicate")]


# Credit


def test_an_answer_is_written_when_it_differs_and_chained_to_the_one_before(shared_district: District) -> None:
    district = begun(
        shared_district, did("ada", "essay", 0.9, 1), did("ada", "quiz", 0.9, 1), did("ada", "exam", 0.9, 2)
    )
    first, second = answers(district, "ada")
    assert (first["outcome"], second["outcome"]) == ("not_yet", "eligible")
    assert second["previous_digest"] == first["digest"]
    assert [(one["have"], one["need"], one["met"]) for one in first["leaves"]] == [
        ("insufficient evidence", "Secure", False),
        ("1", "2", False),
    ]
    assert all(one["met"] for one in second["leaves"])
    assert first["verified"]
    assert second["verified"]


def test_a_void_takes_eligibility_back_and_the_answer_stays_superseded(shared_district: District) -> None:
    exam = did("ada", "exam", 0.9, 2)
    district = begun(shared_district, did("ada", "essay", 0.9, 1), exam, void(exam["id"]))
    assert [one["outcome"] for one in answers(district, "ada")] == ["not_yet", "eligible", "not_yet"]


def test_a_new_version_of_a_policy_answers_for_everyone(shared_district: District) -> None:
    district = begun(shared_district, did("ada", "essay", 0.9, 1), did("ada", "exam", 0.9, 2))
    told(district, policy(2, 9, {"competency_at_level": {"competency": GEOMETRY, "level": "Secure"}}))
    *_, before, after = answers(district, "ada")
    assert (before["policy"]["version"], before["outcome"]) == (1, "eligible")
    assert (after["policy"]["version"], after["outcome"], after["verified"]) == (2, "not_yet", True)


@pytest.mark.parametrize("published_late", [False, True])
def test_a_policy_that_is_voided_withdraws_its_answers(shared_district: District, published_late: bool) -> None:
    work = [did("ada", "essay", 0.9, 1), did("ada", "exam", 0.9, 2)]
    acts = [one for one in first_acts() if one["id"] != policy()["id"]]
    story = [*acts, *work, policy()] if published_late else [*acts, policy(), *work]
    district = folded(shared_district, story)
    eligible = answers(district, "ada")[-1]["decision_id"]
    told(district, void(policy()["id"]))
    for view in views(district):
        assert credit_of(view, key_of("ada"))["policies"] == []
        gone = credit_record(view, decision_key(str(credit_record(view, decision_key(eligible))["superseded_by"])))
    assert (gone["outcome"], gone["leaves"], gone["verified"]) == ("withdrawn", [], True)


def test_a_voided_version_of_a_policy_lets_the_version_before_answer_again(shared_district: District) -> None:
    second = policy(2, 9, {"competency_at_level": {"competency": GEOMETRY, "level": "Secure"}})
    district = begun(shared_district, did("ada", "essay", 0.9, 1), did("ada", "exam", 0.9, 2), second)
    told(district, void(second["id"]))
    newest = answers(district, "ada")[-1]
    assert (newest["policy"]["version"], newest["outcome"], newest["verified"]) == (1, "eligible", True)


def test_a_learner_without_any_evidence_left_is_eligible_for_nothing(shared_district: District) -> None:
    only = shown("ada", ALGEBRA, "model", 0.9, 1)
    district = begun(shared_district, only, void(only["id"]))
    assert answers(district, "ada")[-1]["outcome"] == "not_yet"
    assert [one["have"] for one in answers(district, "ada")[-1]["leaves"]] == ["no evidence", "0"]
