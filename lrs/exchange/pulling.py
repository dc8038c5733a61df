"""Pulls at work: what another record store has is fetched every so many minutes, by one process at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy import Engine

from lrs.errors import CairnError, NotFound
from lrs.exchange.importing import Intake, importer
from lrs.exchange.remote import Count, Remote, fetch
from lrs.exchange.sealing import Seal
from lrs.recording import Gate
from lrs.store.claims import claimed_pull
from lrs.store.credentials import Credential, credential_with_key
from lrs.store.engine import immediate
from lrs.store.imports import Pull, note_pull, pull_with_id
from lrs.store.log import Log, logs
from lrs.store.sqlite import clock_us
from lrs.store.writer import Writer

logger = structlog.get_logger()
MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Puller:
    """What pulls work with; `clock` tells microseconds."""

    engine: Engine
    writer: Writer
    gate: Gate
    seal: Seal
    batch_limit: int
    limit_bytes: int
    data_limit_bytes: int
    timeout_seconds: float
    clock: Callable[[], int] = clock_us


def run_pull(puller: Puller, pull_id: int, is_stopped: Callable[[], bool] = lambda: False) -> Count | None:
    """Fetch what is new, if the pull is due; None when it is not, or is at work in another process.

    A store that cannot be read is noted, and tried again when the pull is due the next time.
    """
    with claimed_pull(puller.engine, pull_id) as is_ours:
        pull = _due_pull(puller, pull_id) if is_ours else None
        if pull is None:
            return None
        count, trouble = Count(), ""
        try:
            count = _fetched(puller, pull, is_stopped)
        except CairnError as error:
            trouble = error.message
            logger.warning("a pull failed; it is tried again when it is due", pull=pull.name, reason=trouble)
        if count.refused:
            logger.warning("a pull brought statements that were refused", pull=pull.name, refused=count.refused)
        if is_stopped():
            return count
        with immediate(puller.engine).begin() as connection:
            note_pull(connection, pull_id, puller.clock() + pull.every_minutes * MINUTE_US, trouble)
        return count


def _due_pull(puller: Puller, pull_id: int) -> Pull | None:
    with puller.engine.connect() as connection:
        pull = pull_with_id(connection, pull_id)
    return pull if pull is not None and pull.due <= puller.clock() else None


def _fetched(puller: Puller, pull: Pull, is_stopped: Callable[[], bool]) -> Count:
    secret = puller.seal.open(pull.sealed_secret)
    remote = Remote(pull.url, pull.key, secret, pull.version, puller.timeout_seconds, puller.data_limit_bytes)
    credential = credential_for(puller.engine, _log(puller.engine, pull.log_id), pull.credential_key)
    intake = Intake(
        puller.engine, puller.writer, puller.gate, credential, remote.source, puller.batch_limit,
        puller.limit_bytes, puller.clock,
    )  # fmt: skip
    return fetch(intake, remote, None, lambda _count, _refused: not is_stopped())


def _log(engine: Engine, log_id: int) -> Log:
    with engine.connect() as connection:
        return next(one for one in logs(connection) if one.log_id == log_id)


def credential_for(engine: Engine, log: Log, key: str) -> Credential:
    """Return whose statements a log takes in: one of its own credentials by key, or, for none, the import's.

    Raises NotFound.
    """
    if not key:
        return importer(log)
    with engine.connect() as connection:
        found = credential_with_key(connection, key)
    if found is None or found.log.log_id != log.log_id:
        raise NotFound(f"the log {log.slug!r} has no active credential {key!r}; `cairn credentials list` shows them")
    return found
