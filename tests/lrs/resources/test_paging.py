"""limit and more: xAPI 1.0.3 Data 2.5 and Communication 2.1.3."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from lrs.xapi.statement import VOIDED
from tests.district import Client, District, ids, open_district, said, statement

PASSED = "http://adlnet.gov/expapi/verbs/passed"


def some(number: int) -> list[dict[str, Any]]:
    return [statement(str(index), "passed") for index in range(number)]


def pages(client: Client, **query: str) -> list[list[str]]:
    """Return the ids of each page until there is no more."""
    page = said(client.get(query=query))
    found = [ids(page["statements"])]
    while page["more"]:
        page = said(client.get(page["more"]))
        found.append(ids(page["statements"]))
    return found


def joined(found: list[list[str]]) -> list[str]:
    return list(itertools.chain.from_iterable(found))


@pytest.mark.parametrize(
    ("limit", "sizes"), [(1, [1] * 7), (3, [3, 3, 1]), (7, [7]), (6, [6, 1]), (100, [7]), (10**30, [7]), (0, [7])]
)
def test_a_page_has_so_many_statements_and_the_last_has_no_more(
    district: District, limit: int, sizes: list[int]
) -> None:
    sent = some(7)
    district.someone.post(sent)
    for ascending, expected in (("false", ids(reversed(sent))), ("true", ids(sent))):
        found = pages(district.someone, verb=PASSED, limit=str(limit), ascending=ascending)
        assert [len(page) for page in found] == sizes
        assert joined(found) == expected


def test_more_is_a_relative_irl_with_the_whole_path_and_query(district: District) -> None:
    """Data 2.5: excluding scheme, host and port."""
    district.someone.post(some(3))
    more = said(district.someone.get(query={"verb": PASSED, "limit": "2"}))["more"]
    split = urlsplit(more)
    assert (split.scheme, split.netloc, split.path) == ("", "", "/xapi/statements")
    assert "limit=2" in split.query.split("&")


def test_more_begins_with_the_prefix_that_the_server_is_mounted_under(district: District) -> None:
    district.someone.post(some(3))
    client = district.app.test_client()
    answer = client.get(
        "/xapi/statements?limit=1", headers=district.someone.headers, base_url="https://lrs.example.org/district"
    )
    assert said(answer)["more"].startswith("/district/xapi/statements?limit=1&")


def test_more_keeps_the_question_as_it_was_asked(district: District) -> None:
    verb, activity = "http://example.org/vérb?a=1&b=ü+", "https://tool.example.org/tâche"
    sent = [statement() | {"verb": {"id": verb}, "object": {"id": activity}} for _ in range(4)]
    district.someone.post([*sent[:2], *some(2), *sent[2:]])
    asked = {"verb": verb, "activity": activity, "format": "ids", "ascending": "true", "limit": "1"}
    assert joined(pages(district.someone, **asked)) == ids(sent)
    page = said(district.someone.get(query=asked))
    (second,) = said(district.someone.get(page["more"]))["statements"]
    assert second["object"] == {"id": activity}


def test_more_keeps_a_question_sent_as_bare_utf_8(district: District) -> None:
    verb = "http://example.org/vérb"
    sent = [statement() | {"verb": {"id": verb}} for _ in range(2)]
    district.someone.post(sent)
    bare = f"verb={verb}&limit=1".encode().decode("latin-1")
    path = {"PATH_INFO": "/xapi/statements", "QUERY_STRING": bare}
    answer = district.app.test_client().get(headers=district.someone.headers, environ_overrides=path)
    assert ids(said(answer)["statements"]) == [sent[1]["id"]]
    assert ids(said(district.someone.get(said(answer)["more"]))["statements"]) == [sent[0]["id"]]


@pytest.mark.parametrize("ascending", ["true", "false"])
def test_paging_skips_and_repeats_nothing_while_others_append(district: District, ascending: str) -> None:
    sent, later = some(20), some(20)
    district.someone.post(sent)
    page = said(district.someone.get(query={"verb": PASSED, "limit": "1", "ascending": ascending}))
    found = ids(page["statements"])
    upcoming = iter(later)
    while page["more"]:
        for one in itertools.islice(upcoming, 1):
            district.someone.post(one)
        page = said(district.someone.get(page["more"]))
        found += ids(page["statements"])
    assert found == (ids(sent + later) if ascending == "true" else ids(reversed(sent)))


def test_a_statement_voided_meanwhile_is_left_out_of_later_pages(district: District) -> None:
    """Data 2.5: the batch retrieved excludes statements which have since been voided."""
    sent = some(6)
    district.someone.post(sent)
    page = said(district.someone.get(query={"verb": PASSED, "limit": "2"}))
    target = {"objectType": "StatementRef", "id": sent[2]["id"]}
    district.someone.post(statement() | {"verb": {"id": VOIDED}, "object": target})
    rest = said(district.someone.get(page["more"]))
    assert ids(rest["statements"]) == [sent[3]["id"], sent[1]["id"]]


def test_more_serves_a_reader_of_its_own_only(district: District) -> None:
    own = district.client("statements/write", "statements/read/mine")
    mine, others = some(5), some(5)
    for one, other in zip(mine, others, strict=True):
        own.post(one)
        district.someone.post(other)
    assert pages(own, limit="2") == [ids([mine[4], mine[3]]), ids([mine[2], mine[1]]), ids([mine[0]])]
    assert joined(pages(own, limit="1", verb=PASSED, ascending="true")) == ids(mine)


def test_more_of_one_reader_opens_nothing_to_another(district: District) -> None:
    own = district.client("statements/read/mine")
    district.someone.post(some(3))
    more = said(district.someone.get(query={"limit": "1"}))["more"]
    assert said(own.get(more)) == {"statements": [], "more": ""}


@pytest.mark.parametrize("cursor", ["", "0", "-1", "x", "1.5", "١", "9" * 19, "9" * 5000, " 1", "MQ==", ["1", "2"]])
def test_a_cursor_that_is_not_ours_is_400(district: District, cursor: Any) -> None:
    answer = district.someone.get(query={"more": cursor})
    assert answer.status_code == 400
    assert said(answer)["problems"][0]["pointer"] == "?more"


def test_a_cursor_beyond_the_end_finds_what_lies_before_it(district: District) -> None:
    sent = some(2)
    district.someone.post(sent)
    answer = district.someone.get(query={"more": "9" * 18, "verb": PASSED})
    assert ids(said(answer)["statements"]) == ids(reversed(sent))


def test_a_page_is_never_longer_than_the_server_allows(own_district: District) -> None:
    sent = some(5)
    own_district.someone.post(sent)
    with open_district(replace(own_district.settings, page_limit=2)) as narrow:
        client = replace(own_district.someone, app=narrow.app)
        for limit in ("0", "2", "500"):
            assert [len(page) for page in pages(client, verb=PASSED, limit=limit)] == [2, 2, 1]


def test_pages_of_references_neither_skip_nor_repeat(district: District) -> None:
    target = statement("ben", "passed")
    other = statement("ben", "passed")
    referring = [
        statement() | {"object": {"objectType": "StatementRef", "id": one["id"]}, "id": str(uuid.uuid4())}
        for one in (target, other, target, other, target)
    ]
    district.someone.post([*referring[:2], target, *referring[2:], other])
    expected = ids([other, *reversed(referring[2:]), target, *reversed(referring[:2])])
    assert joined(pages(district.someone, verb=PASSED, limit="2")) == expected
    assert joined(pages(district.someone, verb=PASSED, limit="2", ascending="true")) == expected[::-1]
