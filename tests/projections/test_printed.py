"""The command line tells what the API tells, as JSON or in columns."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

import wsgi
from projections.ids import learner_id
from projections.printed import table
from projections.publishing.tables import publication
from projections.rulebook import document_key
from tests.district import Client, District
from tests.projections.scenes import ALGEBRA, POLICY, address_of, did, first_acts, folded


@pytest.fixture(scope="module")
def term(shared_district: District) -> District:
    """A log with one learner who is secure in algebra."""
    return folded(shared_district, [*first_acts(), did("ada", "essay", 0.95, 1), did("ada", "exam", 0.95, 3)])


@pytest.fixture(scope="module")
def reader(term: District) -> Client:
    """An auditor of the log."""
    return term.client("all/read")


def run(district: District, *words: str) -> str:
    """Return what a command prints; it must end well."""
    result = CliRunner().invoke(wsgi.cairn, words, obj=district.desk)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(autouse=True)
def _at_this_desk(term: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wsgi, "desk_of", lambda _settings: term.desk)


def decision_of(reader: Client) -> str:
    """Return the decision in force on ada's algebra."""
    found = reader.get(f"/api/v1/learners/{address_of('ada')}/mastery").get_json()["frameworks"][0]["competencies"]
    return str(next(one["decision"] for one in found if one["uri"] == ALGEBRA))


def test_the_json_of_every_command_is_that_of_the_api(term: District, reader: Client) -> None:
    ada, decision, slug = address_of("ada"), decision_of(reader), term.log.slug
    for words, path in (
        (["learners", "list", slug], "learners"),
        (["learners", "mastery", slug, ada], f"learners/{ada}/mastery"),
        (["learners", "progress", slug, ada], f"learners/{ada}/progress"),
        (["decisions", "show", slug, decision], f"decisions/{decision}"),
        (["decisions", "audit", slug, decision], f"decisions/{decision}/audit"),
        (["rules", "show", slug, document_key("policy", POLICY)], f"policies/{document_key('policy', POLICY)}"),
    ):
        assert json.loads(run(term, *words, "--json")) == reader.get(f"/api/v1/{path}").get_json(), words
    rules = json.loads(run(term, "rules", "list", slug, "--json"))
    assert rules["rules"] == reader.get("/api/v1/rules").get_json()["rules"]
    assert rules["policies"] == reader.get("/api/v1/policies").get_json()["policies"]


def test_people_are_told_in_columns(term: District, reader: Client) -> None:
    slug, ada = term.log.slug, address_of("ada")
    assert f"{ada}  Ada" in run(term, "learners", "list", slug)
    assert "algebra   Proficient" in run(term, "learners", "mastery", slug, ada)
    progress = run(term, "learners", "progress", slug, ada)
    assert "Mathematics: " in progress
    assert "mastered  algebra" in progress
    shown = run(term, "decisions", "show", slug, decision_of(reader))
    assert "verified       yes" in shown
    assert "counted: " in shown
    assert "credential operator" in run(term, "decisions", "audit", slug, decision_of(reader))
    key = document_key("policy", POLICY)
    assert f"{key}  policy  Mathematics 1" in run(term, "rules", "list", slug)
    assert "version 1, published " in run(term, "rules", "show", slug, key)


def test_a_credit_decision_is_told_leaf_by_leaf(term: District, reader: Client) -> None:
    found = reader.get(f"/api/v1/learners/{address_of('ada')}/credit").get_json()["policies"][0]["decision"]
    assert "met: " in run(term, "decisions", "show", term.log.slug, found)


def test_an_answer_can_be_as_of_a_moment(term: District) -> None:
    found = json.loads(run(term, "learners", "list", term.log.slug, "--as-of", "1", "--json"))
    assert (found["as_of"]["position"], found["learners"]) == (1, [])


def test_what_is_not_there_is_told_in_words(term: District) -> None:
    result = CliRunner().invoke(wsgi.cairn, ["learners", "mastery", term.log.slug, learner_id(1)])
    assert result.exit_code == 1
    assert "no learner" in result.output


def test_a_list_says_how_to_go_on(shared_district: District) -> None:
    district = folded(shared_district, [*first_acts(), did("ada", "essay", 0.9, 1), did("ben", "essay", 0.9, 1)])
    assert "more: --after " in run(district, "learners", "list", district.log.slug, "--limit", "1")


def test_decisions_are_published_at_once_when_asked(shared_district: District) -> None:
    district = folded(shared_district, [*first_acts(), did("ada", "essay", 0.95, 1), did("ada", "exam", 0.95, 3)])
    slug = district.log.slug
    assert run(district, "decisions", "publish", slug) == "0 statement(s) published\n"
    assert run(district, "decisions", "publish", slug, "--after", "0") != "0 statement(s) published\n"
    assert run(district, "decisions", "publish", slug, "--after", "0") == "0 statement(s) published\n"
    with district.desk.derived.connect() as connection:
        assert connection.scalar(publication.select().where(publication.c.log_id == district.log.log_id)) is not None


def test_columns_are_as_wide_as_what_stands_in_them() -> None:
    assert table([("a", None), ("bbb", 1)]) == ["a    -", "bbb  1"]
    assert table([]) == []
