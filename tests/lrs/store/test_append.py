"""What one append does to the log, on both dialects."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Row, select, update

from lrs.errors import StatementConflict
from lrs.store import postgresql, tables
from lrs.store.canonical import news
from lrs.store.engine import immediate
from lrs.store.log import append
from lrs.store.rows import Request
from lrs.store.sqlite import SqliteDialect
from lrs.store.tables import log_head, posting, statement_body
from lrs.store.tables import statement as statements
from lrs.xapi.canonical import told
from tests.district import ids, statement
from tests.lrs.store.store import Store, at_once, prepared, request


def test_statements_stand_in_the_order_of_the_request(store: Store) -> None:
    sent = [statement() for _ in range(5)]
    store.append(*sent)
    assert store.sound_ids() == ids(sent)


def test_an_equal_statement_is_left_alone(store: Store) -> None:
    one, other = statement(), statement()
    store.append(one)
    before = store.head()
    store.append(one)
    assert store.head() == before
    store.append(one, other)
    assert store.sound_ids() == ids([one, other])


def test_an_id_is_the_same_in_capitals(store: Store) -> None:
    one = statement()
    store.append({**one, "id": one["id"].upper()})
    store.append(one)
    assert store.sound_ids() == [one["id"]]


def test_a_batch_with_one_conflict_is_refused_whole(store: Store) -> None:
    taken = statement()
    store.append(taken)
    before = store.head()
    with pytest.raises(StatementConflict) as refused:
        store.append(statement(), statement(id=taken["id"], about="another"), statement())
    assert [problem.pointer for problem in refused.value.problems] == ["/1/id"]
    assert store.head() == before
    assert store.sound_ids() == [taken["id"]]


def test_a_batch_with_one_id_twice_is_refused_whole(store: Store) -> None:
    one = statement()
    with pytest.raises(StatementConflict) as refused:
        store.append(statement(), one, one)
    assert [problem.pointer for problem in refused.value.problems] == ["/2/id"]
    assert store.head() == (0, 0)


def test_an_id_may_stand_in_two_logs(store: Store) -> None:
    one, beside = statement(), store.with_new_log()
    store.append(one)
    beside.append(one)
    assert store.sound_ids() == beside.sound_ids() == [one["id"]]


def test_two_districts_in_parallel_have_dense_positions_of_their_own(store: Store) -> None:
    writer, beside = store.writer(), store.with_new_log()
    works = [partial(writer.append, one.log.log_id, request()) for one in (store, beside) * 25]
    for done in at_once(works):
        done.result()
    assert len(store.sound_ids()) == len(beside.sound_ids()) == 25


def test_stored_rises_when_the_clock_is_set_back(store: Store) -> None:
    far_ahead = 4_000_000_000_000_000
    if store.is_postgresql:
        with immediate(store.engine).begin() as connection:
            log_id = store.log.log_id
            connection.execute(update(log_head).where(log_head.c.log_id == log_id).values(last_stored=far_ahead))
        store.append(statement(), statement())
    else:
        times = iter([far_ahead, far_ahead - 3_600_000_000, 5])
        writer = store.writer(dialect=SqliteDialect(clock=lambda: next(times)))
        for _ in range(3):
            writer.append(store.log.log_id, request(statement(), statement()))
    store.append(statement())
    store.sound_ids()
    assert store.head()[1] > far_ahead


@pytest.mark.parametrize("size", [1, postgresql.COPY_FROM_ROWS - 1, postgresql.COPY_FROM_ROWS + 1])
def test_every_column_holds_what_the_statement_says_however_many_are_written(store: Store, size: int) -> None:
    bare = [statement(object={"objectType": "StatementRef", "id": str(uuid.uuid4())}) for _ in range(size)]
    full = [statement(context=_context(number), timestamp="2025-01-01T00:00:00Z") for number in range(size)]
    sent = [prepared(one) for one in bare] + [prepared(one, timestamp=1_735_689_600_000_000) for one in full]
    for start in (0, size):
        store.writer().append(store.log.log_id, Request(sent[start : start + size], may_act=False))
    found = _rows(store)
    assert [row.statement_id for row in found] == [one.statement_id for one in sent]
    for row, one in zip(found, sent, strict=True):
        keys = one.keys
        assert (row.verb, row.actor, row.activity, row.authority) == (
            keys.verb,
            keys.actor,
            keys.activity,
            keys.authority,
        )
        assert (row.registration, row.target, row.voids) == (keys.registration, keys.target, False)
        assert row.timestamp == (row.stored if one.timestamp is None else one.timestamp)
    assert _postings(store) == {
        (row.position, key)
        for row, one in zip(found, sent, strict=True)
        for key in (*one.keys.agents, *one.keys.related_agents, *one.keys.related_activities)
    }


def _context(number: int) -> dict[str, Any]:
    course = {"id": f"https://tool.example.org/course/{number % 3}"}
    return {"registration": str(uuid.uuid4()), "contextActivities": {"parent": [course]}}


def _rows(store: Store) -> list[Row[Any]]:
    with store.engine.connect() as connection:
        query = select(statements).where(statements.c.log_id == store.log.log_id).order_by(statements.c.position)
        return list(connection.execute(query))


def _postings(store: Store) -> set[tuple[int, int]]:
    with store.engine.connect() as connection:
        query = select(posting.c.position, posting.c.key).where(posting.c.log_id == store.log.log_id)
        return {(position, key) for position, key in connection.execute(query.order_by(posting.c.position))}


def _everything(store: Store) -> list[list[tuple[Any, ...]]]:
    """Return every row that tells of the log's statements, without the log's number, times relative to the first."""
    with store.engine.connect() as connection:
        found = [
            [tuple(row[1:]) for row in connection.execute(select(table).where(table.c.log_id == store.log.log_id))]
            for table in (statements, statement_body, posting, tables.told)
        ]
    first = min(row[2] for row in found[0])
    moved = [(*row[:2], row[2] - first, row[3] - first if row[3] >= first else row[3], *row[4:]) for row in found[0]]
    return [sorted(rows, key=str) for rows in (moved, *found[1:])]


def _of_every_shape() -> list[dict[str, Any]]:
    named = {"id": "https://tool.example.org/named", "definition": {"name": {"en": "Ünit", "de": "Einheit"}}}
    team = {"objectType": "Group", "member": [{"mbox": "mailto:a@example.org"}, {"mbox": "mailto:b@example.org"}]}
    parent = {"contextActivities": {"parent": [{"id": "https://tool.example.org/unit"}]}}
    return [
        statement(object=named),
        statement(actor={**team, "name": "Team"}),
        statement(object={"objectType": "Agent", "mbox": "mailto:c@example.org"}),
        statement(context={"registration": str(uuid.uuid4()), **parent}),
    ]


def test_an_append_in_one_step_writes_the_rows_of_one_in_several(server_store: Store) -> None:
    moments = (None, 5, None, 7)
    sent = [
        prepared(one, timestamp=moment, told=told(one)) for one, moment in zip(_of_every_shape(), moments, strict=True)
    ]
    quick, slow = server_store, server_store.with_new_log()
    fresh = list(news(quick.engine, quick.log.log_id, sent).values())
    assert fresh
    assert postgresql.PostgresqlDialect().append_at_once(quick.engine, quick.log.log_id, sent, fresh)
    with slow.engine.begin() as connection:
        append(connection, slow.log.log_id, [Request(sent, may_act=False)], postgresql.PostgresqlDialect(), "")
    assert _everything(quick) == _everything(slow)
    assert quick.sound_ids() == slow.sound_ids()


@pytest.mark.parametrize("pointing", [False, True])
def test_an_append_in_one_step_writes_nothing_of_what_is_known_or_referred_to(
    server_store: Store, pointing: bool
) -> None:
    one, other = statement(), statement()
    server_store.append(statement(object={"objectType": "StatementRef", "id": one["id"]}) if pointing else one)
    before = server_store.head()
    both = [prepared(other), prepared(one)]
    assert not postgresql.PostgresqlDialect().append_at_once(server_store.engine, server_store.log.log_id, both, [])
    assert server_store.head() == before
