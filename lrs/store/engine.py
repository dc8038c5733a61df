"""Engines for both dialects, set up so that a commit is durable and SQLite's writers wait their turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from select import POLLIN, poll
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InvalidatePoolError

from lrs.store import arrays

BUSY_TIMEOUT_MS = 15_000
"""How long SQLite's writers wait for one another."""
NEVER_LESS_THAN_DURABLE = """
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""
"""A server may be set to more than `on` (remote_apply); to less, an acknowledged statement could be lost."""


def open_engine(url: str, pool_size: int = 16) -> Engine:
    """Return an engine for an SQLite or a PostgreSQL URL; the folder of an SQLite file is made if it is missing."""
    if make_url(url).get_backend_name() == "sqlite":
        return _sqlite_engine(url, pool_size)
    return _postgresql_engine(url, pool_size)


def immediate(engine: Engine) -> Engine:
    """Return the same engine with transactions that take SQLite's write lock at once (PostgreSQL: no difference)."""
    return engine.execution_options(immediate=True)


def committing(engine: Engine) -> Engine:
    """Return the same engine where, on PostgreSQL, every statement commits by itself: a lone one is one round trip."""
    return engine.execution_options(isolation_level="AUTOCOMMIT") if is_postgresql(engine) else engine


def is_postgresql(engine_or_connection: Engine | Connection) -> bool:
    """Whether this speaks to PostgreSQL (else it is SQLite)."""
    return engine_or_connection.dialect.name == "postgresql"


@contextmanager
def driver(connection: Connection) -> Iterator[Any]:
    """Lend the driver's own connection under one of SQLAlchemy's that has begun a transaction.

    What the driver raises leaves as SQLAlchemy's DBAPIError, and a connection that was lost never returns to the pool.
    """
    lent = connection.connection.driver_connection
    with _translated(connection.dialect, lent, connection.invalidate):
        yield lent


@contextmanager
def committing_driver(engine: Engine) -> Iterator[Any]:
    """Lend psycopg's own connection outside of a transaction: each statement commits by itself. Raises as `driver`."""
    with _translated(engine.dialect):
        pooled = engine.raw_connection()
    lent: Any = pooled.driver_connection
    try:
        with _translated(engine.dialect, lent, pooled.invalidate):
            lent.autocommit = True
            yield lent
    finally:
        if not lent.closed:
            lent.autocommit = False
        pooled.close()


@contextmanager
def _translated(
    dialect: Dialect, lent: Any = None, invalidate: Callable[[BaseException], None] = lambda _: None
) -> Iterator[None]:
    errors = dialect.loaded_dbapi.Error
    try:
        yield
    except errors as error:
        is_lost = dialect.is_disconnect(error, lent, None)
        if is_lost:
            invalidate(error)
        raise DBAPIError.instance(
            None, None, error, errors, connection_invalidated=is_lost, dialect=dialect
        ) from error  # fmt: skip


def _postgresql_engine(url: str, pool_size: int) -> Engine:
    engine = create_engine(
        _with_driver(url),
        isolation_level="READ COMMITTED",
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_use_lifo=True,
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        arrays.register(connection)
        connection.execute(NEVER_LESS_THAN_DURABLE)
        connection.commit()

    event.listen(engine, "checkout", _refuse_lost)
    return engine


def _refuse_lost(connection: Any, _record: Any, _pooled: Any) -> None:
    if connection.closed or _has_word(connection.fileno()):
        raise InvalidatePoolError


def _has_word(socket: int) -> bool:
    """Whether an idle server has said something, which as a rule is that it ends; a ping would cost a round trip."""
    waiting = poll()
    waiting.register(socket, POLLIN)
    return bool(waiting.poll(0))


def _with_driver(url: str) -> str:
    parsed = make_url(url)
    if parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed.render_as_string(hide_password=False)


def _sqlite_engine(url: str, pool_size: int) -> Engine:
    database = make_url(url).database
    if database and database != ":memory:":
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_use_lifo=True,
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-32000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        wants_lock = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if wants_lock else "BEGIN")

    return engine
