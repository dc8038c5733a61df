"""Two versions of xAPI on one server: what differs between requests under 1.0.3 and under 2.0."""

from __future__ import annotations

from typing import Any

import pytest

from lrs.xapi.values import timestamp_us
from tests.district import District, said, statement

VERSION = "X-Experience-API-Version"
OLD: dict[str, str] = {"X_Experience_API_Version": "1.0.3"}
NEW: dict[str, str] = {"X_Experience_API_Version": "2.0.0"}
BEN = {"objectType": "Agent", "mbox": "mailto:ben@example.org"}


def back(district: District, sent: dict[str, Any], version: dict[str, str], **query: str) -> Any:
    return said(district.someone.get(query={"statementId": sent["id"], **query}, **version))


@pytest.mark.parametrize(("version", "given"), [(OLD, "1.0.0"), (NEW, "2.0.0")], ids=str)
def test_a_statement_without_version_gets_that_of_its_request(
    district: District, version: dict[str, str], given: str
) -> None:
    """1.0.3 Data 2.4.10; 2.0 4.2.2: set by the LRS to the version under which it was sent."""
    posted, put = statement(), statement()
    assert district.someone.post(posted, **version).status_code == 200
    assert district.someone.put(put["id"], put, **version).status_code == 204
    assert [back(district, one, other)["version"] for one in (posted, put) for other in (OLD, NEW)] == [given] * 4


@pytest.mark.parametrize("text", ["1.0", "1.0.9", "2.0.0", "2.0.7"])
def test_a_version_that_was_sent_stays(district: District, text: str) -> None:
    """XAPI-00101, and 2.0, which takes statements of 1.0 as well."""
    sent = statement(version=text)
    assert district.someone.post(sent, **NEW).status_code == 200
    assert back(district, sent, NEW)["version"] == text
    other = statement(version=text)
    assert district.someone.post(other, **OLD).status_code == (400 if text.startswith("2") else 200)


@pytest.mark.parametrize(
    ("given", "told"), [("2.0.0", "2.0.0"), ("2.0", "2.0.0"), ("1.0.1", "1.0.3"), ("0.9", "1.0.3"), (None, "1.0.3")]
)
def test_about_answers_with_the_version_of_the_request(district: District, given: str | None, told: str) -> None:
    """Communication 2.8: any version may be asked with, or none; the versions listed are those that are spoken."""
    answer = district.app.test_client().get("/xapi/about", headers=None if given is None else {VERSION: given})
    assert (answer.status_code, answer.headers[VERSION]) == (200, told)
    assert set(said(answer)["version"]) == {"2.0.0", "1.0.3", "1.0.2", "1.0.1", "1.0.0"}


def test_refusals_under_2_0_name_2_0_too(district: District) -> None:
    """2.0 4.1.6: the header stands on every response, whatever its status and however early it was refused."""
    client, headers = district.app.test_client(), {VERSION: "2.0.0"}
    answers = [
        client.get("/xapi/statements", headers=headers),
        client.get("/xapi/nothing", headers=headers),
        client.patch("/xapi/statements", headers=headers),
        district.someone.get(query={"foo": "bar"}, **NEW),
        district.client("state").get(query={}, **NEW),
    ]
    assert [one.status_code for one in answers] == [401, 404, 405, 400, 403]
    assert {one.headers[VERSION] for one in answers} == {"2.0.0"}


@pytest.mark.parametrize("version", [OLD, NEW], ids=str)
def test_an_id_twice_in_a_batch_is_400(district: District, version: dict[str, str]) -> None:
    """2.0 4.1.6.1 (s37); under 1.0.3 it would be a conflict with itself."""
    sent, before = statement(), district.size()
    assert district.someone.post([sent, statement(), sent], **version).status_code == 400
    assert district.size() == before


@pytest.mark.parametrize("name", ["contextAgents", "contextGroups"])
def test_context_agents_and_groups_are_of_2_0(district: District, name: str) -> None:
    kind = name.removesuffix("s")
    who = BEN if kind == "contextAgent" else {"objectType": "Group", "member": [BEN]}
    entry = {"objectType": kind, kind.removeprefix("context").lower(): who, "relevantTypes": ["https://example.org/t"]}
    sent = statement(context={name: [entry]})
    assert district.someone.post(sent, **OLD).status_code == 400
    assert district.someone.post(sent, **NEW).status_code == 200
    assert back(district, sent, NEW)["context"] == sent["context"]
    assert back(district, sent, OLD)["context"] == sent["context"]
    assert len(district.someone.found(agent=BEN, related_agents="true")) == 1


