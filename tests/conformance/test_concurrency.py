"""ETags and preconditions of documents: 1.0.3 Communication 3.1, 2.0 4.1.4."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha1

import pytest

from tests.conformance.shelf import Shelf
from tests.conformance.tool import hang_up

BODY, OTHER = b'{"a":1}', b'{"b":2}'


def body_of(method: str) -> bytes:
    """Return what is sent with a method."""
    return b"" if method == "DELETE" else OTHER


def test_XAPI_00322_the_etag_is_quoted_and_names_the_content(shelf: Shelf) -> None:
    """1.0.3 Communication 3.1: the hexadecimal SHA-1 of the content, in quotes; strong, for it names the very bytes."""
    tag = shelf.create(BODY)
    assert re.fullmatch(r'"[^"]+"', tag)
    if shelf.tool.version == "1.0.3":
        assert tag.strip('"').lower() == sha1(BODY).hexdigest()


def test_XAPI_00322_the_etag_changes_if_and_only_if_the_content_does(shelf: Shelf) -> None:
    tag = shelf.create(BODY)
    assert {shelf.ask(method).headers["ETag"] for method in ("GET", "GET", "HEAD")} == {tag}
    assert shelf.ask("PUT", body=OTHER, If_Match=tag).status == 204
    second = shelf.ask("GET").headers["ETag"]
    assert shelf.ask("POST", body=BODY).status == 204
    third = shelf.ask("GET").headers["ETag"]
    assert len({tag, second, third}) == 3
    assert shelf.ask("PUT", body=BODY, If_Match=third).status == 204
    assert shelf.ask("GET").headers["ETag"] == tag


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize("wrong", ['"1234"', f'"{"0" * 40}"'], ids=["short", "long"])
def test_XAPI_00322_a_wrong_if_match_is_412_and_changes_nothing(shelf: Shelf, method: str, wrong: str) -> None:
    """2.0 4.1.4 (s50, s52): on PUT, POST and DELETE."""
    tag = shelf.create(BODY)
    assert shelf.ask(method, body=body_of(method), If_Match=wrong).status == 412
    found = shelf.ask("GET")
    assert (found.status, found.data, found.headers["ETag"]) == (200, BODY, tag)


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_XAPI_00322_the_right_if_match_lets_a_change_pass(shelf: Shelf, method: str) -> None:
    tag = shelf.create(BODY)
    assert shelf.ask(method, body=body_of(method), If_Match=tag).status == 204
    after = {"PUT": (200, OTHER), "POST": (200, b'{"a":1,"b":2}'), "DELETE": (404, None)}[method]
    found = shelf.ask("GET")
    assert (found.status, found.data.replace(b" ", b"") if found.status == 200 else None) == after


def test_XAPI_00322_the_etag_of_before_a_change_is_412(shelf: Shelf) -> None:
    tag = shelf.create(BODY)
    assert shelf.ask("PUT", body=OTHER, If_Match=tag).status == 204
    assert shelf.ask("PUT", body=BODY, If_Match=tag).status == 412
    assert shelf.ask("GET").data == OTHER


def test_XAPI_00322_if_none_match_creates_once(shelf: Shelf) -> None:
    shelf.create(BODY)
    assert shelf.ask("PUT", body=OTHER, If_None_Match="*").status == 412
    assert shelf.ask("GET").data == BODY
    assert shelf.ask("DELETE").status == 204
    assert shelf.ask("PUT", body=OTHER, If_None_Match="*").status == 204


def test_XAPI_00322_an_if_match_of_what_is_not_there_is_412(shelf: Shelf) -> None:
    assert shelf.ask("PUT", body=BODY, If_Match='"1234"').status == 412
    assert shelf.ask("GET").status == 404


def test_XAPI_00322_a_put_without_precondition_is_409_for_what_exists(shelf: Shelf) -> None:
    """1.0.3 Communication 3.1 for profiles, 2.0 4.1.4 for State too; 1.0.3 replaces a State (XAPI-00190)."""
    shelf.create(BODY)
    replaces = shelf.kind == "state" and shelf.tool.version == "1.0.3"
    answer = shelf.ask("PUT", body=OTHER)
    assert answer.status == (204 if replaces else 409)
    assert replaces or answer.data
    assert shelf.ask("GET").data == (OTHER if replaces else BODY)


def test_XAPI_00322_of_clients_that_change_one_version_at_once_one_succeeds(shelf: Shelf) -> None:
    tag = shelf.create(BODY)

    def change(number: int) -> int:
        status = shelf.ask("PUT", body=b'{"n":%d}' % number, If_Match=tag).status
        hang_up()
        return status

    with ThreadPoolExecutor(4) as clients:
        statuses = sorted(clients.map(change, range(4)))
    assert statuses == [204, 412, 412, 412]
