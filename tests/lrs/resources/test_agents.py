"""The Agents Resource: xAPI 1.0.3 Communication 2.4."""

from __future__ import annotations

from typing import Any

import pytest

from lrs.store.credentials import SCOPES
from lrs.store.engine import immediate
from lrs.store.log import erase_body
from tests.district import Client, District, said, statement
from tests.lrs.xapi.examples import ANN, BEN, PAIR

PATH = "/xapi/agents"
IDENTITIES: list[dict[str, Any]] = [
    {"mbox": "mailto:cleo@example.org"},
    {"mbox_sha1sum": "ebd31e95054c018b10727ccffd2ef2ec3a016ee9"},
    {"openid": "https://id.example.org/cleo"},
    {"account": {"homePage": "https://sis.example.org", "name": "cleo"}},
]


def person(client: Client, agent: dict[str, Any]) -> Any:
    answer = client.ask("GET", PATH, {"agent": agent})
    assert (answer.status_code, answer.content_type) == (200, "application/json"), answer.text
    return said(answer)


@pytest.mark.parametrize("identity", IDENTITIES, ids=[next(iter(one)) for one in IDENTITIES])
def test_a_person_has_every_name_that_the_agent_was_given(district: District, identity: dict[str, Any]) -> None:
    """XAPI-00236 to 00245, 00248: read right after the POST; each property is an array."""
    for name in ("Cleo", "Cleopatra", "Cleo"):
        district.someone.post(statement(actor={"objectType": "Agent", "name": name, **identity}))
    ((kind, value),) = identity.items()
    assert person(district.someone, identity) == {"objectType": "Person", "name": ["Cleo", "Cleopatra"], kind: [value]}


@pytest.mark.parametrize("identity", IDENTITIES, ids=[next(iter(one)) for one in IDENTITIES])
def test_of_an_unknown_agent_a_person_has_what_was_asked(district: District, identity: dict[str, Any]) -> None:
    """XAPI-00246, 00247: only the information associated with the requested agent."""
    ((kind, value),) = identity.items()
    assert person(district.someone, identity) == {"objectType": "Person", kind: [value]}
    named = {"objectType": "Agent", "name": "Cleo", **identity}
    assert person(district.someone, named) == {"objectType": "Person", "name": ["Cleo"], kind: [value]}


def test_an_agent_is_known_wherever_it_stood(district: District) -> None:
    places: list[dict[str, Any]] = [
        {"object": ANN},
        {"actor": PAIR},
        {"context": {"instructor": ANN}},
        {"context": {"team": PAIR}},
    ]
    for place in places:
        other = district.with_new_log(f"x{district.log.slug}{places.index(place)}")
        assert other.someone.post(statement(**place)).status_code == 200
        assert person(other.someone, {"account": ANN["account"]})["name"] == ["Ann"]


def test_a_name_is_not_taken_from_who_may_not_define(district: District) -> None:
    """Communication 4.2: define is about actors too."""
    district.client("statements/write").post(statement(actor=ANN))
    assert "name" not in person(district.someone, {"account": ANN["account"]})


def test_a_name_goes_with_the_statement_that_is_erased(district: District) -> None:
    district.someone.post(statement(actor=ANN))
    with immediate(district.engine).begin() as connection:
        erase_body(connection, district.log.log_id, district.size())
    assert "name" not in person(district.someone, {"account": ANN["account"]})


@pytest.mark.parametrize("scope", SCOPES)
def test_who_may_read_statements_or_define_may_ask(district: District, scope: str) -> None:
    allowed = scope in {"statements/read", "all/read", "all", "define"}
    assert district.client(scope).ask("GET", PATH, {"agent": BEN}).status_code == (200 if allowed else 403)


def test_who_shows_no_credential_is_401(district: District) -> None:
    stranger = Client(district.app, district.someone.key, "wrong")
    assert stranger.ask("GET", PATH, {"agent": BEN}).status_code == 401


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({}, "?agent"),
        ({"agent": {"name": "Rick", "objectType": "Agent"}}, "?agent"),
        ({"agent": PAIR}, "?agent"),
        ({"agent": "true"}, "?agent"),
        ({"Agent": BEN}, "?Agent"),
        ({"agent": BEN, "foo": "bar"}, "?foo"),
    ],
)
def test_the_agent_must_be_given_and_be_identified(district: District, query: dict[str, Any], pointer: str) -> None:
    """XAPI-00243, 00249, 00324, 00325."""
    answer = district.someone.ask("GET", PATH, query)
    assert answer.status_code == 400
    assert pointer in {one["pointer"] for one in said(answer)["problems"]}


def test_head_answers_as_get_does_without_the_body(district: District) -> None:
    """XAPI-00125."""
    head, got = (district.someone.ask(method, PATH, {"agent": BEN}) for method in ("HEAD", "GET"))
    assert (head.status_code, head.data, head.headers) == (200, b"", got.headers)


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_other_methods_are_405(district: District, method: str) -> None:
    assert district.someone.ask(method, PATH, {"agent": BEN}).status_code == 405
