"""Folding: claim a build, read a batch behind its checkpoint, fold, write rows and checkpoint in one transaction.

Where a worker stops, another goes on; what cannot be folded is parked and listed while everything else goes on.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError, InterfaceError, InternalError, OperationalError, ProgrammingError

from lrs.store.engine import immediate
from lrs.store.log import head
from projections.building.builds import (
    Build,
    Parked,
    advance_to,
    begin_build,
    build_with_id,
    claim,
    live_builds,
    park,
    parked_in,
    positions_of,
)
from projections.building.catalogue import NAMES, PROJECTIONS, Projection
from projections.run import Learners, Run, Unfoldable, is_far, unfoldable

logger = structlog.get_logger()
MOST_REMEMBERED: Final = 64
"""So many builds' memories are kept, the ones used last; the others are read again when they are needed."""

GONE: Final = (
    OperationalError, InterfaceError, InternalError, ProgrammingError,
    psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError, psycopg.ProgrammingError,
    sqlite3.OperationalError, sqlite3.InterfaceError, sqlite3.InternalError, sqlite3.ProgrammingError,
)  # fmt: skip
"""A database that is away, full or not migrated, through SQLAlchemy or its driver: no statement's fault, so nothing is
parked and the worker tries again."""

Progress = Callable[[str, int, int], None]
Upstream = Mapping[str, int]


def silent(_projection: str, _position: int, _through: int) -> None:
    """Tell nobody how far a fold is."""


