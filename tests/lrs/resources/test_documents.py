"""State and both profiles over HTTP: xAPI 1.0.3 Communication 2.2, 2.3, 2.6, 2.7 and 3.1; 2.0 4.1.4 and 4.1.6."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from functools import partial
from hashlib import sha1
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from lrs.store.credentials import SCOPES
from lrs.store.tables import document
from lrs.xapi.documents import ACTIVITY_PROFILE, AGENT_PROFILE, STATE, Resource
from lrs.xapi.values import iso
from tests.district import Client, District, open_district, said
from tests.lrs.store.store import at_once
from tests.lrs.xapi.examples import ANN, BEN

ACTIVITY = "https://learn.example.org/courses/fractions"
REGISTRATION = "f3a0c2d4-5b6e-4789-8a1b-2c3d4e5f6071"
JSON = "application/json"
NEWER = {"X_Experience_API_Version": "2.0.0"}
PATHS = {
    STATE: "/xapi/activities/state",
    ACTIVITY_PROFILE: "/xapi/activities/profile",
    AGENT_PROFILE: "/xapi/agents/profile",
}
OWNERS: dict[str, Any] = {"activityId": ACTIVITY, "agent": ANN}
ALL = pytest.mark.parametrize("resource", PATHS, ids=["state", "activity profile", "agent profile"])


@dataclass(frozen=True)
class Shelf:
    """Documents of one resource, of the example's activity and agent, and somebody who may change them."""

    client: Client
    resource: Resource

    @property
    def owner(self) -> dict[str, Any]:
        """The parameters that every document of the shelf has."""
        return {name: OWNERS[name] for name in self.resource.owner}

    def ask(self, method: str, name: str | None = "one", body: bytes = b"", **more: Any) -> TestResponse:
        """Send a request for a document, or for all; more parameters are in lower case, headers are not."""
        query = self.owner | ({} if name is None else {self.resource.id_name: name})
        query |= {key: value for key, value in more.items() if key[0].islower()}
        sent = {key: value for key, value in more.items() if key[0].isupper()}
        if body and "Content_Type" not in sent:
            sent["Content_Type"] = JSON
        return self.client.ask(method, PATHS[self.resource], query, body, **sent)

    def store(self, body: bytes, name: str = "one", **more: Any) -> str:
        """Store a document whatever is there; return its ETag."""
        self.ask("DELETE", name, **more)
        answer = self.ask("PUT", name, body, If_None_Match="*", **more)
        assert answer.status_code == 204, answer.text
        return answer.headers["ETag"]

    def content(self, name: str = "one", **more: Any) -> bytes | None:
        """Return what is stored; None for nothing."""
        answer = self.ask("GET", name, **more)
        return answer.data if answer.status_code == 200 else None


@pytest.fixture(params=list(PATHS), ids=["state", "activity profile", "agent profile"])
def shelf(request: pytest.FixtureRequest, district: District) -> Shelf:
    """Each of the three resources, on each database."""
    return Shelf(district.someone, request.param)


@pytest.fixture
def states(district: District) -> Shelf:
    """The State Resource."""
    return Shelf(district.someone, STATE)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{ "a" : 1.10,\n "b": "\xc3\xa9" }', JSON),
        (b"\x00\xff\xfe\r\n--x", "application/octet-stream"),
        (b"<script>alert(1)</script>", "text/html; charset=latin-1"),
        (b"not json", JSON),
        (b"", "text/plain"),
        (b"a" * 300_000, "image/png"),
    ],
)
def test_a_document_comes_back_byte_for_byte_with_its_own_type(shelf: Shelf, body: bytes, kind: str) -> None:
    """XAPI-00188, 00192, 00269, 00274, 00288, 00290."""
    assert shelf.ask("PUT", "one", body, Content_Type=kind, If_None_Match="*").status_code == 204
    answer = shelf.ask("GET")
    assert (answer.status_code, answer.data, answer.headers["Content-Type"]) == (200, body, kind)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_body_without_type_is_bytes_of_some_kind(shelf: Shelf) -> None:
    query = shelf.owner | {shelf.resource.id_name: "one"}
    assert shelf.client.ask("PUT", PATHS[shelf.resource], query, b"abc", If_None_Match="*").status_code == 204
    assert shelf.ask("GET").headers["Content-Type"] == "application/octet-stream"


