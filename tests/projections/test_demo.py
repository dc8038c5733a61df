"""The sample district, folded: what its stories promise is what the API tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest

from adapters.demo.district import acts, batches, facts, late_acts, notable
from projections import acts as registrar
from projections.commands import actor_of
from tests.adapters.demo.conclusions import Conclusions
from tests.district import Client, District
from tests.projections.scenes import bare

Json = dict[str, Any]
SAMPLED = 7


@pytest.fixture(scope="module")
def sample(shared_district: District) -> District:
    """The sample district in a log of its own, folded before and after the late acts."""
    district = bare(shared_district)
    _, actor = actor_of(district.desk, district.log.slug)
    district.desk.append(district.log, [published(actor, *one) for one in acts()])
    district.fold()
    for batch in batches():
        district.desk.append(district.log, batch)
    district.fold()
    district.desk.append(district.log, [published(actor, *one) for one in late_acts()])
    district.fold()
    return district


def published(actor: Json, kind: str, document: Mapping[str, Any]) -> Json:
    """Return the registrar's act that carries a document."""
    if kind == "framework":
        return registrar.adopt(document, actor)
    return registrar.align(document, actor) if kind == "alignment" else registrar.publish(kind, document, actor)


@pytest.fixture(scope="module")
def reader(sample: District) -> Client:
    """An auditor of the sample district."""
    return sample.client("all/read")


@pytest.fixture(scope="module")
def learners(reader: Client) -> dict[str, str]:
    """The addresses of the learners by their account names."""
    everyone = reader.get("/api/v1/learners", {"limit": 500}).get_json()["learners"]
    return {f"S-{1000 + int(one['name'].split()[1])}": one["id"] for one in everyone}


def told(reader: Client, path: str) -> Json:
    """Return the JSON of an answer that must be good."""
    answer = reader.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    body: Json = answer.get_json()
    return body


def standings(reader: Client, address: str) -> list[Json]:
    """Return where a learner stands in the twelve competencies, in their order."""
    found: list[Json] = told(reader, f"learners/{address}/mastery")["frameworks"][0]["competencies"]
    return found


def expected(late: bool = True) -> Conclusions:
    """Return what the pure functions conclude without a database."""
    statements = [one for batch in batches() for one in batch]
    return Conclusions(statements, [*acts(), *(late_acts() if late else [])])


def credit(reader: Client, address: str) -> Json:
    """Return what the district's policy says of a learner."""
    found: Json = told(reader, f"learners/{address}/credit")["policies"][0]
    return found


def chain(reader: Client, newest: str | None) -> list[Json]:
    """Return the records of a decision and of all that it superseded, newest first."""
    records = []
    while newest is not None:
        records.append(told(reader, f"decisions/{newest}"))
        newest = records[-1]["supersedes"]
    return records


def test_everyone_with_evidence_is_listed_and_who_only_completes_is_not(learners: dict[str, str]) -> None:
    assert len(learners) == facts()["learners"] - 1
    assert "S-1060" not in learners
    assert notable()["S-1060"].startswith("only ever completed")


def test_every_standing_and_answer_is_what_the_pure_functions_conclude(
    reader: Client, learners: dict[str, str]
) -> None:
    conclusions = expected()
    for name, address in learners.items():
        shown = [(one["status"], one["level"], one["value"]) for one in standings(reader, address)]
        outcomes = [conclusions.outcome(name, place) for place in range(1, 13)]
        assert shown == [(one.status, one.level, _text(one.rounded)) for one in outcomes], name
        answer, concluded = credit(reader, address), conclusions.credit(name)
        assert (answer["outcome"], [(one["have"], one["need"]) for one in answer["leaves"]]) == (
            concluded.outcome,
            [(leaf.have, leaf.need) for leaf in concluded.leaves],
        ), name


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def test_every_newest_decision_is_verified(reader: Client, learners: dict[str, str]) -> None:
    for address in learners.values():
        ids = [one["decision"] for one in standings(reader, address) if one["decision"]]
        ids.append(credit(reader, address)["decision"])
        assert all(told(reader, f"decisions/{one}")["verified"] for one in ids)


