"""What all of `/api/v1` has in common: ETags, pages, problem details, and answers that are as they are described."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import insert

from lrs.resources.openapi import document
from lrs.store.engine import immediate
from projections.rulebook import document_key
from projections.tables import parked
from tests.district import Client, District
from tests.projections.scenes import (
    ALGEBRA,
    POLICY,
    Json,
    address_of,
    did,
    first_acts,
    folded,
    learner,
    live_ids,
    policy,
    rule,
    told,
    void,
)

LISTS = {"learners": "learners", "rules": "rules", "policies": "policies"}


@pytest.fixture(scope="module")
def term(shared_district: District) -> District:
    """A log with three learners, a void, and second versions of rule and policy."""
    exam = did("ada", "exam", 0.95, 3)
    work = [did("ada", "essay", 0.9, 1), did("ada", "bridge", 0.95, 2), exam]
    others = [did("ben", "essay", 0.4, 1), did("cleo", "exam", 0.7, 2)]
    second = policy(2, 11, {"competency_at_level": {"competency": ALGEBRA, "level": "Secure"}})
    return folded(shared_district, [*first_acts(), *work, *others, void(exam["id"]), rule(2, 12), second])


@pytest.fixture(scope="module")
def reader(term: District) -> Client:
    """An auditor of the log."""
    return term.client("all/read")


@pytest.fixture(scope="module")
def names(reader: Client) -> Json:
    """What the places in the paths stand for."""
    ada = address_of("ada")
    found = reader.get(f"/api/v1/learners/{ada}/mastery").get_json()["frameworks"][0]["competencies"]
    mastery = next(one["decision"] for one in found if one["uri"] == ALGEBRA)
    return {
        "/learners/{learner}": {"learner": ada},
        "/decisions/{decision}": {"decision": mastery},
        "/rules/{key}": {"key": reader.get("/api/v1/rules").get_json()["rules"][0]["key"]},
        "/policies/{key}": {"key": document_key("policy", POLICY)},
    }


def paths(term: District, names: Json) -> list[tuple[str, str, Json]]:
    """Return every address of ours that can be asked: (address, path as described, operation)."""
    found = []
    for path, operations in document(term.app)["paths"].items():
        if not path.startswith("/api/v1/") or "get" not in operations:
            continue
        inner = path.removeprefix("/api/v1")
        known: Json = next((values for stem, values in names.items() if inner.startswith(stem)), {})
        address = path
        for name, value in known.items():
            address = address.replace(f"{{{name}}}", value)
        needed = [one for one in operations["get"]["parameters"] if one["required"] and one["in"] == "query"]
        if "{" not in address and not needed:
            found.append((address, path, operations["get"]))
    return found


# Entity tags


def test_every_answer_has_a_strong_tag_and_is_not_sent_twice(term: District, reader: Client, names: Json) -> None:
    for address, _, _ in paths(term, names):
        answer = reader.get(address)
        if answer.status_code != 200:
            continue
        tag, is_weak = answer.get_etag()
        assert (bool(tag), is_weak) == (True, False), address
        again = reader.get(address, If_None_Match=f'"{tag}"')
        assert (again.status_code, again.data, again.get_etag()[0]) == (304, b"", tag), address
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert "Authorization" in answer.vary


def test_a_tag_among_others_a_weak_one_and_a_star_are_known_too(reader: Client) -> None:
    tag = reader.get("/api/v1/learners").get_etag()[0]
    for given in (f'"other", "{tag}"', f'W/"{tag}"', "*"):
        assert reader.get("/api/v1/learners", If_None_Match=given).status_code == 304
    assert reader.get("/api/v1/learners", If_None_Match='"other"').status_code == 200


def test_a_star_does_not_hide_that_there_is_nothing(reader: Client) -> None:
    assert reader.get(f"/api/v1/learners/{'0' * 16}/mastery", If_None_Match="*").status_code == 404


def test_another_question_has_another_tag(term: District, reader: Client) -> None:
    asked: list[Json] = [{}, {"limit": 1}, {"as_of": 9}, {"as_of": 10}]
    tags = [reader.get("/api/v1/learners", query).get_etag()[0] for query in asked]
    tags.append(reader.get("/api/v1/rules").get_etag()[0])
    tags.append(term.client("all").get("/api/v1/learners").get_etag()[0])
    assert len(set(tags)) == len(tags)


def test_the_same_question_has_the_same_tag_whoever_of_equal_rights_asks(term: District, reader: Client) -> None:
    other = term.client("all/read")
    term.fold()
    assert reader.get("/api/v1/learners").get_etag() == other.get("/api/v1/learners").get_etag()


def test_a_new_statement_a_new_build_and_what_is_parked_change_the_tag(shared_district: District) -> None:
    district = folded(shared_district, [*first_acts(), did("ada", "essay", 0.9, 1)])
    reader = district.client("all/read")
    district.fold()
    path = f"/api/v1/learners/{address_of('ada')}/mastery"
    tags = [reader.get(path).get_etag()[0]]
    told(district, did("ada", "exam", 0.9, 2))
    tags.append(reader.get(path).get_etag()[0])
    district.runtime.rebuild(district.log.log_id, ("evidence",))
    tags.append(reader.get(path).get_etag()[0])
    with immediate(district.desk.derived).begin() as connection:
        build = live_ids(connection, district)["mastery"]
        connection.execute(insert(parked).values(build_id=build, position=1, learner=1, reason="broken"))
    tags.append(reader.get(path).get_etag()[0])
    assert len(set(tags)) == 4
    assert all(reader.get(path, If_None_Match=f'"{tag}"').status_code == 200 for tag in tags[:-1])


def test_a_compressed_answer_has_a_tag_of_its_own(reader: Client) -> None:
    plain, zipped = reader.get("/api/v1/rules"), reader.get("/api/v1/rules", Accept_Encoding="gzip")
    assert gzip.decompress(zipped.data) == plain.data
    tag = zipped.get_etag()[0]
    assert tag != plain.get_etag()[0]
    again = reader.get("/api/v1/rules", Accept_Encoding="gzip", If_None_Match=f'"{tag}"')
    assert (again.status_code, again.get_etag()[0]) == (304, tag)


def test_a_refusal_has_no_tag(reader: Client) -> None:
    assert "ETag" not in reader.get("/api/v1/learners", {"limit": 0}).headers


# Pages


@pytest.mark.parametrize("path", sorted(LISTS))
def test_a_list_leads_from_page_to_page_by_links(reader: Client, path: str) -> None:
    whole = reader.get(f"/api/v1/{path}").get_json()[LISTS[path]]
    found: list[Any] = []
    address: str | None = f"/api/v1/{path}?limit=1&as_of=999999"
    while address:
        answer = reader.get(address)
        page = answer.get_json()
        assert len(page[LISTS[path]]) == 1
        found += page[LISTS[path]]
        link = answer.headers.get("Link", "")
        assert link.endswith('; rel="next"') == bool(page["after"])
        address = link.partition(">")[0].removeprefix("<") or None
    assert found == whole


def test_refusals_lead_on_by_links_too(term: District) -> None:
    tool = term.client("statements/write")
    for number in range(2):
        assert tool.post([{"verb": number}]).status_code == 400
    first = tool.get("/api/v1/refusals?limit=1")
    following = first.headers["Link"].partition(">")[0].removeprefix("<")
    assert tool.get(following).get_json()["refusals"][0]["id"] < first.get_json()["refusals"][0]["id"]
    assert "Link" not in tool.get(following).headers


@pytest.mark.parametrize("path", sorted(LISTS))
def test_every_problem_of_a_query_is_told_with_its_place(reader: Client, path: str) -> None:
    answer = reader.get(f"/api/v1/{path}", {"limit": 501, "colour": "red"})
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert {one["pointer"] for one in answer.get_json()["problems"]} == {"?limit", "?colour"}


# The document


def test_every_answer_is_as_the_document_describes_it(term: District, reader: Client, names: Json) -> None:
    told_document = document(term.app)
    checked = set()
    for address, path, operation in paths(term, names):
        answer = reader.get(address)
        assert str(answer.status_code) in operation["responses"], address
        if answer.status_code == 200:
            schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
            validator = Draft202012Validator({**schema, "components": told_document["components"]})
            wrong = [f"{one.json_path}: {one.message}" for one in validator.iter_errors(answer.get_json())]
            assert wrong == [], address
            checked.add(path)
    assert checked >= {f"/api/v1/{path}" for path in LISTS} | {
        "/api/v1/learners/{learner}/mastery", "/api/v1/learners/{learner}/progress",
        "/api/v1/learners/{learner}/credit", "/api/v1/decisions/{decision}", "/api/v1/decisions/{decision}/audit",
        "/api/v1/rules/{key}", "/api/v1/policies/{key}",
    }  # fmt: skip


def test_a_credit_decision_is_as_described_too(term: District, reader: Client) -> None:
    found = reader.get(f"/api/v1/learners/{address_of('ada')}/credit").get_json()["policies"][0]["decision"]
    operation = document(term.app)["paths"]["/api/v1/decisions/{decision}"]["get"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    record = reader.get(f"/api/v1/decisions/{found}").get_json()
    assert list(Draft202012Validator(schema).iter_errors(record)) == []


def test_every_get_describes_its_tag_and_the_answer_without_a_body(term: District) -> None:
    for path, operations in document(term.app)["paths"].items():
        if path.startswith("/api/") and "get" in operations:
            assert "ETag" in operations["get"]["responses"]["200"]["headers"], path
            assert "304" in operations["get"]["responses"], path


# Rules


def test_a_rule_tells_all_its_versions_and_what_each_holds_for(term: District, reader: Client) -> None:
    found = reader.get("/api/v1/rules").get_json()["rules"][0]
    assert [one["version"] for one in found["versions"]] == [1, 2]
    assert found["version"] == 2
    assert found["text"] == found["versions"][1]["text"]
    held = [{one["uri"] for one in version["holds_for"]} for version in found["versions"]]
    assert ALGEBRA in held[1]
    assert reader.get(f"/api/v1/rules/{found['key']}").get_json()["versions"] == found["versions"]


def test_a_rule_is_told_as_of_a_moment(reader: Client) -> None:
    key = reader.get("/api/v1/rules").get_json()["rules"][0]["key"]
    assert [one["version"] for one in reader.get(f"/api/v1/rules/{key}", {"as_of": 9}).get_json()["versions"]] == [1]


def test_a_policy_tells_which_version_is_in_force(reader: Client) -> None:
    found = reader.get(f"/api/v1/policies/{document_key('policy', POLICY)}").get_json()
    assert [(one["version"], one["in_force"]) for one in found["versions"]] == [(1, False), (2, True)]


@pytest.mark.parametrize("path", ["rules", "policies"])
def test_a_key_that_stands_for_nothing_is_not_found(reader: Client, path: str) -> None:
    answer = reader.get(f"/api/v1/{path}/{'0' * 16}")
    assert answer.status_code == 404
    assert f"/api/v1/{path}" in answer.get_json()["detail"]


def test_a_learner_is_told_by_no_more_than_the_scope_allows(term: District) -> None:
    for path in ("rules", "policies", f"learners/{address_of('ada')}/progress"):
        assert term.client("statements/write").get(f"/api/v1/{path}").status_code == 403
    assert learner("ada")["name"] == "Ada"
