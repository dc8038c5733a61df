"""What a reader looks through: one log, its live builds, and the position as of which everything is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from lrs.errors import InvalidRequest, NotFound, Problem
from lrs.store.log import Log, head, position_at
from lrs.store.search import at
from lrs.xapi.values import iso, timestamp_us
from projections.building.builds import Build, live_builds, parked_in
from projections.evidence import tables
from projections.evidence.fold import acts_at
from projections.registry import Acts
from projections.run import Run


@dataclass(frozen=True, slots=True)
class View:
    """`connection` reads the projections, `log_connection` the log; nothing behind `position` is told."""

    connection: Connection
    log_connection: Connection
    log: Log
    builds: Mapping[str, Build]
    position: int

    def build(self, projection: str) -> int:
        """Return the live build of a projection."""
        return self.builds[projection].build_id

    def run(self, projection: str) -> Run:
        """Return what a fold of a live build would be given: to derive anew what it wrote."""
        upstream = {name: one.build_id for name, one in self.builds.items() if name != projection}
        return Run(self.connection, self.log_connection, self.log.log_id, self.build(projection), upstream)

    def acts(self) -> Acts:
        """Return the registrar's acts that held at the position."""
        return acts_at(self.connection, self.build("evidence"), self.position)

    def as_of(self) -> dict[str, Any]:
        """Return what the answer is as of: the position, its stored time, and the head that the log has reached."""
        rows = at(self.log_connection, self.log.log_id, [self.position])
        return {
            "position": self.position,
            "stored": iso(rows[0].stored) if rows else None,
            "head": head(self.log_connection, self.log.log_id)[0],
        }


def view_of(connection: Connection, log_connection: Connection, log: Log, as_of: str | None) -> View:
    """Return the view of a log now, or as of a position or a stored time.

    Raises InvalidRequest for what is neither, NotFound while no projection of the log has begun.
    """
    builds = live_builds(connection, log.log_id)
    if not builds:
        raise NotFound("no projection of this log has begun yet; start the worker (`cairn work`)")
    newest = min(one.position for one in builds.values())
    position = newest if as_of is None else min(newest, _position(log_connection, log, as_of))
    return View(connection, log_connection, log, builds, position)


def _position(log_connection: Connection, log: Log, as_of: str) -> int:
    if as_of.isascii() and as_of.isdigit() and len(as_of) < 19:
        return int(as_of)
    try:
        return position_at(log_connection, log.log_id, timestamp_us(as_of))
    except ValueError as error:
        problem = Problem("?as_of", f"give a position (a whole number) or a timestamp: {error}")
        raise InvalidRequest("as_of is neither a position nor a timestamp", [problem]) from None


def learner_named(view: View, key: int) -> dict[str, Any]:
    """Return who a learner is; raises NotFound for one without any evidence as of the view."""
    learner = tables.learner
    row = view.connection.execute(
        select(learner).where(
            learner.c.build_id == view.build("evidence"),
            learner.c.learner == key,
            learner.c.position <= view.position,
        )
    ).one_or_none()
    if row is None:
        raise NotFound("no learner of this log has this id (as of this position)")
    return {"name": row.name, "agent": msgspec.json.decode(row.agent), "stale": _is_stale(view, key)}


def _is_stale(view: View, learner: int) -> bool:
    """Whether something of a learner could not be folded, so that what is told is not the newest."""
    left_out = parked_in(view.connection, [one.build_id for one in view.builds.values()])
    return any(one.learner == learner and one.position <= view.position for one in left_out)
