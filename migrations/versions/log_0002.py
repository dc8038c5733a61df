"""Documents of the State and Profile resources; distinct definitions of activities and names of agents."""

revision = "log_0002"
down_revision = "log_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create its tables."""
