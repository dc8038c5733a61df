"""Builds: the generations of a projection, which one is live, and how a new one takes its place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, Table, delete, func, insert, select, update

from projections.tables import build, parked, unit


class Build(NamedTuple):
    """One generation of a projection of a log, and the position that it has been folded to.

    `since` (microseconds since 1970) and `since_position` say when and where somebody last began to fold it.
    """

    build_id: int
    log_id: int
    projection: str
    state: str
    position: int
    since: int = 0
    since_position: int = 0


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
    return builds_in(connection, log_id, "live")


def builds_in(connection: Connection, log_id: int, state: str) -> dict[str, Build]:
    """Return the newest build of each projection of a log that is in a state."""
    return {one.projection: one for one in builds(connection, log_id) if one.state == state}


def build_with_id(connection: Connection, build_id: int) -> Build | None:
    """Return a build as it is now; None when it is gone."""
    return _claimed(connection, _one(build_id))


def positions_of(connection: Connection, build_ids: Iterable[int]) -> dict[int, int]:
    """Return how far these builds have been folded; one that is gone is missing."""
    query = select(build.c.build_id, build.c.position).where(build.c.build_id.in_(list(build_ids)))
    return dict(connection.execute(query.order_by(build.c.build_id)).all())


def begin_build(connection: Connection, log_id: int, projection: str, state: str, now_us: int = 0) -> Build:
    """Create an empty build at position 0."""
    values = {"log_id": log_id, "projection": projection, "state": state, "position": 0, "since": now_us}
    created = connection.execute(insert(build).values(values))
    assert created.inserted_primary_key is not None
    return Build(int(created.inserted_primary_key[0]), log_id, projection, state, 0, now_us)


def resume_build(connection: Connection, one: Build, now_us: int) -> Build:
    """Note that somebody goes on with a build from where it stands."""
    resumed = one._replace(since=now_us, since_position=one.position)
    values = {"since": resumed.since, "since_position": resumed.since_position}
    connection.execute(update(build).where(build.c.build_id == one.build_id).values(values))
    return resumed


def claim(connection: Connection, build_id: int) -> Build | None:
    """Lock a build's row for this transaction; None when another worker holds it, or it is gone."""
    return _claimed(connection, _one(build_id).with_for_update(skip_locked=True))


def claim_waiting(connection: Connection, build_id: int) -> Build | None:
    """Lock a build's row for this transaction, waiting for whoever holds it; None when it is gone."""
    return _claimed(connection, _one(build_id).with_for_update())


def _one(build_id: int) -> Select[*tuple[Any, ...]]:
    return select(build).where(build.c.build_id == build_id)


def _claimed(connection: Connection, query: Select[*tuple[Any, ...]]) -> Build | None:
    row = connection.execute(query).one_or_none()
    return None if row is None else Build(*row)


def advance_to(connection: Connection, build_id: int, position: int) -> None:
    """Move a build's checkpoint."""
    connection.execute(update(build).where(build.c.build_id == build_id).values(position=position))


def make_live(connection: Connection, new: Iterable[Build], old: Mapping[str, Build]) -> None:
    """Let new builds take the place of the live ones, all in the caller's transaction.

    What another rebuild has begun upon the old ones would be half of this and half of that: it is abandoned.
    """
    chosen = list(new)
    for one in chosen:
        if one.projection in old:
            _change_state(connection, [old[one.projection].build_id], "retired")
        _change_state(connection, [one.build_id], "live")
    unfinished = build.c.log_id.in_({one.log_id for one in chosen}) & (build.c.state == "building")
    connection.execute(update(build).where(unfinished).values(state="abandoned"))


def _change_state(connection: Connection, build_ids: Iterable[int], state: str) -> None:
    connection.execute(update(build).where(build.c.build_id.in_(list(build_ids))).values(state=state))


def drop(connection: Connection, one: Build, tables: Iterable[Table]) -> None:
    """Delete a build that is not live, with all its rows.

    The build itself goes first: that waits for a worker that is folding it, whose rows then go with the others.
    """
    for table in (build, unit, *tables, parked):
        connection.execute(delete(table).where(table.c.build_id == one.build_id))


def parked_in(connection: Connection, build_ids: Iterable[int]) -> list[Parked]:
    """Return what these builds have left out, in the order of the positions."""
    query = select(parked).where(parked.c.build_id.in_(list(build_ids)))
    return [Parked(*row) for row in connection.execute(query.order_by(parked.c.position, parked.c.build_id))]


def park(connection: Connection, one: Parked) -> bool:
    """Leave a position, or a learner, out of a build from now on; False where exactly that is left out already."""
    same = parked.c.build_id == one.build_id, parked.c.position == one.position, parked.c.learner == one.learner
    if connection.scalar(select(func.count()).select_from(parked).where(*same)):
        return False
    connection.execute(insert(parked).values(one._asdict()))
    return True


def unpark(connection: Connection, build_ids: Collection[int], learner: int) -> None:
    """Let a learner be folded again in these builds."""
    own = parked.c.build_id.in_(list(build_ids)), parked.c.learner == learner
    connection.execute(delete(parked).where(*own))
