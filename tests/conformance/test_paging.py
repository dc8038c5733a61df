"""Pages: `more`, since, until, limit and ascending, to the microsecond and while others append."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.conformance.tool import Json, Tool, hang_up, instant, shifted
from tests.district import ids

CLIENTS, POSTS = 3, 12


@pytest.fixture
def sent(tool: Tool) -> list[str]:
    """The ids of twelve statements, stored in this order."""
    return [one for _ in range(3) for one in tool.store(*(tool.statement() for _ in range(4)))]


def pages(tool: Tool, **query: str) -> list[list[str]]:
    """Return the ids on each page of the statements of this tool."""
    page = tool.page({"verb": tool.verb("answered"), **query})
    found = [ids(page["statements"])]
    while page.get("more"):
        page = tool.page(more=page["more"])
        found.append(ids(page["statements"]))
    return found


@contextmanager
def others_append(tool: Tool) -> Iterator[list[Future[list[str]]]]:
    """Let other clients append statements of the same verb, and of another, while the block runs."""

    def append() -> list[str]:
        found = []
        try:
            for _ in range(POSTS):
                found += tool.store(tool.statement(), tool.statement(verb="other"), tool.statement())
        finally:
            hang_up()
        return found

    with ThreadPoolExecutor(CLIENTS) as clients:
        yield [clients.submit(append) for _ in range(CLIENTS)]


@pytest.mark.parametrize("limit", ["1", "5", "12"])
def test_XAPI_00108_pages_hold_every_statement_once_in_order(tool: Tool, sent: list[str], limit: str) -> None:
    """XAPI-00108, 00111, 00114: the next page follows the rules of the first request."""
    newest_first = pages(tool, limit=limit)
    assert [one for page in newest_first for one in page] == sent[::-1]
    assert max(map(len, newest_first)) <= int(limit)
    assert [one for page in pages(tool, limit=limit, ascending="true") for one in page] == sent


@pytest.mark.parametrize("limit", ["1", "11", "12", "13"])
def test_XAPI_00173_a_page_has_no_more_than_its_limit(tool: Tool, sent: list[str], limit: str) -> None:
    page = tool.page({"verb": tool.verb("answered"), "limit": limit})
    assert ids(page["statements"]) == sent[::-1][: int(limit)]
    assert bool(page.get("more")) == (int(limit) < len(sent))


def test_XAPI_00173_a_limit_of_0_is_the_most_that_the_server_gives(tool: Tool, sent: list[str]) -> None:
    assert ids(tool.page({"verb": tool.verb("answered"), "limit": "0"})["statements"]) == sent[::-1]


def test_XAPI_00109_more_is_empty_where_nothing_is_left(tool: Tool, sent: list[str]) -> None:
    assert tool.page({"verb": tool.verb("answered"), "limit": "12"}).get("more", "") == ""


def test_D_2_5_the_same_link_gives_the_same_page_again(tool: Tool, sent: list[str]) -> None:
    """Communication 2.1.3: `more` is good for a day at least, so it depends on nothing that passes."""
    more = tool.page({"verb": tool.verb("answered"), "limit": "5"})["more"]
    first = tool.page(more=more)
    tool.store(*(tool.statement() for _ in range(3)))
    again = tool.page(more=more)
    assert first == again
    assert ids(first["statements"]) == sent[::-1][5:10]


def test_D_2_5_a_link_works_with_other_headers_of_the_same_credential(tool: Tool, sent: list[str]) -> None:
    more = tool.page({"verb": tool.verb("answered"), "limit": "5"})["more"]
    answer = tool.get(more, Accept_Language="de", Accept="*/*")
    assert ids(answer.value["statements"]) == sent[::-1][5:10]


@pytest.mark.parametrize("ascending", ["true", "false"])
def test_XAPI_00108_pages_neither_skip_nor_repeat_while_other_clients_append(
    tool: Tool, sent: list[str], ascending: str
) -> None:
    with others_append(tool) as appending:
        found = [one for page in pages(tool, limit="2", ascending=ascending) for one in page]
        appended = {one for client in appending for one in client.result()}
    assert len(found) == len(set(found))
    assert [one for one in found if one in sent] == (sent if ascending == "true" else sent[::-1])
    assert set(found) <= {*sent, *appended}


def test_XAPI_00153_consistent_through_is_true_while_other_clients_append(tool: Tool) -> None:
    """What was stored up to that time is in the very answer that names it."""
    reads: list[tuple[str, set[str]]] = []
    with others_append(tool) as appending:
        while not all(client.done() for client in appending):
            answer = tool.get(query={"verb": tool.verb("answered"), "limit": "0"})
            reads.append((answer.headers["X-Experience-API-Consistent-Through"], set(ids(answer.value["statements"]))))
    all_stored = [(instant(one["stored"]), one["id"]) for one in tool.found(verb=tool.verb("answered"))]
    assert len(all_stored) == CLIENTS * POSTS * 2
    for through, seen in reads:
        assert {named for stored, named in all_stored if stored <= instant(through)} <= seen


def test_XAPI_00175_since_is_exclusive_and_XAPI_00174_until_is_inclusive(tool: Tool, sent: list[str]) -> None:
    """To the microsecond, of the time at which a statement was stored."""
    fifth = tool.one(sent[4])["stored"]
    before, after = shifted(fifth, -1), shifted(fifth, 1)

    def found(**window: str) -> list[str]:
        return tool.ids(verb=tool.verb("answered"), **window)

    assert found(since=fifth) == sent[:4:-1]
    assert found(until=fifth) == sent[4::-1]
    assert found(since=before) == sent[:3:-1]
    assert found(until=before) == sent[3::-1]
    assert found(since=before, until=fifth) == found(since=before, until=fifth, ascending="true") == [sent[4]]
    assert found(since=fifth, until=fifth) == found(since=after, until=before) == []
    assert found(since=fifth, ascending="true") == sent[5:]
    assert found(until=fifth, ascending="true") == sent[:5]


def test_XAPI_00175_any_time_may_be_asked_for(tool: Tool, sent: list[str]) -> None:
    verb = tool.verb("answered")
    assert tool.ids(verb=verb, since="2999-01-01T00:00:00Z") == []
    assert tool.ids(verb=verb, until="1999-01-01T00:00:00Z") == []
    assert tool.ids(verb=verb, since="1999-01-01T00:00:00Z", until="2999-01-01T00:00:00Z") == sent[::-1]


def test_XAPI_00175_a_time_in_another_zone_is_the_same_instant(tool: Tool, sent: list[str]) -> None:
    third = shifted(tool.one(sent[2])["stored"], 2 * 3_600_000_000).replace("Z", "+02:00")
    assert tool.ids(verb=tool.verb("answered"), since=third) == sent[:2:-1]
    assert tool.ids(verb=tool.verb("answered"), until=third) == sent[2::-1]


def test_XAPI_00108_since_until_and_order_hold_on_every_page(tool: Tool, sent: list[str]) -> None:
    since, until = tool.one(sent[1])["stored"], tool.one(sent[9])["stored"]
    for ascending, expected in (("true", sent[2:10]), ("false", sent[9:1:-1])):
        found = pages(tool, since=since, until=until, limit="3", ascending=ascending)
        assert [one for page in found for one in page] == expected


def test_XAPI_00166_order_is_that_of_stored_and_not_of_timestamp(tool: Tool) -> None:
    sent = [tool.statement(timestamp=f"2020-01-{20 - day}T00:00:00.000Z") for day in range(10)]
    tool.store(*sent)
    asked = {"verb": tool.verb("answered")}
    assert tool.ids(**asked, ascending="true") == ids(sent)
    assert tool.ids(**asked) == tool.ids(**asked, ascending="false") == ids(reversed(sent))


def test_XAPI_00108_a_long_result_is_cut_into_pages_that_the_client_did_not_ask_for(tool: Tool) -> None:
    """More than the server gives at once, asked for without a limit."""
    sent: list[Json] = [tool.statement() for _ in range(520)]
    tool.store(*sent)
    found = pages(tool)
    assert [one for page in found for one in page] == ids(reversed(sent))
