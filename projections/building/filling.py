"""Filling new builds beside the live ones: position by position, or learner by learner in units that a crew shares.

What is filled already stays, so a rebuild that was killed goes on; two rebuilds of one log help one another.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures.process import BrokenProcessPool
from typing import Final

import structlog

from lrs.store.bulk import gather_statistics
from lrs.store.engine import immediate
from lrs.store.log import head
from projections.building.builds import Build, builds, positions_of
from projections.building.catalogue import PROJECTIONS, Projection, tables_of
from projections.building.crew import Crew
from projections.building.folding import GONE, Folding, Progress, silent, upstream_of
from projections.building.units import finish, fold_unit, plan, start_over, units_of

logger = structlog.get_logger()
SECONDS_BETWEEN_LOOKS: Final = 0.1


class Overtaken(Exception):
    """Another rebuild or check of the same log began or ended meanwhile: this one ends, and swapped nothing."""

    def __init__(self, log_id: int) -> None:
        super().__init__(f"another rebuild or check of log {log_id} has begun or ended; nothing was swapped")


def fill(folding: Folding, crew: Crew, log_id: int, new: Mapping[str, Build], progress: Progress = silent) -> None:
    """Fold new builds up to the head, each behind those that it reads; raises Overtaken when one of them is gone."""
    for projection in PROJECTIONS:
        if projection.name in new:
            chosen = chosen_now(folding, log_id, new)
            if projection.is_by_learner:
                _fill_by_learner(folding, crew, projection, chosen, progress)
            else:
                _fill_by_position(folding, projection, chosen, progress)
    with folding.engine.begin() as connection:
        gather_statistics(connection, [table for name in new for table in tables_of(name)])
    bring_up(folding, log_id, new)


def chosen_now(folding: Folding, log_id: int, new: Mapping[str, Build]) -> dict[str, Build]:
    """Return the new builds, and the live ones of what is not new, as they are now; raises Overtaken."""
    with folding.engine.connect() as connection:
        found = {one.build_id: one for one in builds(connection, log_id)}
    ours = {name: found.get(one.build_id) for name, one in new.items()}
    mine = {name: one for name, one in ours.items() if one is not None and one.state == new[name].state}
    if len(mine) < len(new):
        raise Overtaken(log_id)
    return {one.projection: one for one in found.values() if one.state == "live"} | mine


def bring_up(folding: Folding, log_id: int, new: Mapping[str, Build]) -> None:
    """Fold new builds up to where the head is now, whoever does it; raises Overtaken."""
    size = _size(folding, log_id)
    while True:
        chosen = chosen_now(folding, log_id, new)
        folding.fold_all(log_id, chosen, silent)
        if min(one.position for one in chosen_now(folding, log_id, new).values()) >= size:
            return
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _size(folding: Folding, log_id: int) -> int:
    with folding.log_engine.connect() as connection:
        return head(connection, log_id)[0]


def _fill_by_position(
    folding: Folding, projection: Projection, chosen: Mapping[str, Build], progress: Progress
) -> None:
    one = chosen[projection.name]
    size, reached = _size(folding, one.log_id), one.position
    while reached < size:
        through = folding.step(projection, one.build_id, upstream_of(projection, chosen), size)
        if through is None:
            time.sleep(SECONDS_BETWEEN_LOOKS)
            through = _reached(folding, [one])
        progress(projection.name, through, size)
        reached = through


def _reached(folding: Folding, chosen: list[Build]) -> int:
    """Return the position that all of these have reached; raises Overtaken when one is gone."""
    ids = [one.build_id for one in chosen]
    with folding.engine.connect() as connection:
        found = positions_of(connection, ids)
    if len(found) < len(set(ids)):
        raise Overtaken(chosen[0].log_id)
    return min(found.values())


def _fill_by_learner(
    folding: Folding, crew: Crew, projection: Projection, chosen: Mapping[str, Build], progress: Progress
) -> None:
    """Fill a build unit by unit; where something else than a learner cannot be folded, position by position instead."""
    one = chosen[projection.name]
    through = _reached(folding, [chosen[name] for name in projection.upstream])
    with immediate(folding.engine).begin() as connection:
        plan(connection, one, through)
    try:
        while not _is_finished(folding, one):
            _fold_units(folding, crew, projection, chosen, progress)
    except (*GONE, Overtaken, BrokenProcessPool):
        raise
    except Exception as error:
        logger.warning("a unit failed; position by position now", projection=projection.name, reason=repr(error))
        with immediate(folding.engine).begin() as connection:
            start_over(connection, one)


def _is_finished(folding: Folding, one: Build) -> bool:
    with immediate(folding.engine).begin() as connection:
        return finish(connection, one.build_id)


def _fold_units(
    folding: Folding, crew: Crew, projection: Projection, chosen: Mapping[str, Build], progress: Progress
) -> None:
    """Fold the units that are missing; those that another process is at are looked for again after a while."""
    one, upstream = chosen[projection.name], upstream_of(projection, chosen)
    with folding.engine.connect() as connection:
        found = units_of(connection, one.build_id)
    _reached(folding, [one])
    missing = [each.number for each in found if each.finished is None]
    done = len(found) - len(missing)
    progress(projection.name, done, len(found))
    tasks = [(projection.name, one.build_id, upstream, number) for number in missing]
    is_any = False
    for did in crew.each(fold_unit, tasks):
        is_any, done = is_any or did, done + did
        progress(projection.name, done, len(found))
    if not is_any:
        time.sleep(SECONDS_BETWEEN_LOOKS)
