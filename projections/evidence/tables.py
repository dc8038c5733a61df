"""What the evidence projection writes: an append-only stream, so that any position can be read back as it was.

`cause` is the position of the statement that brought a row about; `change` is +1 where something begins to hold and
-1 where it ends. What holds at a position is what began at or before it and has not ended by then.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, SmallInteger, Table, Text

from projections.tables import metadata

learner = Table(
    "learner",
    metadata,
    Column("build_id", Integer, primary_key=True, autoincrement=False),
    Column("learner", BigInteger, primary_key=True, autoincrement=False),
    Column("ifi", Text, nullable=False),
    Column("agent", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
)
"""Who a learner key stands for: the inverse functional identifier, the Agent as first sent, and a name to show.

`position` is the one from which on the learner has evidence: that of the statement, or of the act that made it count.
"""

act = Table(
    "act",
    metadata,
    Column("build_id", Integer, primary_key=True, autoincrement=False),
    Column("cause", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("change", SmallInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("statement_id", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
)
"""The registrar's documents: scales, rules, policies, normalisers, frameworks, alignments; voided ones end."""

evidence = Table(
    "evidence",
    metadata,
    Column("build_id", Integer, primary_key=True, autoincrement=False),
    Column("cause", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("change", SmallInteger, nullable=False),
    Column("learner", BigInteger, nullable=False),
    Column("competency", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("statement_id", Text, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("task", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("score_num", BigInteger),
    Column("score_den", BigInteger),
    Column("success", Boolean),
    Column("fingerprint", BigInteger, nullable=False),
    Column("flags", SmallInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("context", BigInteger, nullable=False),
    Column("scorer", BigInteger, nullable=False),
    Column("criterion", BigInteger, nullable=False),
    Column("matched", SmallInteger, nullable=False),
    Column("read_from", SmallInteger, nullable=False),
    Column("normaliser", BigInteger, nullable=False),
    Column("alignment", BigInteger, nullable=False),
    Column("assessment", BigInteger, nullable=False),
    Column("identity", BigInteger, nullable=False),
    Column("authority", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
)
Index("ix_evidence_key", evidence.c.build_id, evidence.c.learner, evidence.c.competency, evidence.c.cause)
Index("ix_evidence_position", evidence.c.build_id, evidence.c.position)
"""`matched` says which step of the resolution order found the competency, `read_from` what the score was read from;
`normaliser`, `alignment`, `assessment` and `identity` are the positions of the acts that were used (0: none); `reason`
says why it ended."""

quarantine = Table(
    "quarantine",
    metadata,
    Column("build_id", Integer, primary_key=True, autoincrement=False),
    Column("cause", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("change", SmallInteger, primary_key=True, autoincrement=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("authority", BigInteger, nullable=False),
)
Index("ix_quarantine_position", quarantine.c.build_id, quarantine.c.position)
"""Statements that could be evidence and are not, with the reason; what a later act makes usable ends here."""

mention = Table(
    "mention",
    metadata,
    Column("build_id", Integer, primary_key=True, autoincrement=False),
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
)
"""Which statements name a competency in an extension: the log's own indexes do not look there."""

activity = Table(
    "activity",
    metadata,
    Column("build_id", Integer, primary_key=True, autoincrement=False),
    Column("activity", BigInteger, primary_key=True, autoincrement=False),
    Column("iri", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
)
"""The activities of all statements that could be evidence, and where each was first seen: what a pattern stands for."""

STREAMS = (evidence, quarantine, act)
"""The tables whose rows begin at `cause`; those of all others begin at their `position`."""
