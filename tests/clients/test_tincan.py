"""The public Python client, `tincan`, against a running server: an ordinary tool's day, on both databases."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import tincan
from tincan.documents import ActivityProfileDocument, AgentProfileDocument, StateDocument
from tincan.http_request import HTTPRequest

import wsgi
from lrs.cli import new_credential, new_log
from lrs.settings import Settings
from tests.lrs.xapi import examples
from tests.serving import Server, served

ANN = tincan.Agent(mbox="mailto:ann@example.org", name="Ann")
QUIZ = tincan.Activity(
    id="https://tool.example.org/quiz",
    definition=tincan.ActivityDefinition(name=tincan.LanguageMap({"en": "Quiz"}), type="https://tool.example.org/t"),
)
ANSWERED = tincan.Verb(id="http://adlnet.gov/expapi/verbs/answered", display=tincan.LanguageMap({"en": "answered"}))


@dataclass
class Served:
    """A running server with a credential for everything an activity provider does."""

    endpoint: str
    key: str
    secret: str

    def client(self, version: str = "1.0.3") -> Any:
        return tincan.RemoteLRS(version=version, endpoint=f"{self.endpoint}/", username=self.key, password=self.secret)


@pytest.fixture(scope="module")
def running(shared_settings: Settings) -> Iterator[Server]:
    with served(shared_settings) as one:
        yield one


@pytest.fixture
def server(running: Server, shared_settings: Settings) -> Iterator[Served]:
    """The server, with a log and a credential of the test's own."""
    desk, slug = wsgi.desk_of(shared_settings), uuid.uuid4().hex[:12]
    log = new_log(desk, slug, slug, f"https://{slug}.example.org")
    yield Served(running.endpoint, *new_credential(desk, log, "tool", frozenset({"all"})))
    desk.engine.dispose()
    desk.derived.dispose()


def statement(**more: Any) -> Any:
    return tincan.Statement(id=str(uuid.uuid4()), actor=ANN, verb=ANSWERED, object=QUIZ, **more)


def read(answer: Any) -> Any:
    assert answer.success, answer.data
    return answer.content


def test_its_statements_are_stored_found_paged_and_voided(server: Served) -> None:
    lrs = server.client()
    first = statement(
        result=tincan.Result(success=True, score=tincan.Score(raw=7, min=0, max=10), duration="PT12S"),
        context=tincan.Context(registration=str(uuid.uuid4()), language="en"),
    )
    read(lrs.save_statement(first))
    batch = read(lrs.save_statements([statement() for _ in range(7)]))
    assert read(lrs.retrieve_statement(first.id)).result.score.raw == 7
    page = read(lrs.query_statements({"agent": ANN, "verb": ANSWERED, "activity": QUIZ, "limit": 3}))
    found = list(page.statements)
    while page.more:
        page = read(lrs.more_statements(page.more))
        found += page.statements
    assert [one.id for one in found] == [one.id for one in reversed(batch)] + [first.id]
    voiding = tincan.Statement(
        actor=ANN,
        verb=tincan.Verb(id="http://adlnet.gov/expapi/verbs/voided"),
        object=tincan.StatementRef(id=first.id),
    )
    read(lrs.save_statement(voiding))
    assert not lrs.retrieve_statement(first.id).success
    assert read(lrs.retrieve_voided_statement(first.id)).id == first.id


def test_it_queries_by_registration_and_time(server: Served) -> None:
    lrs, registration = server.client(), str(uuid.uuid4())
    read(lrs.save_statement(statement()))
    asked = statement(context=tincan.Context(registration=registration))
    read(lrs.save_statement(asked))
    assert [one.id for one in read(lrs.query_statements({"registration": registration})).statements] == [asked.id]
    stored = read(lrs.retrieve_statement(asked.id)).stored
    until = {"until": stored.isoformat(), "related_agents": "true", "agent": ANN, "ascending": "true"}
    assert read(lrs.query_statements(until)).statements[-1].id == asked.id


