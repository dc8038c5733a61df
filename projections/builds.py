"""Builds: the generations of a projection, which one is live, and how a new one takes its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, Table, delete, insert, select, update

from projections.tables import build, parked


class Build(NamedTuple):
    """One generation of a projection of a log, and the position that it has been folded to."""

    build_id: int
    log_id: int
    projection: str
    state: str
    position: int


class Parked(NamedTuple):
    """What a build left out: a position, or from a position on a learner (0: none in particular)."""

    build_id: int
    position: int
    learner: int
    reason: str


def builds(connection: Connection, log_id: int) -> list[Build]:
    """Return the builds of a log, oldest first."""
    query = select(build).where(build.c.log_id == log_id).order_by(build.c.build_id)
    return [Build(*row) for row in connection.execute(query)]


def live_builds(connection: Connection, log_id: int) -> dict[str, Build]:
    """Return the live build of each projection of a log."""
    return {one.projection: one for one in builds(connection, log_id) if one.state == "live"}


def positions_of(connection: Connection, build_ids: Iterable[int]) -> dict[int, int]:
    """Return how far these builds have been folded; one that is gone is missing."""
    query = select(build.c.build_id, build.c.position).where(build.c.build_id.in_(list(build_ids)))
    return dict(connection.execute(query.order_by(build.c.build_id)).all())


def begin_build(connection: Connection, log_id: int, projection: str, state: str) -> Build:
    """Create an empty build at position 0."""
    values = {"log_id": log_id, "projection": projection, "state": state, "position": 0}
    created = connection.execute(insert(build).values(values))
    assert created.inserted_primary_key is not None
    return Build(int(created.inserted_primary_key[0]), log_id, projection, state, 0)


def claim(connection: Connection, build_id: int) -> Build | None:
    """Lock a build's row for this transaction; None when another worker holds it, or it is gone."""
    query = select(build).where(build.c.build_id == build_id).with_for_update(skip_locked=True)
    row = connection.execute(query).one_or_none()
    return None if row is None else Build(*row)


def claim_waiting(connection: Connection, build_id: int) -> Build | None:
    """Lock a build's row for this transaction, waiting for whoever holds it; None when it is gone."""
    row = connection.execute(select(build).where(build.c.build_id == build_id).with_for_update()).one_or_none()
    return None if row is None else Build(*row)


def advance_to(connection: Connection, build_id: int, position: int) -> None:
    """Move a build's checkpoint."""
    connection.execute(update(build).where(build.c.build_id == build_id).values(position=position))


def make_live(connection: Connection, new: Iterable[Build], old: Mapping[str, Build]) -> None:
    """Let new builds take the place of the live ones, all in the caller's transaction."""
    for one in new:
        if one.projection in old:
            retired = update(build).where(build.c.build_id == old[one.projection].build_id)
            connection.execute(retired.values(state="retired"))
        connection.execute(update(build).where(build.c.build_id == one.build_id).values(state="live"))


def drop(connection: Connection, one: Build, tables: Iterable[Table]) -> None:
    """Delete a build that is not live, with all its rows.

    The build itself goes first: that waits for a worker that is folding it, whose rows then go with the others.
    """
    for table in (build, *tables, parked):
        connection.execute(delete(table).where(table.c.build_id == one.build_id))


def parked_in(connection: Connection, build_ids: Iterable[int]) -> list[Parked]:
    """Return what these builds have left out, in the order of the positions."""
    query = select(parked).where(parked.c.build_id.in_(list(build_ids)))
    return [Parked(*row) for row in connection.execute(query.order_by(parked.c.position, parked.c.build_id))]


def park(connection: Connection, one: Parked) -> None:
    """Leave a position, or a learner, out of a build from now on."""
    connection.execute(insert(parked).values(one._asdict()))