def test_the_etag_is_the_quoted_sha1_of_the_content(shelf: Shelf) -> None:
    """XAPI-00322: 40 hex digits in quotes, on GET, HEAD and whatever was stored."""
    tag = shelf.store(b'{"a":1}')
    assert tag == f'"{sha1(b"""{"a":1}""").hexdigest()}"'
    assert shelf.ask("GET").headers["ETag"] == shelf.ask("HEAD").headers["ETag"] == tag


def test_head_answers_as_get_does_without_the_body(shelf: Shelf) -> None:
    """XAPI-00125, 00126."""
    shelf.store(b'{"a":1}')
    for name in ("one", "missing", None):
        head, got = shelf.ask("HEAD", name), shelf.ask("GET", name)
        assert (head.status_code, head.data) == (got.status_code, b"")
        assert head.headers == got.headers


def test_a_document_that_is_not_there_is_404(shelf: Shelf) -> None:
    assert shelf.ask("GET", "missing").status_code == 404


def test_who_has_the_document_is_told_so(shelf: Shelf) -> None:
    """RFC 9110 section 13.1.2: a browser asks each time, and is not sent again what it has."""
    tag = shelf.store(b'{"a":1}')
    answer = shelf.ask("GET", If_None_Match=tag)
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", tag)
    assert shelf.ask("GET", If_None_Match='"x"').status_code == 200
    assert shelf.ask("GET").headers["Cache-Control"] == "no-cache"


def test_last_modified_is_the_time_of_the_last_change_to_the_second(shelf: Shelf) -> None:
    """2.0 4.1.6.2, 4.1.6.5, 4.1.6.6: it advances with each update."""
    seen = []
    for number in range(2):
        before = int(time.time())
        shelf.ask("POST", "one", b'{"n":%d}' % number)
        modified = parsedate_to_datetime(shelf.ask("GET").headers["Last-Modified"])
        assert before <= modified.timestamp() <= time.time() + 1
        seen.append(modified)
        time.sleep(1.05)
    assert seen[0] < seen[1]


def test_a_posted_object_is_merged_into_the_one_that_is_there(shelf: Shelf) -> None:
    """XAPI-00183, 00184, 00234, 00279, 00307."""
    for body in (b'{"car":{"make":"Ford","model":"Escape"},"driver":"Dale"}', b'{"car":{"make":"Dodge"},"x":1}'):
        assert shelf.ask("POST", "one", body).status_code == 204
    assert shelf.content() == b'{"car":{"make":"Dodge"},"driver":"Dale","x":1}'


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"abcdefg", "not/json"), (b"abc", "application/x-www-form-urlencoded"), (b'{"a":1}{', JSON), (b"[1]", JSON)],
)
def test_what_cannot_be_merged_is_400_and_changes_nothing(shelf: Shelf, body: bytes, kind: str) -> None:
    """XAPI-00229, 00232, 00235, 00278, 00281, 00284, 00308, 00314."""
    tag = shelf.store(b'{"a":1}')
    answer = shelf.ask("POST", "one", body, Content_Type=kind)
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert (shelf.content(), shelf.ask("GET").headers["ETag"]) == (b'{"a":1}', tag)


def test_json_is_not_merged_into_something_else(shelf: Shelf) -> None:
    """XAPI-00229."""
    shelf.ask("PUT", "one", b"/ asdf / undefined", Content_Type="application/octet-stream", If_None_Match="*")
    assert shelf.ask("POST", "one", b'{"a":1}').status_code == 400
    assert shelf.content() == b"/ asdf / undefined"


