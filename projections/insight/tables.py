"""What analysts leave behind: named studies, and what was released to those who may not see learners.

Neither is a projection: a rebuild does not touch them. A study can be run again and gives the same bytes; a release is
remembered because the next one must not give away, by its difference to it, what neither of them tells.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from projections.tables import metadata

study = Table(
    "study",
    metadata,
    Column("study_id", Integer, primary_key=True, autoincrement=True),
    Column("log_id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("definition", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("asked", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("result", LargeBinary),
    Column("problem", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_study_name", study.c.log_id, study.c.name, unique=True)
"""`definition` and `result` are JSON; `state` is waiting, running, done or failed; `asked` is when (microseconds)."""

release = Table(
    "release",
    metadata,
    Column("log_id", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("document", LargeBinary, nullable=False),
)
"""What was told of the cohorts at a position, as JSON: each cell with the position that its figures are as of."""
