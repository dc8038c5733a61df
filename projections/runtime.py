"""The runtime: claim a build, read a batch behind its checkpoint, fold, write rows and checkpoint in one transaction.

Where a worker stops, another goes on; a batch that fails is narrowed down to the position that cannot be folded, which
is parked and listed while everything else goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError, ProgrammingError

from lrs.store.engine import immediate
from lrs.store.log import head
from projections.builds import (
    Build,
    advance_to,
    begin_build,
    builds,
    claim,
    claim_waiting,
    drop,
    every_build,
    live_builds,
    make_live,
    park,
    parked_positions,
)
from projections.catalogue import PROJECTIONS, Projection
from projections.digest import buckets, digest
from projections.run import Run

logger = structlog.get_logger()
GONE = (OperationalError, InterfaceError, InternalError, ProgrammingError)
"""A database that is away or not migrated: no statement's fault, so nothing is parked and the worker tries again."""

Progress = Callable[[str, int, int], None]


def silent(_projection: str, _position: int, _through: int) -> None:
    """Tell nobody how far a fold is."""


class Differs(Exception):
    """A rebuild came to other rows than the live build: nothing was swapped."""

    def __init__(self, projection: str, live: str, new: str, places: Sequence[int]) -> None:
        super().__init__(
            f"{projection}: the rebuild's digest {new[:16]} differs from the live one's {live[:16]} in "
            f"{len(places)} of 256 buckets; the live build stays. If the code of the fold was changed on purpose, "
            "rebuild with --accept."
        )
        self.places = places


