"""Group commit: who waits shares a transaction, who is wrong fails alone, and a lost connection loses nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from lrs.errors import Busy, StatementConflict, StorageFailed
from lrs.store import engine as engines
from lrs.store import postgresql as postgresql_append
from lrs.store import writer as group_commit
from lrs.store.engine import immediate, open_engine
from lrs.store.log import dialect_for, head
from lrs.store.rows import Dialect, Look, Request, Rows
from lrs.store.writer import UNCONFIRMED, Writer
from tests.district import ids, statement
from tests.lrs.store.store import ACTS, Store, prepared, request


def _nothing() -> None:
    pass


@dataclass
class Disturbed:
    """A dialect during whose first append something happens, before the look or between look and write."""

    dialect: Dialect
    before_look: Callable[[], object] = _nothing
    before_write: Callable[[], object] = _nothing
    appends: int = 0

    def append_at_once(self, *_: object) -> bool:
        """Look closer: what happens meanwhile is the point."""
        return False

    def lock(self, connection: Connection, log_id: int) -> None:
        """Lock."""
        self.dialect.lock(connection, log_id)

    def look(self, connection: Connection, log_id: int, ids: Sequence[str]) -> Look:
        """Look."""
        self.appends += 1
        if self.appends == 1:
            self.before_look()
        return self.dialect.look(connection, log_id, ids)

    def write(self, connection: Connection, rows: Rows) -> None:
        """Write."""
        if self.appends == 1:
            self.before_write()
        self.dialect.write(connection, rows)


class Gate(Disturbed):
    """A dialect whose first append waits inside its transaction until the gate opens, then does something."""

    def __init__(self, dialect: Dialect, then: Callable[[], object] = _nothing) -> None:
        super().__init__(dialect, before_look=self._wait)
        self._then = then
        self.is_reached, self.opens = Event(), Event()

    def _wait(self) -> None:
        self.is_reached.set()
        assert self.opens.wait(30)
        self._then()


def _interrupt() -> None:
    raise KeyboardInterrupt


def _gate(store: Store, then: Callable[[], object] = _nothing) -> Gate:
    return Gate(dialect_for(store.engine.dialect.name), then)


def _behind(writer: Writer, gate: Gate, log_id: int, requests: Sequence[Request]) -> list[Future[None]]:
    """Append the first request, let all others queue up behind it in their order, then open the gate."""
    with ThreadPoolExecutor(len(requests)) as pool:
        done = [pool.submit(writer.append, log_id, requests[0])]
        assert gate.is_reached.wait(30)
        for number, one in enumerate(requests[1:], 1):
            done.append(pool.submit(writer.append, log_id, one))
            _until(partial(_is_waiting, writer, number))
        gate.opens.set()
    return done


def _is_waiting(writer: Writer, number: int) -> bool:
    return writer.waiting() == number


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, "waited for 30 seconds"
        time.sleep(0.001)


def commits(engine: Engine) -> list[Connection]:
    """Return a list to which every commit of an engine is added."""
    seen: list[Connection] = []
    event.listen(engine, "commit", seen.append)
    return seen


def test_requests_that_wait_share_one_transaction(store: Store) -> None:
    gate, sent = _gate(store), [statement() for _ in range(20)]
    seen = commits(store.engine)
    done = _behind(store.writer(dialect=gate), gate, store.log.log_id, [request(one) for one in sent])
    assert [one.exception() for one in done] == [None] * 20
    assert len(seen) == 2
    assert store.sound_ids() == ids(sent)


def test_a_conflict_in_a_group_is_refused_alone(store: Store) -> None:
    first, second, third = statement(), statement(), statement()
    other = statement(id=second["id"], about="another")
    gate = _gate(store)
    requests = [request(one) for one in (first, second, other, second, third)]
    done = _behind(store.writer(dialect=gate), gate, store.log.log_id, requests)
    assert [type(one.exception()) for one in done] == [type(None), type(None), StatementConflict, *[type(None)] * 2]
    assert store.sound_ids() == ids([first, second, third])


def test_a_request_that_the_driver_cannot_take_fails_alone(store: Store) -> None:
    sent = [statement() for _ in range(3)]
    broken = Request([prepared(statement(), timestamp=2**70)], may_act=False)
    gate = _gate(store)
    requests = [request(sent[0]), request(sent[1]), broken, request(sent[2])]
    done = _behind(store.writer(dialect=gate), gate, store.log.log_id, requests)
    assert [one.exception() is None for one in done] == [True, True, False, True]
    assert store.sound_ids() == ids(sent)


def test_an_interrupt_hits_one_thread_and_the_others_are_served(store: Store) -> None:
    sent = [statement() for _ in range(5)]
    gate = _gate(store, then=_interrupt)
    done = _behind(store.writer(dialect=gate), gate, store.log.log_id, [request(one) for one in sent])
    assert isinstance(done[0].exception(), KeyboardInterrupt)
    assert [one.exception() for one in done[1:]] == [None] * 4
    assert store.sound_ids() == ids(sent[1:])


def test_a_group_ends_where_its_rows_would_fill_the_memory(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "GROUP_STATEMENTS", 4)
    gate, sent = _gate(store), [[statement(), statement()] for _ in range(6)]
    seen = commits(store.engine)
    done = _behind(store.writer(dialect=gate), gate, store.log.log_id, [request(*one) for one in sent])
    assert [one.exception() for one in done] == [None] * 6
    assert len(seen) == 1 + 3
    assert store.sound_ids() == ids([one for pair in sent for one in pair])


def test_too_many_waiting_are_told_to_come_again(store: Store) -> None:
    gate = _gate(store)
    writer = store.writer(dialect=gate, queue_limit=2)
    with ThreadPoolExecutor(3) as pool:
        done = [pool.submit(writer.append, store.log.log_id, request())]
        assert gate.is_reached.wait(30)
        done += [pool.submit(writer.append, store.log.log_id, request()) for _ in range(2)]
        _until(partial(_is_waiting, writer, 2))
        with pytest.raises(Busy):
            writer.append(store.log.log_id, request())
        gate.opens.set()
    assert [one.exception() for one in done] == [None] * 3
    assert len(store.sound_ids()) == 3


def test_an_empty_request_stores_nothing(store: Store) -> None:
    store.writer().append(store.log.log_id, Request([], may_act=False))
    assert store.head() == (0, 0)


def test_a_database_that_is_away_confirms_nothing_and_says_so() -> None:
    writer = Writer(open_engine("postgresql://nobody@127.0.0.1:1/nothing"), ACTS, 256)
    with pytest.raises(StorageFailed, match=UNCONFIRMED):
        writer.append(1, request())


def test_a_writer_goes_on_after_it_waited_in_vain_for_the_lock(
    own_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_append, "HEAD", postgresql_append.HEAD.replace("15s", "50ms"))
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_MS", 50)
    engine = own_store.another_engine()
    with immediate(own_store.engine).begin() as holder:
        dialect_for(engine.dialect.name).look(holder, own_store.log.log_id, [])
        with pytest.raises(StorageFailed, match=UNCONFIRMED):
            own_store.writer(engine).append(own_store.log.log_id, request())
    own_store.writer(engine).append(own_store.log.log_id, request())
    engine.dispose()
    assert len(own_store.sound_ids()) == 1


def _terminated(server: Engine, store: Store) -> int:
    """End every connection to the store's database, as a restart of the server does; return how many there were."""
    query = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname = :name"
    with server.connect() as connection:
        return int(connection.scalar(text(query), {"name": store.engine.url.database}) or 0)


