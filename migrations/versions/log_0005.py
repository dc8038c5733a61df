"""Forwarding, pulling and webhooks: targets, outbox, dead letters, provenance of imports."""

revision = "log_0005"
down_revision = "log_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create its tables."""
