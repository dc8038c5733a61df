"""Group commit: of all the requests that wait to append, one at a time commits for everyone.

While a commit waits for the disk, or for the lock that another process holds, further requests queue; whoever has the
turn takes those in front into one transaction. So one connection writes for each process and log, and the price of a
durable commit is shared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock

import structlog
from sqlalchemy import Engine, exc

from lrs.errors import Busy, StorageFailed
from lrs.store.canonical import news, remember
from lrs.store.engine import immediate, is_postgresql
from lrs.store.log import append, dialect_for
from lrs.store.rows import Dialect, Request, is_plain

logger = structlog.get_logger()
GROUP_STATEMENTS = 5_000
"""A group is closed when it has so many statements: a transaction's rows must fit in memory beside its requests."""
TROUBLE = (exc.OperationalError, exc.InterfaceError, exc.InternalError, exc.TimeoutError)
"""The database is away, full, locked or out of connections: no request's fault, and no use to try them one by one."""
UNCONFIRMED = "the database did not confirm; send the same request again: statements with ids are kept once"


def _shut() -> Lock:
    lock = Lock()
    lock.acquire()
    return lock


@dataclass(slots=True, eq=False)
class _Ticket:
    """One request on its way; `signal` is let go once: when the ticket is done, or when its thread has the turn."""

    log_id: int
    request: Request
    error: Exception | None = None
    is_done: bool = False
    signal: Lock = field(default_factory=_shut)


Latecomers = Callable[[Sequence[_Ticket]], list[_Ticket]]


def _nobody(_group: Sequence[_Ticket]) -> list[_Ticket]:
    return []


class _Queue:
    """Tickets in the order in which they came, and the turn to commit, which one thread has at a time.

    Each thread sleeps on its own ticket, so that none is woken in vain.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: list[_Ticket] = []
        self._first: _Ticket | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def join(self, ticket: _Ticket, limit: int) -> None:
        """Wait behind the others; raises Busy when there are too many of them."""
        with self._lock:
            if len(self._waiting) >= limit:
                raise Busy("too many appends are waiting; send the same request again in a second")
            self._waiting.append(ticket)
            self._pass_on()

    def turn(self, ticket: _Ticket) -> list[_Ticket]:
        """Wait for the turn and return whom to commit for; nobody once the ticket is done."""
        ticket.signal.acquire()
        with self._lock:
            return [] if ticket.is_done else self._group()

    def latecomers(self, group: Sequence[_Ticket]) -> list[_Ticket]:
        """Take out who may still join a group; only for the thread that has the turn."""
        with self._lock:
            return self._group(sum(len(one.request.statements) for one in group))

    def end_turn(self, group: Sequence[_Ticket]) -> None:
        """Let the next have the turn; whoever is not done, because the commit was interrupted, is in front again."""
        with self._lock:
            self._waiting[:0] = [one for one in group if not one.is_done]
            self._first = None
            self._pass_on()
        for one in group:
            if one.is_done:
                one.signal.release()

    def leave(self, ticket: _Ticket) -> None:
        """Take out the ticket of a thread that was interrupted, and pass its turn on."""
        with self._lock:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
            if self._first is ticket:
                self._first = None
                self._pass_on()

    def _pass_on(self) -> None:
        """Give the turn to whoever waits in front, unless somebody has it."""
        if self._first is None and self._waiting:
            self._first = self._waiting[0]
            self._first.signal.release()

    def _group(self, size: int = 0) -> list[_Ticket]:
        """Take out those in front, as far as they fit beside so many statements; an empty group always takes one."""
        taken = 0
        for one in self._waiting:
            is_first = size == 0
            size += len(one.request.statements)
            if size > GROUP_STATEMENTS and not is_first:
                break
            taken += 1
        group, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return group


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
        """Append a request durably, or raise what the outcome of `lrs.store.log.append` says.

        Raises Busy when too many wait, and StorageFailed when the database did not confirm: then it may be stored.
        """
        if not request.statements:
            return
        ticket, queue = _Ticket(log_id, request), self._queue_of(log_id)
        queue.join(ticket, self._queue_limit)
        try:
            self._await(ticket, queue)
        finally:
            if not ticket.is_done:
                queue.leave(ticket)
        if ticket.error:
            raise ticket.error

    def waiting(self) -> int:
        """Return how many appends wait for their turn."""
        with self._lock:
            return sum(len(queue) for queue in self._queues.values())

    def _queue_of(self, log_id: int) -> _Queue:
        """Return the log's own queue, or the one of all logs where the database takes one writer at a time."""
        with self._lock:
            return self._queues.setdefault(0 if self._one_queue else log_id, _Queue())

    def _await(self, ticket: _Ticket, queue: _Queue) -> None:
        while group := queue.turn(ticket):
            try:
                self._commit(group, queue.latecomers)
            finally:
                queue.end_turn(group)

    def _commit(self, tickets: list[_Ticket], latecomers: Latecomers = _nobody) -> None:
        """Commit for all of them together; if one makes that fail, each by itself, so that it fails alone."""
        try:
            outcomes = self._stored(tickets, latecomers)
        except TROUBLE as error:
            logger.warning("append not confirmed", requests=len(tickets), error=str(error))
            outcomes = [_caused(StorageFailed(UNCONFIRMED), error) for _ in tickets]
        except Exception as error:
            if len(tickets) > 1:
                for ticket in tickets:
                    self._commit([ticket])
                return
            outcomes = [error]
        for ticket, outcome in zip(tickets, outcomes, strict=True):
            ticket.error = outcome
            ticket.is_done = True

    def _stored(self, tickets: list[_Ticket], latecomers: Latecomers) -> Sequence[Exception | None]:
        """Commit, once more if the connection was lost: what it had committed is found by its ids and left alone."""
        try:
            return self._transaction(tickets, latecomers)
        except exc.DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return self._transaction(tickets, latecomers)

    def _transaction(self, tickets: list[_Ticket], latecomers: Latecomers) -> Sequence[Exception | None]:
        """Append for the tickets, and for whoever came while the lock was waited for: they join the list."""
        if self._is_appended_at_once(tickets):
            return [None] * len(tickets)
        outcomes: dict[_Ticket, Exception | None] = {}
        with self._engine.begin() as connection:
            for log_id in sorted({one.log_id for one in tickets}):
                self._dialect.lock(connection, log_id)
            tickets += latecomers(tickets)
            for log_id in dict.fromkeys(one.log_id for one in tickets):
                own = [one for one in tickets if one.log_id == log_id]
                requests = [one.request for one in own]
                errors = append(connection, log_id, requests, self._dialect, self._act_verbs)
                outcomes |= zip(own, errors, strict=True)
        return [outcomes[one] for one in tickets]

    def _is_appended_at_once(self, tickets: Sequence[_Ticket]) -> bool:
        """Append plain statements in one step, where the database has one; nothing, if that fails."""
        statements = [one for ticket in tickets for one in ticket.request.statements]
        ids, log_ids = {one.statement_id for one in statements}, {one.log_id for one in tickets}
        if len(ids) < len(statements) or len(log_ids) > 1 or not all(map(is_plain, statements)):
            return False
        (log_id,) = log_ids
        fresh = news(self._engine, log_id, statements)
        if not self._dialect.append_at_once(self._engine, log_id, statements, list(fresh.values())):
            return False
        remember(self._engine, log_id, fresh)
        return True


def _caused(error: StorageFailed, cause: Exception) -> StorageFailed:
    error.__cause__ = cause
    return error