@pytest.mark.parametrize("version", [OLD, NEW], ids=str)
def test_a_property_that_xapi_does_not_have_is_400(district: District, version: dict[str, str]) -> None:
    assert district.someone.post(statement(dummy=1), **version).status_code == 400


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("2008-09-15T15:53:00.601+02:00", "2008-09-15T13:53:00.601Z"),
        ("2008-09-15 15:53:00.601+00:00", "2008-09-15T15:53:00.601Z"),
        ("2008-09-15t15:53:00,601234567z", "2008-09-15T15:53:00.601234567Z"),
        ("2008-12-31T23:30:00-0130", "2009-01-01T01:00:00Z"),
        ("2008-09-15T15:53:00.000", "2008-09-15T15:53:00.000Z"),
        ("2008-09-15T15:53:00Z", "2008-09-15T15:53:00Z"),
    ],
)
@pytest.mark.parametrize("version", [OLD, NEW], ids=str)
def test_times_are_answered_in_utc_under_2_0_and_as_sent_under_1_0_3(
    district: District, sent: str, told: str, version: dict[str, str]
) -> None:
    """2.0 4.2.7: RFC 3339 is taken, a space for the T included, and converted to UTC rather than rejected."""
    nested = {**statement(timestamp=sent), "objectType": "SubStatement"}
    del nested["id"]
    one, two = statement(timestamp=sent), statement(timestamp=sent) | {"object": nested}
    assert district.someone.post([one, two], **version).status_code == 200
    for form in ("exact", "ids", "canonical"):
        assert back(district, one, NEW, format=form)["timestamp"] == told
        assert back(district, two, NEW, format=form)["object"]["timestamp"] == told
        assert back(district, two, OLD, format=form)["object"]["timestamp"] == sent
        assert back(district, one, OLD, format=form)["timestamp"] == sent
    page = said(district.someone.get(query={"limit": "2"}, **NEW))["statements"]
    assert [found["timestamp"] for found in page] == [told, told]
    assert timestamp_us(told) == timestamp_us(sent)


def test_what_else_is_called_timestamp_is_left_alone_under_2_0(district: District) -> None:
    extension = {"https://example.org/x": {"timestamp": "2008-09-15T15:53:00+02:00", "big": 2**70}}
    sent = statement(timestamp="2008-09-15T15:53:00+02:00", result={"extensions": extension})
    assert district.someone.post(sent, **NEW).status_code == 200
    found = back(district, sent, NEW)
    assert (found["timestamp"], found["result"]) == ("2008-09-15T13:53:00Z", sent["result"])


@pytest.mark.parametrize("version", [OLD, NEW], ids=str)
def test_a_duration_finer_than_a_hundredth_is_kept_as_it_is(district: District, version: dict[str, str]) -> None:
    """2.0 4.2.7 (s23-25): accepted, never rounded; the sender's text is what is stored."""
    sent = statement(result={"duration": "PT1.23789S"})
    assert district.someone.post(sent, **version).status_code == 200
    assert back(district, sent, version)["result"] == sent["result"]


@pytest.mark.parametrize("version", [OLD, NEW], ids=str)
def test_a_timestamp_in_the_future_is_taken_and_an_unknown_offset_is_not(
    district: District, version: dict[str, str]
) -> None:
    """2.0 s12; 1.0.3 Data 4.5."""
    assert district.someone.post(statement(timestamp="2999-01-01T00:00:00Z"), **version).status_code == 200
    for offset in ("-00", "-0000", "-00:00"):
        sent = statement(timestamp=f"2015-01-01T00:00:00{offset}")
        assert district.someone.post(sent, **version).status_code == 400


@pytest.mark.parametrize("version", [OLD, NEW], ids=str)
def test_one_statement_is_last_modified_when_it_was_stored(district: District, version: dict[str, str]) -> None:
    """2.0 4.1.6.1 (s38); legal under 1.0.3."""
    sent = statement()
    district.someone.post(sent, **version)
    answer = district.someone.get(query={"statementId": sent["id"]}, **version)
    assert answer.last_modified is not None
    assert int(answer.last_modified.timestamp()) == timestamp_us(said(answer)["stored"]) // 1_000_000
