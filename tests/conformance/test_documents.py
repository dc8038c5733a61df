"""State and both profiles: what is stored, merged, listed and deleted (Communication 2.2, 2.3, 2.6, 2.7; 2.0 4.1.6)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from tests.conformance.shelf import Shelf
from tests.conformance.tool import Tool, instant

DOCUMENTS = {
    "JSON as it was written": (b'{ "a" : 1.10,\n "b": "\xc3\xa9" }', "application/json"),
    "bytes": (bytes(range(256)) + b"\r\n--x", "application/octet-stream"),
    "a page": (b"<p>\xe4</p>", "text/html; charset=latin-1"),
    "much": (b"0123456789" * 30_000, "image/png"),
}


@pytest.mark.parametrize(("body", "kind"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_XAPI_00192_a_document_comes_back_byte_for_byte_with_its_type(shelf: Shelf, body: bytes, kind: str) -> None:
    """XAPI-00188, 00192, 00269, 00274, 00288."""
    shelf.create(body, Content_Type=kind)
    answer = shelf.ask("GET")
    assert (answer.status, answer.data, answer.content_type) == (200, body, kind)


def test_XAPI_00190_a_change_is_answered_204_without_content(shelf: Shelf) -> None:
    """XAPI-00187, 00189, 00190, 00271 to 00273, 00285 to 00287."""
    answers = [
        shelf.ask("PUT", body=b'{"a":1}', If_None_Match="*"),
        shelf.ask("POST", body=b'{"b":2}'),
        shelf.ask("DELETE"),
    ]
    assert [(one.status, one.data) for one in answers] == [(204, b"")] * 3
    assert shelf.ask("GET").status == 404


def test_XAPI_00183_a_merge_replaces_whole_members_at_the_top_level_only(shelf: Shelf) -> None:
    """XAPI-00183, 00184, 00234, 00279, 00308."""
    shelf.create(b'{"a":{"x":1,"y":{"z":2}},"b":[1,2],"c":"kept","d":1}')
    assert shelf.ask("POST", body=b'{"a":{"y":{"w":3}},"b":[3],"d":null,"e":{}}').status == 204
    found = shelf.ask("GET")
    assert found.value == {"a": {"y": {"w": 3}}, "b": [3], "c": "kept", "d": None, "e": {}}
    assert found.content_type.startswith("application/json")


def test_XAPI_00233_a_post_creates_what_is_not_there(shelf: Shelf) -> None:
    """XAPI-00233, 00280, 00310."""
    assert shelf.ask("POST", body=b'{"a": 1}').status == 204
    assert shelf.ask("GET").data == b'{"a": 1}'


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"abc", "text/plain"), (b'{"a":2}', "text/plain"), (b"[1]", "application/json"), (b'{"a":', "application/json")],
)
def test_XAPI_00232_what_cannot_be_merged_is_400_and_changes_nothing(shelf: Shelf, body: bytes, kind: str) -> None:
    """XAPI-00182, 00229, 00232, 00235, 00278, 00281, 00309, 00314."""
    tag = shelf.create(b'{"a":1}')
    assert shelf.ask("POST", body=body, Content_Type=kind).status == 400
    found = shelf.ask("GET")
    assert (found.data, found.headers["ETag"]) == (b'{"a":1}', tag)


def test_XAPI_00232_json_is_not_merged_into_something_else(shelf: Shelf) -> None:
    shelf.create(b'{"a":1}', Content_Type="text/plain")
    assert shelf.ask("POST", body=b'{"b":1}').status == 400
    assert shelf.ask("GET").data == b'{"a":1}'


def test_XAPI_00193_without_an_id_the_ids_are_listed(shelf: Shelf) -> None:
    """XAPI-00193, 00270, 00289."""
    assert shelf.ids() == set()
    for name in ("one", "zwei/ü", "drei & 3"):
        shelf.create(b"x", name, Content_Type="text/plain")
    assert shelf.ids() == {"one", "zwei/ü", "drei & 3"}
    shelf.ask("DELETE", "one")
    assert shelf.ids() == {"zwei/ü", "drei & 3"}


def test_XAPI_00195_since_lists_what_was_stored_later(shelf: Shelf) -> None:
    """XAPI-00195, 00221, 00268, 00275, 00294, 00303; the server's clock is read from what it stores."""
    shelf.create(b"x", "early", Content_Type="text/plain")
    shelf.create(b'{"a":1}', "changed")
    between = shelf.now()
    shelf.create(b"x", "late", Content_Type="text/plain")
    shelf.ask("POST", "changed", b'{"a":2}')
    assert shelf.ids(since=between) == {"late", "changed"}
    assert shelf.ids(since=shelf.now()) == set()
    assert shelf.ids(since="1999-01-01T00:00:00Z") == {"early", "late", "changed"}


