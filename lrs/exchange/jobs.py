"""What a worker does beside folding: send what forwards and webhooks have not sent, pull what is due."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import TypeAlias

import structlog
from sqlalchemy.exc import DBAPIError

from lrs.exchange.forwarding import Carrier, run_forward
from lrs.exchange.pulling import Puller, run_pull
from lrs.store.exchange import forwards
from lrs.store.imports import pulls
from lrs.store.log import head, logs

logger = structlog.get_logger()
FORWARD_SECONDS = 1.0
PULL_SECONDS = 5.0
HANDS = 4
"""So many receivers, and as many sources, are spoken to at once: one that is slow holds up no other."""

Job: TypeAlias = tuple[Callable[[], object], float]


class Crew:
    """Threads that take on named work; what one of them is at is not begun again meanwhile."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(HANDS, name)
        self._busy: set[int] = set()
        self._lock = Lock()

    def begin(self, number: int, work: Callable[[], object]) -> None:
        """Let somebody do a piece of work, unless somebody is at it."""
        with self._lock:
            if number in self._busy:
                return
            self._busy.add(number)
        self._pool.submit(self._do, number, work)

    def _do(self, number: int, work: Callable[[], object]) -> None:
        """Do it; what fails is logged, without the values that a frame holds, and tried again the next time."""
        try:
            work()
        except Exception:
            logger.error("an exchange failed; it is tried again", told=traceback.format_exc())  # noqa: TRY400
        finally:
            with self._lock:
                self._busy.discard(number)


def jobs(carrier: Carrier, puller: Puller, is_stopped: Callable[[], bool]) -> list[Job]:
    """Return what a worker does every so many seconds."""
    couriers, fetchers = Crew("forward"), Crew("pull")

    def forward() -> None:
        with carrier.engine.connect() as connection:
            sizes = {one.log_id: head(connection, one.log_id)[0] for one in logs(connection)}
            found = [one for one in forwards(connection) if one.position < sizes[one.log_id]]
        for one in found:
            if not one.is_paused and one.due <= carrier.clock():
                couriers.begin(one.forward_id, partial(run_forward, carrier, one.forward_id, is_stopped))

    def pull() -> None:
        with puller.engine.connect() as connection:
            found = pulls(connection)
        for one in found:
            if one.due <= puller.clock():
                fetchers.begin(one.pull_id, partial(run_pull, puller, one.pull_id, is_stopped))

    return [(_patient(forward), FORWARD_SECONDS), (_patient(pull), PULL_SECONDS)]


def _patient(job: Callable[[], None]) -> Callable[[], None]:
    """Return the job, which waits for its next time while the database is away."""

    def run() -> None:
        try:
            job()
        except DBAPIError as error:
            logger.warning("the database does not tell what to exchange; asked again", reason=str(error))

    return run
