"""The learners of a district as of a view, each with a place in one list, and the groups that they are counted in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from sqlalchemy import select

from lrs.errors import NotFound
from lrs.store.search import at
from projections.evidence import tables
from projections.insight.roster import Placed, enrolments, placed, where
from projections.insight.suppression import Members
from projections.view import View

FAMILIES = ("school", "grade", "subgroup")
"""In which ways learners are grouped; a learner is in one school, one grade or none, and any subgroups."""


@dataclass(frozen=True)
class People:
    """The learners by their keys, rising, and where each is enrolled; `everyone` are those who are counted."""

    learners: tuple[int, ...]
    enrolled: Mapping[int, Placed]
    everyone: Members

    @cached_property
    def places(self) -> dict[int, int]:
        """The place of each learner in the list."""
        return {learner: place for place, learner in enumerate(self.learners)}

    def members(self, learners: Iterable[int]) -> Members:
        """Return the group of these learners, of those who are counted."""
        found = bytearray(len(self.learners) // 8 + 1)
        for learner in learners:
            place = self.places[learner]
            found[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(found, "little") & self.everyone

    def keys(self, members: Members) -> list[int]:
        """Return the learners of a group, by their keys, rising."""
        is_in = f"{members:b}"[::-1]
        return [learner for learner, bit in zip(self.learners, is_in, strict=False) if bit == "1"]

    @cached_property
    def families(self) -> dict[str, dict[str, Members]]:
        """The groups of learners who are counted, by family and name; nobody is in an empty one."""
        found: dict[str, dict[str, list[int]]] = {family: {} for family in FAMILIES}
        for learner in self.learners:
            for family, name in _groups(where(self.enrolled, learner)):
                found[family].setdefault(name, []).append(learner)
        told = {
            family: {name: self.members(own) for name, own in sorted(groups.items())}
            for family, groups in found.items()
        }
        return {family: {name: own for name, own in groups.items() if own} for family, groups in told.items()}

    def within(self, chosen: Mapping[str, str | None]) -> People:
        """Return the same list of which only one group of each named family is counted; raises NotFound."""
        everyone = self.everyone
        for family, name in chosen.items():
            if name is None:
                continue
            if name not in self.families[family]:
                known = ", ".join(self.families[family]) or "none"
                raise NotFound(f"nobody is enrolled in the {family} {name!r}; there are: {known}")
            everyone &= self.families[family][name]
        return replace(self, everyone=everyone)


def _groups(one: Placed) -> Iterable[tuple[str, str]]:
    yield "school", one.school
    if one.grade is not None:
        yield "grade", one.grade
    for subgroup in one.subgroups:
        yield "subgroup", subgroup


def people_of(view: View, besides: Iterable[int] = ()) -> People:
    """Return everybody who has evidence or is enrolled, as of a view.

    Learners `besides` have a place in the list and are not counted, so that two moments can share one list.
    """
    enrolled = enrolled_as_of(view)
    columns = tables.learner.c
    query = select(columns.learner).where(columns.build_id == view.build("evidence"), columns.position <= view.position)
    known = set(view.connection.scalars(query.order_by(columns.learner))) | enrolled.keys()
    learners = tuple(sorted(known.union(besides)))
    everybody = People(learners, enrolled, (1 << len(learners)) - 1)
    return everybody if len(known) == len(learners) else replace(everybody, everyone=everybody.members(known))


def enrolled_as_of(view: View) -> dict[int, Placed]:
    """Return where each learner is enrolled as of a view, at the time that its last statement was stored."""
    told = enrolments(view.connection, view.log_connection, view.log.log_id, view.build("evidence"), view.position)
    links = view.acts().identities
    return placed(told, moment_of(view), lambda identifier: links.learner(identifier, {}).key)


def moment_of(view: View) -> int:
    """Return when the statement at a view's position was stored, in microseconds; 0 before the first one."""
    rows = at(view.log_connection, view.log.log_id, [view.position])
    return rows[0].stored if rows else 0