def test_a_put_without_precondition_under_1_0_3(shelf: Shelf) -> None:
    """XAPI-00190, 00273, 00287, 00293, 00322: State is replaced; a profile is created only by name, replaced never."""
    answer = shelf.ask("PUT", "one", b"1", Content_Type="text/plain")
    assert answer.status_code == (204 if shelf.resource is STATE else 400)
    shelf.store(b'{"a":1}')
    answer = shelf.ask("PUT", "one", b"2", Content_Type="text/plain")
    assert answer.status_code == (204 if shelf.resource is STATE else 409)
    assert shelf.content() == (b"2" if shelf.resource is STATE else b'{"a":1}')


def test_a_put_without_precondition_under_2_0(shelf: Shelf) -> None:
    """2.0 4.1.4: it creates, and is 409 for what exists, which stays as it was; the body says what to do."""
    assert shelf.ask("PUT", "one", b"1", Content_Type="text/plain", **NEWER).status_code == 204
    answer = shelf.ask("PUT", "one", b"2", Content_Type="text/plain", **NEWER)
    assert answer.status_code == 409
    assert "If-Match" in said(answer)["detail"]
    assert shelf.content() == b"1"


@pytest.mark.parametrize("version", [{}, NEWER], ids=["1.0.3", "2.0.0"])
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize("wrong", ['"1234"', "1234", f'"{"1" * 40}"', 'W/"1234"', '"a", "b"'])
def test_a_wrong_etag_is_412_and_changes_nothing(shelf: Shelf, version: Any, method: str, wrong: str) -> None:
    """XAPI-00322; 2.0 4.1.4."""
    shelf.store(b'{"a":1}')
    answer = shelf.ask(method, "one", b"" if method == "DELETE" else b'{"b":2}', If_Match=wrong, **version)
    assert (answer.status_code, shelf.content()) == (412, b'{"a":1}')
    assert "GET it" in said(answer)["detail"]


@pytest.mark.parametrize("version", [{}, NEWER], ids=["1.0.3", "2.0.0"])
@pytest.mark.parametrize("written", ["{}", "W/{}", '"x", {}', "*", "unquoted"])
def test_the_right_etag_lets_a_change_through(shelf: Shelf, version: Any, written: str) -> None:
    """XAPI-00322; 2.0 4.1.4: also in a list, weakened by a proxy, or without its quotes, as some clients send it."""
    for method, left in (("PUT", b'{"b":2}'), ("POST", b'{"a":1,"b":2}'), ("DELETE", None)):
        tag = shelf.store(b'{"a":1}')
        sent = tag.strip('"') if written == "unquoted" else written.format(tag)
        answer = shelf.ask(method, "one", b"" if method == "DELETE" else b'{"b":2}', If_Match=sent, **version)
        assert (answer.status_code, shelf.content()) == (204, left)


def test_if_none_match_any_creates_once(shelf: Shelf) -> None:
    """XAPI-00322."""
    assert shelf.ask("PUT", "one", b"1", If_None_Match="*").status_code == 204
    assert shelf.ask("PUT", "one", b"2", If_None_Match="*").status_code == 412
    assert shelf.content() == b"1"


def test_what_is_not_there_matches_no_etag(shelf: Shelf) -> None:
    for method in ("PUT", "POST", "DELETE"):
        assert shelf.ask(method, "none", b"" if method == "DELETE" else b"{}", If_Match="*").status_code == 412
    assert shelf.content("none") is None


def test_the_etag_of_a_change_goes_on_from_there(shelf: Shelf) -> None:
    tag = shelf.store(b'{"n":0}')
    for number in range(1, 4):
        answer = shelf.ask("POST", "one", b'{"n":%d}' % number, If_Match=tag)
        tag = answer.headers["ETag"]
    assert shelf.content() == b'{"n":3}'


def test_a_deleted_document_is_gone_and_deleting_again_is_no_error(shelf: Shelf) -> None:
    """XAPI-00187, 00191, 00271, 00285, 00291."""
    shelf.store(b"1")
    shelf.store(b"2", "two")
    assert [shelf.ask("DELETE").status_code for _ in range(2)] == [204, 204]
    assert (shelf.content(), shelf.content("two")) == (None, b"2")


