"""The audit projection's fold: one entry for each thing that bears on a decision, and for each decision.

Nothing is computed on the way, so the rows never leave the database: each kind of entry is one INSERT … SELECT.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, LargeBinary, Select, SmallInteger, case, insert, literal, select

from projections.audit.tables import audit_entry
from projections.credit.tables import credit_decision
from projections.evidence import tables as source
from projections.mastery.tables import decision
from projections.run import Run

EVIDENCE, ENDED, MASTERY, CREDIT = range(1, 5)
ENTRIES: Final = {EVIDENCE: "evidence", ENDED: "evidence_ended", MASTERY: "mastery_decision", CREDIT: "credit_decision"}

_NOBODY: Final = literal(0, BigInteger)
_NO_DIGEST: Final = literal(b"", LargeBinary)


def fold(run: Run, after: int, through: int) -> None:
    """Write the entries of what happened at after < position <= through."""
    for query in _entries(run, after, through):
        run.connection.execute(insert(audit_entry).from_select([one.name for one in audit_entry.c], query))


def _entries(run: Run, after: int, through: int) -> Iterator[Select[Any]]:
    """Yield the queries of (build, learner, subject, position, entry, reference, authority, digest)."""
    build = literal(run.build_id)
    rows, made, given = source.evidence.c, decision.c, credit_decision.c
    kind = case((rows.change > 0, _number(EVIDENCE)), else_=_number(ENDED))
    yield select(
        build, rows.learner, rows.competency, rows.cause, kind, rows.position, rows.authority, _NO_DIGEST
    ).where(
        rows.build_id == run.upstream["evidence"], rows.cause > after, rows.cause <= through, *run.own(rows.learner)
    )
    yield select(
        build, made.learner, made.competency, made.position, _number(MASTERY), made.rule, _NOBODY, made.digest
    ).where(
        made.build_id == run.upstream["mastery"], made.position > after, made.position <= through,
        *run.own(made.learner),
    )  # fmt: skip
    yield select(
        build, given.learner, given.policy, given.position, _number(CREDIT), given.published, _NOBODY, given.digest
    ).where(
        given.build_id == run.upstream["credit"], given.position > after, given.position <= through,
        *run.own(given.learner),
    )  # fmt: skip


def _number(entry: int) -> ColumnElement[int]:
    return literal(entry, SmallInteger)
