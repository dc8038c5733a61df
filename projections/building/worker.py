"""The worker process: fold whatever is new, for every log, until it is told to stop."""

from __future__ import annotations

import os
import socket
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import structlog
from sqlalchemy import Connection, Engine, delete, insert, select
from sqlalchemy.exc import DBAPIError

from lrs.store.engine import immediate
from lrs.store.log import Log, logs
from projections.building.runtime import Differs, Overtaken, Runtime
from projections.tables import worker

logger = structlog.get_logger()
Job: TypeAlias = tuple[Callable[[], object], float]
HEARTBEAT_SECONDS = 1.0
AWAKE_FOR = timedelta(seconds=10)
FIRST_PAUSE_SECONDS = 0.01


def work(
    runtime: Runtime, stop: threading.Event, poll_seconds: float, verify_hour: int, jobs: Sequence[Job] = ()
) -> None:
    """Fold every log as statements come in; check all projections once a night at `verify_hour` (UTC; -1: never).

    `jobs` are what other rooms let the worker do meanwhile, each every so many seconds.
    """
    from apscheduler.schedulers.background import BackgroundScheduler  # web processes import this module too

    name = f"{socket.gethostname()}:{os.getpid()}"
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(beat, "interval", seconds=HEARTBEAT_SECONDS, args=(runtime.engine, name), max_instances=1)
    if verify_hour >= 0:
        scheduler.add_job(verify_all, "cron", hour=verify_hour, args=(runtime,), max_instances=1)
    for job, seconds in jobs:
        first = datetime.now(UTC)
        scheduler.add_job(job, "interval", seconds=seconds, next_run_time=first, max_instances=1, coalesce=True)
    scheduler.start()
    try:
        _loop(runtime, stop, poll_seconds)
    finally:
        scheduler.shutdown(wait=False)
        _forget(runtime.engine, name)


def _loop(runtime: Runtime, stop: threading.Event, poll_seconds: float) -> None:
    """Poll the heads, with a pause that grows while nothing comes in."""
    pause = FIRST_PAUSE_SECONDS
    while not stop.is_set():
        pause = FIRST_PAUSE_SECONDS if once(runtime) else min(pause * 2, poll_seconds)
        stop.wait(pause)


def once(runtime: Runtime) -> int:
    """Fold what is new in every log; return how many positions moved.

    What fails is logged, without the values that a frame holds, and tried again the next time; the other logs go on.
    """
    moved = 0
    for one in _logs(runtime):
        try:
            moved += runtime.catch_up(one.log_id)
        except Exception:
            told = traceback.format_exc()
            logger.error("the worker could not fold; it tries again", log=one.slug, told=told)  # noqa: TRY400
    return moved


def _logs(runtime: Runtime) -> list[Log]:
    try:
        with runtime.log_engine.connect() as connection:
            return logs(connection)
    except DBAPIError as error:
        logger.error("the worker cannot read the logs; it tries again", reason=str(error))  # noqa: TRY400
        return []


def verify_all(runtime: Runtime) -> None:
    """Fold every log anew and compare with what is live; a difference is logged as an error."""
    for one in _logs(runtime):
        try:
            digests = Runtime(runtime.log_engine, runtime.engine, runtime.batch).verify(one.log_id)
            logger.info("projections verified", log=one.slug, **digests)
        except Overtaken:
            logger.info("another check of the projections has begun", log=one.slug)
        except Differs as error:
            logger.error("projections differ from a fresh fold", log=one.slug, detail=str(error))  # noqa: TRY400


def beat(engine: Engine, name: str, clock: Callable[[], float] = time.time) -> None:
    """Note that this worker is awake; a database that is busy is not waited for."""
    try:
        with immediate(engine).begin() as connection:
            connection.execute(delete(worker).where(worker.c.worker_id == name))
            connection.execute(insert(worker).values(worker_id=name, seen=int(clock() * 1_000_000)))
    except DBAPIError as error:
        logger.warning("the heartbeat could not be written", reason=str(error))


def _forget(engine: Engine, name: str) -> None:
    """Take the worker off the list; a database that is away forgets it by itself, for it is not seen again."""
    try:
        with immediate(engine).begin() as connection:
            connection.execute(delete(worker).where(worker.c.worker_id == name))
    except DBAPIError as error:
        logger.warning("the worker could not take itself off the list", reason=str(error))


def is_awake(connection: Connection, now_us: int) -> bool:
    """Whether any worker was seen lately."""
    last = now_us - AWAKE_FOR // timedelta(microseconds=1)
    return connection.execute(select(worker.c.worker_id).where(worker.c.seen > last).limit(1)).first() is not None
