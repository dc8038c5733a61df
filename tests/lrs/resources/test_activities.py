"""The Activities Resource, and the canonical definitions that it answers: xAPI 1.0.3 Communication 2.5."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from lrs.store.credentials import SCOPES
from tests.district import Client, District, said, statement
from tests.lrs.xapi.examples import QUIZ, full

PATH = "/xapi/activities"
ID = "https://tool.example.org/task"
NEWER = {"X_Experience_API_Version": "2.0.0"}


def about(definition: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return a statement about the example's activity."""
    target = {"objectType": "Activity", "id": ID} | ({"definition": definition} if definition else {})
    return statement(**{"object": target, **more})


def shown(client: Client, activity: str = ID, **headers: str) -> Any:
    answer = client.ask("GET", PATH, {"activityId": activity}, b"", **headers)
    assert (answer.status_code, answer.content_type) == (200, "application/json"), answer.text
    return said(answer)


def test_the_complete_activity_can_be_read_at_once(district: District) -> None:
    """XAPI-00251, 00253: right after the POST that brought it, as often as it comes."""
    for _ in range(3):
        assert district.someone.post(statement(object=QUIZ)).status_code == 200
        assert shown(district.someone, QUIZ["id"]) == QUIZ


def test_languages_of_all_statements_add_up(district: District) -> None:
    """XAPI-00254: in one batch and over several; a later text takes the place of the one before."""
    names = [{"en-US": "meeting"}, {"fr-FR": "réunion"}]
    district.someone.post([about({"name": name}) for name in names])
    assert shown(district.someone)["definition"]["name"] == {"en-US": "meeting", "fr-FR": "réunion"}
    district.someone.post(about({"name": {"en-US": "assembly"}, "description": {"de": "Treffen"}}))
    assert shown(district.someone)["definition"] == {
        "name": {"en-US": "assembly", "fr-FR": "réunion"},
        "description": {"de": "Treffen"},
    }


def test_an_activity_that_nobody_spoke_of_is_answered_with_its_id(district: District) -> None:
    """2.0 4.1.6.4; so is one of which only the id is known."""
    for headers in ({}, NEWER):
        assert shown(district.someone, ID, **headers) == {"objectType": "Activity", "id": ID}
    district.someone.post(about())
    assert shown(district.someone) == {"objectType": "Activity", "id": ID}


def test_an_activity_of_the_context_or_of_a_sub_statement_is_known_too(district: District) -> None:
    inner = full()
    for name in ("id", "stored", "authority", "version", "attachments"):
        del inner[name]
    district.someone.post(statement(object={"objectType": "SubStatement", **inner}))
    assert shown(district.someone, QUIZ["id"])["definition"] == QUIZ["definition"]
    course = inner["context"]["contextActivities"]["parent"][0]
    assert shown(district.someone, course["id"])["definition"] == course["definition"]


def test_a_refused_batch_defines_nothing(district: District) -> None:
    """XAPI-00182."""
    assert district.someone.post([about({"name": {"en": "x"}}), {}]).status_code == 400
    taken = statement()
    district.someone.post(taken)
    clash = {**taken, "object": {"id": "https://tool.example.org/other"}}
    assert district.someone.post([about({"name": {"en": "x"}}), clash]).status_code == 409
    assert "definition" not in shown(district.someone)


@pytest.mark.parametrize("scope", ["statements/write", "define", "all"])
def test_only_who_may_define_changes_a_definition(district: District, scope: str) -> None:
    """Communication 4.2; the statement itself is stored as it was sent."""
    district.someone.post(about({"name": {"en": "theirs"}}))
    writer = district.client("statements/write", "statements/read/mine", scope)
    sent = about({"name": {"en": "mine"}})
    assert writer.post(sent).status_code == 200
    name = "theirs" if scope == "statements/write" else "mine"
    assert shown(district.someone)["definition"]["name"] == {"en": name}
    assert said(writer.get(query={"statementId": sent["id"]}))["object"] == sent["object"]


