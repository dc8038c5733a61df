"""The record can be added to and nothing else, whoever asks the database and however."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from lrs.errors import NotFound
from lrs.store.engine import immediate
from lrs.store.log import erase_body
from lrs.store.tables import statement as statements
from lrs.store.tables import statement_body
from tests.district import statement
from tests.lrs.store.store import Store

REFUSED = "append-only|only rises|can be erased, never changed"
ON_BOTH = [
    "UPDATE log SET name = 'another'",
    "UPDATE log SET slug = slug",
    "DELETE FROM log",
    "UPDATE log_head SET size = size - 1",
    "UPDATE log_head SET last_stored = last_stored - 1",
    "UPDATE log_head SET log_id = log_id + 1000000",
    "DELETE FROM log_head",
    "UPDATE statement SET verb = 0",
    "UPDATE statement SET position = position + 1000000",
    "UPDATE statement SET commitment = commitment",
    "DELETE FROM statement",
    "UPDATE statement_body SET body = salt",
    "UPDATE statement_body SET salt = NULL",
    "UPDATE statement_body SET body = NULL",
    "UPDATE statement_body SET position = position + 1000000, body = NULL, salt = NULL",
    "UPDATE statement_body SET log_id = log_id + 1000000, body = NULL, salt = NULL",
    "DELETE FROM statement_body",
    "INSERT INTO log SELECT * FROM log WHERE true ON CONFLICT (log_id) DO UPDATE SET name = 'another'",
    "INSERT INTO log_head SELECT log_id, 0, 0 FROM log_head WHERE true ON CONFLICT (log_id) DO UPDATE SET size = 0",
    "INSERT INTO statement SELECT * FROM statement WHERE true ON CONFLICT (log_id, position) DO UPDATE SET verb = 0",
    """INSERT INTO statement_body SELECT * FROM statement_body WHERE true
    ON CONFLICT (log_id, position) DO UPDATE SET body = excluded.salt""",
]
ON_POSTGRESQL = [
    "TRUNCATE log CASCADE",
    "TRUNCATE log_head",
    "TRUNCATE statement",
    "TRUNCATE statement_body",
    "TRUNCATE statement, statement_body, posting",
    """MERGE INTO statement AS one USING (SELECT 1) AS two ON one.position = 1
    WHEN MATCHED THEN DELETE""",
]
_COLUMNS = "statement_id, stored, timestamp, verb, actor, activity, registration, authority, target, voids, commitment"
_NEW = (
    "lower(hex(randomblob(16))), stored + 1000000, timestamp, verb, actor, activity, registration, authority, target,"
)
ON_SQLITE = [
    "INSERT OR REPLACE INTO log SELECT * FROM log",
    "INSERT OR REPLACE INTO log (slug, name, origin) SELECT slug, 'another', origin FROM log",
    "INSERT OR REPLACE INTO log_head SELECT log_id, 0, 0 FROM log_head",
    "UPDATE OR REPLACE log_head SET log_id = log_id + 1",
    "INSERT OR REPLACE INTO statement SELECT * FROM statement",
    f"""INSERT OR REPLACE INTO statement (log_id, position, {_COLUMNS})
    SELECT log_id, position + 1000000, {_COLUMNS} FROM statement""",
    f"""INSERT OR REPLACE INTO statement (rowid, log_id, position, {_COLUMNS})
    SELECT rowid, log_id, position + 1000000, {_NEW} voids, commitment FROM statement""",
    "UPDATE OR REPLACE statement SET position = position + 1",
    "INSERT OR REPLACE INTO statement_body SELECT * FROM statement_body",
    "INSERT OR REPLACE INTO statement_body (log_id, position) SELECT log_id, position FROM statement_body",
    """INSERT OR REPLACE INTO statement_body (rowid, log_id, position)
    SELECT rowid, log_id, position + 1000000 FROM statement_body""",
    "UPDATE OR REPLACE statement_body SET rowid = rowid + 1, body = NULL, salt = NULL WHERE position = 1",
    "REPLACE INTO statement_body SELECT * FROM statement_body",
]


def _refused(store: Store, command: str, before: str = "SELECT 1") -> None:
    store.append(statement(), statement())
    stored = store.sound_ids()
    with immediate(store.engine).connect() as connection, connection.begin() as transaction:
        connection.execute(text(before))
        with pytest.raises(DBAPIError, match=REFUSED):
            connection.execute(text(command))
        transaction.rollback()
    assert store.sound_ids() == stored


@pytest.mark.parametrize("command", ON_BOTH)
def test_the_record_cannot_be_changed(store: Store, command: str) -> None:
    _refused(store, command)


@pytest.mark.parametrize("command", [*ON_BOTH, *ON_POSTGRESQL])
def test_on_postgresql_the_owner_cannot_either_not_even_as_a_replica(postgresql_store: Store, command: str) -> None:
    _refused(postgresql_store, command, before="SET LOCAL session_replication_role = replica")


@pytest.mark.parametrize("command", ON_POSTGRESQL)
def test_on_postgresql_it_cannot_be_emptied(postgresql_store: Store, command: str) -> None:
    _refused(postgresql_store, command)


@pytest.mark.parametrize("command", ON_SQLITE)
def test_on_sqlite_nothing_of_it_can_be_replaced(sqlite_store: Store, command: str) -> None:
    _refused(sqlite_store, command)


def test_the_head_of_a_log_may_rise(store: Store) -> None:
    with immediate(store.engine).begin() as connection:
        connection.execute(text("UPDATE log_head SET size = size"))


def test_a_body_can_be_erased_and_its_commitment_stays(store: Store) -> None:
    store.append(statement(), statement())
    before = _record(store)
    with immediate(store.engine).begin() as connection:
        erase_body(connection, store.log.log_id, 1)
    after = _record(store)
    assert after[0] == (*before[0][:3], None, None)
    assert after[1] == before[1]


def test_a_body_can_be_erased_twice(store: Store) -> None:
    store.append(statement())
    for _ in range(2):
        with immediate(store.engine).begin() as connection:
            erase_body(connection, store.log.log_id, 1)


def test_a_body_that_is_not_there_cannot_be_erased(store: Store) -> None:
    with pytest.raises(NotFound), immediate(store.engine).begin() as connection:
        erase_body(connection, store.log.log_id, 1)


def test_an_erased_body_cannot_be_written_again(store: Store) -> None:
    store.append(statement())
    with immediate(store.engine).begin() as connection:
        erase_body(connection, store.log.log_id, 1)
    with pytest.raises(DBAPIError, match=REFUSED), immediate(store.engine).begin() as connection:
        connection.execute(text("UPDATE statement_body SET body = :body"), {"body": b"{}"})


def _record(store: Store) -> list[tuple[object, ...]]:
    """Return (position, id, commitment, body, salt) of every statement."""
    same_row = (statements.c.log_id == statement_body.c.log_id) & (statements.c.position == statement_body.c.position)
    record = statements.c.position, statements.c.statement_id, statements.c.commitment
    query = (
        select(*record, statement_body.c.body, statement_body.c.salt)
        .join_from(statements, statement_body, same_row)
        .where(statements.c.log_id == store.log.log_id)
        .order_by(statements.c.position)
    )
    with store.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query)]
