"""Documents under concurrent writers, with real commits through connections of two processes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import msgspec
import pytest
from sqlalchemy import Connection, Engine

from lrs.errors import DocumentConflict, PreconditionFailed
from lrs.store.documents import change, clear, glance, ids, is_swapped, overwrite, whole
from lrs.store.engine import committing, immediate
from lrs.xapi.documents import STATE, Conditions, Decision, Document, Kept, Place, delete, post, put
from tests.lrs.store.store import Store, at_once

ONE = Place(STATE, "https://learn.example.org/1", "mbox:mailto:ann@example.org", "", "bookmark")
NONE, NEW = Conditions(), Conditions(none_match=frozenset("*"))
WRITERS = 16


def text(content: bytes) -> Document:
    return Document(content, "application/json")


@pytest.fixture
def engines(store: Store) -> Iterator[list[Engine]]:
    """The engines of two web processes over one database."""
    whole_engines = [store.another_engine() for _ in range(2)]
    direct = [committing(one) for one in whole_engines]
    yield direct
    for one in (*direct, *whole_engines):
        one.dispose()


def kept(engine: Engine, log_id: int) -> Kept | None:
    with engine.connect() as connection:
        return whole(connection, log_id, ONE)


def changed(engine: Engine, log_id: int, decide: Decision) -> Document | None:
    return change(engine, log_id, ONE, decide, whole)


def test_of_many_writers_who_have_seen_one_version_one_wins(store: Store, engines: list[Engine]) -> None:
    """XAPI-00322."""
    log_id = store.log.log_id
    for content, made in ((b"first %d", NEW), (b"second %d", None)):
        seen = kept(engines[0], log_id)
        conditions = made or Conditions(match=frozenset([seen.tag] if seen else []))
        works = [
            partial(changed, engines[number % 2], log_id, put("2.0.0", STATE, conditions, text(content % number)))
            for number in range(WRITERS)
        ]
        outcomes = [done.exception() for done in at_once(works)]
        assert sorted(type(one).__name__ for one in outcomes) == ["NoneType"] + ["PreconditionFailed"] * (WRITERS - 1)
        found = kept(engines[1], log_id)
        assert found is not None
        assert found.content == content % outcomes.index(None)


def test_of_many_deletions_of_one_version_one_wins(store: Store, engines: list[Engine]) -> None:
    log_id = store.log.log_id
    changed(engines[0], log_id, post(NONE, text(b"{}")))
    seen = kept(engines[0], log_id)
    assert seen is not None
    works = [
        partial(changed, engines[number % 2], log_id, delete(Conditions(match=frozenset([seen.tag]))))
        for number in range(WRITERS)
    ]
    outcomes = sorted(type(done.exception()).__name__ for done in at_once(works))
    assert outcomes == ["NoneType"] + ["PreconditionFailed"] * (WRITERS - 1)
    assert kept(engines[0], log_id) is None


def test_of_many_merges_from_two_processes_none_is_lost(store: Store, engines: list[Engine]) -> None:
    log_id = store.log.log_id
    works = [
        partial(changed, engines[number % 2], log_id, post(NONE, text(b'{"n%d":1}' % number))) for number in range(40)
    ]
    assert [done.exception() for done in at_once(works)] == [None] * 40
    found = kept(engines[0], log_id)
    assert found is not None
    assert msgspec.json.decode(found.content or b"") == {f"n{number}": 1 for number in range(40)}


def test_a_change_between_the_look_and_the_write_is_seen(store: Store, engines: list[Engine]) -> None:
    """Whoever decided on a version that is gone meanwhile decides once more, and then is refused."""
    log_id, first = store.log.log_id, engines[0]
    changed(first, log_id, post(NONE, text(b'{"a":1}')))
    before = kept(first, log_id)
    assert before is not None
    seen: list[Kept | None] = []

    def look(connection: Connection, log_id: int, place: Place) -> Kept | None:
        found = glance(connection, log_id, place)
        if not seen:
            connection.close()
            changed(engines[1], log_id, put("1.0.3", STATE, NONE, text(b"other")))
        seen.append(found)
        return found

    decide = put("2.0.0", STATE, Conditions(match=frozenset([before.tag])), text(b"mine"))
    with pytest.raises(PreconditionFailed):
        change(first, log_id, ONE, decide, look)
    assert len(seen) == 2
    found = kept(first, log_id)
    assert found is not None
    assert found.content == b"other"


def test_a_version_is_later_than_the_one_before_even_if_the_clock_is_not(store: Store, engines: list[Engine]) -> None:
    log_id, ahead = store.log.log_id, 4_000_000_000_000_000
    changed(engines[0], log_id, put("1.0.3", STATE, NONE, text(b"1")))
    with immediate(store.engine).begin() as connection:
        connection.exec_driver_sql(f"UPDATE document SET updated = {ahead} WHERE log_id = {log_id}")
    changed(engines[0], log_id, put("1.0.3", STATE, NONE, text(b"2")))
    found = kept(engines[0], log_id)
    assert found is not None
    assert (found.content, found.updated) == (b"2", ahead + 1)


def test_what_stands_under_the_keys_of_another_document_is_not_taken_for_it(store: Store) -> None:
    """A hash is only where to look; the names themselves are compared."""
    log_id = store.log.log_id
    with immediate(store.engine).begin() as connection:
        assert is_swapped(connection, log_id, ONE, None, text(b"1"))
        connection.exec_driver_sql(f"UPDATE document SET document_id = 'other' WHERE log_id = {log_id}")
        assert whole(connection, log_id, ONE) is None
        connection.exec_driver_sql(f"UPDATE document SET agent = 'other' WHERE log_id = {log_id}")
        assert ids(connection, log_id, ONE) == []


def test_clearing_takes_one_owners_documents(store: Store, engines: list[Engine]) -> None:
    log_id = store.log.log_id
    others = Place(STATE, ONE.activity, "mbox:mailto:ben@example.org", "", "bookmark")
    for place in (ONE, others):
        change(engines[0], log_id, place, put("1.0.3", STATE, NONE, text(b"1")), glance)
    clear(engines[0], log_id, ONE)
    assert kept(engines[0], log_id) is None
    with engines[0].connect() as connection:
        assert ids(connection, log_id, others) == ["bookmark"]


def test_an_overwrite_takes_the_place_of_whatever_stands_there(store: Store, engines: list[Engine]) -> None:
    log_id, ahead = store.log.log_id, 4_000_000_000_000_000
    overwrite(engines[0], log_id, ONE, text(b"1"))
    first = kept(engines[0], log_id)
    overwrite(engines[1], log_id, ONE, Document(b"2", "text/plain"))
    found = kept(engines[0], log_id)
    assert first is not None
    assert found is not None
    assert (found.content, found.content_type) == (b"2", "text/plain")
    assert found.updated > first.updated
    with immediate(store.engine).begin() as connection:
        connection.exec_driver_sql(f"UPDATE document SET updated = {ahead} WHERE log_id = {log_id}")
    overwrite(engines[0], log_id, ONE, text(b"3"))
    found = kept(engines[0], log_id)
    assert found is not None
    assert found.updated == ahead + 1


def test_an_overwrite_leaves_what_only_shares_its_keys(store: Store, engines: list[Engine]) -> None:
    log_id = store.log.log_id
    overwrite(engines[0], log_id, ONE, text(b"1"))
    with immediate(store.engine).begin() as connection:
        connection.exec_driver_sql(f"UPDATE document SET document_id = 'other' WHERE log_id = {log_id}")
    with pytest.raises(DocumentConflict):
        overwrite(engines[0], log_id, ONE, text(b"2"))
