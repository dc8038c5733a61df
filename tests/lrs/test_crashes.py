"""kill -9 of the real server under load: whatever was acknowledged is there, and the log is sound."""

from __future__ import annotations

import http.client
import random
import time
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec
import pytest
from sqlalchemy import Engine, text

from lrs.settings import Settings
from lrs.store.engine import is_postgresql
from tests.district import Client, ids, open_district, statement
from tests.lrs.store.store import sound_ids
from tests.serving import served

pytestmark = pytest.mark.slow
KILLS = 20
CLIENTS = 6


def _posted(port: int, client: Client, seed: int) -> list[str]:
    """Post single statements and small batches until the server is gone; return the ids that were acknowledged."""
    chance, acknowledged = random.Random(seed), []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {**client.headers, "Content-Type": "application/json"}
    try:
        while True:
            sent = [statement() for _ in range(chance.choice((1, 1, 1, 5, 120)))]
            connection.request("POST", "/xapi/statements", msgspec.json.encode(sent), headers)
            answer = connection.getresponse()
            assert answer.status in {200, 503}, answer.read()
            if answer.status == 200 and msgspec.json.decode(answer.read()) == ids(sent):
                acknowledged += ids(sent)
    except (OSError, http.client.HTTPException):
        return acknowledged
    finally:
        connection.close()


def _load(pool: ThreadPoolExecutor, port: int, client: Client, seed: int) -> list[Future[list[str]]]:
    return [pool.submit(_posted, port, client, seed * CLIENTS + number) for number in range(CLIENTS)]


def _terminate_a_backend(engine: Engine) -> None:
    """End a connection that is in the middle of an append, as soon as one is."""
    query = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
        AND query SIMILAR TO '%(log_head|INSERT INTO|COPY|unnest)%'
    ORDER BY xact_start LIMIT 1
    """
    end = time.monotonic() + 1
    with engine.connect() as connection:
        while not connection.scalar(text(query)) and time.monotonic() < end:
            connection.rollback()


def test_whatever_was_acknowledged_outlives_kill_9(own_settings: Settings) -> None:
    chance, acknowledged = random.Random(2), set[str]()
    with open_district(own_settings) as empty, ThreadPoolExecutor(CLIENTS) as pool:
        district = empty.with_new_log("crashing")
        client = district.client("all")
        for number in range(KILLS):
            with served(own_settings) as server:
                load = _load(pool, server.port, client, number)
                time.sleep(chance.uniform(0.05, 0.3))
                if is_postgresql(district.engine):
                    _terminate_a_backend(district.engine)
                    time.sleep(chance.uniform(0.02, 0.15))
                server.kill()
            acknowledged.update(one for each in load for one in each.result())
            assert acknowledged <= set(sound_ids(district.engine, district.log.log_id))
    assert len(acknowledged) > KILLS
