"""Index where the flags of a worktray stand too: their wards and tenures are counted with them."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index anew, in the order in which flags are counted."""
    op.drop_index("ix_flags_tally", "flags")
    columns = ["state", "ward_code", "tenure", "safe_contact", "household_id", "assignee_id"]
    op.create_index("ix_flags_tally", "flags", columns, unique=False)
