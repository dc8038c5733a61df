"""Claims: of several processes that could do the same work, one does it, and another goes on at once when that dies.

On PostgreSQL a claim is a lock of the database, which ends with the connection. SQLite's processes share one machine,
so there a claim is a lock on a file beside the database, which ends with the process: neither needs to expire.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import Connection, Engine, func, select

from lrs.store.engine import immediate, is_postgresql
from lrs.store.tables import forward

Writing: TypeAlias = Callable[[], AbstractContextManager[Connection]]
PULLS = 0x70756C6C
"""The first of the two numbers of PostgreSQL's advisory lock on a pull."""


@contextmanager
def claimed_forward(engine: Engine, forward_id: int) -> Iterator[Writing | None]:
    """Yield how to write what became of a forward's statements, or None while another process has it.

    On PostgreSQL the row stays locked meanwhile, and what is written commits with the end of the claim: a process
    that has lost its claim cannot write.
    """
    if is_postgresql(engine):
        with engine.begin() as connection:
            locked = connection.scalar(
                select(forward.c.forward_id)
                .where(forward.c.forward_id == forward_id)
                .with_for_update(skip_locked=True, key_share=True)
            )
            yield None if locked is None else lambda: nullcontext(connection)
        return
    with _file_lock(engine, f"forward-{forward_id}") as is_ours:
        yield immediate(engine).begin if is_ours else None


@contextmanager
def claimed_pull(engine: Engine, pull_id: int) -> Iterator[bool]:
    """Yield whether this process may pull; on PostgreSQL no transaction stays open, for a pull may take hours."""
    if not is_postgresql(engine):
        with _file_lock(engine, f"pull-{pull_id}") as is_ours:
            yield is_ours
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        is_ours = bool(connection.scalar(select(func.pg_try_advisory_lock(PULLS, pull_id))))
        try:
            yield is_ours
        finally:
            if is_ours:
                connection.execute(select(func.pg_advisory_unlock(PULLS, pull_id)))


@contextmanager
def _file_lock(engine: Engine, name: str) -> Iterator[bool]:
    path = Path(f"{engine.url.database}-{name}.lock")
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
