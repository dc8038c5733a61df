"""Decisions that go out: as Learner Competency statements, to the same log, once, live only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from lrs.store.log import Log
from projections.ids import decision_key
from projections.profile import DECISION
from projections.publishing.job import office_of, publish_all, publishing
from projections.publishing.outbox import Office, publish, restart
from projections.publishing.statements import (
    ACHIEVED,
    COMPETENCY,
    EXPIRES,
    LEARNER_COMPETENCY,
    REVOKED,
    VERSION,
    Subject,
    Turn,
    statement_id,
    statement_of,
)
from projections.publishing.tables import publication
from tests.district import District
from tests.projections.scenes import (
    ALGEBRA,
    POLICY,
    Json,
    bare,
    decided,
    did,
    digests,
    first_acts,
    folded,
    learner,
    outcome,
    rule,
    statuses,
    told,
    void,
    waiting,
)

PASSED = [did("ada", "essay", 0.9, 1), did("ada", "bridge", 0.95, 2), did("ada", "exam", 0.95, 3)]


@pytest.fixture
def term(shared_district: District) -> District:
    """A log that is published from its first acts on, and folded up to them."""
    district = folded(shared_district, first_acts())
    assert publish(office(district), district.log) == 0
    return district


def office(district: District) -> Office:
    """Return what publishes the district's decisions."""
    return office_of(district.desk)


def published(district: District) -> list[Json]:
    """Return the statements that tell decisions, in the order of the log."""
    found = district.someone.found(ascending="true")
    return [one for one in found if DECISION in one.get("context", {}).get("extensions", {})]


def after(district: District, *statements: Json) -> list[Json]:
    """Append, fold and publish; return the statements that tell decisions."""
    told(district, *statements)
    publish(office(district), district.log)
    return published(district)


def on(found: list[Json], iri: str) -> list[tuple[str, str]]:
    """Return the verb and the status of what was told on a competency or a policy."""
    return [
        (one["verb"]["id"], one["context"]["extensions"][DECISION]["status"])
        for one in found
        if iri in {one["object"].get("id"), *(each["id"] for each in _grouping(one))}
    ]


def _grouping(statement: Mapping[str, Any]) -> list[Json]:
    grouping: list[Json] = statement["context"]["contextActivities"].get("grouping", [])
    return grouping


def test_a_learner_who_becomes_proficient_is_told_to_have_achieved_it(term: District) -> None:
    found = after(term, *PASSED)
    assert on(found, ALGEBRA) == [(ACHIEVED, "proficient")]
    one = next(one for one in found if one["object"]["id"] == ALGEBRA)
    record = decided(term, "ada", "algebra")[0]
    assert one["actor"] == learner("ada")
    assert one["object"]["definition"] == {"type": COMPETENCY, "name": {"en": "algebra"}}
    assert one["context"]["contextActivities"]["category"][0]["id"] == VERSION
    turned = next(one for one in decided(term, "ada", "algebra") if one["status"] == "proficient")
    position = decision_key(turned["decision_id"]).position
    assert one["context"]["extensions"][DECISION] == {
        "id": turned["decision_id"], "status": "proficient", "level": turned["level"], "position": position,
        "digest": turned["digest"],
    }  # fmt: skip
    assert one["context"]["statement"]["id"] in {each["id"] for each in PASSED}
    assert one["timestamp"] == turned["as_of"]["stored"]
    assert one["authority"]["account"]["name"] == "operator"
    assert "result" not in one
    assert record["learner"]["name"] == "Ada"


def test_the_id_follows_from_the_decision(term: District) -> None:
    for one in after(term, *PASSED):
        assert one["id"] == statement_id(term.log.origin, one["context"]["extensions"][DECISION]["id"])


def test_a_record_names_the_statement_that_told_it(term: District) -> None:
    after(term, *PASSED)
    term.fold()
    reader = term.client("all/read")
    records = decided(term, "ada", "algebra")
    shown = [reader.get(f"/api/v1/decisions/{one['decision_id']}").get_json()["published"] for one in records]
    turned = [one["status"] == "proficient" for one in records].index(True)
    assert [one is not None for one in shown] == [place == turned for place in range(len(records))]
    assert shown[turned]["statement_id"] == statement_id(term.log.origin, records[turned]["decision_id"])
    assert (shown[turned]["verb"], shown[turned]["is_voided"]) == (ACHIEVED, False)


def test_credit_that_is_within_reach_is_told_of_the_policy(term: District) -> None:
    assert on(after(term, *PASSED), POLICY) == [(ACHIEVED, "eligible")]


def test_what_does_not_turn_anything_is_not_told(term: District) -> None:
    first = after(term, *PASSED)
    assert after(term, did("ada", "bridge", 0.96, 5, revision=1), did("ben", "essay", 0.2, 5)) == first