def test_it_sends_an_attachment_that_has_an_address(server: Served) -> None:
    """It has no multipart: what it sends of an attachment is what its statement says of it."""
    lrs, sent = server.client(), statement(attachments=[tincan.Attachment(**_attachment())])
    read(lrs.save_statement(sent))
    (found,) = read(lrs.retrieve_statement(sent.id)).attachments
    assert (found.sha2, found.fileurl) == (examples.ATTACHMENT["sha2"], examples.ATTACHMENT["fileUrl"])


def _attachment() -> dict[str, Any]:
    renamed = {"usageType": "usage_type", "contentType": "content_type", "fileUrl": "fileurl"}
    return {renamed.get(name, name): value for name, value in examples.ATTACHMENT.items()}


def test_its_state_is_saved_read_listed_and_cleared(server: Served) -> None:
    lrs = server.client()
    for name in ("bookmark", "suspend"):
        state = StateDocument(
            id=name, activity=QUIZ, agent=ANN, content=bytearray(b'{"page": 3}'), content_type="application/json"
        )
        read(lrs.save_state(state))
    found = read(lrs.retrieve_state(QUIZ, ANN, "bookmark"))
    assert found.content == b'{"page": 3}'
    assert sorted(read(lrs.retrieve_state_ids(QUIZ, ANN))) == ["bookmark", "suspend"]
    assert lrs.delete_state(found).success
    assert read(lrs.retrieve_state_ids(QUIZ, ANN)) == ["suspend"]
    assert lrs.clear_state(QUIZ, ANN).success
    assert read(lrs.retrieve_state_ids(QUIZ, ANN)) == []


def tag(answer: Any) -> Any:
    """Return the ETag of an answer: the client has a place for it, but looks for it in the wrong one."""
    return answer.response.getheader("ETag")


def test_its_profiles_are_read_replaced_and_deleted(server: Served) -> None:
    """It cannot say If-None-Match, which 1.0.3 wants for a new profile: a POST, which needs none, makes it."""
    lrs = server.client()
    of_activity = ActivityProfileDocument(id="p", activity=QUIZ, content=bytearray(b"two"), content_type="text/plain")
    of_agent = AgentProfileDocument(id="p", agent=ANN, content=bytearray(b"two"), content_type="text/plain")
    refused = lrs.save_activity_profile(of_activity)
    assert (refused.response.status, b"If-None-Match" in refused.data.encode()) == (400, True)
    for resource, owner in (("activities", {"activityId": QUIZ.id}), ("agents", {"agent": ANN.to_json()})):
        made = HTTPRequest(method="POST", resource=f"{resource}/profile", content=b"one")
        made.query_params, made.headers["Content-Type"] = {"profileId": "p", **owner}, "text/plain"
        assert lrs._send_request(made).success
    of_activity.etag = tag(lrs.retrieve_activity_profile(QUIZ, "p"))
    of_agent.etag = tag(lrs.retrieve_agent_profile(ANN, "p"))
    read(lrs.save_activity_profile(of_activity))
    read(lrs.save_agent_profile(of_agent))
    assert read(lrs.retrieve_activity_profile(QUIZ, "p")).content == b"two"
    assert read(lrs.retrieve_agent_profile(ANN, "p")).content == b"two"
    assert read(lrs.retrieve_activity_profile_ids(QUIZ)) == read(lrs.retrieve_agent_profile_ids(ANN)) == ["p"]
    assert lrs.save_activity_profile(of_activity).response.status == 412
    of_activity.etag = tag(lrs.retrieve_activity_profile(QUIZ, "p"))
    assert lrs.delete_activity_profile(of_activity).success


@pytest.mark.parametrize("version", ["1.0.1", "1.0.0"])
def test_it_speaks_the_versions_that_it_knows(server: Served, version: str) -> None:
    """Of About it reads only what lists none but those: ours lists 2.0.0 too, which it takes for a mistake."""
    lrs = server.client(version)
    read(lrs.save_statement(statement()))
    assert version in lrs._send_request(HTTPRequest(method="GET", resource="about")).data
    with pytest.raises(ValueError, match=r"invalid value: '2\.0\.0'"):
        lrs.about()
