"""Decisions: the overrides that were looked at, and when time alone could change them. All is folded anew."""

import sqlalchemy as sa
from alembic import op

revision = "projections_0003"
down_revision = "projections_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of decisions anew: the migration before has emptied every build."""
    op.drop_table("decision")
    op.drop_table("credit_decision")
    op.create_table(
        "credit_decision",
        sa.Column("build_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("learner", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("policy", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("outcome", sa.SmallInteger(), nullable=False),
        sa.Column("published", sa.BigInteger(), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=False),
        sa.Column("override", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("build_id", "learner", "policy", "position"),
    )
    op.create_index("ix_credit_decision_position", "credit_decision", ["build_id", "position"], unique=False)
    op.create_table(
        "decision",
        sa.Column("build_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("learner", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("competency", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=True),
        sa.Column("rounded", sa.Text(), nullable=True),
        sa.Column("rule", sa.BigInteger(), nullable=False),
        sa.Column("scale", sa.BigInteger(), nullable=False),
        sa.Column("override", sa.BigInteger(), nullable=False),
        sa.Column("lapses", sa.BigInteger(), nullable=True),
        sa.Column("cause", sa.SmallInteger(), nullable=False),
        sa.Column("outcome", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("build_id", "learner", "competency", "position"),
    )
    op.create_index("ix_decision_position", "decision", ["build_id", "position"], unique=False)
