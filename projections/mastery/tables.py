"""What the mastery projection writes: every decision ever, none of them changed; the newest of a key is in force."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, SmallInteger, Table, Text

from projections.tables import metadata

decision = Table(
    "decision",
    metadata,
    Column("build_id", Integer, primary_key=True, autoincrement=False),
    Column("learner", BigInteger, primary_key=True, autoincrement=False),
    Column("competency", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("status", SmallInteger, nullable=False),
    Column("level", Text),
    Column("raw", Text),
    Column("rounded", Text),
    Column("rule", BigInteger, nullable=False),
    Column("scale", BigInteger, nullable=False),
    Column("override", BigInteger, nullable=False),
    Column("lapses", BigInteger),
    Column("cause", SmallInteger, nullable=False),
    Column("outcome", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
)
Index("ix_decision_position", decision.c.build_id, decision.c.position)
"""`position` caused the decision; `rule`, `scale` and `override` are the positions of their acts (0: none).
`lapses` is the earliest moment, in microseconds, at which time alone could change the decision. `outcome` is a hash of
what was decided on which evidence, without positions; `digest` chains it to the decision before."""
