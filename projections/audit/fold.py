"""The audit projection's fold: one entry for each thing that bears on a decision, and for each decision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlalchemy import select

from lrs.store.bulk import insert_rows
from projections.audit.tables import audit_entry
from projections.credit.tables import credit_decision
from projections.evidence import tables as source
from projections.mastery.tables import decision
from projections.run import Run

EVIDENCE, ENDED, MASTERY, CREDIT = range(1, 5)
ENTRIES: Final = {EVIDENCE: "evidence", ENDED: "evidence_ended", MASTERY: "mastery_decision", CREDIT: "credit_decision"}
ROWS_AT_ONCE: Final = 5_000
NO_DIGEST: Final = b""


def fold(run: Run, after: int, through: int) -> None:
    """Write the entries of what happened at after < position <= through."""
    made: list[tuple[Any, ...]] = []
    for entry in _entries(run, after, through):
        made.append((run.build_id, *entry))
        if len(made) >= ROWS_AT_ONCE:
            insert_rows(run.connection, audit_entry, made)
            made = []
    insert_rows(run.connection, audit_entry, made)


def _entries(run: Run, after: int, through: int) -> Iterator[tuple[Any, ...]]:
    """Yield (learner, subject, position, entry, reference, authority, digest)."""
    rows = source.evidence.c
    query = select(rows.learner, rows.competency, rows.cause, rows.change, rows.position, rows.authority).where(
        rows.build_id == run.upstream["evidence"], rows.cause > after, rows.cause <= through
    )
    for learner, subject, cause, change, position, authority in _stream(run, query.order_by(rows.cause, rows.seq)):
        yield learner, subject, cause, EVIDENCE if change > 0 else ENDED, position, authority, NO_DIGEST
    made = decision.c
    decided = select(made.learner, made.competency, made.position, made.rule, made.digest).where(
        made.build_id == run.upstream["mastery"], made.position > after, made.position <= through
    )
    for learner, subject, position, rule, digest in _stream(run, decided.order_by(made.position)):
        yield learner, subject, position, MASTERY, rule, 0, digest
    given = credit_decision.c
    answered = select(given.learner, given.policy, given.position, given.published, given.digest).where(
        given.build_id == run.upstream["credit"], given.position > after, given.position <= through
    )
    for learner, subject, position, published, digest in _stream(run, answered.order_by(given.position)):
        yield learner, subject, position, CREDIT, published, 0, digest


def _stream(run: Run, query: Any) -> Iterable[Any]:
    return run.connection.execute(query.execution_options(yield_per=ROWS_AT_ONCE))
