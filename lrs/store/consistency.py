"""Up to which `stored` time the log is complete: never merely "now", and as near to now as can be proved.

When no append is in flight, every later one gets a later `stored`, so the log is complete up to the clock that was
read before looking. While one is in flight, it is complete up to the last committed statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from lrs.store.engine import BUSY_TIMEOUT_MS, immediate, is_postgresql
from lrs.store.log import head
from lrs.store.sqlite import clock_us

HEAD = text(
    "SELECT last_stored, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint, xmax::text::bigint,"
    " pg_current_snapshot()::text FROM log_head WHERE log_id = :log_id"
)


def consistent_through(engine: Engine, log_id: int, clock: Callable[[], int] = clock_us) -> int:
    """Return the time, in microseconds, up to which every statement of a log can be read from now on."""
    if is_postgresql(engine):
        with engine.connect() as connection:
            return _postgresql(connection, log_id)
    return _sqlite(engine, log_id, clock)


def _postgresql(connection: Connection, log_id: int) -> int:
    """Read the head row: its xmax names the transaction that holds it, if any."""
    last_stored: int
    now: int
    last_stored, now, holder, snapshot = connection.execute(HEAD, {"log_id": log_id}).one()
    return last_stored if holder and _is_in_flight(holder, snapshot) else max(last_stored, now)


def _is_in_flight(holder: int, snapshot: str) -> bool:
    """Whether the 32-bit transaction id is not finished by this snapshot (`xmin:xmax:in progress`, 64-bit)."""
    lowest, following, running = snapshot.split(":")
    full = (int(following) & ~0xFFFFFFFF) | holder
    if full > int(following):
        full -= 1 << 32
    if full < int(lowest):
        return False
    return full >= int(following) or str(full) in running.split(",")


def _sqlite(engine: Engine, log_id: int, clock: Callable[[], int]) -> int:
    """Try the write lock without waiting: whoever holds it may be appending."""
    try:
        with _write_lock_at_once(engine) as connection:
            now = clock()
            return max(head(connection, log_id)[1], now)
    except OperationalError:
        with engine.connect() as connection:
            return head(connection, log_id)[1]


@contextmanager
def _write_lock_at_once(engine: Engine) -> Iterator[Connection]:
    with immediate(engine).connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("PRAGMA busy_timeout = 0")
        try:
            with connection.begin():
                yield connection
        finally:
            raw.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
