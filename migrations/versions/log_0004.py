"""Refused requests, kept for a configured time; origins that a credential may be used from."""

revision = "log_0004"
down_revision = "log_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create its tables."""
