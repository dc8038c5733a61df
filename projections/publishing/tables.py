"""How far the decisions of each log have been published."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table

from projections.tables import metadata

publication = Table(
    "publication",
    metadata,
    Column("log_id", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
)
"""Everything decided up to `position` was published, or came before publishing began. No build: a rebuild repeats
nothing."""