def test_each_log_has_definitions_of_its_own(district: District) -> None:
    district.someone.post(about({"name": {"en": "x"}}))
    assert "definition" not in shown(district.with_new_log(f"{district.log.slug}x").someone)


@pytest.mark.parametrize("scope", SCOPES)
def test_who_may_read_statements_or_define_may_ask(district: District, scope: str) -> None:
    allowed = scope in {"statements/read", "all/read", "all", "define"}
    for method in ("GET", "HEAD"):
        answer = district.client(scope).ask(method, PATH, {"activityId": ID})
        assert answer.status_code == (200 if allowed else 403)


def test_who_shows_no_credential_is_401(district: District) -> None:
    stranger = Client(district.app, district.someone.key, "wrong")
    assert stranger.ask("GET", PATH, {"activityId": ID}).status_code == 401


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({}, "?activityId"),
        ({"activityId": "true"}, "?activityId"),
        ({"activityId": ""}, "?activityId"),
        ({"activityID": ID}, "?activityID"),
        ({"activityId": ID, "foo": "bar"}, "?foo"),
        ({"activityId": [ID, ID]}, "?activityId"),
    ],
)
def test_the_id_must_be_given_once_and_be_an_iri(district: District, query: dict[str, Any], pointer: str) -> None:
    """XAPI-00250, 00324, 00325."""
    answer = district.someone.ask("GET", PATH, query)
    assert answer.status_code == 400
    assert pointer in {one["pointer"] for one in said(answer)["problems"]}


def test_head_answers_as_get_does_without_the_body(district: District) -> None:
    """XAPI-00125."""
    head, got = (district.someone.ask(method, PATH, {"activityId": ID}) for method in ("HEAD", "GET"))
    assert (head.status_code, head.data, head.headers) == (200, b"", got.headers)


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_an_activity_is_changed_by_statements_alone(district: District, method: str) -> None:
    assert district.someone.ask(method, PATH, {"activityId": ID}).status_code == 405


def test_format_canonical_shows_the_definition_that_all_statements_make(district: District) -> None:
    """Communication 2.1.3: populated with the canonical definition, then one language of each map."""
    district.someone.post(about({"name": {"en": "Task", "de": "Aufgabe"}, "type": "https://x.example.org/type"}))
    parent = {"contextActivities": {"parent": [{"id": ID}]}}
    bare = about(context=parent)
    own = about({"name": {"fr": "tâche"}}, id=str(uuid.uuid4()))
    district.someone.post([bare, own])
    query = {"format": "canonical", "ascending": "true"}
    for one, wanted in ((bare, "de"), (own, "fr")):
        for answer in (
            district.someone.get(query={"statementId": one["id"], "format": "canonical"}, Accept_Language=wanted),
            district.someone.get(query={**query, "activity": ID}, Accept_Language=wanted),
        ):
            found = said(answer)
            found = next(each for each in found.get("statements", [found]) if each["id"] == one["id"])
            name = {"de": {"de": "Aufgabe"}, "fr": {"fr": "tâche"}}[wanted]
            assert found["object"]["definition"] == {"name": name, "type": "https://x.example.org/type"}
    found = said(district.someone.get(query={"statementId": bare["id"], "format": "canonical"}, Accept_Language="de"))
    assert found["context"]["contextActivities"]["parent"][0]["definition"]["name"] == {"de": "Aufgabe"}
    assert "definition" not in said(district.someone.get(query={"statementId": bare["id"]}))["object"]


def test_format_canonical_falls_back_on_the_statement_where_nothing_is_defined(district: District) -> None:
    writer = district.client("statements/write", "statements/read/mine")
    sent = about({"name": {"en": "mine", "de": "meins"}})
    writer.post(sent)
    found = said(writer.get(query={"statementId": sent["id"], "format": "canonical"}, Accept_Language="de"))
    assert found["object"]["definition"]["name"] == {"de": "meins"}
