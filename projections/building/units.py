"""Units of a rebuild: ranges of learners, each folded and noted as finished in one transaction of its own.

So several processes fill one build at once, and what was killed goes on with the units that are missing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from lrs.store.engine import immediate
from projections.building.builds import Build, build_with_id, claim_waiting
from projections.building.catalogue import named
from projections.building.folding import Folding, Upstream, run_of
from projections.run import EVERYBODY, Learners, Unfoldable
from projections.tables import build, unit

POSITIONS_A_UNIT: Final = 20_000
MOST_UNITS: Final = 4_096
LOOKED_BACK_ON: Final = 16


class Unit(NamedTuple):
    """Some learners of a build, from the first position through `through`; `finished` is when, or None."""

    number: int
    learners: Learners
    through: int
    finished: int | None


class Filled(NamedTuple):
    """How much of a build is there: of so many so many, and how many seconds the rest will take if that is known."""

    done: int
    total: int
    seconds_left: float | None


def now_us() -> int:
    """Return the time in microseconds since 1970."""
    return time.time_ns() // 1000


def ranges(count: int) -> list[Learners]:
    """Return so many ranges of keys that hold everybody once, all of one size: keys are hashes, spread evenly."""
    size = EVERYBODY.last - EVERYBODY.first + 1
    edges = [EVERYBODY.first + size * place // count for place in range(count + 1)]
    return [Learners(first, after - 1) for first, after in pairwise(edges)]


def plan(connection: Connection, one: Build, through: int) -> None:
    """Cut a build that is still empty into units up to a position; units that are there already stay."""
    claimed = claim_waiting(connection, one.build_id)
    if claimed is None or claimed.position or units_of(connection, one.build_id):
        return
    count = min(through // POSITIONS_A_UNIT + 1, MOST_UNITS)
    rows = [
        {"build_id": one.build_id, "unit": number, "first": first, "last": last, "through": through}
        for number, (first, last) in enumerate(ranges(count))
    ]
    connection.execute(insert(unit), rows)


def units_of(connection: Connection, build_id: int) -> list[Unit]:
    """Return the units of a build, in the order of the keys; none once the build is filled."""
    query = select(unit).where(unit.c.build_id == build_id).order_by(unit.c.unit)
    return [_unit(row) for row in connection.execute(query)]


def _unit(row: Sequence[int]) -> Unit:
    _, number, first, last, through, finished = row
    return Unit(number, Learners(first, last), through, finished)


def fold_unit(folding: Folding, projection: str, build_id: int, upstream: Upstream, number: int) -> bool:
    """Fold one unit; False where it is finished or another process is at it. Who cannot be folded is parked."""
    while True:
        try:
            return _fold_unit_once(folding, projection, build_id, upstream, number)
        except Unfoldable as error:
            folding.leave_out(named(projection), build_id, upstream, error)


def _fold_unit_once(folding: Folding, projection: str, build_id: int, upstream: Upstream, number: int) -> bool:
    memory = folding.memory.pop(build_id, {})
    with folding.log_engine.connect() as log_connection, immediate(folding.engine).begin() as connection:
        claimed = _claim(connection, build_id, number)
        one = build_with_id(connection, build_id)
        if claimed is None or one is None:
            return False
        run = run_of(connection, log_connection, one, upstream, memory)
        run.learners = claimed.learners
        named(projection).fold(run, 0, claimed.through)
        finished = update(unit).where(unit.c.build_id == build_id, unit.c.unit == number)
        connection.execute(finished.values(finished=now_us()))
    folding.remember(build_id, memory)
    return True


def _claim(connection: Connection, build_id: int, number: int) -> Unit | None:
    own = unit.c.build_id == build_id, unit.c.unit == number, unit.c.finished.is_(None)
    row = connection.execute(select(unit).where(*own).with_for_update(skip_locked=True)).one_or_none()
    return None if row is None else _unit(row)


def finish(connection: Connection, build_id: int) -> bool:
    """Set the checkpoint of a build to where its units end, once all are finished; False where some are missing."""
    claimed = claim_waiting(connection, build_id)
    found = units_of(connection, build_id)
    if claimed is None or any(one.finished is None for one in found):
        return False
    if found:
        connection.execute(update(build).where(build.c.build_id == build_id).values(position=found[0].through))
        connection.execute(delete(unit).where(unit.c.build_id == build_id))
    return True


def start_over(connection: Connection, one: Build) -> None:
    """Empty a build that units have begun to fill, so that it is folded position by position instead."""
    for table in (unit, *named(one.projection).tables):
        connection.execute(delete(table).where(table.c.build_id == one.build_id))


def filled(connection: Connection, one: Build, size: int, now: int) -> Filled:
    """Return how much of a build is there, in units or else in positions, and how long the rest will take."""
    found = units_of(connection, one.build_id)
    if not found:
        moved, seconds = one.position - one.since_position, (now - one.since) / 1e6
        return Filled(one.position, size, seconds / moved * (size - one.position) if one.since and moved > 0 else None)
    times = sorted(each.finished for each in found if each.finished)
    latest = times[-LOOKED_BACK_ON:]
    pace = (latest[-1] - latest[0]) / 1e6 / (len(latest) - 1) if len(latest) > 1 else None
    return Filled(len(times), len(found), None if pace is None else pace * (len(found) - len(times)))
