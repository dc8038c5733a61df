"""The read path below HTTP: what a hash alone would find wrongly, and statements whose text was erased."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert

from lrs.store.log import erase_body
from lrs.store.tables import posting
from lrs.xapi.values import key64
from tests.district import District, ids, statement

PASSED = "http://adlnet.gov/expapi/verbs/passed"


def referring(target: dict[str, Any]) -> dict[str, Any]:
    return statement("andrew", "confirmed") | {"object": {"objectType": "StatementRef", "id": target["id"]}}


def pretend(district: District, key: int, position: int, via: int) -> None:
    """Write a posting as a statement with the same 64-bit key, but another text, would have it."""
    with district.engine.begin() as connection:
        values = {"log_id": district.log.log_id, "key": key, "position": position, "via": via}
        connection.execute(insert(posting).values(**values))


def test_a_statement_that_only_shares_a_hash_with_the_query_is_not_found(own_district: District) -> None:
    other = statement("ben")
    ann = {"account": {"homePage": "https://sis.example.org", "name": "ann"}}
    own_district.someone.post(other)
    position = own_district.size()
    pretend(own_district, key64("agent", "account:https://sis.example.org|ann"), position, position)
    assert own_district.someone.found(agent=ann) == []


def test_a_reference_whose_target_only_shares_a_hash_is_not_found(own_district: District) -> None:
    target = statement("ben", "failed")
    own_district.someone.post([target, referring(target)])
    size = own_district.size()
    key = key64("agent", "account:https://sis.example.org|ann")
    pretend(own_district, key, size - 1, size - 1)
    pretend(own_district, key, size, size - 1)
    ann = {"account": {"homePage": "https://sis.example.org", "name": "ann"}}
    assert own_district.someone.found(agent=ann) == []
    assert len(own_district.someone.found(agent=target["actor"])) == 2


def test_an_erased_statement_is_left_out_of_pages_and_lends_nothing(own_district: District) -> None:
    target = statement("ben", "passed")
    confirmed = referring(target)
    own_district.someone.post([target, confirmed])
    assert ids(own_district.someone.found(verb=PASSED)) == [confirmed["id"], target["id"]]
    with own_district.engine.begin() as connection:
        erase_body(connection, own_district.log.log_id, own_district.size() - 1)
    assert own_district.someone.found(verb=PASSED) == []
    assert ids(own_district.someone.found(verb=confirmed["verb"]["id"])) == [confirmed["id"]]
    assert target["id"] not in ids(own_district.someone.found())


def test_a_chain_is_followed_beyond_an_erased_statement(own_district: District) -> None:
    end = statement("ben", "passed")
    middle = referring(end)
    first = referring(middle)
    own_district.someone.post([end, middle, first])
    with own_district.engine.begin() as connection:
        erase_body(connection, own_district.log.log_id, own_district.size() - 1)
    assert ids(own_district.someone.found(verb=PASSED)) == [first["id"], end["id"]]
