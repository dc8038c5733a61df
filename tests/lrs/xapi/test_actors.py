"""Data 2.4.2 and 2.4.9: Agents, Groups and authorities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lrs.errors import Problem
from lrs.xapi.actors import check_actor, check_authority, ifi
from lrs.xapi.statement import problems
from tests.lrs.xapi.examples import ANN, BEN, CLASS, PAIR, full, nested, with_value

ACCOUNT = {"homePage": "https://sis.example.org", "name": "s-1042"}
IDENTITIES: list[dict[str, Any]] = [
    {"mbox": "mailto:ann@example.org"},
    {"mbox_sha1sum": "0123456789abcdefABCDEF0123456789abcdef01"},
    {"openid": "https://id.example.org/ann"},
    {"account": ACCOUNT},
]
NO_IDENTITIES: dict[str, list[Any]] = {
    "mbox": ["", "ann@example.org", "mailto:ann", "https://ann@example.org", 1, {}, None],
    "mbox_sha1sum": ["", "abc", "g" * 40, "a" * 41, 1, {}],
    "openid": ["", "ann", "//example.org", "a=b://example.org", 1, {}],
    "account": ["", "ann", [], 1],
}
WRONG_IDENTITIES = [(name, value) for name, values in NO_IDENTITIES.items() for value in values]
RESTS: list[dict[str, Any]] = [{}, {"objectType": "Agent"}, {"name": ""}, {"objectType": "Agent", "name": "Ann"}]
MEMBERS: list[dict[str, Any]] = [{}, {"member": []}, {"member": [ANN, BEN]}, {"name": "7b"}]
WRONG_ACCOUNTS: list[tuple[dict[str, Any], str]] = [
    ({}, "/account/homePage"),
    ({"homePage": "https://sis.example.org"}, "/account/name"),
    ({"name": "s-1042"}, "/account/homePage"),
    ({**ACCOUNT, "name": 1042}, "/account/name"),
    ({**ACCOUNT, "homePage": "sis"}, "/account/homePage"),
    ({**ACCOUNT, "homePage": "urn:sis:1"}, "/account/homePage"),
    ({**ACCOUNT, "homepage": "https://sis.example.org"}, "/account/homepage"),
]
ACTOR_PLACES = ["/actor", "/object", "/context/instructor", "/authority"]


def found(check: Callable[[Any, str, list[Problem]], None], value: object) -> list[str]:
    reported: list[Problem] = []
    check(value, "", reported)
    return [problem.pointer for problem in reported]


@pytest.mark.parametrize("identity", IDENTITIES)
def test_an_agent_has_one_identifier_with_or_without_type_and_name(identity: dict[str, Any]) -> None:
    for rest in RESTS:
        assert found(check_actor, {**identity, **rest}) == []


@pytest.mark.parametrize("identity", IDENTITIES)
def test_a_group_with_an_identifier_may_list_members(identity: dict[str, Any]) -> None:
    for rest in MEMBERS:
        assert found(check_actor, {"objectType": "Group", **identity, **rest}) == []


@pytest.mark.parametrize("place", ACTOR_PLACES)
def test_an_actor_is_checked_wherever_it_stands(place: str) -> None:
    statement = full()
    del statement["context"]["revision"], statement["context"]["platform"]
    wrong = {"objectType": "Agent", "mbox": "ann@example.org", "Name": "Ann"}
    reported = [problem.pointer for problem in problems(with_value(statement, place, wrong), "1.0.3")]
    assert reported == [f"{place}/mbox", f"{place}/Name"]


@pytest.mark.parametrize("place", ["/object/actor", "/object/context/instructor", "/object/context/team/member/0"])
def test_an_actor_is_checked_in_a_sub_statement_and_a_group(place: str) -> None:
    assert [problem.pointer for problem in problems(with_value(nested(), place, {"name": "Ann"}), "1.0.3")] == [place]


def test_no_identifier_or_two_are_refused() -> None:
    assert found(check_actor, {"name": "Ann"}) == [""]
    assert found(check_actor, {"objectType": "Agent"}) == [""]
    for position, one in enumerate(IDENTITIES):
        for other in IDENTITIES[position + 1 :]:
            assert found(check_actor, {**one, **other}) == [""]
            assert found(check_actor, {"objectType": "Group", **one, **other}) == [""]


@pytest.mark.parametrize(("name", "value"), WRONG_IDENTITIES)
def test_an_identifier_has_its_format(name: str, value: object) -> None:
    assert found(check_actor, {name: value}) == [f"/{name}"]
    assert found(check_actor, {"objectType": "Group", name: value}) == [f"/{name}"]
    assert found(check_actor, {"objectType": "Group", "member": [{name: value}]}) == [f"/member/0/{name}"]


@pytest.mark.parametrize(("account", "place"), WRONG_ACCOUNTS)
def test_an_account_has_a_home_page_and_a_name(account: dict[str, Any], place: str) -> None:
    assert place in found(check_actor, {"account": account})


@pytest.mark.parametrize("value", [None, 1, "Ann", [], True])
def test_an_actor_is_an_object(value: object) -> None:
    assert found(check_actor, value) == [""]
    assert found(check_authority, value) == [""]


@pytest.mark.parametrize("kind", ["agent", "group", "Person", "Activity", "", 1, None])
def test_an_actor_is_an_agent_or_a_group(kind: object) -> None:
    assert found(check_actor, {**IDENTITIES[0], "objectType": kind}) == ["/objectType"]


@pytest.mark.parametrize("name", [None, 1, {}, ["Ann"]])
def test_a_name_is_a_string(name: object) -> None:
    assert found(check_actor, {**IDENTITIES[0], "name": name}) == ["/name"]


def test_an_anonymous_group_lists_members() -> None:
    assert found(check_actor, PAIR) == []
    assert found(check_actor, {"objectType": "Group"}) == ["/member"]
    assert found(check_actor, {"objectType": "Group", "member": []}) == ["/member"]


def test_a_group_says_that_it_is_one() -> None:
    assert found(check_actor, {"member": [ANN]}) == ["/objectType"]
    assert found(check_actor, {"objectType": "Agent", **IDENTITIES[0], "member": [ANN]}) == ["/member"]


@pytest.mark.parametrize("member", [PAIR, CLASS, {"objectType": "Group", **IDENTITIES[0]}])
def test_no_group_is_a_member(member: dict[str, Any]) -> None:
    assert "/member/0/objectType" in found(check_actor, {"objectType": "Group", "member": [member]})


@pytest.mark.parametrize("member", [ANN, "Ann", {"0": ANN}])
def test_members_stand_in_an_array(member: object) -> None:
    assert "/member" in found(check_actor, {"objectType": "Group", "member": member})


def test_an_authority_is_an_agent_or_an_anonymous_pair() -> None:
    assert found(check_authority, ANN) == []
    assert found(check_authority, PAIR) == []
    assert found(check_authority, {**PAIR, "member": [ANN]}) == ["/member"]
    assert found(check_authority, {**PAIR, "member": [ANN, BEN, ANN]}) == ["/member"]
    for identity in IDENTITIES:
        assert found(check_authority, {**PAIR, **identity}) == [""]


@pytest.mark.parametrize(
    ("actor", "text"),
    [
        ({"mbox": "mailto:Ann@Example.ORG"}, "mbox:mailto:Ann@example.org"),
        ({"mbox_sha1sum": "ABCDEF" + "0" * 34}, "mbox_sha1sum:abcdef" + "0" * 34),
        ({"openid": "https://id.example.org/Ann"}, "openid:https://id.example.org/Ann"),
        ({"account": ACCOUNT, "name": "Ann"}, "account:https://sis.example.org|s-1042"),
        (CLASS, "openid:https://id.example.org/7b"),
        (PAIR, None),
    ],
)
def test_an_identifier_is_one_text_in_the_case_that_counts(actor: dict[str, Any], text: str | None) -> None:
    assert ifi(actor) == text
