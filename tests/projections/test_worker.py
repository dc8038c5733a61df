"""The worker goes on: when a database is away, when one log fails, when another worker does the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

import projections.building.worker
from lrs.errors import NotFound, StorageFailed
from lrs.store.engine import is_postgresql
from projections.building.builds import live_builds, parked_in
from projections.building.runtime import Runtime
from projections.building.worker import beat, is_awake, once, verify_all, work
from tests.district import District
from tests.projections.scenes import bare, did, digests, first_acts, folded, live_ids, post, statuses

WORK = [did("ada", "essay", 0.9, 1), did("ada", "exam", 0.9, 2)]
POLL_SECONDS = 0.02


@contextmanager
def working(runtime: Runtime) -> Iterator[threading.Thread]:
    """Let a worker work meanwhile."""
    stop = threading.Event()
    thread = threading.Thread(target=work, args=(runtime, stop, POLL_SECONDS, -1))
    thread.start()
    yield thread
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, at most twenty seconds."""
    until = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < until, "it did not come to be so"
        time.sleep(0.02)


def runtime(district: District) -> Runtime:
    """Return a runtime that knows nothing yet."""
    return Runtime(district.engine, district.desk.derived, 100)


def is_proficient(district: District) -> bool:
    """Tell whether the work has been folded."""
    try:
        return statuses(district, "ada").get("algebra") == "proficient"
    except (NotFound, DBAPIError):
        return False


def run(engine: Engine, *statements: str) -> None:
    """Run some statements."""
    with engine.begin() as connection:
        for one in statements:
            connection.execute(text(one))


def test_a_worker_folds_what_comes_in_and_is_seen_awake(own_district: District) -> None:
    with working(runtime(own_district)):
        post(own_district, [*first_acts(), *WORK])
        wait_until(lambda: is_proficient(own_district))
        wait_until(lambda: _is_seen(own_district))
    assert not _is_seen(own_district)


def _is_seen(district: District) -> bool:
    with district.desk.derived.connect() as connection:
        return is_awake(connection, int(time.time() * 1_000_000))


@pytest.mark.parametrize("table", ["build", "evidence", "decision"])
def test_a_worker_survives_a_database_that_is_away_and_parks_nothing(own_district: District, table: str) -> None:
    with working(runtime(own_district)) as thread:
        wait_until(lambda: own_district.size() == _position(own_district))
        run(own_district.desk.derived, f"ALTER TABLE {table} RENAME TO away")
        post(own_district, [*first_acts(), *WORK])
        time.sleep(10 * POLL_SECONDS)
        assert thread.is_alive()
        run(own_district.desk.derived, f"ALTER TABLE away RENAME TO {table}")
        wait_until(lambda: is_proficient(own_district))
    with own_district.desk.derived.connect() as connection:
        assert parked_in(connection, live_ids(connection, own_district).values()) == []


def _position(district: District) -> int:
    with district.desk.derived.connect() as connection:
        return min((one.position for one in live_builds(connection, district.log.log_id).values()), default=-1)


def test_a_worker_survives_the_loss_of_its_connections(own_district: District) -> None:
    if not is_postgresql(own_district.engine):
        pytest.skip("SQLite has no connections to lose")
    with working(runtime(own_district)) as thread:
        for number in range(5):
            run(
                own_district.engine,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            post_anyway(own_district, number)
        assert thread.is_alive()
        post(own_district, [*first_acts(), *WORK])
        wait_until(lambda: is_proficient(own_district))
    with own_district.desk.derived.connect() as connection:
        assert parked_in(connection, live_ids(connection, own_district).values()) == []


def post_anyway(district: District, number: int) -> None:
    """Append a statement though the first connections out of the pool may be dead."""
    for _ in range(20):
        try:
            post(district, [did("ben", "essay", 0.5, number, name=f"ben {number}")])
        except (StorageFailed, DBAPIError):
            continue
        return
    raise AssertionError("no connection was good")


def test_a_log_that_cannot_be_folded_does_not_hold_up_the_others(
    shared_district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = bare(shared_district), bare(shared_district)
    for one in (first, second):
        post(one, [*first_acts(), *WORK])
    catch_up = Runtime.catch_up

    def failing(self: Runtime, log_id: int, *rest: Any) -> int:
        if log_id == first.log.log_id:
            raise RuntimeError("not this one")
        return catch_up(self, log_id, *rest)

    monkeypatch.setattr(Runtime, "catch_up", failing)
    monkeypatch.setattr(projections.building.worker, "logs", lambda _: [first.log, second.log])
    assert once(runtime(second)) == second.size()
    assert is_proficient(second)


def test_workers_that_begin_at_once_share_the_work(shared_district: District) -> None:
    expected = folded(shared_district, [*first_acts(), *WORK])
    district = bare(shared_district)
    post(district, [*first_acts(), *WORK])
    errors: list[BaseException] = []

    def working_too() -> None:
        try:
            Runtime(district.engine, district.desk.derived, 2).catch_up(district.log.log_id)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=working_too) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert errors == []
    district.fold()
    assert digests(district) == digests(expected)


def test_the_nightly_check_goes_through_every_log(own_district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[int] = []
    verify = Runtime.verify

    def noting(self: Runtime, log_id: int) -> dict[str, str]:
        checked.append(log_id)
        return verify(self, log_id)

    monkeypatch.setattr(Runtime, "verify", noting)
    verify_all(runtime(own_district))
    assert checked == [own_district.log.log_id]


def test_a_heartbeat_that_cannot_be_written_does_no_harm(own_district: District) -> None:
    run(own_district.desk.derived, "DROP TABLE worker")
    beat(own_district.desk.derived, "one")
