"""HTTP around the statements: methods, headers, versions, errors (xAPI 1.0.3 Communication 1.1, 1.2, 3.2, 3.3)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from lrs import retrieval
from lrs.store.engine import immediate, is_postgresql
from lrs.store.tables import log_head
from lrs.xapi.values import timestamp_us
from tests.district import VERSION, District, ids, open_district, said, statement

CONSISTENT_THROUGH = "X-Experience-API-Consistent-Through"
VERSION_HEADER = "X-Experience-API-Version"
SECOND = 1_000_000


@contextmanager
def held(district: District) -> Iterator[None]:
    """Hold what an append holds: the lock of the log's head, or the write lock of an SQLite file."""
    with immediate(district.engine).connect() as connection, connection.begin() as transaction:
        connection.execute(select(log_head).where(log_head.c.log_id == district.log.log_id).with_for_update())
        yield
        transaction.rollback()


def through(answer: Any) -> int:
    return timestamp_us(answer.headers[CONSISTENT_THROUGH])


@contextmanager
def counted(district: District) -> Iterator[list[str]]:
    """Collect the SQL statements that a request runs; those that only open a transaction do not count."""
    seen: list[str] = []
    asking = threading.get_ident()

    def note(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
        if not text.startswith("BEGIN") and threading.get_ident() == asking:
            seen.append(text)

    engine = district.app.extensions["lrs"].engine
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def test_head_answers_as_get_does_without_the_body(district: District) -> None:
    """Communication 1.1."""
    sent = statement()
    district.someone.post(sent)
    for query in ({"statementId": sent["id"]}, {"limit": "1"}, {"statementId": "x"}, {"attachments": "true"}):
        head, got = district.someone.send("HEAD", query), district.someone.get(query=query)
        assert (head.status_code, head.data) == (got.status_code, b"")
        assert set(head.headers.keys()) == set(got.headers.keys())
        assert head.headers["Content-Length"] == got.headers["Content-Length"]


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "TRACE", "FOO"])
def test_other_methods_are_405_and_told_which_are_taken(district: District, method: str) -> None:
    answer = district.someone.send(method)
    assert (answer.status_code, answer.content_type) == (405, "application/problem+json")
    assert {"GET", "HEAD", "POST", "PUT"} <= set(answer.headers["Allow"].split(", "))
    assert answer.headers["Allow"] in said(answer)["detail"]


def test_a_trailing_slash_makes_no_difference(district: District) -> None:
    headers = {**district.someone.headers, "Content-Type": "application/json"}
    client, sent = district.app.test_client(), statement()
    assert client.post("/xapi/statements/", json=sent, headers=headers).status_code == 200
    path = f"/xapi/statements/?statementId={sent['id']}"
    assert client.put(path, json=sent, headers=headers).status_code == 204
    assert said(client.get(path, headers=headers))["id"] == sent["id"]
    assert client.get("/xapi/about/").status_code == 200


@pytest.mark.parametrize("path", ["/xapi", "/xapi/", "/xapi/statement", "/xapi/statements/x"])
def test_an_unknown_resource_is_404_in_the_form_of_every_error(district: District, path: str) -> None:
    answer = district.someone.get(path)
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert answer.headers[VERSION_HEADER] == "1.0.3"


@pytest.mark.parametrize("given", ["1.0", "1.0.0", "1.0.3", "1.0.9", "1.0.10"])
def test_every_patch_of_1_0_is_spoken_and_answered_with_the_latest(district: District, given: str) -> None:
    """Communication 3.3."""
    answer = district.someone.get(X_Experience_API_Version=given)
    assert (answer.status_code, answer.headers[VERSION_HEADER]) == (200, "1.0.3")


