"""The roster: which learner attends which school, in which grade and subgroups, and from when to when.

An enrolment is an act of its own for each learner. A district has as many of them as learners, so they are not among
the acts that every fold and every page holds in memory: they are read here, by whoever counts cohorts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NamedTuple

import msgspec
from marshmallow import ValidationError, fields, validates_schema
from sqlalchemy import Connection, select

from lrs.errors import Problem
from lrs.store.search import voided_among
from lrs.xapi.actors import check_agent, ifi
from lrs.xapi.values import key64
from projections.documents import Day, Document, DocumentSchema, Iri, Several, Text, value_of
from projections.evidence import tables

DAY: Final = timedelta(days=1) // timedelta(microseconds=1)
NO_SCHOOL: Final = "(no school)"
"""Learners with evidence whom no enrolment places at the time."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Where one learner is enrolled; `learner` is the identifier of the Agent, `begins` and `ends` are microseconds.

    It holds from `begins` on and before `ends`; None leaves a side open.
    """

    id: str
    learner: str
    school: str
    grade: str | None = None
    subgroups: tuple[str, ...] = ()
    begins: int | None = None
    ends: int | None = None

    def holds_at(self, moment: int) -> bool:
        """Whether the learner is enrolled so at a moment."""
        return (self.begins is None or self.begins <= moment) and (self.ends is None or moment < self.ends)


class Agent(fields.Field[str]):
    """An Agent with one identifier, which is what is kept of it."""

    default_error_messages = {"required": "is missing", "null": "must be an Agent"}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        problems: list[Problem] = []
        check_agent(value, "", problems)
        if problems:
            raise ValidationError(_by_place(problems))
        return str(ifi(value))


def _by_place(problems: Iterable[Problem]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in problems:
        place = found
        for name in one.pointer.split("/")[1:]:
            place = place.setdefault(name, {})
        place.setdefault("_schema", []).append(one.message)
    return found


class LastDay(Day):
    """A date, read as the moment at which the day is over."""

    def _deserialize(self, value: Any, *place: Any, **options: Any) -> int:
        return super()._deserialize(value, *place, **options) + DAY


class EnrolmentSchema(DocumentSchema[Enrolment]):
    makes = Enrolment
    id = Iri(required=True)
    learner = Agent(required=True)
    school = Text(required=True)
    grade = Text()
    subgroups = Several(Text(), at_least=0)
    begins = Day(data_key="from")
    ends = LastDay(data_key="to")

    @validates_schema
    def _refuse_an_empty_time(self, values: dict[str, Any], **_: object) -> None:
        if "begins" in values and "ends" in values and values["ends"] <= values["begins"]:
            raise ValidationError({"to": ["must not be before the first day"]})
        if len(set(values.get("subgroups", ()))) < len(values.get("subgroups", ())):
            raise ValidationError({"subgroups": ["names one twice"]})


ROSTER: Final = EnrolmentSchema()


def enrolment_of(document: Document) -> Enrolment:
    """Return the enrolment that a document stands for; raises InvalidRequest with every problem."""
    return value_of(ROSTER, document)


class Placed(NamedTuple):
    """Where a learner is counted."""

    school: str
    grade: str | None
    subgroups: tuple[str, ...]


NOWHERE: Final = Placed(NO_SCHOOL, None, ())


class Told(NamedTuple):
    """An enrolment and what decides between two of them: never their place in the log."""

    timestamp: int
    statement_id: str
    enrolment: Enrolment


def enrolments(
    connection: Connection, log_connection: Connection, log_id: int, evidence_build: int, through: int
) -> list[Told]:
    """Return the enrolments that stand in the log up to a position and are not voided there."""
    act = tables.act.c
    query = select(act.position, act.timestamp, act.statement_id, act.document).where(
        act.build_id == evidence_build, act.kind == "roster", act.cause <= through, act.change > 0
    )
    rows = connection.execute(query.order_by(act.cause, act.position)).all()
    if not rows:
        return []
    voids = voided_among(log_connection, log_id, 0, through)
    return [
        Told(row.timestamp, row.statement_id, _read(row.document))
        for row in rows
        if voids.get(row.position, through + 1) > through
    ]


def _read(text: bytes) -> Enrolment:
    return enrolment_of(msgspec.json.decode(text))


def placed(told: Iterable[Told], moment: int, learner_of: Callable[[str], int] | None = None) -> dict[int, Placed]:
    """Return where each learner is enrolled at a moment: of several enrolments that hold, the last by time and id.

    `learner_of` finds the learner behind an identifier, where several accounts are one learner's.
    """
    find = learner_of or own_key
    found: dict[int, Placed] = {}
    for one in sorted(told, key=lambda one: (one.timestamp, one.statement_id)):
        enrolment = one.enrolment
        if enrolment.holds_at(moment):
            subgroups = tuple(sorted(enrolment.subgroups))
            found[find(enrolment.learner)] = Placed(enrolment.school, enrolment.grade, subgroups)
    return found


def own_key(identifier: str) -> int:
    """Return the key of a learner known by this identifier alone."""
    return key64("agent", identifier)


def where(placed_: Mapping[int, Placed], learner: int) -> Placed:
    """Return where a learner is counted; nowhere without an enrolment."""
    return placed_.get(learner, NOWHERE)
