"""Group commit: of all the requests that wait to append, one at a time commits for everyone.

While a commit waits for the disk, further requests queue; the next to get its turn takes them all into one
transaction. So one connection writes for each process, and the price of a durable commit is shared.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Condition, Lock

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from lrs.errors import Busy, CairnError, StorageFailed
from lrs.store.engine import immediate, is_postgresql
from lrs.store.log import append, dialect_for
from lrs.store.rows import Dialect, Request

DRIVER_ERRORS = (DBAPIError, sqlite3.Error, psycopg.Error)


@dataclass(slots=True, eq=False)
class _Ticket:
    log_id: int
    request: Request
    error: CairnError | None = None
    is_done: bool = False


@dataclass(slots=True)
class _Queue:
    turn: Condition = field(default_factory=Condition)
    waiting: list[_Ticket] = field(default_factory=list)
    is_committing: bool = False


class Writer:
    """Appends to the logs of one database. Thread-safe; one for each process."""

    def __init__(self, engine: Engine, act_verbs: str, queue_limit: int, dialect: Dialect | None = None) -> None:
        self._engine = immediate(engine)
        self._dialect = dialect or dialect_for(engine.dialect.name)
        self._act_verbs = act_verbs
        self._queue_limit = queue_limit
        self._one_queue = not is_postgresql(engine)
        self._queues: dict[int, _Queue] = {}
        self._lock = Lock()

    def append(self, log_id: int, request: Request) -> None:
        """Append a request durably, or raise what append's outcome says; Busy when too many wait, StorageFailed."""
        if not request.statements:
            return
        ticket = _Ticket(log_id, request)
        queue = self._queue_of(log_id)
        with queue.turn:
            if len(queue.waiting) >= self._queue_limit:
                raise Busy("too many appends are waiting; send the same request again in a second")
            queue.waiting.append(ticket)
            while queue.is_committing and not ticket.is_done:
                queue.turn.wait()
            if not ticket.is_done:
                queue.is_committing = True
                group, queue.waiting = queue.waiting, []
        if not ticket.is_done:
            self._commit_for_all(queue, group)
        if ticket.error:
            raise ticket.error

    def _queue_of(self, log_id: int) -> _Queue:
        """Return the log's own queue, or the one of all logs where the database takes one writer at a time."""
        with self._lock:
            return self._queues.setdefault(0 if self._one_queue else log_id, _Queue())

    def _commit_for_all(self, queue: _Queue, group: Sequence[_Ticket]) -> None:
        try:
            for log_id in dict.fromkeys(ticket.log_id for ticket in group):
                self._commit([ticket for ticket in group if ticket.log_id == log_id])
        finally:
            with queue.turn:
                for ticket in group:
                    if not ticket.is_done:
                        ticket.error = StorageFailed("the append was interrupted; nothing of the request was stored")
                        ticket.is_done = True
                queue.is_committing = False
                queue.turn.notify_all()

    def _commit(self, tickets: Sequence[_Ticket]) -> None:
        try:
            outcomes = self._transaction(tickets)
        except DRIVER_ERRORS as error:
            if len(tickets) > 1:
                for ticket in tickets:
                    self._commit([ticket])
                return
            failure = StorageFailed("the database did not take the write; nothing of the request was stored")
            failure.__cause__ = error
            outcomes = [failure]
        for ticket, outcome in zip(tickets, outcomes, strict=True):
            ticket.error = outcome
            ticket.is_done = True

    def _transaction(self, tickets: Sequence[_Ticket]) -> list[CairnError | None]:
        requests = [ticket.request for ticket in tickets]
        with self._engine.begin() as connection:
            return append(connection, tickets[0].log_id, requests, self._dialect, self._act_verbs)
