"""The projections there are: what each reads, how it folds, and which tables are its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Table

from projections.audit import fold as audit
from projections.audit.tables import audit_entry
from projections.building import outcomes
from projections.credit import fold as credit
from projections.credit.tables import credit_decision
from projections.evidence import fold as evidence
from projections.evidence import tables
from projections.mastery import fold as mastery
from projections.mastery.tables import decision
from projections.run import Run


class Projection(NamedTuple):
    """One projection: `fold(run, after, through)` writes what follows from those positions and nothing else.

    `held(connection, builds)` tells what holds in the end, which no order of arrival may change.
    Where `is_by_learner`, what is written of one learner follows from what was written of that learner upstream, and
    from the acts: a run may be kept to some learners, and whoever cannot be folded is parked alone.
    """

    name: str
    fold: Callable[[Run, int, int], None]
    upstream: tuple[str, ...]
    tables: tuple[Table, ...]
    held: Callable[[Connection, Mapping[str, int]], Iterable[tuple[Any, ...]]]
    is_by_learner: bool = True


PROJECTIONS: Final = (
    Projection(
        "evidence",
        evidence.fold,
        (),
        (tables.evidence, tables.quarantine, tables.act, tables.learner, tables.mention, tables.activity),
        outcomes.evidence_held,
        is_by_learner=False,
    ),
    Projection("mastery", mastery.fold, ("evidence",), (decision,), outcomes.mastery_held),
    Projection("credit", credit.fold, ("evidence", "mastery"), (credit_decision,), outcomes.credit_held),
    Projection("audit", audit.fold, ("evidence", "mastery", "credit"), (audit_entry,), outcomes.audit_held),
)
"""Each stands behind what it reads."""

NAMES: Final = tuple(one.name for one in PROJECTIONS)


def named(name: str) -> Projection:
    """Return the projection with a name."""
    return next(one for one in PROJECTIONS if one.name == name)


def tables_of(name: str) -> tuple[Table, ...]:
    """Return the tables of a projection."""
    return named(name).tables


def with_downstream(names: Collection[str]) -> list[str]:
    """Return these projections and all that stand on them: rows made from other rows would not be theirs any more."""
    found = set(names)
    for one in PROJECTIONS:
        if found & set(one.upstream):
            found.add(one.name)
    return [name for name in NAMES if name in found]
