"""The projections: builds and checkpoints, evidence, mastery, credit, the audit trail."""

import sqlalchemy as sa
from alembic import op

revision = "projections_0001"
down_revision = None
branch_labels = ("projections",)
depends_on = None


def upgrade() -> None:
    """Create the tables of the projections."""
    op.create_table(
        "act",
        sa.Column("build_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cause", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("change", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("statement_id", sa.Text(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("build_id", "cause", "position"),
    )
    op.create_table(
        "audit_entry",
        sa.Column("build_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("learner", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("subject", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("reference", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("authority", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("build_id", "learner", "subject", "position", "entry", "reference"),
    )
    op.create_index("ix_audit_entry_position", "audit_entry", ["build_id", "position"], unique=False)
    op.create_table(
        "build",
        sa.Column("build_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("log_id", sa.Integer(), nullable=False),
        sa.Column("projection", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("build_id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_build_live",
        "build",
        ["log_id", "projection"],
        unique=True,
        postgresql_where=sa.text("state = 'live'"),
        sqlite_where=sa.text("state = 'live'"),
    )
    op.create_table(
        "credit_decision",
        sa.Column("build_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("learner", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("policy", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("outcome", sa.SmallInteger(), nullable=False),
        sa.Column("published", sa.BigInteger(), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=False),
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
        sa.Column("cause", sa.SmallInteger(), nullable=False),
        sa.Column("outcome", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("build_id", "learner", "competency", "position"),
    )
    op.create_index("ix_decision_position", "decision", ["build_id", "position"], unique=False)
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
        sa.Column("is_group", sa.Boolean(), nullable=False),
        sa.Column("matched", sa.SmallInteger(), nullable=False),
        sa.Column("normaliser", sa.BigInteger(), nullable=False),
        sa.Column("alignment", sa.BigInteger(), nullable=False),
        sa.Column("authority", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("build_id", "cause", "seq"),
    )
    op.create_index("ix_evidence_key", "evidence", ["build_id", "learner", "competency", "cause"], unique=False)
    op.create_index("ix_evidence_position", "evidence", ["build_id", "position"], unique=False)
    op.create_table(
        "learner",
        sa.Column("build_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("learner", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ifi", sa.Text(), nullable=False),
        sa.Column("agent", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("build_id", "learner"),
    )
    op.create_table(
        "mention",
        sa.Column("build_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("build_id", "key", "position"),
    )
    op.create_table(
        "parked",
        sa.Column("build_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("learner", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("build_id", "position", "learner"),
    )
    op.create_table(
        "quarantine",
        sa.Column("build_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cause", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("change", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("authority", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("build_id", "cause", "position", "change"),
    )
    op.create_index("ix_quarantine_position", "quarantine", ["build_id", "position"], unique=False)
    op.create_table(
        "worker",
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("worker_id"),
    )
