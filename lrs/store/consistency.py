"""Up to which `stored` time the log is complete: never merely "now", and as near to now as can be proved.

When no append is in flight, every later one gets a later `stored`, so the log is complete up to the clock that was
read before looking. While one is in flight, it is complete up to the last committed statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from lrs.store.engine import BUSY_TIMEOUT_MS, immediate, is_postgresql
from lrs.store.log import head
from lrs.store.sqlite import clock_us

NO_APPEND = Lock()
"""Held around SQLite's write lock by who appends nothing: it is waited for, not taken for an append in flight."""

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
    """Try the write lock without waiting: whoever holds it may be appending, unless it is known that it is not."""
    found = _sqlite_at_once(engine, log_id, clock)
    if found is None and NO_APPEND.locked():
        with NO_APPEND:
            found = _sqlite_at_once(engine, log_id, clock)
    if found is not None:
        return found
    with engine.connect() as connection:
        return head(connection, log_id)[1]


def _sqlite_at_once(engine: Engine, log_id: int, clock: Callable[[], int]) -> int | None:
    """Return the time up to which the log is complete, or None while somebody writes."""
    try:
        with _write_lock_at_once(engine) as connection:
            now = clock()
            return max(head(connection, log_id)[1], now)
    except OperationalError:
        return None


@contextmanager
def aside(engine: Engine) -> Iterator[Connection]:
    """Lend a connection for a short write that is no append, and commit it; it holds back no Consistent-Through.

    Raises OperationalError at once when somebody else is writing to an SQLite file.
    """
    if is_postgresql(engine):
        with engine.begin() as connection:
            yield connection
        return
    with NO_APPEND, _write_lock_at_once(engine) as connection:
        yield connection


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
