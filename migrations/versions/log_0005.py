"""Forwarding, pulling and webhooks: targets, dead letters, checkpoints of imports, provenance of what was imported."""

import sqlalchemy as sa
from alembic import op

revision = "log_0005"
down_revision = "log_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of what moves statements in and out of a log."""
    _forwards()
    _pulls()
    _imports()


def _forwards() -> None:
    op.create_table(
        "forward",
        sa.Column("forward_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("log_id", sa.Integer, sa.ForeignKey("log.log_id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("filters", sa.Text, nullable=False),
        sa.Column("is_paused", sa.Boolean, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("conflicts", sa.BigInteger, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("trouble", sa.Text, nullable=False),
        sa.UniqueConstraint("log_id", "kind", "name", name="uq_forward_log_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "dead_letter",
        sa.Column("forward_id", sa.Integer, sa.ForeignKey("forward.forward_id"), primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("statement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("failed", sa.BigInteger, nullable=False),
    )


def _pulls() -> None:
    op.create_table(
        "pull",
        sa.Column("pull_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("log_id", sa.Integer, sa.ForeignKey("log.log_id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("credential_key", sa.Text, nullable=False),
        sa.Column("every_minutes", sa.Integer, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("trouble", sa.Text, nullable=False),
        sa.UniqueConstraint("log_id", "name", name="uq_pull_log_id"),
        sqlite_autoincrement=True,
    )


def _imports() -> None:
    op.create_table(
        "import_checkpoint",
        sa.Column("log_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("stored", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "import_provenance",
        sa.Column("log_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("statement_id", sa.Uuid(as_uuid=False), primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("stored", sa.Text),
        sa.Column("authority", sa.Text),
        sa.Column("version", sa.Text),
        sa.Column("imported", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "import_refusal",
        sa.Column("refusal_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("log_id", sa.Integer, sa.ForeignKey("log.log_id"), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("problems", sa.Text, nullable=False),
        sa.Column("refused", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("log_id", "source", "digest", name="uq_import_refusal_log_id"),
        sqlite_autoincrement=True,
    )