def test_a_loss_is_told_by_the_district_and_names_what_it_takes_back(term: District) -> None:
    gained = next(one for one in after(term, *PASSED) if one["object"]["id"] == ALGEBRA)
    found = after(term, *(void(one["id"]) for one in PASSED))
    assert on(found, ALGEBRA) == [(ACHIEVED, "proficient"), (REVOKED, "insufficient_evidence")]
    lost = next(one for one in found if one["verb"]["id"] == REVOKED and _grouping(one)[0]["id"] == ALGEBRA)
    assert lost["object"]["account"] == learner("ada")["account"]
    assert lost["actor"]["account"]["name"] == "operator"
    assert lost["context"]["statement"] == {"objectType": "StatementRef", "id": gained["id"]}


def test_a_rule_that_asks_for_more_takes_back_what_it_no_longer_grants(term: District) -> None:
    after(term, *PASSED)
    found = after(term, rule(2, 10, min_evidence=9))
    assert on(found, ALGEBRA)[-1] == (REVOKED, "insufficient_evidence")


def test_publishing_again_tells_nothing_twice(term: District) -> None:
    found = after(term, *PASSED)
    term.fold()
    assert publish(office(term), term.log) == 0
    restart(office(term), term.log, 0)
    assert publish(office(term), term.log) == 0
    assert published(term) == found


def test_a_worker_that_died_between_append_and_checkpoint_is_made_good(term: District) -> None:
    told(term, *PASSED)

    def append_and_die(log: Log, statements: list[Json]) -> None:
        term.desk.append(log, statements)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        publish(replace(office(term), append=append_and_die), term.log)
    found = published(term)
    assert found
    assert publish(office(term), term.log) == 0
    assert published(term) == found


def test_what_is_published_is_no_evidence_and_moves_no_decision(term: District) -> None:
    told(term, *PASSED)
    before, quarantined, seen = outcome(term), waiting(term), statuses(term, "ada")
    assert publish(office(term), term.log) > 0
    term.fold()
    assert (outcome(term), waiting(term), statuses(term, "ada")) == (before, quarantined, seen)
    assert publish(office(term), term.log) == 0


def test_a_rebuild_and_a_verification_publish_nothing(term: District) -> None:
    after(term, *PASSED)
    term.fold()
    size, before = term.size(), digests(term)
    term.runtime.verify(term.log.log_id)
    term.runtime.rebuild(term.log.log_id, ("evidence",))
    assert publish(office(term), term.log) == 0
    assert term.size() == size
    assert digests(term) == before


def test_what_was_decided_before_publishing_began_stays_unpublished(shared_district: District) -> None:
    district = folded(shared_district, [*first_acts(), *PASSED])
    assert publish(office(district), district.log) == 0
    assert after(district, did("ben", "essay", 0.9, 1)) == []
    found = after(district, *(void(one["id"]) for one in PASSED))
    lost = next(one for one in found if one["verb"]["id"] == REVOKED)
    assert lost["context"]["statement"]["id"] not in {one["id"] for one in PASSED}


def test_a_log_that_is_not_folded_waits(shared_district: District) -> None:
    district = bare(shared_district)
    assert publish(office(district), district.log) == 0
    with district.desk.derived.connect() as connection:
        query = select(publication).where(publication.c.log_id == district.log.log_id)
        assert connection.execute(query.order_by(publication.c.log_id)).all() == []


def test_an_id_that_somebody_has_taken_is_left_to_him(term: District) -> None:
    told(term, *PASSED)
    turned = next(one for one in decided(term, "ada", "algebra") if one["status"] == "proficient")
    taken = {**did("eve", "essay", 0.1, 1), "id": statement_id(term.log.origin, turned["decision_id"])}
    told(term, taken)
    assert publish(office(term), term.log) > 0
    assert taken["id"] not in {one["id"] for one in published(term)}


def test_a_log_in_trouble_does_not_hold_up_the_others(term: District, shared_district: District) -> None:
    other = folded(shared_district, first_acts())
    publish(office(other), other.log)
    told(term, *PASSED)
    told(other, *PASSED)

    def refusing(log: Log, statements: list[Json]) -> None:
        if log.log_id == term.log.log_id:
            raise OSError("the disk is full")
        other.desk.append(log, statements)

    assert publish_all(replace(office(other), append=refusing)) > 0
    assert published(term) == []
    assert published(other)


def test_the_worker_publishes_only_where_the_settings_say_so(shared_district: District) -> None:
    desk = shared_district.desk
    assert publishing(desk) == []
    willing = replace(desk, settings=replace(desk.settings, publish_decisions=True))
    [(job, seconds)] = publishing(willing)
    assert callable(job)
    assert seconds > 0


def test_what_ends_by_itself_says_when() -> None:
    decision = decision_key(f"m.{'0' * 15}1.{'0' * 15}2.7")
    turn = Turn(decision, True, 0, None, {"status": "proficient"}, None, 1_000_000)
    one = statement_of("https://d.example", turn, Subject(ALGEBRA, "Algebra"), learner("ada"), learner("office"))
    assert one["context"]["extensions"][EXPIRES] == "1970-01-01T00:00:01.000000Z"
    assert one["context"]["contextActivities"]["category"][0]["definition"] == {"type": LEARNER_COMPETENCY}
    assert "statement" not in one["context"]
