"""Refused requests, kept for a configured time; origins and clients that a credential may be used from."""

import sqlalchemy as sa
from alembic import op

revision = "log_0004"
down_revision = "log_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of what surrounds a request."""
    _origins()
    _clients()
    _refusals()


def _origins() -> None:
    op.create_table(
        "credential_origin",
        sa.Column("origin", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, sa.ForeignKey("credential.key"), primary_key=True),
    )


def _clients() -> None:
    op.create_table(
        "credential_client",
        sa.Column("client", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, sa.ForeignKey("credential.key"), nullable=False),
    )


def _refusals() -> None:
    op.create_table(
        "refusal",
        sa.Column("refusal_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("log_id", sa.Integer, sa.ForeignKey("log.log_id")),
        sa.Column("key", sa.Text),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("problems", sa.Text, nullable=False),
        sa.Column("problem_count", sa.Integer, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("content_type", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("unlisted", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_refusal_time", "refusal", ["time"])
