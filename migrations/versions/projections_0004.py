"""Rebuilds that go on where they stopped: units of learners, and since when a build is being folded."""

import sqlalchemy as sa
from alembic import op

revision = "projections_0004"
down_revision = "projections_0003"
branch_labels = None
depends_on = None

TYPICAL = {
    "evidence": {
        "sqlite_autoindex_evidence_1": "1000000 250000 2 1",
        "ix_evidence_key": "1000000 250000 200 20 1",
        "ix_evidence_position": "1000000 250000 2",
    },
    "decision": {
        "sqlite_autoindex_decision_1": "1000000 250000 200 20 1",
        "ix_decision_position": "1000000 250000 2",
    },
}
"""How many rows share the first columns of an index: what SQLite's planner wants to know and would otherwise guess.

Guessing, it reads a learner's past by position, which is all of the build; it gathers nothing by itself as it fills.
"""


def upgrade() -> None:
    """Create the table of units and note when the folding of a build began."""
    op.create_table(
        "unit",
        sa.Column("build_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("unit", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("through", sa.BigInteger(), nullable=False),
        sa.Column("finished", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("build_id", "unit"),
    )
    op.add_column("build", sa.Column("since", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("build", sa.Column("since_position", sa.BigInteger(), server_default="0", nullable=False))
    if op.get_bind().dialect.name == "sqlite":
        _tell_the_planner()


def _tell_the_planner() -> None:
    op.execute(sa.text("ANALYZE"))
    statistics = sa.table("sqlite_stat1", sa.column("tbl"), sa.column("idx"), sa.column("stat"))
    for table, indexes in TYPICAL.items():
        op.execute(sa.delete(statistics).where(statistics.c.tbl == table))
        op.bulk_insert(statistics, [{"tbl": table, "idx": index, "stat": stat} for index, stat in indexes.items()])