def test_without_an_id_the_ids_are_listed(shelf: Shelf) -> None:
    """XAPI-00193, 00270, 00289."""
    assert said(shelf.ask("GET", None)) == []
    for name in ("two", "one", "ünï/&=", " "):
        shelf.store(b"1", name)
    answer = shelf.ask("GET", None)
    assert (answer.status_code, answer.content_type) == (200, JSON)
    assert sorted(said(answer)) == sorted(["one", "two", "ünï/&=", " "])


def test_since_lists_what_changed_after_it_and_not_at_it(shelf: Shelf, district: District) -> None:
    """XAPI-00195, 00221, 00275, 00299: exclusive, and an update counts as a change."""
    for name in ("one", "two", "three"):
        shelf.store(b"{}", name)
    query = select(document.c.updated).where(document.c.log_id == district.log.log_id).order_by(document.c.updated)
    with district.engine.connect() as connection:
        times = list(connection.scalars(query))
    assert said(shelf.ask("GET", None, since=iso(times[0] - 1))) == ["one", "three", "two"]
    assert said(shelf.ask("GET", None, since=iso(times[0]))) == ["three", "two"]
    assert said(shelf.ask("GET", None, since=iso(times[2]))) == []
    shelf.ask("POST", "one", b'{"a":1}')
    assert said(shelf.ask("GET", None, since=iso(times[2]))) == ["one"]


@pytest.mark.parametrize("since", ["not a timestamp", "true"])
def test_a_since_that_is_no_time_is_400(shelf: Shelf, since: str) -> None:
    """XAPI-00204, 00260, 00301."""
    answer = shelf.ask("GET", None, since=since)
    assert (answer.status_code, said(answer)["problems"][0]["pointer"]) == (400, "?since")


@pytest.mark.parametrize("method", ["PUT", "POST", "GET", "DELETE", "HEAD"])
def test_every_problem_of_the_parameters_is_told(states: Shelf, method: str) -> None:
    """XAPI-00196 to 00217, 00324, 00325."""
    query = {"ActivityId": ACTIVITY, "agent": "true", "registration": "x", "stateId": ""}
    answer = states.client.ask(method, PATHS[STATE], query, b"" if method in {"GET", "HEAD"} else b"{}")
    assert answer.status_code == 400
    if method != "HEAD":
        pointers = {one["pointer"] for one in said(answer)["problems"]}
        assert pointers == {"?ActivityId", "?activityId", "?agent", "?registration", "?stateId"}


def test_an_agent_whose_percent_encoding_is_broken_is_400(states: Shelf) -> None:
    """XAPI-00235, 00284."""
    agent = "%7B%22objectType%22%22%22Agent%22%2C%22mbox%22%3A%22mailto%3Aa%40example.org%22%7D"
    path = f"{PATHS[STATE]}?activityId={ACTIVITY}&stateId=x&agent={agent}"
    assert states.client.ask("POST", path, None, b"{}", Content_Type=JSON).status_code == 400


def test_documents_of_other_activities_agents_and_resources_are_others(district: District) -> None:
    """One id in every place where it may stand: each keeps its own, whatever is done to the rest."""
    places = [
        (PATHS[STATE], {"activityId": activity, "agent": agent, "stateId": "x", **registration})
        for activity in (ACTIVITY, ACTIVITY + "/2")
        for agent in (ANN, BEN)
        for registration in ({}, {"registration": REGISTRATION})
    ]
    places += [(PATHS[ACTIVITY_PROFILE], {"activityId": one, "profileId": "x"}) for one in (ACTIVITY, ACTIVITY + "/2")]
    places += [(PATHS[AGENT_PROFILE], {"agent": one, "profileId": "x"}) for one in (ANN, BEN)]
    for number, (path, query) in enumerate(places):
        assert district.someone.ask("POST", path, query, b"%d" % number, Content_Type="text/plain").status_code == 204
    found = [district.someone.ask("GET", path, query).data for path, query in places]
    assert found == [b"%d" % number for number in range(len(places))]
    district.someone.ask("DELETE", *places[0])
    assert [district.someone.ask("GET", path, query).status_code for path, query in places] == [404] + [200] * 11


