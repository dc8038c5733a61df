"""Least privilege on PostgreSQL: what the role that serves may do, as GRANTs for the tables' owner to run."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql.base import PGDialect

from lrs.store.tables import credential, log, log_head, posting, statement, statement_body, voided

APPEND_ONLY = (log, log_head, statement, statement_body)
DERIVED = (posting, voided)
WHAT_COMMITS_THE_HEAD = "size, last_stored"
WHAT_CAN_BE_ERASED = "body, salt"


def grants(role: str, derived: Iterable[Table] = ()) -> list[str]:
    """Return the statements that let a role append, read and derive, and nothing else; `derived` is the projections'.

    What the role had on these tables before is taken away first, so they can be run again after every migration.
    """
    name = quoted(role)
    free = (*DERIVED, *derived)
    tables = ", ".join(quoted(one.name) for one in (*APPEND_ONLY, credential, *free))
    granted = [f"REVOKE ALL ON {tables} FROM {name}", f"GRANT SELECT ON alembic_version TO {name}"]
    granted += [f"GRANT SELECT, INSERT ON {quoted(one.name)} TO {name}" for one in (*APPEND_ONLY, credential)]
    granted += [
        f"GRANT UPDATE ({WHAT_COMMITS_THE_HEAD}) ON log_head TO {name}",
        f"GRANT UPDATE (revoked) ON credential TO {name}",
    ]
    granted += [f"GRANT SELECT, INSERT, UPDATE, DELETE ON {quoted(one.name)} TO {name}" for one in free]
    sequences = [_sequence(one) for one in (log, credential, *free) if one.autoincrement_column is not None]
    return granted + [f"GRANT USAGE ON SEQUENCE {one} TO {name}" for one in sequences]


def grants_to_erase(role: str) -> list[str]:
    """Return the statement that lets a role erase bodies too; the trigger still admits nothing but the erasure."""
    return [f"GRANT UPDATE ({WHAT_CAN_BE_ERASED}) ON statement_body TO {quoted(role)}"]


def quoted(name: str) -> str:
    """Return a name as PostgreSQL takes it, whatever stands in it."""
    return PGDialect().identifier_preparer.quote(name)  # type: ignore[no-untyped-call]


def _sequence(table: Table) -> str:
    assert table.autoincrement_column is not None
    return quoted(f"{table.name}_{table.autoincrement_column.name}_seq")
