"""What the worker does beside folding, where decisions are to be published."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TypeAlias

import msgspec
import structlog
from sqlalchemy.exc import DBAPIError

from lrs.cli import Desk
from lrs.store.log import logs
from projections.publishing.outbox import Office, publish

logger = structlog.get_logger()
Job: TypeAlias = tuple[Callable[[], object], float]
SECONDS = 1.0


def office_of(desk: Desk) -> Office:
    """Return what publishes the decisions of the desk's databases, in the name of each log's operator."""
    return Office(desk.engine, desk.derived, desk.append, lambda log: msgspec.json.decode(desk.operator(log).authority))


def publishing(desk: Desk) -> list[Job]:
    """Return the worker's job of publishing; none where the settings have decisions kept back."""
    return [(lambda: publish_all(office_of(desk)), SECONDS)] if desk.settings.publish_decisions else []


def publish_all(office: Office) -> int:
    """Publish what is new in every log; return how many statements were appended.

    What fails is logged, without the values that a frame holds, and tried again the next time; the other logs go on.
    """
    count = 0
    try:
        with office.log_engine.connect() as connection:
            found = logs(connection)
    except DBAPIError as error:
        logger.warning("the database does not tell what to publish; asked again", reason=str(error))
        return 0
    for log in found:
        try:
            count += publish(office, log)
        except Exception:
            told = traceback.format_exc()
            logger.error("decisions could not be published; tried again", log=log.slug, told=told)  # noqa: TRY400
    return count
