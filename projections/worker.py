"""The worker process: fold whatever is new, for every log, until it is told to stop."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Connection, Engine, delete, insert, select
from sqlalchemy.exc import DBAPIError

from lrs.store.engine import immediate
from lrs.store.log import logs
from projections.runtime import Differs, Runtime
from projections.tables import worker

logger = structlog.get_logger()
HEARTBEAT_SECONDS = 1.0
AWAKE_FOR = timedelta(seconds=10)


def work(runtime: Runtime, stop: threading.Event, poll_seconds: float, verify_hour: int) -> None:
    """Fold every log as statements come in; check all projections once a night at `verify_hour` (UTC; -1: never)."""
    name = f"{socket.gethostname()}:{os.getpid()}"
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(beat, "interval", seconds=HEARTBEAT_SECONDS, args=(runtime.engine, name), max_instances=1)
    if verify_hour >= 0:
        scheduler.add_job(verify_all, "cron", hour=verify_hour, args=(runtime,), max_instances=1)
    scheduler.start()
    try:
        _loop(runtime, stop, poll_seconds)
    finally:
        scheduler.shutdown(wait=False)
        _forget(runtime.engine, name)


def _loop(runtime: Runtime, stop: threading.Event, poll_seconds: float) -> None:
    """Poll the heads, with a pause that grows while nothing comes in. An error is logged and tried again later."""
    pause = 0.01
    while not stop.is_set():
        try:
            moved = once(runtime)
        except Exception:
            logger.exception("the worker could not fold; it tries again")
            moved, pause = 0, poll_seconds
        pause = 0.01 if moved else min(pause * 2, poll_seconds)
        stop.wait(pause)


def once(runtime: Runtime) -> int:
    """Fold what is new in every log; return how many positions moved."""
    with runtime.log_engine.connect() as connection:
        known = logs(connection)
    return sum(runtime.catch_up(one.log_id) for one in known)


def verify_all(runtime: Runtime) -> None:
    """Fold every log anew and compare with what is live; a difference is logged as an error."""
    with runtime.log_engine.connect() as connection:
        known = logs(connection)
    for one in known:
        try:
            digests = Runtime(runtime.log_engine, runtime.engine, runtime.batch).verify(one.log_id)
            logger.info("projections verified", log=one.slug, **digests)
        except Differs as error:
            logger.error("projections differ from a fresh fold", log=one.slug, detail=str(error))  # noqa: TRY400


def beat(engine: Engine, name: str, clock: Callable[[], float] = time.time) -> None:
    """Note that this worker is awake; a database that is busy is not waited for."""
    try:
        with immediate(engine).begin() as connection:
            connection.execute(delete(worker).where(worker.c.worker_id == name))
            connection.execute(insert(worker).values(worker_id=name, seen=int(clock() * 1_000_000)))
    except DBAPIError:
        logger.warning("the heartbeat could not be written")


def _forget(engine: Engine, name: str) -> None:
    with immediate(engine).begin() as connection:
        connection.execute(delete(worker).where(worker.c.worker_id == name))


def is_awake(connection: Connection, now_us: int) -> bool:
    """Whether any worker was seen lately."""
    last = now_us - AWAKE_FOR // timedelta(microseconds=1)
    return connection.execute(select(worker.c.worker_id).where(worker.c.seen > last).limit(1)).first() is not None
