"""Publishing: how far the decisions of each log have gone out."""

import sqlalchemy as sa
from alembic import op

revision = "projections_0006"
down_revision = "projections_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of the checkpoints."""
    op.create_table(
        "publication",
        sa.Column("log_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("log_id"),
    )
