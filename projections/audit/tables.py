"""What the audit projection writes: for each learner and subject, everything that ever bore on a decision, in order."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, SmallInteger, Table

from projections.tables import metadata

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("build_id", Integer, primary_key=True, autoincrement=False),
    Column("learner", BigInteger, primary_key=True, autoincrement=False),
    Column("subject", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("entry", SmallInteger, primary_key=True, autoincrement=False),
    Column("reference", BigInteger, primary_key=True, autoincrement=False),
    Column("authority", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
)
Index("ix_audit_entry_position", audit_entry.c.build_id, audit_entry.c.position)
"""`subject` is the key of a competency or a policy. What `reference` is the position of depends on the entry: the
statement that became evidence or ceased to be, the rule of a mastery decision, the policy of a credit decision."""
