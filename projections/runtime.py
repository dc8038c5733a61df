"""The runtime: claim a build, read a batch behind its checkpoint, fold, write rows and checkpoint in one transaction.

Where a worker stops, another goes on; what cannot be folded is parked and listed while everything else goes on.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
import structlog
from sqlalchemy import Connection, Engine, Table
from sqlalchemy.exc import IntegrityError, InterfaceError, InternalError, OperationalError, ProgrammingError

from lrs.store.engine import immediate
from lrs.store.log import head
from projections.builds import (
    Build,
    Parked,
    advance_to,
    begin_build,
    builds,
    claim,
    claim_waiting,
    drop,
    live_builds,
    make_live,
    park,
    parked_in,
    positions_of,
)
from projections.catalogue import NAMES, PROJECTIONS, Projection, tables_of, with_downstream
from projections.digest import Difference, Span, added, buckets, differences, digest_of
from projections.run import Run, Unfoldable, is_far, unfoldable

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
Sums = Mapping[str, Sequence[int]]


def silent(_projection: str, _position: int, _through: int) -> None:
    """Tell nobody how far a fold is."""


class Differs(Exception):
    """A rebuild came to other rows than the live build: nothing was swapped; `differences` are some of the rows."""

    def __init__(self, projection: str, places: Sequence[int], found: Sequence[Difference]) -> None:
        rows = "".join(f"\n  {one}" for one in found)
        super().__init__(
            f"{projection}: the rebuild differs from the live build in {len(places)} of 256 buckets; the live build "
            f"stays. If the fold was changed on purpose, rebuild with --accept. Some rows that differ:{rows}"
        )
        self.projection = projection
        self.places = tuple(places)
        self.differences = tuple(found)


class Overtaken(Exception):
    """Another rebuild or check of the same log began meanwhile: this one ends, and swapped nothing."""


@dataclass(slots=True)
class Runtime:
    """The projections of all logs: `log_engine` is read, `engine` is written; `memory` is by build."""

    log_engine: Engine
    engine: Engine
    batch: int
    memory: dict[int, dict[str, Any]] = field(default_factory=dict)

    def ensure(self, log_id: int) -> dict[str, Build]:
        """Return the live build of every projection of a log; those that are missing begin now."""
        live = self._live(log_id)
        if live.keys() >= set(NAMES):
            return live
        try:
            with immediate(self.engine).begin() as connection:
                for name in [one for one in NAMES if one not in live_builds(connection, log_id)]:
                    begin_build(connection, log_id, name, "live")
        except IntegrityError:
            logger.info("another worker began the projections", log_id=log_id)
        return self._live(log_id)

    def _live(self, log_id: int) -> dict[str, Build]:
        with self.engine.connect() as connection:
            return live_builds(connection, log_id)

    def catch_up(self, log_id: int, progress: Progress = silent) -> int:
        """Fold every projection of a log up to the head as it is now; return how many positions the first one moved."""
        return self._fold_all(log_id, self.ensure(log_id), progress)

    def _fold_all(self, log_id: int, chosen: Mapping[str, Build], progress: Progress) -> int:
        with self.log_engine.connect() as connection:
            size = head(connection, log_id)[0]
        reached = {name: one.position for name, one in chosen.items()}
        for one in PROJECTIONS:
            ceiling = min([size, *(reached[name] for name in one.upstream)])
            upstream = {name: chosen[name].build_id for name in one.upstream}
            while reached[one.name] < ceiling:
                through = self.step(one, chosen[one.name].build_id, upstream, size)
                if through is None:
                    break
                reached[one.name] = through
                progress(one.name, through, size)
        return reached[NAMES[0]] - chosen[NAMES[0]].position

    def step(self, projection: Projection, build_id: int, upstream: Mapping[str, int], size: int) -> int | None:
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
                logger.error(  # noqa: TRY400 - a traceback would tell the learners' data
                    "parked", projection=projection.name, position=error.position, reason=str(error)
                )
                with immediate(self.engine).begin() as connection:
                    park(connection, Parked(build_id, error.position, error.learner, str(error)))
            except Exception as error:
                if most == 1:
                    raise
                most = max((most or self.batch) // 2, 1)
                logger.warning("fold failed", projection=projection.name, next_batch=most, reason=repr(error))

    def _fold_once(
        self, projection: Projection, build_id: int, upstream: Mapping[str, int], size: int, most: int | None
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
            _fold(connection, log_connection, projection, one, upstream, through, memory)
        self._remember(build_id, memory)
        return through

    def _remember(self, build_id: int, memory: dict[str, Any]) -> None:
        self.memory[build_id] = memory
        for forgotten in list(self.memory)[:-MOST_REMEMBERED]:
            del self.memory[forgotten]

    def rebuild(
        self, log_id: int, names: Collection[str], progress: Progress = silent, *, accept: bool = False
    ) -> dict[str, str]:
        """Fold the named projections, and all that stand on them, anew beside the live ones, compare, and swap.

        Returns the digests. Raises Differs, and swaps nothing, when the rows differ and `accept` does not say that they
        may; Overtaken when another rebuild of the log has begun.
        """
        live = self.ensure(log_id)
        self._fold_all(log_id, live, silent)
        new = self._new_builds(log_id, with_downstream(names))
        try:
            self._fold_all(log_id, {**live, **new}, progress)
            through, sums = self._sums(log_id, new, accept=accept)
            with self._frozen(log_id, new) as connection:
                digests = _digests(connection, log_id, new, sums, Span(through), accept=accept)
                make_live(connection, new.values(), live_builds(connection, log_id))
        except BaseException:
            self._drop(new)
            raise
        return digests

    def verify(self, log_id: int, progress: Progress = silent) -> dict[str, str]:
        """Fold all projections anew and compare with the live ones; return the digests, or raise Differs."""
        live = self.ensure(log_id)
        self._fold_all(log_id, live, silent)
        new = self._new_builds(log_id, NAMES)
        try:
            self._fold_all(log_id, new, progress)
            through, sums = self._sums(log_id, new, accept=False)
            with self._frozen(log_id, new) as connection:
                return _digests(connection, log_id, new, sums, Span(through), accept=False)
        finally:
            self._drop(new)

    def _new_builds(self, log_id: int, names: Collection[str]) -> dict[str, Build]:
        with immediate(self.engine).begin() as connection:
            for one in builds(connection, log_id):
                if one.state != "live":
                    drop(connection, one, tables_of(one.projection))
            return {name: begin_build(connection, log_id, name, "building") for name in names}

    def _sums(self, log_id: int, new: Mapping[str, Build], *, accept: bool) -> tuple[int, Sums]:
        """Return the new builds' buckets up to a position that all builds have reached; nobody has to wait for it."""
        with self.engine.connect() as connection:
            live = live_builds(connection, log_id)
            ids = [one.build_id for one in (*live.values(), *new.values())]
            reached = positions_of(connection, ids)
            through = min(reached.get(one, 0) for one in ids)
            return through, _compared(connection, new, live, Span(0, through), accept=accept)

    @contextmanager
    def _frozen(self, log_id: int, new: Mapping[str, Build]) -> Iterator[Connection]:
        """Bring the live and the new builds to one position, and hold them there until the transaction ends."""
        with self.log_engine.connect() as log_connection, immediate(self.engine).begin() as connection:
            live = live_builds(connection, log_id)
            size = head(log_connection, log_id)[0]
            for chosen in (live, {**live, **new}):
                for projection in PROJECTIONS:
                    one = claim_waiting(connection, chosen[projection.name].build_id)
                    if one is None:
                        raise Overtaken(f"another rebuild or check of log {log_id} has begun; nothing was swapped")
                    upstream = {name: chosen[name].build_id for name in projection.upstream}
                    if one.position < size:
                        _fold(connection, log_connection, projection, one, upstream, size, {})
            yield connection

    def _drop(self, unwanted: Mapping[str, Build]) -> None:
        with immediate(self.engine).begin() as connection:
            for one in unwanted.values():
                drop(connection, one, tables_of(one.projection))


