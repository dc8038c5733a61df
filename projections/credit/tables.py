"""What the credit projection writes: every answer that differed from the one before, none of them changed."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, SmallInteger, Table

from projections.tables import metadata

credit_decision = Table(
    "credit_decision",
    metadata,
    Column("build_id", Integer, primary_key=True, autoincrement=False),
    Column("learner", BigInteger, primary_key=True, autoincrement=False),
    Column("policy", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("outcome", SmallInteger, nullable=False),
    Column("published", BigInteger, nullable=False),
    Column("leaves", LargeBinary, nullable=False),
    Column("override", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
)
Index("ix_credit_decision_position", credit_decision.c.build_id, credit_decision.c.position)
"""`policy` is the key of the policy's IRI, `published` the position of the version that answered; `leaves` is JSON.
`override` is the position of the act that holds instead of what is computed; 0: none does."""
