"""Many writers and one reader, with real commits: nothing is missed, nothing is stored twice."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import Event

import pytest
from sqlalchemy import Engine

from lrs.errors import StatementConflict
from lrs.store.engine import immediate, open_engine
from lrs.store.log import append, dialect_for
from lrs.store.search import between
from lrs.store.writer import Writer
from lrs.xapi.decode import stored_statement
from tests.district import District, ids, statement
from tests.lrs.store.store import ACTS, Store, at_once, request

WRITERS = 8
REQUESTS_EACH = 25
CLIENTS = 50


@dataclass
class Reader:
    """Polls a log by position, as a projection does, and keeps what it saw."""

    engine: Engine
    log_id: int
    seen: list[str] = field(default_factory=list)
    last_stored: int = 0
    is_over: Event = field(default_factory=Event)

    def follow(self) -> None:
        """Read until it is over, and then once more."""
        while not self.is_over.is_set():
            self._read()
        self._read()

    def _read(self) -> None:
        with self.engine.connect() as connection:
            found = between(connection, self.log_id, len(self.seen), len(self.seen) + 1_000)
        for one in found:
            assert one.position == len(self.seen) + 1, f"position {one.position} came after {len(self.seen)}"
            assert one.stored > self.last_stored
            assert one.body is not None
            self.seen.append(stored_statement(one.body)["id"])
            self.last_stored = one.stored


@pytest.fixture
def elsewhere(store: Store) -> Iterator[Engine]:
    """Connections of another web process."""
    engine = store.another_engine()
    yield engine
    engine.dispose()


def _followed(reader: Reader, write: Callable[[], Sequence[str]]) -> tuple[list[str], Sequence[str]]:
    """Let the reader follow while statements are written; return the ids that it saw and those that were stored."""
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(reader.follow)
        try:
            stored = write()
        finally:
            reader.is_over.set()
        following.result()
    return reader.seen, stored


def written(engine: Engine, log_id: int, seed: int) -> list[str]:
    """Append requests of one to three statements through a writer of one's own; return the ids acknowledged."""
    chance, writer, stored = random.Random(seed), Writer(engine, ACTS, 256), []
    for _ in range(REQUESTS_EACH):
        sent = [statement() for _ in range(chance.randint(1, 3))]
        writer.append(log_id, request(*sent))
        stored += ids(sent)
    return stored


def written_from_another_process(url: str, log_id: int, seed: int) -> list[str]:
    """Append from two threads of a process of its own; return the ids acknowledged."""
    engine = open_engine(url)
    done = at_once([partial(written, engine, log_id, seed), partial(written, engine, log_id, seed + 1)])
    engine.dispose()
    return [one for each in done for one in each.result()]


def held(engine: Engine, log_id: int, seed: int) -> list[str]:
    """Append in transactions that keep the others waiting, every other one rolled back; return the ids committed."""
    chance, stored = random.Random(seed), []
    for number in range(12):
        sent = [statement(), statement()]
        with immediate(engine).connect() as connection, connection.begin() as transaction:
            append(connection, log_id, [request(*sent)], dialect_for(engine.dialect.name), ACTS)
            time.sleep(chance.uniform(0.005, 0.03))
            if number % 2:
                transaction.rollback()
            else:
                stored += ids(sent)
    return stored


def test_a_polling_reader_misses_nothing_of_eight_writers(store: Store, elsewhere: Engine) -> None:
    engine, log_id = store.engine, store.log.log_id
    reader = Reader(elsewhere, log_id)
    works = [partial(written, engine, log_id, seed) for seed in range(WRITERS)] + [partial(held, engine, log_id, 99)]
    seen, stored = _followed(reader, lambda: [one for each in at_once(works) for one in each.result()])
    assert sorted(seen) == sorted(stored)
    assert store.sound_ids() == seen


@pytest.mark.slow
def test_a_polling_reader_misses_nothing_of_four_processes(server_store: Store) -> None:
    log_id = server_store.log.log_id
    reader, context = Reader(server_store.engine, log_id), multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])

    def write() -> list[str]:
        with ProcessPoolExecutor(WRITERS // 2, context) as pool:
            url = server_store.url
            done = [pool.submit(written_from_another_process, url, log_id, seed) for seed in range(0, WRITERS, 2)]
            stored = held(server_store.engine, log_id, 99)
            return stored + [one for each in done for one in each.result()]

    seen, stored = _followed(reader, write)
    assert sorted(seen) == sorted(stored)
    assert server_store.sound_ids() == seen


def test_of_many_clients_with_one_statement_all_succeed_and_one_row_is_stored(store: Store, elsewhere: Engine) -> None:
    one, writers = statement(), (store.writer(), store.writer(elsewhere))
    works = [partial(writers[number % 2].append, store.log.log_id, request(one)) for number in range(CLIENTS)]
    assert [done.exception() for done in at_once(works)] == [None] * CLIENTS
    assert store.sound_ids() == [one["id"]]


def test_of_many_clients_with_one_id_and_other_content_one_succeeds(store: Store, elsewhere: Engine) -> None:
    first, writers = statement(), (store.writer(), store.writer(elsewhere))
    sent = [request({**first, "object": {"id": f"https://tool.example.org/{number}"}}) for number in range(CLIENTS)]
    works = [partial(writers[number % 2].append, store.log.log_id, one) for number, one in enumerate(sent)]
    outcomes = [type(done.exception()) for done in at_once(works)]
    assert sorted(map(str, outcomes)) == sorted(map(str, [type(None)] + [StatementConflict] * (CLIENTS - 1)))
    assert store.sound_ids() == [first["id"]]


def test_over_http_one_statement_from_many_clients_is_200_for_all(district: District) -> None:
    one, someone = statement(), district.someone
    before = district.size()
    answers = [done.result() for done in at_once([partial(someone.post, one)] * CLIENTS)]
    assert [(answer.status_code, answer.json) for answer in answers] == [(200, [one["id"]])] * CLIENTS
    assert district.size() == before + 1


def test_over_http_one_id_with_other_content_is_200_once_and_409_for_the_rest(district: District) -> None:
    first, someone = statement(), district.someone
    before = district.size()
    sent = [{**first, "object": {"id": f"https://tool.example.org/{number}"}} for number in range(CLIENTS)]
    answers = [done.result() for done in at_once([partial(someone.post, one) for one in sent])]
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * (CLIENTS - 1)
    assert district.size() == before + 1