@pytest.mark.parametrize("given", ["0.9", "0.95", "1", "1.1.0", "1.0.", "1.0.x", "10.0", "", "2"])
def test_other_versions_are_400(district: District, given: str) -> None:
    """Communication 3.3."""
    for answer in (
        district.someone.get(X_Experience_API_Version=given),
        district.someone.post(statement(), X_Experience_API_Version=given),
    ):
        assert (answer.status_code, answer.headers[VERSION_HEADER]) == (400, "1.0.3")


def test_a_request_without_version_is_400_and_nothing_is_stored(district: District) -> None:
    """Communication 3.3."""
    before = district.size()
    headers = {"Authorization": district.someone.headers["Authorization"], "Content-Type": "application/json"}
    client = district.app.test_client()
    answers = [client.get("/xapi/statements", headers=headers)]
    answers.append(client.post("/xapi/statements", headers=headers, json=statement()))
    for answer in answers:
        assert (answer.status_code, answer.headers[VERSION_HEADER]) == (400, "1.0.3")
        assert VERSION_HEADER in said(answer)["detail"]
    assert CONSISTENT_THROUGH in answers[0].headers
    assert district.size() == before


def test_every_answer_names_the_version(district: District) -> None:
    """Communication 3.3: in every response."""
    client = district.app.test_client()
    answers = [
        district.someone.post(statement()),
        district.someone.post({}),
        district.someone.get(),
        district.someone.get(query={"foo": "bar"}),
        client.get("/xapi/statements", headers=VERSION),
        client.get("/xapi/about"),
        client.get("/xapi/nothing"),
        district.someone.send("DELETE"),
    ]
    assert [one.headers[VERSION_HEADER] for one in answers] == ["1.0.3"] * len(answers)


def test_about_needs_neither_credential_nor_version(district: District) -> None:
    """Communication 2.8."""
    client = district.app.test_client()
    answer = client.get("/xapi/about")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert "1.0.3" in said(answer)["version"]
    head = client.head("/xapi/about")
    assert (head.status_code, head.data) == (200, b"")


def test_about_refuses_parameters(district: District) -> None:
    """Communication 3.2."""
    answer = district.app.test_client().get("/xapi/about?foo=bar")
    assert (answer.status_code, said(answer)["problems"][0]["pointer"]) == (400, "?foo")


def test_consistent_through_is_near_now_when_nothing_is_written(district: District) -> None:
    """Communication 2.1.3: a recent timestamp is expected, even if there are no recent statements."""
    before = time.time_ns() // 1000
    answers = [district.someone.get(), district.someone.get(query={"foo": "bar"}), district.someone.send("HEAD")]
    for answer in answers:
        assert before - SECOND <= through(answer) <= time.time_ns() // 1000 + SECOND


def test_consistent_through_is_not_before_what_an_answer_shows(district: District) -> None:
    for _ in range(5):
        district.someone.post([statement() for _ in range(20)])
        answer = district.someone.get(query={"limit": "1"})
        assert through(answer) >= timestamp_us(said(answer)["statements"][0]["stored"])


def test_consistent_through_is_no_later_than_what_is_complete(district: District) -> None:
    """While an append is in flight, its statements may get any time from now on: only what is committed is vouched for.

    The append that then commits has statements stored later than what was named.
    """
    district.someone.post(statement())
    last = timestamp_us(said(district.someone.get(query={"limit": "1"}))["statements"][0]["stored"])
    with held(district):
        time.sleep(0.01)
        answers = [
            district.someone.get(),
            district.someone.get(query={"foo": "bar"}),
            district.someone.get(query={"statementId": statement()["id"]}),
        ]
        assert [through(answer) for answer in answers] == [last] * 3
    assert through(district.someone.get()) > last
    later = statement()
    district.someone.post(later)
    stored = said(district.someone.get(query={"statementId": later["id"]}))["stored"]
    assert timestamp_us(stored) > last


