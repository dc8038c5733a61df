"""POST and PUT of statements: xAPI 1.0.3 Communication 2.1.1, 2.1.2; what the LRS sets: Data 2.4.1, 2.4.7-2.4.10."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from lrs.store.log import erase_body
from lrs.xapi.values import is_uuid, timestamp_us
from tests.district import District, ids, said, statement
from tests.lrs.xapi.examples import full, nested

SIX_DIGITS = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z").fullmatch
SOMEONE_ELSE = {"objectType": "Agent", "mbox": "mailto:someone@example.org"}
Change = Callable[[dict[str, Any]], dict[str, Any]]


def stored_by_id(district: District, statement_id: str) -> dict[str, Any]:
    answer = district.someone.get(query={"statementId": statement_id})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = said(answer)
    return found


def problems_of(answer: Any) -> dict[str, str]:
    return {one["pointer"]: one["message"] for one in said(answer)["problems"]}


def test_post_answers_200_and_the_ids_in_the_order_of_the_batch(district: District) -> None:
    batch = [statement(str(number)) for number in range(20)]
    answer = district.someone.post(batch)
    assert (answer.status_code, said(answer)) == (200, ids(batch))


def test_post_of_one_statement_answers_an_array_of_one_id(district: District) -> None:
    sent = statement()
    answer = district.someone.post(sent)
    assert (answer.status_code, answer.content_type, said(answer)) == (200, "application/json", [sent["id"]])


def test_an_empty_batch_stores_nothing_and_is_answered_with_no_ids(district: District) -> None:
    before = district.size()
    answer = district.someone.post([])
    assert (answer.status_code, said(answer), district.size()) == (200, [], before)


def test_a_statement_without_id_gets_a_uuid(district: District) -> None:
    """Data 2.4.1."""
    sent = statement()
    del sent["id"]
    (given,) = said(district.someone.post(sent))
    assert is_uuid(given)
    assert stored_by_id(district, given)["id"] == given


def test_put_answers_204_without_content_and_the_statement_is_stored(district: District) -> None:
    sent = statement()
    answer = district.someone.put(sent["id"], sent)
    assert (answer.status_code, answer.data) == (204, b"")
    assert stored_by_id(district, sent["id"])["verb"] == sent["verb"]


def test_put_gives_the_statement_the_id_of_the_request(district: District) -> None:
    sent = statement()
    given = sent.pop("id")
    assert district.someone.put(given, sent).status_code == 204
    assert stored_by_id(district, given)["id"] == given


def test_put_refuses_an_id_that_is_not_the_one_of_the_request(district: District) -> None:
    """Communication 2.1.1: where provided, the id MUST match the statementId parameter; all else is told too."""
    sent = statement(version="0.9")
    answer = district.someone.put(str(uuid.uuid4()), sent)
    assert answer.status_code == 400
    assert problems_of(answer).keys() == {"/id", "/version"}


def test_put_takes_the_id_in_either_case(district: District) -> None:
    sent = statement()
    assert district.someone.put(sent["id"].upper(), sent).status_code == 204
    assert district.someone.put(sent["id"], sent).status_code == 204
    assert stored_by_id(district, sent["id"])["id"] == sent["id"]


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"statementId": "no-uuid"},
        {"statementid": str(uuid.uuid4())},
        {"statementId": str(uuid.uuid4()), "foo": "bar"},
        {"statementId": [str(uuid.uuid4()), str(uuid.uuid4())]},
    ],
)
def test_put_needs_one_statement_id_and_nothing_else(district: District, query: dict[str, Any]) -> None:
    answer = district.someone.send("PUT", query, Content_Type="application/json")
    assert answer.status_code == 400
    assert "?statementId" in problems_of(answer)


def test_put_takes_one_statement_not_an_array(district: District) -> None:
    sent = statement()
    answer = district.someone.put(sent["id"], [sent])
    assert answer.status_code == 400
    assert "send a batch by POST" in said(answer)["detail"]


def test_post_takes_no_query_parameters(district: District) -> None:
    before = district.size()
    answer = district.someone.send("POST", {"statementId": str(uuid.uuid4())}, Content_Type="application/json")
    assert (answer.status_code, district.size()) == (400, before)


def test_what_was_sent_comes_back_as_it_was(district: District) -> None:
    """Data 2.3.1; only what the LRS sets differs, and context Activities are given back in arrays (Data 2.4.6.2)."""
    for sent in (full(), {**nested(), "id": str(uuid.uuid4())}):
        sent["id"] = str(uuid.uuid4())
        assert district.someone.post(sent).status_code == 200
        context = (sent["object"] if sent["object"]["objectType"] == "SubStatement" else sent)["context"]
        context["contextActivities"]["category"] = [context["contextActivities"]["category"]]
        found = stored_by_id(district, sent["id"])
        set_by_us = {"stored", "authority"} | ({"timestamp", "version"} - sent.keys())
        assert {name: found[name] for name in found.keys() - set_by_us} == {
            name: sent[name] for name in sent.keys() - set_by_us
        }


def test_timestamp_is_stored_where_none_was_sent(district: District) -> None:
    """Data 2.4.7."""
    sent = statement()
    district.someone.post(sent)
    found = stored_by_id(district, sent["id"])
    assert found["timestamp"] == found["stored"]


@pytest.mark.parametrize("given", ["2026-11-21T08:00:00Z", "2026-11-21T08:00:00.1234567+05:30", "2034-01-01T00:00:00Z"])
def test_a_timestamp_that_was_sent_is_left_as_it_was(district: District, given: str) -> None:
    sent = statement(timestamp=given)
    district.someone.post(sent)
    assert stored_by_id(district, sent["id"])["timestamp"] == given


def test_stored_is_the_servers_and_always_has_a_fraction(district: District) -> None:
    """Data 2.4.8: set by the LRS, whatever was sent, by POST and by PUT."""
    posted, put = statement(stored="2013-01-01T00:00:00Z"), statement(stored="2013-01-01T00:00:00Z")
    district.someone.post(posted)
    district.someone.put(put["id"], put)
    for sent in (posted, put):
        found = stored_by_id(district, sent["id"])
        assert SIX_DIGITS(found["stored"])
        assert SIX_DIGITS(found["timestamp"])
        assert not found["stored"].startswith("2013")


def test_stored_rises_strictly_within_a_batch_and_over_batches(district: District) -> None:
    sent = [statement(str(number)) for number in range(30)]
    district.someone.post(sent[:15])
    district.someone.post(sent[15:])
    times = [
        timestamp_us(one["stored"]) for one in district.someone.found(ascending="true", verb=sent[0]["verb"]["id"])
    ]
    assert times == sorted(set(times))
    assert len(times) == 30


@pytest.mark.parametrize("given", [None, SOMEONE_ELSE, {"objectType": "Group", "member": [SOMEONE_ELSE, SOMEONE_ELSE]}])
def test_authority_is_the_account_of_the_credential(district: District, given: Any) -> None:
    """Data 2.4.9: set by the LRS; there is no trust relationship by which a sender could name another."""
    sent = statement() if given is None else statement(authority=given)
    district.someone.post(sent)
    account = {"homePage": district.log.origin, "name": district.someone.key}
    found = stored_by_id(district, sent["id"])["authority"]
    assert (found["objectType"], found["account"]) == ("Agent", account)


def test_version_is_1_0_0_where_none_was_sent_and_else_unchanged(district: District) -> None:
    """Data 2.4.10."""
    silent, sent = statement(), statement(version="1.0.9")
    district.someone.post([silent, sent])
    assert stored_by_id(district, silent["id"])["version"] == "1.0.0"
    assert stored_by_id(district, sent["id"])["version"] == "1.0.9"


def test_every_problem_of_every_statement_is_told_in_one_answer(district: District) -> None:
    before = district.size()
    good = statement()
    first = statement(result={"score": {"scaled": 2}, "succes": True})
    second = statement(actor={"mbox": "mailto:nobody"}, timestamp="yesterday")
    del second["verb"]["id"]
    answer = district.someone.post([good, first, second])
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert problems_of(answer).keys() == {
        "/1/result/score/scaled",
        "/1/result/succes",
        "/2/actor/mbox",
        "/2/timestamp",
        "/2/verb/id",
    }
    assert said(answer)["problem_count"] == 5
    assert district.size() == before


def test_the_pointers_of_a_lone_statement_begin_in_it(district: District) -> None:
    answer = district.someone.post(statement(result=[]))
    assert problems_of(answer).keys() == {"/result"}


def test_a_batch_with_one_bad_statement_is_refused_whole(district: District) -> None:
    """Communication 3.2: a batch is rejected if any of its statements is."""
    before, good = district.size(), [statement(str(number)) for number in range(5)]
    assert district.someone.post([*good[:3], {}, *good[3:]]).status_code == 400
    assert district.size() == before
    assert district.someone.get(query={"statementId": good[0]["id"]}).status_code == 404


def test_a_batch_with_one_id_twice_is_refused_whole(district: District) -> None:
    """Communication 2.1.1: SHOULD reject with 400; equal statements make no difference, nor does the case of the id."""
    before, one = district.size(), statement()
    for twin in (one, {**one, "id": one["id"].upper()}, {**statement("other"), "id": one["id"]}):
        answer = district.someone.post([statement(), one, twin])
        assert answer.status_code == 400
        assert problems_of(answer).keys() == {"/2/id"}
    assert district.size() == before


UNCHANGED: dict[str, Change] = {
    "the same": lambda sent: sent,
    "the id in upper case": lambda sent: {**sent, "id": sent["id"].upper()},
    "members in another order": lambda sent: dict(reversed(list(sent.items()))),
    "another display of the verb": lambda sent: {**sent, "verb": {"id": sent["verb"]["id"], "display": {"de": "x"}}},
    "a definition of the activity": lambda sent: {**sent, "object": {**sent["object"], "definition": {}}},
    "another authority": lambda sent: {**sent, "authority": SOMEONE_ELSE},
    "a stored time": lambda sent: {**sent, "stored": "2013-01-01T00:00:00Z"},
    "a timestamp": lambda sent: {**sent, "timestamp": "2026-11-21T08:00:00Z"},
    "a version": lambda sent: {**sent, "version": "1.0.3"},
}


@pytest.mark.parametrize("change", UNCHANGED.values(), ids=UNCHANGED)
def test_a_statement_posted_again_is_left_alone(district: District, change: Change) -> None:
    """Communication 2.1.1 and Data 2.3.1: no modification; what the LRS may have set is not compared."""
    sent = statement()
    district.someone.post(sent)
    before, kept = district.size(), stored_by_id(district, sent["id"])
    again = change(sent)
    assert district.someone.post(again).status_code == 200
    assert district.someone.put(again["id"], again).status_code == 204
    assert (district.size(), stored_by_id(district, sent["id"])) == (before, kept)


CHANGED: dict[str, Change] = {
    "another actor": lambda sent: {**sent, "actor": SOMEONE_ELSE},
    "another verb": lambda sent: {**sent, "verb": {"id": "http://adlnet.gov/expapi/verbs/passed"}},
    "another activity": lambda sent: {**sent, "object": {"id": "https://tool.example.org/other"}},
    "a result": lambda sent: {**sent, "result": {"success": True}},
    "a context": lambda sent: {**sent, "context": {"registration": str(uuid.uuid4())}},
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_an_id_taken_by_another_statement_is_a_conflict(district: District, change: Change) -> None:
    """Communication 2.1.1: SHOULD verify, SHOULD answer 409; MUST NOT modify."""
    sent = statement()
    district.someone.post(sent)
    before, kept, other = district.size(), stored_by_id(district, sent["id"]), change(sent)
    for answer in (district.someone.post(other), district.someone.put(other["id"], other)):
        assert answer.status_code == 409
        assert problems_of(answer).keys() == {"/id"}
        assert sent["id"] in problems_of(answer)["/id"]
    assert (district.size(), stored_by_id(district, sent["id"])) == (before, kept)


def test_a_batch_with_one_conflict_is_refused_whole_and_names_it(district: District) -> None:
    taken = statement()
    district.someone.post(taken)
    before = district.size()
    answer = district.someone.post([statement(), {**taken, "actor": SOMEONE_ELSE}, statement()])
    assert answer.status_code == 409
    assert problems_of(answer).keys() == {"/1/id"}
    assert district.size() == before


def test_a_batch_may_hold_statements_that_are_already_stored(district: District) -> None:
    known, new = statement(), statement()
    district.someone.post(known)
    before = district.size()
    answer = district.someone.post([known, new])
    assert (answer.status_code, said(answer), district.size()) == (200, [known["id"], new["id"]], before + 1)


def test_a_statement_posted_again_by_another_credential_keeps_its_first_authority(district: District) -> None:
    sent, other = statement(), district.client("statements/write")
    district.someone.post(sent)
    assert other.post(sent).status_code == 200
    assert stored_by_id(district, sent["id"])["authority"]["account"]["name"] == district.someone.key


def test_an_erased_statement_keeps_its_id(own_district: District) -> None:
    """Its text is gone, so nothing can be found equal to it."""
    sent = statement()
    own_district.someone.post(sent)
    with own_district.engine.begin() as connection:
        erase_body(connection, own_district.log.log_id, own_district.size())
    assert own_district.someone.post(sent).status_code == 409
    assert own_district.someone.get(query={"statementId": sent["id"]}).status_code == 404