@dataclass(slots=True)
class Runtime:
    """The projections of all logs: `log_engine` is read, `engine` is written; `memory` is by build."""

    log_engine: Engine
    engine: Engine
    batch: int
    memory: dict[int, dict[str, Any]] = field(default_factory=dict)

    def ensure(self, log_id: int) -> dict[str, Build]:
        """Return the live build of every projection of a log; those that are missing begin now."""
        with immediate(self.engine).begin() as connection:
            live = live_builds(connection, log_id)
            for one in PROJECTIONS:
                if one.name not in live:
                    live[one.name] = begin_build(connection, log_id, one.name, "live")
        return live

    def catch_up(self, log_id: int, progress: Progress = silent) -> int:
        """Fold every projection of a log up to the head as it is now; return how many positions the first one moved."""
        live = self.ensure(log_id)
        return self._fold_all(log_id, live, progress)

    def _fold_all(self, log_id: int, chosen: Mapping[str, Build], progress: Progress) -> int:
        with self.log_engine.connect() as connection:
            size = head(connection, log_id)[0]
        moved = 0
        for one in PROJECTIONS:
            upstream = {name: chosen[name].build_id for name in one.upstream}
            while True:
                after, through = self.step(one, chosen[one.name].build_id, upstream, size)
                if through == after:
                    break
                moved += through - after if not one.upstream else 0
                progress(one.name, through, size)
        return moved

    def step(self, projection: Projection, build_id: int, upstream: Mapping[str, int], size: int) -> tuple[int, int]:
        """Fold one batch; return the checkpoint before and after it (equal when there was nothing to do)."""
        try:
            return self._fold_once(projection, build_id, upstream, size, self.batch)
        except GONE:
            self.memory.pop(build_id, None)
            raise
        except Exception as error:
            self.memory.pop(build_id, None)
            logger.exception("fold failed", projection=projection.name, build=build_id)
            return self._around(projection, build_id, upstream, size, error)

    def _around(
        self, projection: Projection, build_id: int, upstream: Mapping[str, int], size: int, error: Exception
    ) -> tuple[int, int]:
        """Go on position by position; park the one that cannot be folded."""
        with self.engine.connect() as connection:
            before = next(one.position for one in every_build(connection) if one.build_id == build_id)
        try:
            return self._fold_once(projection, build_id, upstream, size, 1)
        except GONE:
            raise
        except Exception:
            self.memory.pop(build_id, None)
            with immediate(self.engine).begin() as connection:
                park(connection, build_id, before + 1, f"{type(error).__name__}: {error}")
            return self._fold_once(projection, build_id, upstream, size, 1)

    def _fold_once(
        self, projection: Projection, build_id: int, upstream: Mapping[str, int], size: int, most: int
    ) -> tuple[int, int]:
        with self.log_engine.connect() as log_connection, immediate(self.engine).begin() as connection:
            one = claim(connection, build_id)
            if one is None:
                return 0, 0
            ceiling = self._ceiling(connection, upstream, size)
            span = most if projection.name == "evidence" or ceiling - one.position < 10 * most else ceiling
            through = min(one.position + span, ceiling)
            return one.position, self._fold(connection, log_connection, projection, one, upstream, through)

    def _fold(
        self,
        connection: Connection,
        log_connection: Connection,
        projection: Projection,
        one: Build,
        upstream: Mapping[str, int],
        through: int,
    ) -> int:
        """Fold a claimed build up to a position; return where it stands then."""
        if through <= one.position:
            return one.position
        left_out = frozenset(parked_positions(connection, [one.build_id, *upstream.values()]))
        memory = self.memory.setdefault(one.build_id, {})
        if memory.get("at") != one.position:
            memory.clear()
        run = Run(connection, log_connection, one.log_id, one.build_id, upstream, left_out, memory)
        projection.fold(run, one.position, through)
        advance_to(connection, one.build_id, through)
        memory["at"] = through
        return through

    def _ceiling(self, connection: Connection, upstream: Mapping[str, int], size: int) -> int:
        positions = [one.position for one in every_build(connection) if one.build_id in upstream.values()]
        return min([size, *positions])

    def rebuild(
        self, log_id: int, names: Collection[str], progress: Progress = silent, *, accept: bool = False
    ) -> dict[str, str]:
        """Fold the named projections anew beside the live ones, compare, and swap; return the digests.

        Raises Differs, and swaps nothing, when the rows differ and `accept` does not say that they may.
        """
        live = self.ensure(log_id)
        self._fold_all(log_id, live, silent)
        new = self._new_builds(log_id, names)
        try:
            self._fold_all(log_id, {**live, **new}, progress)
            return self._swap(log_id, new, accept=accept)
        except BaseException:
            self._drop(new)
            raise

    def verify(self, log_id: int, progress: Progress = silent) -> dict[str, str]:
        """Fold all projections anew and compare with the live ones; return the digests, or raise Differs."""
        live = self.ensure(log_id)
        self._fold_all(log_id, live, silent)
        new = self._new_builds(log_id, [one.name for one in PROJECTIONS])
        try:
            self._fold_all(log_id, new, progress)
            with self.log_engine.connect() as log_connection, immediate(self.engine).begin() as connection:
                live = live_builds(connection, log_id)
                size = head(log_connection, log_id)[0]
                for chosen in (live, new):
                    self._level(connection, log_connection, chosen, size)
                return self._compared(connection, new, live)
        finally:
            self._drop(new)

    def _new_builds(self, log_id: int, names: Collection[str]) -> dict[str, Build]:
        with immediate(self.engine).begin() as connection:
            self._drop_unfinished(connection, log_id)
            return {name: begin_build(connection, log_id, name, "building") for name in names}

    def _drop_unfinished(self, connection: Connection, log_id: int) -> None:
        for one in builds(connection, log_id):
            if one.state != "live":
                drop(connection, one, _tables_of(one.projection))

    def _swap(self, log_id: int, new: Mapping[str, Build], *, accept: bool) -> dict[str, str]:
        """Bring the live and the new builds to one position while nobody else can move them, compare, and swap."""
        with self.log_engine.connect() as log_connection, immediate(self.engine).begin() as connection:
            live = live_builds(connection, log_id)
            size = head(log_connection, log_id)[0]
            for chosen in (live, {**live, **new}):
                self._level(connection, log_connection, chosen, size)
            digests = (
                {name: digest(connection, one.build_id, _tables_of(name)) for name, one in new.items()}
                if accept
                else self._compared(connection, new, live)
            )
            make_live(connection, new.values(), live)
        return digests

    def _level(
        self, connection: Connection, log_connection: Connection, chosen: Mapping[str, Build], size: int
    ) -> None:
        for projection in PROJECTIONS:
            one = claim_waiting(connection, chosen[projection.name].build_id)
            upstream = {name: chosen[name].build_id for name in projection.upstream}
            self._fold(connection, log_connection, projection, one, upstream, size)

    def _compared(self, connection: Connection, new: Mapping[str, Build], live: Mapping[str, Build]) -> dict[str, str]:
        found = {}
        for name, one in new.items():
            tables = _tables_of(name)
            ours, theirs = (buckets(connection, build.build_id, tables) for build in (one, live[name]))
            places = [place for place, (left, right) in enumerate(zip(ours, theirs, strict=True)) if left != right]
            own = digest(connection, one.build_id, tables)
            if places:
                raise Differs(name, digest(connection, live[name].build_id, tables), own, places)
            found[name] = own
        return found

    def _drop(self, unwanted: Mapping[str, Build]) -> None:
        with immediate(self.engine).begin() as connection:
            for one in unwanted.values():
                drop(connection, one, _tables_of(one.projection))


def _tables_of(projection: str) -> Sequence[Any]:
    return next(one.tables for one in PROJECTIONS if one.name == projection)
