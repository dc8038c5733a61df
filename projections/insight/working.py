"""What the worker does for analysts: the studies that are too large to be answered while somebody waits."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from lrs.errors import CairnError
from lrs.store.engine import immediate
from lrs.store.log import Log, logs
from projections.insight import studies
from projections.insight.studies import Study
from projections.insight.what_if import Progress, silent
from projections.view import view_of

logger = structlog.get_logger()
EVERY_SECONDS: Final = 2.0


@dataclass(frozen=True)
class Desk:
    """Where studies are run: the engines of the log and of the projections, their addresses, and so many processes."""

    log_engine: Engine
    engine: Engine
    urls: tuple[str, str]
    least: int
    processes: int = os.cpu_count() or 1


def answered(desk: Desk, log: Log, one: Study, progress: Progress = silent) -> bytes:
    """Run a study and return what it finds, as JSON."""
    definition = one.asks()
    with desk.engine.connect() as connection, desk.log_engine.connect() as log_connection:
        view = view_of(connection, log_connection, log, str(definition.through))
        return studies.run(view, desk.urls, definition, desk.processes, progress, desk.least)


def settle(desk: Desk, log: Log, one: Study, progress: Progress = silent) -> None:
    """Run a study and keep what it finds, or why it cannot be run."""
    try:
        result = answered(desk, log, one, progress)
    except CairnError as error:
        with immediate(desk.engine).begin() as connection:
            studies.fail(connection, one.study_id, "; ".join([error.message, *map(str, error.problems)]))
        return
    with immediate(desk.engine).begin() as connection:
        studies.keep(connection, one.study_id, result)


def jobs(desk: Desk) -> list[tuple[Callable[[], object], float]]:
    """Return what a worker does every so many seconds."""

    def study() -> None:
        try:
            _next(desk)
        except DBAPIError as error:
            logger.warning("the database does not tell which studies wait; asked again", reason=str(error))

    return [(study, EVERY_SECONDS)]


def _next(desk: Desk) -> None:
    with immediate(desk.engine).begin() as connection:
        one = studies.take_up(connection, time.time_ns() // 1000)
    if one is None:
        return
    with desk.log_engine.connect() as log_connection:
        log = next(log for log in logs(log_connection) if log.log_id == one.log_id)
    logger.info("a study is being answered", log=log.slug, study=one.name)
    settle(desk, log, one)
