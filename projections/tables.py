"""The tables of the runtime: builds, their checkpoints, their unfinished units, and the workers that are awake.

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
    Column("since", BigInteger, nullable=False, server_default="0"),
    Column("since_position", BigInteger, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)
"""`state` is live, retired (it was live before), building (by a rebuild), checking (by a check) or abandoned;
`position` is the checkpoint: every position up to it has been folded. `since` tells when somebody last began to fold it
(microseconds since 1970) and `since_position` where it stood then: that says how long the rest will take."""

_is_live = text("state = 'live'")
Index(
    "ix_build_live",
    build.c.log_id,
    build.c.projection,
    unique=True,
    postgresql_where=_is_live,
    sqlite_where=_is_live,
)

unit = Table(
    "unit",
    metadata,
    Column("build_id", Integer, primary_key=True, autoincrement=False),
    Column("unit", Integer, primary_key=True, autoincrement=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("through", BigInteger, nullable=False),
    Column("finished", BigInteger),
)
"""The learners first <= key <= last of a build that is filled learner by learner, from the first position through one.

A unit's rows and the time when it was finished (microseconds since 1970) are written in one transaction, so whoever
goes on knows what is missing. Once all are finished, the build's checkpoint is `through` and they are taken away.
"""

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
