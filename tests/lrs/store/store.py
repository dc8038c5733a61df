"""A log at the level of the store: requests made by hand, and what must hold of every log at every time."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Engine, select

from lrs.store.engine import immediate, open_engine
from lrs.store.log import Log, create_log, head
from lrs.store.rows import Dialect, Prepared, Request
from lrs.store.tables import statement as statements
from lrs.store.tables import statement_body
from lrs.store.texts import packed
from lrs.store.writer import Writer
from lrs.xapi.keys import keys
from tests.district import statement

ACTS = "https://acts.example.org/verbs/"
AUTHORITY = {"objectType": "Agent", "account": {"homePage": "https://log.example.org", "name": "key"}}
T = TypeVar("T")


@dataclass(frozen=True)
class Store:
    """A log of the test's own in a database; `url` opens it once more, as another process would."""

    url: str
    engine: Engine
    _log: Log | None = None

    def with_new_log(self) -> Store:
        """Return the same database with another new log."""
        slug = uuid.uuid4().hex[:12]
        with immediate(self.engine).begin() as connection:
            log = create_log(connection, slug, f"District {slug}", f"https://{slug}.example.org")
        return replace(self, _log=log)

    @property
    def log(self) -> Log:
        """The log of this test."""
        assert self._log is not None
        return self._log

    @property
    def is_postgresql(self) -> bool:
        """Whether this is PostgreSQL."""
        return self.engine.dialect.name == "postgresql"

    def writer(self, engine: Engine | None = None, dialect: Dialect | None = None, queue_limit: int = 256) -> Writer:
        """Return a writer, by default over the engine of this store."""
        return Writer(engine or self.engine, ACTS, queue_limit, dialect)

    def another_engine(self) -> Engine:
        """Open the database once more; the caller disposes of it."""
        return open_engine(self.url, 8)

    def append(self, *bodies: dict[str, Any]) -> None:
        """Append statements as one request."""
        self.writer().append(self.log.log_id, request(*bodies))

    def head(self) -> tuple[int, int]:
        """Return the size and the last stored time."""
        with self.engine.connect() as connection:
            return head(connection, self.log.log_id)

    def sound_ids(self) -> list[str]:
        """Check everything that must hold of a log, and return its statements' ids in their order."""
        return sound_ids(self.engine, self.log.log_id)


def prepared(body: dict[str, Any], **more: Any) -> Prepared:
    """Return a statement as the write path would make it ready."""
    whole = {**body, "authority": AUTHORITY, "version": "1.0.0"}
    text, salt = msgspec.json.encode(whole), secrets.token_bytes(16)
    values = {"timestamp": None, "is_act": body["verb"]["id"].startswith(ACTS), **more}
    return Prepared(
        body["id"].lower(), keys=keys(whole), body=packed(text), salt=salt, commitment=commitment(salt, text), **values
    )


def request(*bodies: dict[str, Any]) -> Request:
    """Return a request of statements; without any, of a new one."""
    return Request([prepared(body) for body in bodies or [statement()]], may_act=False)


def commitment(salt: bytes, body: bytes) -> bytes:
    """Return what DESIGN says that the log commits to."""
    return hashlib.sha256(b"cairn/v1\0" + salt + body).digest()


def sound_ids(engine: Engine, log_id: int) -> list[str]:
    """Check that positions are dense, times rise, commitments hold and the head is right; return the ids in order."""
    same_row = (statements.c.log_id == statement_body.c.log_id) & (statements.c.position == statement_body.c.position)
    query = (
        select(statements, statement_body.c.body, statement_body.c.salt)
        .join_from(statements, statement_body, same_row)
        .where(statements.c.log_id == log_id)
        .order_by(statements.c.position)
    )
    with _at_one_moment(engine) as connection:
        rows = connection.execute(query).all()
        size, last_stored = head(connection, log_id)
    stored = [row.stored for row in rows]
    assert [row.position for row in rows] == list(range(1, size + 1))
    assert stored == sorted(set(stored))
    assert last_stored == (stored[-1] if stored else 0)
    assert all(row.commitment == commitment(row.salt, row.body) for row in rows)
    assert len({row.statement_id for row in rows}) == size
    return [row.statement_id for row in rows]


def _at_one_moment(engine: Engine) -> Connection:
    """Return a connection whose reads all see the same state; on SQLite every transaction's do."""
    if engine.dialect.name == "sqlite":
        return engine.connect()
    return engine.connect().execution_options(isolation_level="REPEATABLE READ")


def at_once(works: Iterable[Callable[[], T]]) -> list[Future[T]]:
    """Do all of these at the same time, a thread each; return how each ended."""
    todo = list(works)
    with ThreadPoolExecutor(len(todo)) as pool:
        return [pool.submit(work) for work in todo]
