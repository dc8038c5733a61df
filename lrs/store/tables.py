"""The tables of the logs. `log`, `log_head`, `statement` and `statement_body` are the record; the rest is derived.

Times are microseconds since 1970 UTC. IRIs and agents are 64-bit keys (`lrs.xapi.values.key64`), rechecked on read.
No foreign keys stand on the rows of the append: the head's lock already orders everything, and a check a row costs.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    text,
)

NAMING = {"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"}
metadata = MetaData(naming_convention=NAMING)

_uuid = Uuid(as_uuid=False)

log = Table(
    "log",
    metadata,
    Column("log_id", Integer, primary_key=True, autoincrement=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("origin", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""A district's log; `origin` is an IRL that names it for ever (the homePage of its authorities)."""

log_head = Table(
    "log_head",
    metadata,
    Column("log_id", Integer, ForeignKey("log.log_id"), primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("last_stored", BigInteger, nullable=False),
)
"""The one row of a log that is ever updated: its lock orders the appends."""

statement = Table(
    "statement",
    metadata,
    Column("log_id", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("statement_id", _uuid, nullable=False),
    Column("stored", BigInteger, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("verb", BigInteger, nullable=False),
    Column("actor", BigInteger),
    Column("activity", BigInteger),
    Column("registration", _uuid),
    Column("authority", BigInteger, nullable=False),
    Column("target", _uuid),
    Column("voids", Boolean, nullable=False),
    Column("commitment", LargeBinary, nullable=False),
    CheckConstraint("position > 0", name="ck_statement_position"),
)
Index("ix_statement_id", statement.c.log_id, statement.c.statement_id, unique=True)
Index("ix_statement_stored", statement.c.log_id, statement.c.stored, unique=True)
Index("ix_statement_verb", statement.c.log_id, statement.c.verb, statement.c.position)
Index("ix_statement_actor", statement.c.log_id, statement.c.actor, statement.c.position)
Index("ix_statement_authority", statement.c.log_id, statement.c.authority, statement.c.position)
for _name in ("activity", "registration", "target"):
    _present = text(f"{_name} IS NOT NULL")
    Index(
        f"ix_statement_{_name}",
        statement.c.log_id,
        statement.c[_name],
        statement.c.position,
        postgresql_where=_present,
        sqlite_where=_present,
    )
"""`target` is the id that a StatementRef object names; `voids` says that the statement voids it."""

statement_body = Table(
    "statement_body",
    metadata,
    Column("log_id", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary),
    Column("salt", LargeBinary),
)
"""The exact text of a statement and the salt of its commitment; both NULL once erased under a recorded order."""

posting = Table(
    "posting",
    metadata,
    Column("log_id", Integer, primary_key=True, autoincrement=False),
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("via", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
"""Further keys of a statement: `via` is its own position, or that of a statement it refers to by StatementRef."""

voided = Table(
    "voided",
    metadata,
    Column("log_id", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("by", BigInteger, nullable=False),
    Index("ix_voided_by", "log_id", "by"),
)
"""Positions that no longer count, and the position of the first statement that voids each."""

credential = Table(
    "credential",
    metadata,
    Column("credential_id", Integer, primary_key=True, autoincrement=True),
    Column("log_id", Integer, ForeignKey("log.log_id"), nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("secret_sha256", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("revoked", BigInteger),
    sqlite_autoincrement=True,
)
"""Who may speak to a log; `scopes` are separated by spaces. Secrets are random, so one SHA-256 is hash enough."""
