"""Where all learners of a district stand in all competencies, as of a view."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import func, select

from lrs.xapi.values import key64
from projections.insight.people import People
from projections.insight.suppression import Members
from projections.mastery.tables import decision
from projections.mastery.timeline import STATUSES
from projections.view import View

ROWS_AT_ONCE = 5_000


class Stand(NamedTuple):
    """Where one learner stands in one competency; `value` is the rounded one, None where there is none."""

    learner: int
    competency: int
    status: str
    level: str | None
    value: Decimal | None


@dataclass(frozen=True)
class Measure:
    """Everybody's standing in one competency: who has which status, who is at which level, and the values."""

    competency: str
    statuses: dict[str, Members]
    levels: dict[str, Members]
    values: dict[int, Decimal]

    def of(self, status: str) -> Members:
        """Return who has a status."""
        return self.statuses[status]


def stands(view: View) -> Iterator[Stand]:
    """Yield what is in force for each learner and competency, in the order of their keys."""
    columns = decision.c
    own = columns.build_id == view.build("mastery"), columns.position <= view.position
    newest = (
        select(columns.learner, columns.competency, func.max(columns.position).label("position"))
        .where(*own)
        .group_by(columns.learner, columns.competency)
        .subquery()
    )
    same = (
        (columns.learner == newest.c.learner)
        & (columns.competency == newest.c.competency)
        & (columns.position == newest.c.position)
    )
    query = (
        select(columns.learner, columns.competency, columns.status, columns.level, columns.rounded)
        .join_from(decision, newest, same)
        .where(columns.build_id == view.build("mastery"))
        .order_by(columns.learner, columns.competency)
    )
    for learner, competency, status, level, value in view.connection.execute(
        query.execution_options(yield_per=ROWS_AT_ONCE)
    ):
        yield Stand(learner, competency, STATUSES[status], level, None if value is None else Decimal(value))


def measures(people: People, told: Iterable[Stand], competencies: Iterable[str]) -> list[Measure]:
    """Return the measure of each of these competencies; whoever has no standing there has no evidence."""
    names = {key64("competency", iri): iri for iri in competencies}
    found: dict[int, list[Stand]] = {key: [] for key in names}
    for one in told:
        if one.competency in found and one.learner in people.places:
            found[one.competency].append(one)
    return [_measure(people, names[key], own) for key, own in found.items()]


def _measure(people: People, competency: str, own: list[Stand]) -> Measure:
    by_status: dict[str, list[int]] = {status: [] for status in STATUSES}
    by_level: dict[str, list[int]] = {}
    for one in own:
        by_status[one.status].append(one.learner)
        if one.level is not None:
            by_level.setdefault(one.level, []).append(one.learner)
    statuses = {status: people.members(learners) for status, learners in by_status.items()}
    some = statuses["insufficient_evidence"] | statuses["not_yet"] | statuses["proficient"]
    statuses["no_evidence"] = people.everyone & ~some
    levels = {level: people.members(learners) for level, learners in by_level.items()}
    values = {people.places[one.learner]: one.value for one in own if one.value is not None}
    return Measure(competency, statuses, levels, values)