def test_every_decision_ever_made_on_some_learners_is_verified_and_chained(
    reader: Client, learners: dict[str, str]
) -> None:
    for address in list(learners.values())[::SAMPLED]:
        for one in [*standings(reader, address), credit(reader, address)]:
            records = chain(reader, one["decision"])
            assert all(record["verified"] for record in records)
            assert all(a["previous_digest"] == b["digest"] for a, b in pairwise(records))


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("S-1001", "eligible"),
        ("S-1002", "eligible"),
        ("S-1003", "eligible"),
        ("S-1004", "not_yet"),
        ("S-1005", "not_yet"),
        ("S-1006", "not_yet"),
        ("S-1008", "not_yet"),
        ("S-1011", "not_yet"),
    ],
)
def test_the_stories_of_credit_hold(reader: Client, learners: dict[str, str], name: str, outcome: str) -> None:
    assert notable()[name]
    assert credit(reader, learners[name])["outcome"] == outcome


def test_revisions_made_three_tasks_secure(reader: Client, learners: dict[str, str]) -> None:
    records = chain(reader, standings(reader, learners["S-1002"])[1]["decision"])
    assert any(one["reason"] == "superseded_by_revision" for one in records[0]["excluded"])
    assert records[0]["status"] == "proficient"


def test_the_learner_with_late_strands_became_eligible_only_then(reader: Client, learners: dict[str, str]) -> None:
    answers = [one["outcome"] for one in chain(reader, credit(reader, learners["S-1003"])["decision"])]
    assert answers == sorted(answers)
    assert {"eligible", "not_yet"} == set(answers)
    decisions = [one["decision"] for one in standings(reader, learners["S-1003"]) if one["decision"]]
    assert "late" in {record["cause"] for one in decisions for record in chain(reader, one)}


def test_a_void_took_a_competency_back(reader: Client, learners: dict[str, str]) -> None:
    fourth = standings(reader, learners["S-1007"])[3]
    assert fourth["status"] == "insufficient_evidence"
    newest, before = chain(reader, fourth["decision"])[:2]
    assert (newest["cause"], before["status"]) == ("void", "proficient")
    assert any(one["reason"] == "voided" for one in newest["excluded"])


def test_a_void_took_eligibility_back(reader: Client, learners: dict[str, str]) -> None:
    outcomes = [one["outcome"] for one in chain(reader, credit(reader, learners["S-1008"])["decision"])]
    assert outcomes[0] == "not_yet"
    assert "eligible" in outcomes


def test_a_task_sent_twice_counts_once(reader: Client, learners: dict[str, str]) -> None:
    tenth = told(reader, f"decisions/{standings(reader, learners['S-1009'])[9]['decision']}")
    assert "duplicate" in [one["reason"] for one in tenth["excluded"]]
    assert tenth["status"] != "proficient"


def test_practice_alone_is_not_enough_anywhere(reader: Client, learners: dict[str, str]) -> None:
    assert {one["status"] for one in standings(reader, learners["S-1010"])} <= {"no_evidence", "insufficient_evidence"}


def test_the_second_version_of_the_rule_took_eligibility_back(reader: Client, learners: dict[str, str]) -> None:
    newest, before = chain(reader, credit(reader, learners["S-1011"])["decision"])[:2]
    assert (newest["outcome"], before["outcome"]) == ("not_yet", "eligible")
    fifth = chain(reader, standings(reader, learners["S-1011"])[4]["decision"])
    assert (fifth[0]["cause"], fifth[0]["rule"]["version"], fifth[1]["status"]) == ("rule_change", 2, "proficient")


def test_a_void_lowered_a_level(reader: Client, learners: dict[str, str]) -> None:
    records = chain(reader, standings(reader, learners["S-1012"])[5]["decision"])
    lowered = [(before["level"], one["level"]) for one, before in pairwise(records) if one["cause"] == "void"]
    assert ("Secure", None) in lowered
    assert records[0]["level"] != "Secure"


def test_the_quarantine_holds_what_the_pure_functions_leave_unused(reader: Client) -> None:
    assert told(reader, "quarantine")["by_reason"] == Counter(expected().unused)


def test_the_trail_of_every_kind_of_decision_can_be_walked(reader: Client, learners: dict[str, str]) -> None:
    for name in notable().keys() & learners.keys():
        for one in (standings(reader, learners[name])[4], credit(reader, learners[name])):
            body = told(reader, f"decisions/{one['decision']}/audit")
            assert {"published", "mastery_decision"} <= {step["step"] for step in body["trail"]}
            assert body["credentials"]