def test_an_agent_is_known_by_its_identifier_however_it_is_written(states: Shelf) -> None:
    query = states.owner | {"stateId": "x", "agent": {"mbox": "mailto:ann@School.example.ORG"}}
    states.client.ask("PUT", PATHS[STATE], query, b"1", Content_Type="text/plain")
    query["agent"] = {"name": "Ann", "objectType": "Agent", "mbox": "mailto:ann@school.example.org"}
    assert states.client.ask("GET", PATHS[STATE], query).data == b"1"


def test_a_registration_is_one_in_either_case_and_none_is_another_place(states: Shelf) -> None:
    """XAPI-00218 to 00220, 00227."""
    states.store(b"1", registration=REGISTRATION)
    assert states.content(registration=REGISTRATION.upper()) == b"1"
    assert states.content() is None


def test_states_of_a_registration_are_listed_with_it_and_all_without(states: Shelf) -> None:
    """Communication 2.3: this activity and agent, and the registration if one is specified."""
    other = REGISTRATION.replace("f", "e")
    states.store(b"1", "bare")
    states.store(b"1", "both", registration=REGISTRATION)
    states.store(b"1", "both", registration=other)
    states.store(b"1", "theirs", registration=other)
    assert said(states.ask("GET", None)) == ["bare", "both", "theirs"]
    assert said(states.ask("GET", None, registration=REGISTRATION)) == ["both"]
    assert said(states.ask("GET", None, registration=other)) == ["both", "theirs"]


def test_states_are_cleared_by_owner_and_registration(states: Shelf) -> None:
    """XAPI-00194."""
    elsewhere = {**states.owner, "stateId": "x", "activityId": ACTIVITY + "/2"}
    states.client.ask("PUT", PATHS[STATE], elsewhere, b"1", Content_Type="text/plain")
    states.store(b"1", "bare")
    states.store(b"1", "mine", registration=REGISTRATION)
    assert states.ask("DELETE", None, registration=REGISTRATION).status_code == 204
    assert said(states.ask("GET", None)) == ["bare"]
    states.store(b"1", "mine", registration=REGISTRATION)
    assert states.ask("DELETE", None).status_code == 204
    assert said(states.ask("GET", None)) == []
    assert states.client.ask("GET", PATHS[STATE], elsewhere).data == b"1"


def test_a_profile_is_not_deleted_without_its_id(district: District) -> None:
    """XAPI-00265, 00304."""
    for resource in (ACTIVITY_PROFILE, AGENT_PROFILE):
        shelf = Shelf(district.someone, resource)
        shelf.store(b"1")
        assert shelf.ask("DELETE", None).status_code == 400
        assert shelf.content() == b"1"


def test_states_are_not_cleared_under_a_precondition(states: Shelf) -> None:
    states.store(b"1")
    conditions: list[dict[str, Any]] = [{"If_Match": "*"}, {"If_None_Match": "x"}]
    for sent in conditions:
        assert states.ask("DELETE", None, **sent).status_code == 400
    assert states.content() == b"1"


def test_each_log_has_documents_of_its_own(shelf: Shelf, district: District) -> None:
    shelf.store(b"1")
    other = Shelf(district.with_new_log(f"{district.log.slug}x").someone, shelf.resource)
    assert (other.content(), said(other.ask("GET", None))) == (None, [])
    other.store(b"2")
    other.ask("DELETE")
    assert shelf.content() == b"1"


