"""Remember which households were erased, and count what a run withheld of them."""

import sqlalchemy as sa
from alembic import op

from earlyflag.store.tables.base import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the list of erased pseudonyms, and a column on runs."""
    op.create_table(
        "erasures",
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("erased_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("household_id", name=op.f("pk_erasures")),
    )
    op.add_column(
        "scoring_runs", sa.Column("withheld", sa.Integer(), server_default="0", nullable=False)
    )
