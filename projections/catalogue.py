"""The projections there are: what each reads, how it folds, and which tables are its own."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final, NamedTuple

from sqlalchemy import Table

from projections.audit import fold as audit
from projections.audit.tables import audit_entry
from projections.credit import fold as credit
from projections.credit.tables import credit_decision
from projections.evidence import fold as evidence
from projections.evidence import tables
from projections.mastery import fold as mastery
from projections.mastery.tables import decision
from projections.run import Run


class Projection(NamedTuple):
    """One projection: `fold(run, after, through)` writes what follows from those positions and nothing else."""

    name: str
    fold: Callable[[Run, int, int], None]
    upstream: tuple[str, ...]
    tables: tuple[Table, ...]


PROJECTIONS: Final = (
    Projection(
        "evidence",
        evidence.fold,
        (),
        (tables.evidence, tables.quarantine, tables.act, tables.learner, tables.mention),
    ),
    Projection("mastery", mastery.fold, ("evidence",), (decision,)),
    Projection("credit", credit.fold, ("evidence", "mastery"), (credit_decision,)),
    Projection("audit", audit.fold, ("evidence", "mastery", "credit"), (audit_entry,)),
)
"""Each stands behind what it reads."""

NAMES: Final = tuple(one.name for one in PROJECTIONS)


def tables_of(name: str) -> tuple[Table, ...]:
    """Return the tables of a projection."""
    return next(one.tables for one in PROJECTIONS if one.name == name)


def with_downstream(names: Collection[str]) -> list[str]:
    """Return these projections and all that stand on them: rows made from other rows would not be theirs any more."""
    found = set(names)
    for one in PROJECTIONS:
        if found & set(one.upstream):
            found.add(one.name)
    return [name for name in NAMES if name in found]
