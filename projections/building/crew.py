"""A crew: worker processes that share out a rebuild's work, or this process alone.

On SQLite only one can write, so there the crew is this process; what is done is the same function either way.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any, Final, TypeVar

import structlog

from lrs.memory import settle_memory
from lrs.store.engine import is_postgresql, open_engine
from projections.building.folding import Folding

logger = structlog.get_logger()
Result = TypeVar("Result")
CONNECTIONS: Final = 2
MOST_LOSSES: Final = 3

_own: list[Folding] = []
"""What a worker process works with; opened once, when it begins."""


class Crew:
    """So many processes over the same databases; they begin with the first work and end with the block."""

    def __init__(self, folding: Folding, processes: int) -> None:
        self._folding = folding
        self.processes = processes if is_postgresql(folding.engine) else 1
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def begin(self) -> list[Future[None]]:
        """Let the processes begin before there is work; whoever wants to wait for that waits for what is returned."""
        if self.processes == 1:
            return []
        pool = self._pool = self._pool or self._begun()
        return [pool.submit(_do, _is_there, ()) for _ in range(self.processes)]

    def each(self, work: Callable[..., Result], tasks: Sequence[tuple[Any, ...]]) -> Iterator[Result]:
        """Yield what `work(folding, *task)` returns for each task, as they are done.

        A process that is lost takes the others with it, and all that was not done is done again: `work` must bear that.
        Raises BrokenProcessPool when that happens again and again.
        """
        if self.processes == 1:
            yield from (work(self._folding, *task) for task in tasks)
            return
        left = dict(enumerate(tasks))
        for losses in range(MOST_LOSSES + 1):
            try:
                for number, result in self._done(work, left):
                    del left[number]
                    yield result
            except BrokenProcessPool:
                self._end()
                if losses == MOST_LOSSES:
                    raise
                logger.warning("a process of the rebuild was lost; its work is done again", left=len(left))
            else:
                return

    def _done(self, work: Callable[..., Result], left: dict[int, tuple[Any, ...]]) -> Iterable[tuple[int, Result]]:
        pool = self._pool = self._pool or self._begun()
        numbers = {pool.submit(_do, work, task): number for number, task in left.items()}
        for future in as_completed(numbers):
            yield numbers[future], future.result()

    def _begun(self) -> ProcessPoolExecutor:
        engines = self._folding.log_engine, self._folding.engine
        urls = [one.url.render_as_string(hide_password=False) for one in engines]
        spawn = multiprocessing.get_context("spawn")
        given = urls[0], urls[1], self._folding.batch
        return ProcessPoolExecutor(self.processes, spawn, initializer=_begin, initargs=given)

    def _end(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _begin(log_url: str, url: str, batch: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it and ends the crew
    threading.Thread(target=_end_with_parent, daemon=True).start()
    settle_memory()
    _own.append(Folding(open_engine(log_url, CONNECTIONS), open_engine(url, CONNECTIONS), batch))


def _end_with_parent() -> None:
    """End this process when its parent is gone: a parent that was killed tells nobody, and the pool would wait on."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _is_there(_folding: Folding) -> None:
    """Do nothing, which a process can do once it has begun."""


def _do(work: Callable[..., Result], task: tuple[Any, ...]) -> Result:
    return work(_own[0], *task)
