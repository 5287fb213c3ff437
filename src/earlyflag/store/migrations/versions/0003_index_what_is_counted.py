"""Index what worktrays count, so that a count reads no flag."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    columns = ["state", "safe_contact", "household_id", "assignee_id"]
    op.create_index("ix_flags_tally", "flags", columns, unique=False)