def test_XAPI_00218_a_registration_is_part_of_where_a_state_is(states: Shelf) -> None:
    """XAPI-00218, 00219, 00220, 00227: by PUT, POST, GET and DELETE."""
    one, other = str(uuid.uuid4()), str(uuid.uuid4())
    states.create(b'{"of":"none"}')
    states.create(b'{"of":"one"}', registration=one)
    assert states.ask("GET", registration=other).status == 404
    assert states.ask("POST", body=b'{"more":1}', registration=one).status == 204
    assert states.ask("GET").data == b'{"of":"none"}'
    assert states.ask("GET", registration=one.upper()).value == {"of": "one", "more": 1}
    states.create(b"x", "other", Content_Type="text/plain", registration=other)
    assert states.ids(registration=one) == {"one"}
    assert states.ids(registration=other) == {"other"}
    assert states.ask("DELETE", registration=one).status == 204
    assert states.ask("GET").status == 200
    assert states.ask("GET", registration=one).status == 404


def test_XAPI_00194_without_an_id_delete_takes_every_state_of_activity_and_agent(states: Shelf, tool: Tool) -> None:
    elsewhere = states.of(agent=tool.agent("ben"))
    elsewhere.create(b"x", Content_Type="text/plain")
    for name in ("one", "two"):
        states.create(b"x", name, Content_Type="text/plain")
    assert states.ask("DELETE", None).status == 204
    assert states.ids() == set()
    assert elsewhere.ids() == {"one"}


def test_XAPI_00194_with_a_registration_delete_takes_only_its_states(states: Shelf) -> None:
    one, other = str(uuid.uuid4()), str(uuid.uuid4())
    for registration in (one, other):
        states.create(b"x", Content_Type="text/plain", registration=registration)
    assert states.ask("DELETE", None, registration=one).status == 204
    assert states.ask("GET", registration=one).status == 404
    assert states.ask("GET", registration=other).status == 200


def test_C_2_2_documents_of_others_are_others(shelf: Shelf, tool: Tool) -> None:
    """Each activity and each agent has its own."""
    shelf.create(b'{"a":1}')
    for name, value in (("activityId", tool.activity("other")), ("agent", tool.agent("other"))):
        if name in shelf.owner:
            assert shelf.of(**{name: value}).ask("GET").status == 404
            assert shelf.of(**{name: value}).ids() == set()


def test_C_2_2_an_agent_is_the_same_whatever_its_name(states: Shelf, tool: Tool) -> None:
    states.create(b'{"a":1}')
    assert states.of(agent={**tool.agent("ann"), "name": "Ann"}).ask("GET").data == b'{"a":1}'


METHODS = ("GET", "PUT", "POST", "DELETE")
BAD: dict[str, Callable[[Shelf], dict[str, Any]]] = {
    "no owner": lambda shelf: dict.fromkeys(shelf.owner),
    "an agent that is none": lambda shelf: {"agent": "ann"} if "agent" in shelf.owner else {"activityId": "task"},
    "an unknown parameter": lambda shelf: {"foo": "bar"},
    "a parameter in another case": lambda shelf: {"AgentId": "x"},
}


@pytest.mark.parametrize("name", BAD)
def test_XAPI_00196_parameters_that_cannot_be_used_are_400(shelf: Shelf, name: str) -> None:
    """XAPI-00196 to 00215, 00243, 00255 to 00267, 00295 to 00302, 00324, 00325: for each method."""
    other = shelf.of(**BAD[name](shelf))
    asked = [other.ask(method, body=b"{}" if method in {"PUT", "POST"} else b"") for method in METHODS]
    assert [one.status for one in asked] == [400] * len(METHODS)


def test_XAPI_00204_since_must_be_a_time_and_registration_a_uuid(states: Shelf) -> None:
    assert states.ask("GET", None, since="yesterday").status == 400
    assert [states.ask(one, body=b"{}", registration="1234").status for one in ("PUT", "POST")] == [400, 400]
    assert [states.ask(one, registration="1234").status for one in ("GET", "DELETE")] == [400, 400]


def test_S_4_1_6_2_last_modified_is_the_time_of_the_last_change(tool: Tool) -> None:
    """2.0 4.1.6.2, 4.1.6.5, 4.1.6.6; of all three resources at once, since the header counts seconds."""
    shelves = [Shelf(tool, kind) for kind in Shelf.kinds()]
    seen = []
    for number in range(2):
        time.sleep(1.05 * number)
        before = instant(shelves[0].now()).timestamp()
        for one in shelves:
            assert one.ask("POST", body=b'{"n":%d}' % number).status == 204
        modified = [parsedate_to_datetime(one.ask("GET").headers["Last-Modified"]).timestamp() for one in shelves]
        assert all(int(before) <= one <= before + 5 for one in modified)
        seen.append(modified)
    assert all(first < second for first, second in zip(*seen, strict=True))
