"""What is told of cohorts to those who may not see learners, one release after the other.

Two releases that differ by a few learners would tell what became of those few. So a figure that fewer than `least`
learners have moved since it was told stays as it was told, and so do its siblings where a total would give it away:
what moved is suppressed as small groups are. Each figure says the position that it is as of; one that nobody has moved
keeps its position too, so that it looks no different.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError

from lrs.store.engine import immediate
from projections.insight.cohorts import EVERYONE, Reader, Told, groups_of, named, report
from projections.insight.people import People, people_of
from projections.insight.standings import Measure, measures, stands
from projections.insight.studies import competency_names
from projections.insight.suppression import Cell, Members, hidden_cells, size_of
from projections.insight.tables import release
from projections.mastery.timeline import STATUSES
from projections.view import View


@dataclass(frozen=True)
class Moment:
    """The district at one position."""

    people: People
    measures: Mapping[str, Measure]

    def states(self, competency: str, cell: Cell) -> tuple[Members, ...]:
        """Return who of a group has which status in a competency; nobody where there was no such thing yet."""
        measure = self.measures.get(competency)
        family, name = cell
        own = self.people.everyone if family == EVERYONE else self.people.families[family].get(name, 0)
        return tuple(measure.of(status) & own if measure else 0 for status in STATUSES)


def released(view: View, engine: Engine, least: int) -> Told:
    """Return what is released as of a view, and keep it; what was released at that position already is told again."""
    last = _last(view)
    if last is not None and last["position"] >= view.position:
        return last
    found = _following(view, last, Reader(sees_learners=False, least=least))
    row = {"log_id": view.log.log_id, "position": view.position, "document": msgspec.json.encode(found)}
    try:
        with immediate(engine).begin() as connection:
            connection.execute(insert(release).values(**row))
    except IntegrityError:
        return _last(view) or found
    return found


def _last(view: View) -> Told | None:
    query = select(release.c.document).where(release.c.log_id == view.log.log_id)
    text = view.connection.scalar(query.order_by(release.c.position.desc()).limit(1))
    return None if text is None else msgspec.json.decode(text)


def _following(view: View, last: Told | None, reader: Reader) -> Told:
    """Return the release behind the last one."""
    told = _told_before(last)
    positions = sorted({cell["position"] for cells in told.values() for cell in cells.values()})
    names = competency_names(view.acts())
    now, then = _moments(view, positions)
    found = []
    for iri, measure in now.measures.items():
        cells = [{**cell, "position": view.position} for cell in report(now.people, measure, reader)]
        kept = _kept(iri, now, then, told.get(iri, {}), reader.least)
        cells = [kept.get((cell["family"], cell["name"]), cell) if not cell["withheld"] else cell for cell in cells]
        found.append(named(measure, names, cells))
    return {"position": view.position, "least": reader.least, "competencies": found}


def _told_before(last: Told | None) -> dict[str, dict[Cell, Told]]:
    """Return the figures of a release by competency and group; what it withheld is no figure."""
    return {
        one["uri"]: {(cell["family"], cell["name"]): cell for cell in one["groups"] if not cell["withheld"]}
        for one in (last or {"competencies": []})["competencies"]
    }


def _moments(view: View, positions: Sequence[int]) -> tuple[Moment, dict[int, Moment]]:
    """Return the district now and at these positions, all over one list of learners."""
    views = {position: replace(view, position=position) for position in (*positions, view.position)}
    everybody = {learner for one in views.values() for learner in people_of(one).learners}
    found = {position: _moment(one, everybody) for position, one in views.items()}
    return found[view.position], found


def _moment(view: View, everybody: set[int]) -> Moment:
    people = people_of(view, everybody)
    iris = sorted(view.acts().competencies)
    return Moment(people, {one.competency: one for one in measures(people, stands(view), iris)})


def _kept(
    competency: str, now: Moment, then: Mapping[int, Moment], told: Mapping[Cell, Told], least: int
) -> dict[Cell, Told]:
    """Return the figures that stay as they were told."""
    moved: dict[Cell, Members] = {}
    for family, name, _ in groups_of(now.people):
        earlier = told.get((family, name))
        if earlier is not None:
            before = then[earlier["position"]].states(competency, (family, name))
            moved[family, name] = _moved(before, now.states(competency, (family, name)))
    still = {cell for cell, members in moved.items() if not members}
    everyone = moved.pop((EVERYONE, EVERYONE), 0)
    families: dict[str, dict[str, Members]] = {}
    for (family, name), members in moved.items():
        families.setdefault(family, {})[name] = members
    kept = set(hidden_cells(families, everyone, least))
    if 0 < size_of(everyone) < least:
        kept.add((EVERYONE, EVERYONE))
    return {cell: told[cell] for cell in kept | still}


def _moved(before: Sequence[Members], after: Sequence[Members]) -> Members:
    """Return the learners who came, went, or have another status."""
    found = 0
    for old, new in zip(before, after, strict=True):
        found |= old ^ new
    return found