def _ceiling(connection: Connection, upstream: Mapping[str, int], size: int) -> int:
    """Return how far a build may be folded: as far as all that it reads; nowhere when one of those is gone."""
    reached = positions_of(connection, upstream.values())
    return min([size, *(reached.get(one, 0) for one in upstream.values())])


def _fold(
    connection: Connection,
    log_connection: Connection,
    projection: Projection,
    one: Build,
    upstream: Mapping[str, int],
    through: int,
    memory: dict[str, Any],
) -> None:
    """Fold a claimed build up to a position; raise Unfoldable where one position alone fails."""
    if memory.get("at") != one.position:
        memory.clear()
    parked, stale = _left_out(connection, one.build_id, upstream)
    run = Run(connection, log_connection, one.log_id, one.build_id, upstream, parked, stale, memory)
    try:
        projection.fold(run, one.position, through)
    except (*GONE, Unfoldable):
        raise
    except Exception as error:
        if through == one.position + 1 and through not in parked:
            raise unfoldable(error, through) from error
        raise
    advance_to(connection, one.build_id, through)
    memory["at"] = through


def _left_out(
    connection: Connection, build_id: int, upstream: Mapping[str, int]
) -> tuple[frozenset[int], frozenset[int]]:
    """Return the positions and the learners that a build leaves out; evidence leaves out positions only."""
    found = parked_in(connection, [build_id, *upstream.values()])
    own = {one.position for one in found if one.build_id == build_id and (not upstream or not one.learner)}
    learners = {one.learner for one in found if upstream and one.build_id != upstream["evidence"]}
    return frozenset(own), frozenset(learners - {0})


def _compared(
    connection: Connection, new: Mapping[str, Build], live: Mapping[str, Build], span: Span, *, accept: bool
) -> dict[str, list[int]]:
    """Return the new builds' buckets over a span; raise Differs where the live ones' are others and may not be."""
    found: dict[str, list[int]] = {}
    for name, one in new.items():
        tables = tables_of(name)
        found[name] = buckets(connection, one.build_id, tables, span)
        if not accept:
            _compare(connection, name, one, live[name], tables, found[name], span)
    return found


def _compare(
    connection: Connection, name: str, new: Build, live: Build, tables: Sequence[Table], sums: Sequence[int], span: Span
) -> None:
    theirs = buckets(connection, live.build_id, tables, span)
    places = [place for place, (left, right) in enumerate(zip(sums, theirs, strict=True)) if left != right]
    if places:
        rows = differences(connection, live.build_id, new.build_id, tables, places, span)
        raise Differs(name, places, rows)


def _digests(
    connection: Connection, log_id: int, new: Mapping[str, Build], sums: Sums, rest: Span, *, accept: bool
) -> dict[str, str]:
    """Compare what came in meanwhile, and return the digests of everything."""
    behind = _compared(connection, new, live_builds(connection, log_id), rest, accept=accept)
    return {name: digest_of(added(sums[name], behind[name])) for name in new}
