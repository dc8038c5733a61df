"""Least privilege on PostgreSQL: what the role that serves may do, as GRANTs for the tables' owner to run."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql.base import PGDialect

from lrs.store.tables import (
    attachment,
    attachment_chunk,
    attachment_pending,
    credential,
    credential_client,
    credential_origin,
    dead_letter,
    document,
    forward,
    import_checkpoint,
    import_provenance,
    import_refusal,
    log,
    log_head,
    posting,
    pull,
    refusal,
    signature,
    statement,
    statement_attachment,
    statement_body,
    told,
    trusted_issuer,
    voided,
)

ATTACHED = (attachment, attachment_chunk)
"""Deleted from as well, where the triggers admit it: data that came with a request that was refused."""
APPEND_ONLY = (log, log_head, statement, statement_body, told, *ATTACHED, statement_attachment, signature)
DERIVED = (posting, voided)
AROUND_REQUESTS = (attachment_pending, trusted_issuer, credential_client, credential_origin, refusal)
EXCHANGE = (forward, dead_letter, pull, import_checkpoint, import_provenance, import_refusal)
WHAT_COMMITS_THE_HEAD = "size, last_stored"
WHAT_CAN_BE_ERASED = "body, salt"


def grants(role: str, derived: Iterable[Table] = ()) -> list[str]:
    """Return the statements that let a role append, read and derive, and nothing else; `derived` is the projections'.

    What the role had on these tables before is taken away first, so they can be run again after every migration.
    """
    name = quoted(role)
    free = (document, *DERIVED, *AROUND_REQUESTS, *EXCHANGE, *derived)
    tables = ", ".join(quoted(one.name) for one in (*APPEND_ONLY, credential, *free))
    granted = [f"REVOKE ALL ON {tables} FROM {name}", f"GRANT SELECT ON alembic_version TO {name}"]
    granted += [f"GRANT SELECT, INSERT ON {quoted(one.name)} TO {name}" for one in (*APPEND_ONLY, credential)]
    granted += [
        f"GRANT UPDATE ({WHAT_COMMITS_THE_HEAD}) ON log_head TO {name}",
        f"GRANT UPDATE (revoked) ON credential TO {name}",
    ]
    granted += [f"GRANT DELETE ON {quoted(one.name)} TO {name}" for one in ATTACHED]
    granted += [f"GRANT SELECT, INSERT, UPDATE, DELETE ON {quoted(one.name)} TO {name}" for one in free]
    sequences = [_sequence(one) for one in (log, credential, *free) if one.autoincrement_column is not None]
    return granted + [f"GRANT USAGE ON SEQUENCE {one} TO {name}" for one in sequences]


def grants_to_erase(role: str) -> list[str]:
    """Return the statements that let a role erase bodies too; the triggers still admit nothing but the erasure."""
    return [
        f"GRANT UPDATE ({WHAT_CAN_BE_ERASED}) ON statement_body TO {quoted(role)}",
        f"GRANT DELETE ON statement_attachment, signature, told TO {quoted(role)}",
    ]


def quoted(name: str) -> str:
    """Return a name as PostgreSQL takes it, whatever stands in it."""
    return PGDialect().identifier_preparer.quote(name)  # type: ignore[no-untyped-call]


def _sequence(table: Table) -> str:
    assert table.autoincrement_column is not None
    return quoted(f"{table.name}_{table.autoincrement_column.name}_seq")
