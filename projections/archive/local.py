"""The local engine: the tasks of a replay in processes of this machine; what a lost process had is done again."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Final

import structlog

from projections.archive.replay import Job, Result, replay_bucket

logger = structlog.get_logger()
MOST_LOSSES: Final = 3


def run(job: Job, buckets: Sequence[int], processes: int) -> Iterator[Result]:
    """Yield the results of these buckets as they come; with one process everything is done in this one.

    A process that is lost takes the others with it, so what they had not finished is done again: a result file appears
    whole or not at all. Raises BrokenProcessPool when that happens again and again.
    """
    if processes <= 1:
        yield from (replay_bucket(job, number) for number in buckets)
        return
    left = set(buckets)
    for losses in range(MOST_LOSSES + 1):
        try:
            for result in _shared(job, sorted(left), processes):
                left.remove(result.bucket)
                yield result
        except BrokenProcessPool:
            if losses == MOST_LOSSES:
                raise
            logger.warning("a process of the replay was lost; its buckets are done again", left=len(left))
        else:
            return


def _shared(job: Job, buckets: Iterable[int], processes: int) -> Iterator[Result]:
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin) as pool:
        futures: list[Future[Result]] = [pool.submit(replay_bucket, job, number) for number in buckets]
        try:
            for done in as_completed(futures):
                yield done.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it and ends its processes
