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
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from lrs.store.texts import StatementText

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
    Column("body", StatementText),
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

forward = Table(
    "forward",
    metadata,
    Column("forward_id", Integer, primary_key=True, autoincrement=True),
    Column("log_id", Integer, ForeignKey("log.log_id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("version", Text, nullable=False),
    Column("filters", Text, nullable=False),
    Column("is_paused", Boolean, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("conflicts", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("trouble", Text, nullable=False),
    UniqueConstraint("log_id", "kind", "name", name="uq_forward_log_id"),
    sqlite_autoincrement=True,
)
"""Where a log's statements go: `position` is settled and all before it; `kind` is "lrs" or "webhook"."""

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("forward_id", Integer, ForeignKey("forward.forward_id"), primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("statement_id", _uuid, nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", Text, nullable=False),
    Column("failed", BigInteger, nullable=False),
)
"""Statements that a receiver refuses one by one, with what it answered (`status` 0: they were never sent)."""

pull = Table(
    "pull",
    metadata,
    Column("pull_id", Integer, primary_key=True, autoincrement=True),
    Column("log_id", Integer, ForeignKey("log.log_id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("version", Text, nullable=False),
    Column("credential_key", Text, nullable=False),
    Column("every_minutes", Integer, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("trouble", Text, nullable=False),
    UniqueConstraint("log_id", "name", name="uq_pull_log_id"),
    sqlite_autoincrement=True,
)
"""Other record stores whose statements are fetched on a schedule, under `credential_key` (empty: "import")."""

import_checkpoint = Table(
    "import_checkpoint",
    metadata,
    Column("log_id", Integer, primary_key=True, autoincrement=False),
    Column("source", Text, primary_key=True),
    Column("stored", BigInteger, nullable=False),
)
"""Up to which of its own `stored` times another record store has been read."""

import_provenance = Table(
    "import_provenance",
    metadata,
    Column("log_id", Integer, primary_key=True, autoincrement=False),
    Column("statement_id", _uuid, primary_key=True),
    Column("source", Text, nullable=False),
    Column("stored", Text),
    Column("authority", Text),
    Column("version", Text),
    Column("imported", BigInteger, nullable=False),
)
"""What an imported statement carried of its first store, where this one sets its own: the texts as they came."""

import_refusal = Table(
    "import_refusal",
    metadata,
    Column("refusal_id", Integer, primary_key=True, autoincrement=True),
    Column("log_id", Integer, ForeignKey("log.log_id"), nullable=False),
    Column("source", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("problems", Text, nullable=False),
    Column("refused", BigInteger, nullable=False),
    UniqueConstraint("log_id", "source", "digest", name="uq_import_refusal_log_id"),
    sqlite_autoincrement=True,
)
"""Statements of another record store that this one could not take, each once, with every problem."""

document = Table(
    "document",
    metadata,
    Column("log_id", Integer, primary_key=True, autoincrement=False),
    Column("owner", BigInteger, primary_key=True, autoincrement=False),
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, nullable=False),
    Column("activity", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("registration", Text, nullable=False),
    Column("document_id", Text, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("sha1", LargeBinary, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
"""Documents of the State and Profile resources: `owner` is the key of kind, activity and agent, `key` of all names.

`updated` rises with every change of a document, so it also names the version that a writer has seen.
"""

told = Table(
    "told",
    metadata,
    Column("log_id", Integer, primary_key=True, autoincrement=False),
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, primary_key=True),
    Column("kind", SmallInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("text", LargeBinary, nullable=False),
    Index("ix_told_position", "log_id", "position"),
)
"""What statements tell of activities (definitions) and agents (names): each distinct text once, where it first stood.

`name` is the activity's IRI or the agent's canonical identifier, `key` its key, `digest` that of name and text.
"""

credential_origin = Table(
    "credential_origin",
    metadata,
    Column("origin", Text, primary_key=True),
    Column("key", Text, ForeignKey("credential.key"), primary_key=True),
)
"""Web origins whose pages may read what a credential is answered (CORS)."""

credential_client = Table(
    "credential_client",
    metadata,
    Column("client", Text, primary_key=True),
    Column("key", Text, ForeignKey("credential.key"), nullable=False),
)
"""OAuth clients of the configured issuer, and the credential that each of them acts as."""

refusal = Table(
    "refusal",
    metadata,
    Column("refusal_id", Integer, primary_key=True, autoincrement=True),
    Column("log_id", Integer, ForeignKey("log.log_id")),
    Column("key", Text),
    Column("time", BigInteger, nullable=False),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("problems", Text, nullable=False),
    Column("problem_count", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("body", LargeBinary),
    Column("unlisted", Integer, nullable=False),
    Index("ix_refusal_time", "time"),
    sqlite_autoincrement=True,
)
"""Refused requests, for people; `unlisted` were refused after this one too and only counted, so many came at once."""

attachment = Table(
    "attachment",
    metadata,
    Column("log_id", Integer, primary_key=True, autoincrement=False),
    Column("sha2", LargeBinary, primary_key=True),
    Column("length", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""The data of attachments, once for each log and SHA-2 under which statements declare it."""

attachment_chunk = Table(
    "attachment_chunk",
    metadata,
    Column("log_id", Integer, primary_key=True, autoincrement=False),
    Column("sha2", LargeBinary, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)
"""The data itself, cut into pieces that are small enough to pass through memory."""

attachment_pending = Table(
    "attachment_pending",
    metadata,
    Column("log_id", Integer, primary_key=True, autoincrement=False),
    Column("sha2", LargeBinary, primary_key=True),
    Column("since", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Data that no statement has yet: its statements are being appended, or were refused and it can go."""

statement_attachment = Table(
    "statement_attachment",
    metadata,
    Column("log_id", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("sha2", LargeBinary, primary_key=True),
    Index("ix_statement_attachment_sha2", "log_id", "sha2"),
    sqlite_with_rowid=False,
)
"""The data that came with each statement: nobody reads data through a statement that only knows its hash."""

signature = Table(
    "signature",
    metadata,
    Column("log_id", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("sha2", LargeBinary, primary_key=True),
    Column("algorithm", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("subject", Text),
    Column("thumbprint", Text),
    Column("issuer", Text),
    sqlite_with_rowid=False,
)
"""What was found of each signature when its statement came (`lrs.xapi.signatures`); SHA-256 of certificates in hex."""

trusted_issuer = Table(
    "trusted_issuer",
    metadata,
    Column("key", Text, ForeignKey("credential.key"), primary_key=True),
    Column("thumbprint", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("certificate", LargeBinary, nullable=False),
    Column("added", BigInteger, nullable=False),
)
"""Certificates that vouch for those who sign the statements of a credential."""
