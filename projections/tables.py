"""The tables of the runtime: builds, their checkpoints, and the workers that are awake.

A build is one generation of one projection of one log; readers follow the build whose state is `live`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text, text

metadata = MetaData()

build = Table(
    "build",
    metadata,
    Column("build_id", Integer, primary_key=True, autoincrement=True),
    Column("log_id", Integer, nullable=False),
    Column("projection", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
"""`state` is building, live or retired; `position` is the checkpoint: every position up to it has been folded."""

_is_live = text("state = 'live'")
Index(
    "ix_build_live",
    build.c.log_id,
    build.c.projection,
    unique=True,
    postgresql_where=_is_live,
    sqlite_where=_is_live,
)

worker = Table(
    "worker",
    metadata,
    Column("worker_id", Text, primary_key=True),
    Column("seen", BigInteger, nullable=False),
)
"""Projection workers and when each was last seen awake, in microseconds since 1970."""

parked = Table(
    "parked",
    metadata,
    Column("build_id", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("learner", BigInteger, primary_key=True, autoincrement=False),
    Column("reason", Text, nullable=False),
)
"""What a build could not fold and left out, so that everything else goes on; a rebuild tries it again.

Evidence leaves out a position, and names the learner whom it would have been about (0: not known). What stands on it
leaves out a learner from then on, or a position where no learner is to blame (0).
"""
