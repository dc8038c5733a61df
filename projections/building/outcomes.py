"""What holds in the end of each projection, told without positions: any order of arrival must come to the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Table, case, func, select

from projections.audit.fold import ENDED, EVIDENCE
from projections.audit.tables import audit_entry
from projections.credit.tables import credit_decision
from projections.credit.timeline import OUTCOMES, WITHDRAWN
from projections.evidence.tables import evidence
from projections.mastery.tables import decision
from projections.mastery.timeline import STATUSES

Builds = Mapping[str, int]
Told = Iterator[tuple[Any, ...]]

_BY_ARRIVAL: Final = frozenset(
    {"build_id", "cause", "seq", "change", "position", "reason", "normaliser", "alignment", "assessment", "identity"}
)
"""What a row of evidence says of when it began and of where in the log the acts stand by which it did."""


def evidence_held(connection: Connection, builds: Builds, through: int | None = None) -> Told:
    """Yield the evidence that holds, with the number of times it does."""
    columns = evidence.c
    told = [column for column in columns if column.name not in _BY_ARRIVAL]
    query = select(*told, func.sum(columns.change)).where(columns.build_id == builds["evidence"])
    if through is not None:
        query = query.where(columns.cause <= through)
    for row in connection.execute(query.group_by(*told).having(func.sum(columns.change) > 0).order_by(*told)):
        yield tuple(row)


def mastery_held(connection: Connection, builds: Builds, through: int | None = None) -> Told:
    """Yield what is decided of each learner and competency; nothing of one without evidence."""
    for row in _newest(connection, decision, "competency", builds["mastery"], through):
        if STATUSES[row.status] != "no_evidence":
            yield "mastery", row.learner, row.competency, row.outcome


def credit_held(connection: Connection, builds: Builds, through: int | None = None) -> Told:
    """Yield the answers of the policies that were not taken back, for learners of whom evidence holds."""
    shown = _with_evidence(connection, builds["evidence"], through)
    for row in _newest(connection, credit_decision, "policy", builds["credit"], through):
        if row.learner in shown and OUTCOMES[row.outcome] != WITHDRAWN:
            yield "credit", row.learner, row.policy, row.outcome, row.leaves


def audit_held(connection: Connection, builds: Builds, through: int | None = None) -> Told:
    """Yield of how much evidence the trail tells that it began and did not end, by learner and subject."""
    columns = audit_entry.c
    began = func.sum(case((columns.entry == EVIDENCE, 1), (columns.entry == ENDED, -1), else_=0))
    query = select(columns.learner, columns.subject, began).where(columns.build_id == builds["audit"])
    if through is not None:
        query = query.where(columns.position <= through)
    query = query.group_by(columns.learner, columns.subject).having(began > 0)
    for row in connection.execute(query.order_by(columns.learner, columns.subject)):
        yield tuple(row)


def _with_evidence(connection: Connection, build_id: int, through: int | None) -> set[int]:
    """Return the learners of whom any evidence holds."""
    columns = evidence.c
    query = select(columns.learner).where(columns.build_id == build_id)
    if through is not None:
        query = query.where(columns.cause <= through)
    return set(connection.scalars(query.group_by(columns.learner).having(func.sum(columns.change) > 0)))


def _newest(connection: Connection, table: Table, subject: str, build_id: int, through: int | None) -> Iterator[Any]:
    columns = table.c
    own = [columns.build_id == build_id]
    if through is not None:
        own.append(columns.position <= through)
    newest = (
        select(columns.learner, columns[subject], func.max(columns.position).label("position"))
        .where(*own)
        .group_by(columns.learner, columns[subject])
        .subquery()
    )
    same = (
        (columns.learner == newest.c.learner)
        & (columns[subject] == newest.c[subject])
        & (columns.position == newest.c.position)
    )
    yield from connection.execute(select(table).join_from(table, newest, same).where(columns.build_id == build_id))
