"""Retrying what is parked: a learner in place, from the position on that failed; statements by a rebuild."""

from __future__ import annotations

from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import delete

from lrs.store.engine import immediate
from projections.building.builds import Parked, claim_waiting, parked_in, unpark
from projections.building.catalogue import NAMES, PROJECTIONS, Projection
from projections.building.crew import Crew
from projections.building.folding import Folding, Progress, run_of, silent, upstream_of
from projections.building.rebuilding import rebuild
from projections.run import Learners, Run, Unfoldable


class Retried(NamedTuple):
    """What is folded now, and what still cannot be."""

    folded: tuple[Parked, ...]
    parked: tuple[Parked, ...]


def retry(folding: Folding, crew: Crew, log_id: int, progress: Progress = silent) -> Retried:
    """Fold again whatever a log's live builds have left out; what fails again stays parked.

    Statements that are not evidence yet change other rows than their own, so for them everything is rebuilt.
    """
    folding.catch_up(log_id)
    before = _parked(folding, log_id)
    evidence = folding.live(log_id)["evidence"].build_id
    for learner in sorted({one.learner for one in before if one.learner and one.build_id != evidence}):
        _retry_learner(folding, log_id, learner)
    if any(one.build_id == evidence or not one.learner for one in before):
        rebuild(folding, crew, log_id, NAMES, progress, accept=True, fresh=True)
    after = _parked(folding, log_id)
    still = {(one.position, one.learner) for one in after}
    return Retried(tuple(one for one in before if (one.position, one.learner) not in still), tuple(after))


def _parked(folding: Folding, log_id: int) -> list[Parked]:
    with folding.engine.connect() as connection:
        return parked_in(connection, [one.build_id for one in folding.live(log_id).values()])


def _retry_learner(folding: Folding, log_id: int, learner: int) -> None:
    """Fold a learner from the first position on that was left out, in every build at once, or leave all as it is."""
    live = folding.live(log_id)
    chosen = sorted((live[one.name] for one in PROJECTIONS if one.is_by_learner), key=attrgetter("build_id"))
    ids = [one.build_id for one in chosen]
    try:
        with folding.log_engine.connect() as log_connection, immediate(folding.engine).begin() as connection:
            claimed = {one.projection: claim_waiting(connection, one.build_id) for one in chosen}
            first = min(one.position for one in parked_in(connection, ids) if one.learner == learner)
            unpark(connection, ids, learner)
            for projection in PROJECTIONS:
                one = claimed.get(projection.name)
                if one is not None:
                    run = run_of(connection, log_connection, one, upstream_of(projection, live), {})
                    run.learners = Learners(learner, learner)
                    _fold_again(run, projection, first, one.position)
    except Unfoldable:
        return


def _fold_again(run: Run, projection: Projection, first: int, through: int) -> None:
    """Write anew what follows for the run's learner from a position on; the trail went on telling of the evidence."""
    for table in projection.tables:
        own = table.c.build_id == run.build_id, table.c.position >= first, *run.own(table.c.learner)
        run.connection.execute(delete(table).where(*own))
    projection.fold(run, first - 1, through)