def test_after_a_restart_of_the_server_the_next_append_and_the_next_read_work(
    server_store: Store, postgresql: Engine
) -> None:
    writer, sent = server_store.writer(), [statement() for _ in range(3)]
    for one in sent:
        writer.append(server_store.log.log_id, request(one))
        assert _terminated(postgresql, server_store) > 0
        with server_store.engine.connect() as connection:
            head(connection, server_store.log.log_id)
        assert _terminated(postgresql, server_store) > 0
    assert server_store.sound_ids() == ids(sent)


def test_a_connection_that_is_lost_before_the_write_is_replaced(server_store: Store, postgresql: Engine) -> None:
    sent = [statement() for _ in range(3)]
    lose = partial(_terminated, postgresql, server_store)
    disturbed = Disturbed(dialect_for("postgresql"), before_write=lose)
    for one in sent:
        server_store.writer(dialect=disturbed).append(server_store.log.log_id, request(one))
    assert disturbed.appends == 4
    assert server_store.sound_ids() == ids(sent)


def test_a_commit_whose_answer_is_lost_stores_once_and_is_confirmed(server_store: Store, postgresql: Engine) -> None:
    lost: list[int] = []

    @event.listens_for(server_store.engine, "commit")
    def _commit_and_lose_the_answer(connection: Connection) -> None:
        if not lost:
            raw: Any = connection.connection.driver_connection
            raw.commit()
            raw.execute("SELECT 1")
            lost.append(_terminated(postgresql, server_store))

    one = statement()
    server_store.writer(dialect=Disturbed(dialect_for("postgresql"))).append(server_store.log.log_id, request(one))
    assert lost
    assert server_store.sound_ids() == [one["id"]]


def test_an_append_in_one_step_whose_answer_is_lost_stores_once(
    server_store: Store, postgresql: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bool] = []
    append_at_once = postgresql_append.PostgresqlDialect.append_at_once

    def _append_and_lose_the_answer(*args: Any) -> bool:
        told.append(append_at_once(*args))
        if len(told) == 1:
            with engines.committing_driver(server_store.engine) as raw:
                _terminated(postgresql, server_store)
                raw.execute("SELECT 1")
        return told[-1]

    monkeypatch.setattr(postgresql_append.PostgresqlDialect, "append_at_once", _append_and_lose_the_answer)
    one = statement()
    server_store.append(one)
    assert told == [True, False]
    assert server_store.sound_ids() == [one["id"]]


def test_a_commit_on_sqlite_waits_for_the_disk(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/new/cairn.db")
    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA synchronous")) == 2
    engine.dispose()


def test_a_commit_waits_for_the_disk_even_where_the_server_is_set_to_less(
    server_store: Store, postgresql: Engine
) -> None:
    with postgresql.connect() as server:
        server.execute(text(f"ALTER DATABASE {server_store.engine.url.database} SET synchronous_commit = off"))
    engine = server_store.another_engine()
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW synchronous_commit")) == "on"
    engine.dispose()
