"""`/api/v1`: who may read, as of when, and every field that proves a decision."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from lrs.store.engine import immediate
from projections.credit.tables import credit_decision
from projections.evidence.tables import evidence
from projections.ids import decision_key
from projections.mastery.tables import decision
from tests.district import Client, District
from tests.projections.scenes import (
    ALGEBRA,
    FRAMEWORK,
    GEOMETRY,
    POLICY,
    Json,
    address_of,
    aligned,
    bare,
    did,
    first_acts,
    folded,
    live_ids,
    normaliser,
    policy,
    rule,
    told,
    void,
)

PATHS = (
    "/api/v1/learners",
    "/api/v1/learners/{learner}/mastery",
    "/api/v1/learners/{learner}/credit",
    "/api/v1/decisions/{mastery}",
    "/api/v1/decisions/{mastery}/audit",
    "/api/v1/decisions/{credit}",
    "/api/v1/decisions/{credit}/audit",
    "/api/v1/quarantine",
)
DECISION_FIELDS = {
    "decision_id", "learner", "competency", "rule", "scale", "as_of", "status", "level", "raw", "rounded", "inputs",
    "excluded", "unmet", "overrides", "superseded_by", "cause", "engine_version", "previous_digest", "digest",
    "verified", "arithmetic", "supersedes", "next_step",
}  # fmt: skip
INPUT_FIELDS = {
    "statement_id", "position", "evidence_kind", "score", "points", "weight", "order_key", "revision", "scorer",
    "calibration", "context", "credential", "matched_by", "alignment_position", "normaliser_position", "success",
}  # fmt: skip


@pytest.fixture(scope="module")
def term(shared_district: District) -> District:
    """A log with some work, a void, a late alignment, a second version of rule and policy."""
    scaled: Json = {
        "result": {"score": {"scaled": 0.9}},
        "context": {"platform": "Moodle", "registration": _REGISTRATION},
    }
    exam, voided = did("ada", "exam", 0.95, 3), did("ada", "bridge", 0.9, 2)
    work = [did("ada", "essay", 0, 1, **scaled), voided, exam, did("ben", "essay", 0.4, 1), did("ada", "lab", 0.8, 4)]
    acts = [*first_acts(), normaliser("Moodle", "-1"), aligned("lab", ALGEBRA, on=9)]
    second_policy = policy(2, 11, {"competency_at_level": {"competency": ALGEBRA, "level": "Secure"}})
    return folded(shared_district, [*acts[:-1], *work, acts[-1], void(voided["id"]), rule(2, 10), second_policy])


_REGISTRATION = "5b6bc2a0-6f2d-4f0e-9a61-1a7ad9f1d0aa"


@pytest.fixture(scope="module")
def reader(term: District) -> Client:
    """An auditor of the log."""
    return term.client("all/read")


def told_by(reader: Client, path: str, **query: Any) -> Json:
    """Return the JSON of an answer that must be good."""
    answer = reader.get(f"/api/v1/{path}", query)
    assert answer.status_code == 200, answer.text
    body: Json = answer.get_json()
    return body


def standing(reader: Client, who: str, competency: str, **query: Any) -> Json:
    """Return where a learner stands in a competency."""
    found = told_by(reader, f"learners/{address_of(who)}/mastery", **query)["frameworks"][0]["competencies"]
    return next(one for one in found if one["uri"] == competency)


def newest(reader: Client, who: str, competency: str) -> Json:
    """Return the record of the newest decision."""
    return told_by(reader, f"decisions/{standing(reader, who, competency)['decision']}")


def credit_answer(reader: Client, who: str) -> Json:
    """Return what the policy says of a learner."""
    found: Json = told_by(reader, f"learners/{address_of(who)}/credit")["policies"][0]
    return found


def filled(reader: Client, path: str) -> str:
    """Return a path with the names of a learner and of decisions in it."""
    return path.format(
        learner=address_of("ada"),
        mastery=standing(reader, "ada", ALGEBRA)["decision"],
        credit=credit_answer(reader, "ada")["decision"],
    )


# Who may read


@pytest.mark.parametrize("path", PATHS)
def test_nobody_reads_without_a_credential(term: District, reader: Client, path: str) -> None:
    assert term.app.test_client().get(filled(reader, path)).status_code == 401


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("scope", ["statements/write", "statements/read/mine", "registrar"])
def test_a_credential_without_a_readers_scope_is_refused(term: District, reader: Client, path: str, scope: str) -> None:
    assert term.client(scope).get(filled(reader, path)).status_code == 403


@pytest.mark.parametrize("scope", ["all", "all/read", "statements/read"])
def test_a_readers_scope_suffices(term: District, reader: Client, scope: str) -> None:
    one = term.client(scope)
    assert all(one.get(filled(reader, path)).status_code == 200 for path in PATHS)


@pytest.mark.parametrize("path", PATHS[1:-1])
def test_another_districts_learners_and_decisions_are_not_found(term: District, reader: Client, path: str) -> None:
    other = folded(term, [*first_acts(), did("cleo", "essay", 0.9, 1)])
    stranger = other.client("all/read")
    assert stranger.get(filled(reader, path)).status_code == 404


@pytest.mark.parametrize("name", ["1", "zz", "0" * 16, "m.1.2.3", f"m.{'0' * 16}.{'0' * 16}.1"])
def test_a_name_that_stands_for_nobody_is_not_found(reader: Client, name: str) -> None:
    assert reader.get(f"/api/v1/learners/{name}/mastery").status_code == 404
    assert reader.get(f"/api/v1/decisions/{name}").status_code == 404


def test_a_log_without_any_projection_says_so(shared_district: District) -> None:
    answer = bare(shared_district).client("all/read").get("/api/v1/learners")
    assert answer.status_code == 404
    assert "cairn work" in answer.text


# The list of learners


def test_the_learners_are_listed_page_by_page(reader: Client) -> None:
    first = told_by(reader, "learners", limit=1)
    second = told_by(reader, "learners", limit=1, after=first["after"])
    everyone = told_by(reader, "learners")
    assert [*first["learners"], *second["learners"]] == everyone["learners"]
    assert (second["after"], everyone["after"]) == (None, None)
    assert {one["name"] for one in everyone["learners"]} == {"Ada", "Ben"}


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": "x"}, {"after": "x"}, {"page": 1}])
def test_a_query_that_cannot_be_understood_is_refused(reader: Client, query: Json) -> None:
    assert reader.get("/api/v1/learners", query).status_code == 400


# As of


def test_a_map_as_of_a_position_tells_what_held_there(term: District, reader: Client) -> None:
    second = newest(reader, "ada", ALGEBRA)["supersedes"]
    position = decision_key(second).position
    assert standing(reader, "ada", ALGEBRA, as_of=position)["decision"] == second
    as_of = told_by(reader, f"learners/{address_of('ada')}/mastery", as_of=position)["as_of"]
    assert (as_of["position"], as_of["head"]) == (position, term.size())


def test_a_map_as_of_a_stored_time_is_the_map_as_of_the_last_position_until_then(reader: Client) -> None:
    second = newest(reader, "ada", ALGEBRA)["supersedes"]
    position = decision_key(second).position
    path = f"learners/{address_of('ada')}/mastery"
    by_position = told_by(reader, path, as_of=position)
    assert told_by(reader, path, as_of=by_position["as_of"]["stored"]) == by_position


def test_a_position_beyond_the_head_is_the_head(term: District, reader: Client) -> None:
    assert (
        told_by(reader, "learners", as_of=10**12)["as_of"]["position"]
        == told_by(reader, "learners")["as_of"]["position"]
    )


def test_nothing_is_known_before_the_first_statement(reader: Client) -> None:
    assert told_by(reader, "learners", as_of=0)["learners"] == []
    assert told_by(reader, "learners", as_of="1999-01-01T00:00:00Z")["learners"] == []
    assert reader.get(f"/api/v1/learners/{address_of('ada')}/mastery", {"as_of": 0}).status_code == 404


@pytest.mark.parametrize("as_of", ["yesterday", "-1", "1.5", "²", "9" * 19, "2026-13-01T00:00:00Z", ""])
@pytest.mark.parametrize("path", PATHS)
def test_an_as_of_that_is_neither_is_refused_with_the_fix(reader: Client, path: str, as_of: str) -> None:
    answer = reader.get(filled(reader, path), {"as_of": as_of})
    assert answer.status_code == 400
    assert "as_of" in answer.text


def test_a_decision_as_of_an_earlier_position_is_not_superseded_yet(reader: Client) -> None:
    second = newest(reader, "ada", ALGEBRA)["supersedes"]
    assert told_by(reader, f"decisions/{second}")["superseded_by"]
    assert told_by(reader, f"decisions/{second}", as_of=decision_key(second).position)["superseded_by"] is None


# The record of a decision


def test_a_decision_carries_every_field_of_its_provenance(term: District, reader: Client) -> None:
    record = newest(reader, "ada", ALGEBRA)
    assert record.keys() >= DECISION_FIELDS
    assert all(one.keys() >= INPUT_FIELDS for one in record["inputs"])
    assert record["competency"]["framework"]["version"] == "1"
    for published in (record["rule"], record["scale"]):
        assert published.keys() >= {"id", "version", "title", "statement_id", "position", "digest"}
    assert (record["rule"]["version"], record["cause"], record["status"]) == (2, "rule_change", "proficient")
    assert (record["engine_version"], record["overrides"], record["verified"]) == ("0.1.0", [], True)
    assert record["as_of"]["stored"].startswith("20")
    scaled = next(one for one in record["inputs"] if one["score"] == "19/20")
    assert scaled["context"] == {"registration": _REGISTRATION, "activities": [], "key": None}
    assert scaled["normaliser_position"]
    assert scaled["credential"] == "operator"
    assert [(one["reason"], one["position"]) for one in record["excluded"]] == [("voided", 11)]
    assert record["arithmetic"]
    assert "at least 2 different tasks" in record["rule"]["text"]


def test_credit_tells_what_there_is_and_what_is_needed_for_each_leaf(reader: Client) -> None:
    answer = credit_answer(reader, "ben")
    assert answer["outcome"] == "not_yet"
    assert [(one["path"], one["have"], one["need"], one["met"]) for one in answer["leaves"]] == [
        ("/require", "insufficient evidence", "Secure", False)
    ]
    assert credit_answer(reader, "ada")["outcome"] == "eligible"


@pytest.mark.parametrize(
    ("table", "projection", "values", "path"),
    [
        (decision, "mastery", {"status": 0}, "mastery"),
        (decision, "mastery", {"level": "Beginning"}, "mastery"),
        (decision, "mastery", {"rounded": "3.99"}, "mastery"),
        (decision, "mastery", {"cause": 0}, "mastery"),
        (decision, "mastery", {"rule": 1}, "mastery"),
        (decision, "mastery", {"digest": bytes(32)}, "mastery"),
        (evidence, "evidence", {"score_num": 1}, "mastery"),
        (evidence, "evidence", {"kind": 0}, "mastery"),
        (credit_decision, "credit", {"outcome": 0}, "credit"),
        (credit_decision, "credit", {"leaves": b"[]"}, "credit"),
        (decision, "mastery", {"level": "Beginning"}, "credit"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_row_that_was_tampered_with_is_not_verified(
    own_district: District, table: Any, projection: str, values: Json, path: str
) -> None:
    work = [did("ada", "essay", 0.9, 1), did("ada", "exam", 0.95, 3)]
    district = folded(own_district, [*first_acts(), *work, rule(2, 10)])
    reader = district.client("all/read")
    address = filled(reader, f"decisions/{{{path}}}")
    assert told_by(reader, address)["verified"] is True
    with immediate(district.desk.derived).begin() as connection:
        own = table.c.build_id == live_ids(connection, district)[projection]
        connection.execute(update(table).where(own).values(values))
    assert told_by(reader, address)["verified"] is False


# The trail


def test_the_trail_of_a_mastery_decision_names_all_that_it_rests_on(term: District, reader: Client) -> None:
    wanted = standing(reader, "ada", ALGEBRA)["decision"]
    body = told_by(reader, f"decisions/{wanted}/audit")
    assert body["decision"] == told_by(reader, f"decisions/{wanted}")
    published = {
        (step["document"]["kind"], step["document"]["id"].rpartition("/")[2], step["document"]["version"])
        for step in body["trail"]
        if step["step"] == "published"
    }
    assert published == {
        ("scale", "beginning-developing-secure", 1),
        ("rule", "two-independent-tasks", 1),
        ("rule", "two-independent-tasks", 2),
        ("framework", "mathematics", "1"),
        ("alignment", "essay", 1),
        ("alignment", "bridge", 1),
        ("alignment", "exam", 1),
        ("alignment", "lab", 1),
        ("normaliser", "moodle", 1),
    }
    assert _positions(body, "published") == [1, 2, 3, 5, 6, 7, 9, 15, 17]


def _positions(body: Json, step: str) -> list[int]:
    return [one["position"] for one in body["trail"] if one["step"] == step]


def test_the_trail_shows_evidence_voids_and_superseded_decisions_in_the_order_of_the_log(reader: Client) -> None:
    wanted = standing(reader, "ada", ALGEBRA)["decision"]
    trail = told_by(reader, f"decisions/{wanted}/audit")["trail"]
    begun = [(one["statement"]["position"], one["brought_about_by"]["position"]) for one in _of(trail, "evidence")]
    assert begun == [(10, 10), (11, 11), (12, 12), (14, 15)]
    assert [(one["matched_by"], one["alignment_position"]) for one in _of(trail, "evidence")] == [
        ("alignment table", 5),
        ("alignment table", 6),
        ("alignment table", 7),
        ("alignment table", 15),
    ]
    ended = _of(trail, "evidence_ended")
    assert [(one["statement"]["position"], one["ended_by"]["position"], one["reason"]) for one in ended] == [
        (11, 16, "voided")
    ]
    made = _of(trail, "mastery_decision")
    assert [one["superseded_by"] for one in made] == [*(one["decision_id"] for one in made[1:]), None]
    assert made[-1]["decision_id"] == wanted
    assert {one["scale_position"] for one in made} == {1}
    assert [one["position"] for one in trail] == sorted(one["position"] for one in trail)


def _of(trail: list[Json], step: str) -> list[Json]:
    return [one for one in trail if one["step"] == step]


def test_the_trail_of_a_credit_decision_names_the_policy_and_what_it_looked_at(reader: Client) -> None:
    wanted = credit_answer(reader, "ada")["decision"]
    body = told_by(reader, f"decisions/{wanted}/audit")
    policies = [one for one in _of(body["trail"], "published") if one["document"]["kind"] == "policy"]
    assert [(one["document"]["id"], one["document"]["version"]) for one in policies] == [(POLICY, 1), (POLICY, 2)]
    frameworks = [
        one["document"]["id"] for one in _of(body["trail"], "published") if one["document"]["kind"] == "framework"
    ]
    assert frameworks == [FRAMEWORK]
    assert {one["subject"] for one in _of(body["trail"], "mastery_decision")} >= {ALGEBRA, GEOMETRY}
    answers = _of(body["trail"], "credit_decision")
    assert answers[-1]["decision_id"] == wanted
    assert {one["subject"] for one in answers} == {POLICY}


def test_the_trail_names_the_credentials_that_posted_each_statement(shared_district: District) -> None:
    district = folded(shared_district, first_acts())
    tool, office = district.client("statements/write"), district.client("statements/write", "all/read")
    exam = did("ada", "exam", 0.9, 2)
    assert tool.post([did("ada", "essay", 0.9, 1), exam]).status_code == 200
    assert office.post([void(exam["id"])]).status_code == 200
    district.fold()
    wanted = standing(office, "ada", ALGEBRA)["decision"]
    body = told_by(office, f"decisions/{wanted}/audit")
    counted = {one["credential"]: one["statements"] for one in body["credentials"]}
    assert counted == {"operator": 5, tool.key: 2, office.key: 1}
    evidence_steps = _of(body["trail"], "evidence")
    assert {one["statement"]["authority"]["credential"] for one in evidence_steps} == {tool.key}
    assert _of(body["trail"], "evidence_ended")[0]["ended_by"]["authority"]["credential"] == office.key


def test_an_act_that_was_taken_back_stays_in_the_trail_with_its_void(shared_district: District) -> None:
    lab = aligned("lab", ALGEBRA, on=5)
    district = folded(shared_district, [*first_acts(), lab, did("ada", "lab", 0.9, 6)])
    told(district, void(lab["id"]))
    reader = district.client("all/read")
    wanted = standing(reader, "ada", ALGEBRA)["decision"]
    gone = _of(told_by(reader, f"decisions/{wanted}/audit")["trail"], "withdrawn")
    assert [(one["document"]["kind"], one["document"]["position"], one["position"]) for one in gone] == [
        ("alignment", 9, 11)
    ]
    assert newest(reader, "ada", ALGEBRA)["cause"] == "correction"
