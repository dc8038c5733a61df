"""Evidence: flags, attempt, context, scorer, criterion, assessment, identity. All is folded anew from the log."""

import sqlalchemy as sa
from alembic import op

revision = "projections_0002"
down_revision = "projections_0001"
branch_labels = None
depends_on = None

DERIVED = ("quarantine", "act", "learner", "mention", "decision", "credit_decision", "audit_entry", "parked", "build")


def upgrade() -> None:
    """Empty all builds, so that workers begin new ones, and create the table of evidence anew."""
    for table in DERIVED:
        op.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608 - a name of the list above
    op.drop_table("evidence")
    op.create_table(
        "evidence",
        sa.Column("build_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cause", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("change", sa.SmallInteger(), nullable=False),
        sa.Column("learner", sa.BigInteger(), nullable=False),
        sa.Column("competency", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("statement_id", sa.Text(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("task", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("score_num", sa.BigInteger(), nullable=True),
        sa.Column("score_den", sa.BigInteger(), nullable=True),
        sa.Column("success", sa.Boolean(), nullable=True),
        sa.Column("fingerprint", sa.BigInteger(), nullable=False),
        sa.Column("flags", sa.SmallInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("context", sa.BigInteger(), nullable=False),
        sa.Column("scorer", sa.BigInteger(), nullable=False),
        sa.Column("criterion", sa.BigInteger(), nullable=False),
        sa.Column("matched", sa.SmallInteger(), nullable=False),
        sa.Column("read_from", sa.SmallInteger(), nullable=False),
        sa.Column("normaliser", sa.BigInteger(), nullable=False),
        sa.Column("alignment", sa.BigInteger(), nullable=False),
        sa.Column("assessment", sa.BigInteger(), nullable=False),
        sa.Column("identity", sa.BigInteger(), nullable=False),
        sa.Column("authority", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("build_id", "cause", "seq"),
    )
    op.create_index("ix_evidence_key", "evidence", ["build_id", "learner", "competency", "cause"], unique=False)
    op.create_index("ix_evidence_position", "evidence", ["build_id", "position"], unique=False)
    op.create_table(
        "activity",
        sa.Column("build_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("activity", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("iri", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("build_id", "activity"),
    )