def test_consistent_through_never_names_a_time_before_which_something_turns_up_later(district: District) -> None:
    """Whoever reads on from the time of the last answer misses nothing, while others append."""
    sent = [statement("racer", "raced") for _ in range(120)]
    batches = [sent[start : start + 4] for start in range(0, len(sent), 4)]
    found: list[str] = []
    since: dict[str, str] = {}

    def read_on() -> None:
        answer = district.someone.get(query={"verb": sent[0]["verb"]["id"], "ascending": "true", **since})
        until = answer.headers[CONSISTENT_THROUGH]
        found.extend(one["id"] for one in said(answer)["statements"] if one["stored"] < until)
        known = [one["stored"] for one in said(answer)["statements"] if one["stored"] < until]
        if known:
            since["since"] = known[-1]

    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(district.someone.post, batch) for batch in batches]
        while not all(one.done() for one in writing):
            read_on()
    assert all(one.result().status_code == 200 for one in writing)
    time.sleep(0.01)
    read_on()
    assert sorted(found) == sorted(ids(sent))


def test_an_append_to_one_log_does_not_hold_back_another_on_postgresql(district: District) -> None:
    if not is_postgresql(district.engine):
        pytest.skip("an SQLite file has one write lock for all logs")
    other = district.with_new_log(f"{district.log.slug}x")
    before = time.time_ns() // 1000
    with held(other):
        assert through(district.someone.get()) >= before - SECOND


def test_a_full_append_queue_is_429_and_says_when_to_come_back(district: District) -> None:
    """Communication 3.2: one append is being written, one waits, the third is told to come back."""
    with open_district(replace(district.settings, append_queue_limit=1)) as narrow, ThreadPoolExecutor(5) as pool:
        client = replace(district.someone, app=narrow.app)
        with held(district):
            waiting = {pool.submit(client.post, statement()) for _ in range(5)}
            refused: set[Any] = set()
            while len(refused) < 3:
                done, waiting = wait(waiting, timeout=10, return_when=FIRST_COMPLETED)
                assert done, "nothing was refused"
                refused |= done
        assert [one.result().status_code for one in refused] == [429] * 3
        assert {one.result().headers["Retry-After"] for one in refused} == {"1"}
        assert [one.result().status_code for one in waiting] == [200] * 2


def test_an_error_of_ours_tells_nothing_of_the_inside(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("SELECT secret FROM credential")

    monkeypatch.setattr(retrieval, "statements_page", fail)
    answer = district.someone.get()
    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert "secret" not in answer.text
    assert "RuntimeError" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ({}, 3),
        ({"statementId": "given"}, 3),
        ({"agent": '{"account":{"homePage":"https://sis.example.org","name":"one"}}'}, 3),
        ({"since": "2026-01-01T00:00:00Z", "until": "2999-01-01T00:00:00Z"}, 5),
        ({"verb": "http://adlnet.gov/expapi/verbs/answered", "related_agents": "true"}, 4),
        ({"foo": "bar"}, 2),
    ],
    ids=str,
)
def test_a_get_costs_so_many_sql_statements(district: District, query: dict[str, str], number: int) -> None:
    """The credential, the time that is complete, the page; one for each bound in time, one for references followed."""
    target = statement()
    chain = [target]
    for _ in range(5):
        chain.append(statement(verb="confirmed") | {"object": {"objectType": "StatementRef", "id": chain[-1]["id"]}})
    district.someone.post(chain + [statement() for _ in range(50)])
    asked = {name: target["id"] if value == "given" else value for name, value in query.items()}
    with counted(district) as seen:
        district.someone.get(query=asked)
    assert len(seen) == number, seen


def test_a_database_that_does_not_answer_is_503_and_tells_nothing_of_the_inside(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = district.someone

    def away(*_: object, **__: object) -> None:
        raise OperationalError("SELECT secret", {}, Exception("server closed the connection"))

    monkeypatch.setattr("lrs.resources.statements.retrieval.statements_page", away)
    answer = client.get()
    assert answer.status_code == 503
    assert "secret" not in answer.text
    assert answer.headers["Retry-After"] == "1"
