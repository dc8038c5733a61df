"""Attachments' data, stored once by its SHA-2, and what was found of signatures."""

revision = "log_0003"
down_revision = "log_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create its tables."""