@dataclass(slots=True)
class Folding:
    """The projections of all logs: `log_engine` is read, `engine` is written; `memory` is by build."""

    log_engine: Engine
    engine: Engine
    batch: int
    memory: dict[int, dict[str, Any]] = field(default_factory=dict)

    def ensure(self, log_id: int) -> dict[str, Build]:
        """Return the live build of every projection of a log; those that are missing begin now."""
        live = self.live(log_id)
        if live.keys() >= set(NAMES):
            return live
        try:
            with immediate(self.engine).begin() as connection:
                for name in [one for one in NAMES if one not in live_builds(connection, log_id)]:
                    begin_build(connection, log_id, name, "live")
        except IntegrityError:
            logger.info("another worker began the projections", log_id=log_id)
        return self.live(log_id)

    def live(self, log_id: int) -> dict[str, Build]:
        """Return the live builds of a log as they are now."""
        with self.engine.connect() as connection:
            return live_builds(connection, log_id)

    def catch_up(self, log_id: int, progress: Progress = silent) -> int:
        """Fold every projection of a log up to the head as it is now; return how many positions the first one moved."""
        return self.fold_all(log_id, self.ensure(log_id), progress)

    def fold_all(self, log_id: int, chosen: Mapping[str, Build], progress: Progress) -> int:
        """Fold these builds, one of each projection, up to the head; return how many positions the first one moved."""
        with self.log_engine.connect() as connection:
            size = head(connection, log_id)[0]
        reached = {name: one.position for name, one in chosen.items()}
        for one in PROJECTIONS:
            ceiling = min([size, *(reached[name] for name in one.upstream)])
            while reached[one.name] < ceiling:
                through = self.step(one, chosen[one.name].build_id, upstream_of(one, chosen), size)
                if through is None:
                    break
                reached[one.name] = through
                progress(one.name, through, size)
        return reached[NAMES[0]] - chosen[NAMES[0]].position

    def step(self, projection: Projection, build_id: int, upstream: Upstream, size: int) -> int | None:
        """Fold one batch; return the checkpoint then, or None when there was nothing to do or another worker does it.

        What fails is tried again in halves, down to the one position that cannot be folded, which is parked.
        """
        most: int | None = None
        while True:
            try:
                return self._fold_once(projection, build_id, upstream, size, most)
            except GONE:
                raise
            except Unfoldable as error:
                self.leave_out(projection, build_id, upstream, error)
            except Exception as error:
                if most == 1:
                    raise
                most = max((most or self.batch) // 2, 1)
                logger.warning("fold failed", projection=projection.name, next_batch=most, reason=repr(error))

    def _fold_once(
        self, projection: Projection, build_id: int, upstream: Upstream, size: int, most: int | None
    ) -> int | None:
        memory = self.memory.pop(build_id, {})
        with self.log_engine.connect() as log_connection, immediate(self.engine).begin() as connection:
            one = claim(connection, build_id)
            if one is None:
                return None
            ceiling = _ceiling(connection, upstream, size)
            is_leap = bool(upstream) and most is None and is_far(one.position, ceiling)
            through = ceiling if is_leap else min(one.position + (most or self.batch), ceiling)
            if through <= one.position:
                return None
            fold(connection, log_connection, projection, one, upstream, through, memory)
        self.remember(build_id, memory)
        return through

    def remember(self, build_id: int, memory: dict[str, Any]) -> None:
        """Keep what a fold remembers for the batch after; only once what it wrote is committed."""
        self.memory[build_id] = memory
        for forgotten in list(self.memory)[:-MOST_REMEMBERED]:
            del self.memory[forgotten]

    def leave_out(self, projection: Projection, build_id: int, upstream: Upstream, error: Unfoldable) -> None:
        """Park what could not be folded: a learner from the first position on that fails, however far it was read.

        Raises the error itself where that is left out already: nothing else could be done but the same again.
        """
        found = Parked(build_id, error.position, error.learner, str(error))
        if error.learner and projection.is_by_learner:
            found = found._replace(position=self._first_failure(projection, found, upstream))
        logger.error("parked", projection=projection.name, position=found.position, reason=found.reason)
        with immediate(self.engine).begin() as connection:
            if not park(connection, found):
                raise error

    def _first_failure(self, projection: Projection, told: Parked, upstream: Upstream) -> int:
        """Return the first position through which a learner cannot be folded, by bisection: the learner's alone."""
        with self.engine.connect() as connection:
            one = build_with_id(connection, told.build_id)
        low, high = (one.position if one else 0) + 1, told.position
        while one is not None and low < high:
            middle = (low + high) // 2
            if self._is_foldable(projection, one, upstream, told.learner, middle):
                low = middle + 1
            else:
                high = middle
        return low

    def _is_foldable(self, projection: Projection, one: Build, upstream: Upstream, learner: int, through: int) -> bool:
        """Whether one learner can be folded from the checkpoint through a position; nothing that is written stays."""
        with self.log_engine.connect() as log_connection, immediate(self.engine).connect() as connection:
            run = run_of(connection, log_connection, one, upstream, {})
            run.learners = Learners(learner, learner)
            try:
                projection.fold(run, one.position, through)
            except Unfoldable:
                return False
            finally:
                connection.rollback()
        return True


def upstream_of(projection: Projection, chosen: Mapping[str, Build]) -> dict[str, int]:
    """Return which of the builds a projection reads."""
    return {name: chosen[name].build_id for name in projection.upstream}


def _ceiling(connection: Connection, upstream: Upstream, size: int) -> int:
    """Return how far a build may be folded: as far as all that it reads; nowhere when one of those is gone."""
    reached = positions_of(connection, upstream.values())
    return min([size, *(reached.get(one, 0) for one in upstream.values())])


def fold(
    connection: Connection,
    log_connection: Connection,
    projection: Projection,
    one: Build,
    upstream: Upstream,
    through: int,
    memory: dict[str, Any],
) -> None:
    """Fold a claimed build up to a position; raise Unfoldable where one position alone fails.

    What is remembered is forgotten where it was of another position, or where something else was left out.
    """
    run = run_of(connection, log_connection, one, upstream, memory)
    place = one.position, run.parked, run.stale
    if memory.get("at") != place:
        memory.clear()
    try:
        projection.fold(run, one.position, through)
    except (*GONE, Unfoldable):
        raise
    except Exception as error:
        if through == one.position + 1 and through not in run.parked:
            raise unfoldable(error, through) from error
        raise
    advance_to(connection, one.build_id, through)
    memory["at"] = through, run.parked, run.stale


def run_of(
    connection: Connection,
    log_connection: Connection,
    one: Build,
    upstream: Upstream,
    memory: dict[str, Any],
) -> Run:
    """Return what a fold of a build is given, with what it leaves out."""
    parked, stale = _left_out(connection, one.build_id, upstream)
    return Run(connection, log_connection, one.log_id, one.build_id, upstream, parked, stale, memory)


def _left_out(connection: Connection, build_id: int, upstream: Upstream) -> tuple[frozenset[int], dict[int, int]]:
    """Return the positions that a build leaves out, and the learners with the position that each is left out from.

    Evidence leaves out positions only: for whoever reads it the learner goes on without that statement.
    """
    found = parked_in(connection, [build_id, *upstream.values()])
    own = {one.position for one in found if one.build_id == build_id and (not upstream or not one.learner)}
    evidence = upstream.get("evidence", build_id)
    stale = {one.learner: one.position for one in reversed(found) if one.learner and one.build_id != evidence}
    return frozenset(own), stale