@ALL
@pytest.mark.parametrize("scope", SCOPES)
def test_each_scope_allows_what_the_specification_says(district: District, scope: str, resource: Resource) -> None:
    """Communication 4.2; a missing scope is 403, and no credential 401."""
    may_write = scope in {resource.scope, "all"}
    may_read = may_write or scope == "all/read"
    Shelf(district.someone, resource).store(b"{}")
    shelf = Shelf(district.client(scope), resource)
    for method in ("GET", "HEAD"):
        assert shelf.ask(method).status_code == (200 if may_read else 403)
    assert shelf.ask("GET", None).status_code == (200 if may_read else 403)
    for method in ("POST", "PUT", "DELETE"):
        answer = shelf.ask(method, "own", b"" if method == "DELETE" else b"{}", If_None_Match='"x"')
        assert answer.status_code == (204 if may_write else 403)


@ALL
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "DELETE"])
def test_who_shows_no_credential_is_401(district: District, resource: Resource, method: str) -> None:
    stranger = Shelf(Client(district.app, district.someone.key, "wrong"), resource)
    assert stranger.ask(method, "one", b"" if method in {"GET", "HEAD"} else b"{}").status_code == 401


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "FOO"])
def test_other_methods_are_405_and_told_which_are_taken(shelf: Shelf, method: str) -> None:
    answer = shelf.ask(method)
    assert answer.status_code == 405
    assert {"GET", "HEAD", "POST", "PUT", "DELETE"} <= set(answer.headers["Allow"].split(", "))


def test_a_trailing_slash_makes_no_difference(shelf: Shelf) -> None:
    shelf.store(b"1")
    query = shelf.owner | {shelf.resource.id_name: "one"}
    assert shelf.client.ask("GET", f"{PATHS[shelf.resource]}/", query).data == b"1"


def test_a_request_without_version_is_400_and_stores_nothing(shelf: Shelf) -> None:
    """Communication 3.3."""
    headers = {"Authorization": shelf.client.headers["Authorization"], "Content-Type": JSON}
    query = {"activityId": ACTIVITY, "profileId": "one"}
    client = shelf.client.app.test_client()
    assert client.post(PATHS[ACTIVITY_PROFILE], query_string=query, data=b"{}", headers=headers).status_code == 400
    assert Shelf(shelf.client, ACTIVITY_PROFILE).content() is None


def test_a_document_may_be_as_large_as_any_body_and_no_larger(own_district: District) -> None:
    with open_district(replace(own_district.settings, body_limit_bytes=50_000)) as narrow:
        shelf = Shelf(replace(own_district.someone, app=narrow.app), STATE)
        assert shelf.ask("PUT", "one", b"x" * 50_000).status_code == 204
        assert shelf.ask("PUT", "one", b"x" * 50_001).status_code == 413
        assert len(shelf.content() or b"") == 50_000


def test_of_many_who_create_a_document_one_succeeds(shelf: Shelf) -> None:
    """XAPI-00322."""
    works = [partial(shelf.ask, "PUT", "one", b'{"n":%d}' % number, If_None_Match="*") for number in range(12)]
    answers = [done.result() for done in at_once(works)]
    assert sorted(one.status_code for one in answers) == [204] + [412] * 11
    won = next(number for number, one in enumerate(answers) if one.status_code == 204)
    assert shelf.content() == b'{"n":%d}' % won


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_of_many_who_change_the_version_that_all_have_read_one_succeeds(shelf: Shelf, method: str) -> None:
    """XAPI-00322; 2.0 4.1.4."""
    tag = shelf.store(b'{"n":0}')
    bodies = [b"" if method == "DELETE" else b'{"n":%d}' % number for number in range(1, 13)]
    answers = [
        done.result() for done in at_once([partial(shelf.ask, method, "one", one, If_Match=tag) for one in bodies])
    ]
    assert sorted(one.status_code for one in answers) == [204] + [412] * 11


def test_of_many_merges_none_is_lost(shelf: Shelf) -> None:
    works = [partial(shelf.ask, "POST", "one", b'{"n%d":1}' % number) for number in range(16)]
    assert {done.result().status_code for done in at_once(works)} == {204}
    assert said(shelf.ask("GET")) == {f"n{number}": 1 for number in range(16)}
