"""Make every table."""

import sqlalchemy as sa
from alembic import op

from earlyflag.store.tables.base import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


STATES = (
    "state IN ('held_back', 'waiting', 'assigned', 'paused', 'watching', 'offered', "
    "'decided', 'closed', 'lapsed', 'withdrawn')"
)
LIVE = sa.text("state IN ('held_back', 'waiting', 'assigned', 'paused', 'watching', 'offered')")


def upgrade() -> None:  # noqa: PLR0915 (one statement a table)
    """Make every table."""
    op.create_table(
        "accounts",
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("permissions", sa.JSON(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("password_changed_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("subject", name=op.f("uq_accounts_subject")),
        sa.UniqueConstraint("username", name=op.f("uq_accounts_username")),
    )
    op.create_table(
        "audit",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("actor_kind", sa.String(), nullable=False),
        sa.Column("roles", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("purpose", sa.String(), nullable=True),
        sa.Column("correlation_id", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_actor", "audit", ["actor_id", "sequence"], unique=False)
    op.create_index("ix_audit_at", "audit", ["at"], unique=False)
    op.create_index("ix_audit_household", "audit", ["household_id", "sequence"], unique=False)
    op.create_table(
        "audit_checkpoints",
        sa.Column("through_sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("through_hash", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("signed_at", Instant(), nullable=False),
        sa.Column("public_key", sa.String(), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("through_sequence", name=op.f("pk_audit_checkpoints")),
    )
    op.create_table(
        "audit_head",
        sa.Column("head_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.CheckConstraint("head_id = 1", name=op.f("ck_audit_head_one_row")),
        sa.PrimaryKeyConstraint("head_id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "documents",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("published_at", Instant(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("pk_documents")),
    )
    op.create_table(
        "households",
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("uprn", sa.String(), nullable=True),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("postcode", sa.String(), nullable=True),
        sa.Column("postcode_key", sa.String(), nullable=True),
        sa.Column("ward_code", sa.String(), nullable=True),
        sa.Column("tenure", sa.String(), nullable=False),
        sa.Column("account_refs", sa.JSON(), nullable=False),
        sa.Column("tenancy_refs", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("household_id", name=op.f("pk_households")),
    )
    op.create_index("ix_households_as_of", "households", ["as_of"], unique=False)
    op.create_index(
        op.f("ix_households_postcode_key"), "households", ["postcode_key"], unique=False
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request_hash", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("actor_id", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(
        op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False
    )
    op.create_table(
        "lookups",
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("actor_id", "day", "household_id", name=op.f("pk_lookups")),
    )
    op.create_table(
        "machine_keys",
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("alert_source", sa.String(), nullable=True),
        sa.Column("lookups_alert_at", sa.Integer(), nullable=False),
        sa.Column("lookups_stop_at", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_machine_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_machine_keys_key_hash")),
    )
    op.create_table(
        "objections",
        sa.Column("objection_id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("suppression_ref", sa.String(), nullable=True),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.String(), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("objection_id", name=op.f("pk_objections")),
    )
    op.create_index(
        op.f("ix_objections_household_id"), "objections", ["household_id"], unique=False
    )
    op.create_index(op.f("ix_objections_state"), "objections", ["state"], unique=False)
    op.create_table(
        "panels",
        sa.Column("panel_id", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("meeting_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("recipients", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("countersigned_by", sa.String(), nullable=True),
        sa.Column("countersigned_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("panel_id", name=op.f("pk_panels")),
        sa.UniqueConstraint("reference", name=op.f("uq_panels_reference")),
    )
    op.create_table(
        "purposes",
        sa.Column("purpose_id", sa.String(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("stated_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("reviewed_by", sa.String(), nullable=True),
        sa.Column("reviewed_at", Instant(), nullable=True),
        sa.Column("finding", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("purpose_id", name=op.f("pk_purposes")),
    )
    op.create_index(
        "ix_purposes_actor_household", "purposes", ["actor_id", "household_id"], unique=False
    )
    op.create_index(op.f("ix_purposes_household_id"), "purposes", ["household_id"], unique=False)
    op.create_index(op.f("ix_purposes_stated_at"), "purposes", ["stated_at"], unique=False)
    op.create_table(
        "scoring_runs",
        sa.Column("run_key", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column("model", sa.JSON(), nullable=False),
        sa.Column("data_hash", sa.String(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("scored", sa.Integer(), nullable=False),
        sa.Column("cannot_score", sa.JSON(), nullable=False),
        sa.Column("published_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("run_key", name=op.f("pk_scoring_runs")),
        sa.UniqueConstraint("run_id", name=op.f("uq_scoring_runs_run_id")),
    )
    op.create_index(op.f("ix_scoring_runs_as_of"), "scoring_runs", ["as_of"], unique=False)
    op.create_table(
        "suppressions",
        sa.Column("suppression_ref", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("uprn", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("person_ref", sa.String(), nullable=True),
        sa.Column("recorded_by", sa.String(), nullable=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("suppression_ref", name=op.f("pk_suppressions")),
    )
    op.create_table(
        "throttles",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", Instant(), nullable=True),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_throttles")),
    )
    op.create_index(op.f("ix_throttles_changed_at"), "throttles", ["changed_at"], unique=False)
    op.create_table(
        "timelines",
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("household_id", name=op.f("pk_timelines")),
    )
    op.create_table(
        "webhooks",
        sa.Column("webhook_id", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("webhook_id", name=op.f("pk_webhooks")),
    )
    op.create_table(
        "flag_raisings",
        sa.Column("run_key", sa.Integer(), nullable=False),
        sa.Column("raised_at", Instant(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_key"],
            ["scoring_runs.run_key"],
            name=op.f("fk_flag_raisings_run_key_scoring_runs"),
        ),
        sa.PrimaryKeyConstraint("run_key", name=op.f("pk_flag_raisings")),
    )
    op.create_table(
        "flags",
        sa.Column("flag_id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("run_key", sa.Integer(), nullable=True),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=True),
        sa.Column("band", sa.String(), nullable=False),
        sa.Column("first_reason", sa.String(), nullable=False),
        sa.Column("second_reason", sa.String(), nullable=False),
        sa.Column("ward_code", sa.String(), nullable=True),
        sa.Column("tenure", sa.String(), nullable=False),
        sa.Column("safe_contact", sa.Boolean(), nullable=False),
        sa.Column("without_collection", sa.Boolean(), nullable=False),
        sa.Column("assignee_id", sa.String(), nullable=True),
        sa.Column("raised_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("last_action", sa.String(), nullable=False),
        sa.Column("next_action", sa.String(), nullable=False),
        sa.Column("next_action_on", sa.Date(), nullable=False),
        sa.Column("paused_until", sa.Date(), nullable=True),
        sa.Column("pause_reason", sa.Text(), nullable=True),
        sa.Column("decision_code", sa.String(), nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.CheckConstraint(STATES, name=op.f("ck_flags_state_is_known")),
        sa.ForeignKeyConstraint(
            ["assignee_id"], ["accounts.account_id"], name=op.f("fk_flags_assignee_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["run_key"], ["scoring_runs.run_key"], name=op.f("fk_flags_run_key_scoring_runs")
        ),
        sa.PrimaryKeyConstraint("flag_id", name=op.f("pk_flags")),
    )
    op.create_index(
        "ix_flags_assignee_state_rank",
        "flags",
        ["assignee_id", "state", "rank", "flag_id"],
        unique=False,
    )
    op.create_index("ix_flags_household_id", "flags", ["household_id"], unique=False)
    op.create_index("ix_flags_run_key", "flags", ["run_key"], unique=False)
    op.create_index(
        "ix_flags_state_next", "flags", ["state", "next_action_on", "flag_id"], unique=False
    )
    op.create_index(
        "ix_flags_state_raised", "flags", ["state", "raised_at", "flag_id"], unique=False
    )
    op.create_index("ix_flags_state_rank", "flags", ["state", "rank", "flag_id"], unique=False)
    op.create_index(
        "uq_flags_one_live_a_household",
        "flags",
        ["household_id"],
        unique=True,
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    )
    op.create_table(
        "household_members",
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("person_ref", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("date_of_birth", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["households.household_id"],
            name=op.f("fk_household_members_household_id_households"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("household_id", "position", name=op.f("pk_household_members")),
    )
    op.create_index(
        "ix_household_members_person_ref_source",
        "household_members",
        ["person_ref", "source"],
        unique=False,
    )
    op.create_table(
        "household_references",
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["households.household_id"],
            name=op.f("fk_household_references_household_id_households"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "household_id", "kind", "reference", name=op.f("pk_household_references")
        ),
    )
    op.create_index(
        "ix_household_references_kind_reference",
        "household_references",
        ["kind", "reference"],
        unique=False,
    )
    op.create_table(
        "outbox",
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("webhook_id", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("delivered_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["webhook_id"],
            ["webhooks.webhook_id"],
            name=op.f("fk_outbox_webhook_id_webhooks"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_due_at"), "outbox", ["due_at"], unique=False)
    op.create_table(
        "pilot_arms",
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("run_key", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("arm", sa.String(), nullable=False),
        sa.Column("randomised", sa.Boolean(), nullable=False),
        sa.Column("assigned_at", Instant(), nullable=False),
        sa.Column("released_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_key"], ["scoring_runs.run_key"], name=op.f("fk_pilot_arms_run_key_scoring_runs")
        ),
        sa.PrimaryKeyConstraint("household_id", name=op.f("pk_pilot_arms")),
        sa.UniqueConstraint("household_id", "as_of", name=op.f("uq_pilot_arms_household_id_as_of")),
    )
    op.create_table(
        "score_details",
        sa.Column("run_key", sa.Integer(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_key"],
            ["scoring_runs.run_key"],
            name=op.f("fk_score_details_run_key_scoring_runs"),
        ),
        sa.PrimaryKeyConstraint("run_key", "household_id", name=op.f("pk_score_details")),
    )
    op.create_table(
        "scores",
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("run_key", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("log_odds", sa.Double(), nullable=False),
        sa.Column("base_log_odds", sa.Double(), nullable=False),
        sa.Column("band", sa.String(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_key"], ["scoring_runs.run_key"], name=op.f("fk_scores_run_key_scoring_runs")
        ),
        sa.PrimaryKeyConstraint("household_id", "run_key", name=op.f("pk_scores")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_scores_run_key_rank", "scores", ["run_key", "rank"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("csrf_token", sa.String(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("fk_sessions_account_id_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_account_id"), "sessions", ["account_id"], unique=False)
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], unique=False)
    op.create_table(
        "suppressed_households",
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("suppression_ref", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["suppression_ref"],
            ["suppressions.suppression_ref"],
            name=op.f("fk_suppressed_households_suppression_ref_suppressions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "household_id", "suppression_ref", name=op.f("pk_suppressed_households")
        ),
    )
    op.create_table(
        "alerts",
        sa.Column("alert_id", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reported_by", sa.String(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("arrears_pence", sa.Integer(), nullable=True),
        sa.Column("tenant_name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("postcode", sa.String(), nullable=False),
        sa.Column("uprn", sa.String(), nullable=True),
        sa.Column("tenancy_ref", sa.String(), nullable=True),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=True),
        sa.Column("flag_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["flag_id"], ["flags.flag_id"], name=op.f("fk_alerts_flag_id_flags")
        ),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_alerts")),
    )
    op.create_index(op.f("ix_alerts_household_id"), "alerts", ["household_id"], unique=False)
    op.create_index(op.f("ix_alerts_received_at"), "alerts", ["received_at"], unique=False)
    op.create_index(op.f("ix_alerts_state"), "alerts", ["state"], unique=False)
    op.create_table(
        "assessments",
        sa.Column("assessment_id", sa.String(), nullable=False),
        sa.Column("flag_id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("agrees", sa.Boolean(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("assessed_by", sa.String(), nullable=False),
        sa.Column("assessed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["flag_id"], ["flags.flag_id"], name=op.f("fk_assessments_flag_id_flags")
        ),
        sa.PrimaryKeyConstraint("assessment_id", name=op.f("pk_assessments")),
    )
    op.create_index(op.f("ix_assessments_flag_id"), "assessments", ["flag_id"], unique=False)
    op.create_table(
        "case_outcomes",
        sa.Column("outcome_id", sa.String(), nullable=False),
        sa.Column("flag_id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("helped", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("duty", sa.String(), nullable=False),
        sa.Column("flag_was_useful", sa.Boolean(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["flag_id"], ["flags.flag_id"], name=op.f("fk_case_outcomes_flag_id_flags")
        ),
        sa.PrimaryKeyConstraint("outcome_id", name=op.f("pk_case_outcomes")),
    )
    op.create_index(op.f("ix_case_outcomes_flag_id"), "case_outcomes", ["flag_id"], unique=False)
    op.create_index(
        op.f("ix_case_outcomes_household_id"), "case_outcomes", ["household_id"], unique=False
    )
    op.create_table(
        "contacts",
        sa.Column("contact_id", sa.String(), nullable=False),
        sa.Column("flag_id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("interpreter", sa.Text(), nullable=False),
        sa.Column("adjustments", sa.Text(), nullable=False),
        sa.Column("safe_channel", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["flag_id"], ["flags.flag_id"], name=op.f("fk_contacts_flag_id_flags")
        ),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_contacts")),
    )
    op.create_index(op.f("ix_contacts_flag_id"), "contacts", ["flag_id"], unique=False)
    op.create_index(op.f("ix_contacts_household_id"), "contacts", ["household_id"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.Column("flag_id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("watch_until", sa.Date(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("decided_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["flag_id"], ["flags.flag_id"], name=op.f("fk_decisions_flag_id_flags")
        ),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_decisions")),
    )
    op.create_index(op.f("ix_decisions_decided_at"), "decisions", ["decided_at"], unique=False)
    op.create_index(op.f("ix_decisions_flag_id"), "decisions", ["flag_id"], unique=False)
    op.create_index(op.f("ix_decisions_household_id"), "decisions", ["household_id"], unique=False)
    op.create_table(
        "offers",
        sa.Column("offer_id", sa.String(), nullable=False),
        sa.Column("flag_id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("offered_by", sa.String(), nullable=False),
        sa.Column("offered_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["flag_id"], ["flags.flag_id"], name=op.f("fk_offers_flag_id_flags")
        ),
        sa.PrimaryKeyConstraint("offer_id", name=op.f("pk_offers")),
    )
    op.create_index(op.f("ix_offers_flag_id"), "offers", ["flag_id"], unique=False)
    op.create_index(op.f("ix_offers_household_id"), "offers", ["household_id"], unique=False)
    op.create_table(
        "panel_actions",
        sa.Column("action_id", sa.String(), nullable=False),
        sa.Column("panel_id", sa.String(), nullable=False),
        sa.Column("flag_id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["flag_id"], ["flags.flag_id"], name=op.f("fk_panel_actions_flag_id_flags")
        ),
        sa.ForeignKeyConstraint(
            ["panel_id"], ["panels.panel_id"], name=op.f("fk_panel_actions_panel_id_panels")
        ),
        sa.PrimaryKeyConstraint("action_id", name=op.f("pk_panel_actions")),
    )
    op.create_index(
        op.f("ix_panel_actions_household_id"), "panel_actions", ["household_id"], unique=False
    )
    op.create_index(op.f("ix_panel_actions_panel_id"), "panel_actions", ["panel_id"], unique=False)
    op.create_index(op.f("ix_panel_actions_state"), "panel_actions", ["state"], unique=False)
    op.create_table(
        "panel_items",
        sa.Column("panel_id", sa.String(), nullable=False),
        sa.Column("flag_id", sa.String(), nullable=False),
        sa.Column("household_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("barriers", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["flag_id"], ["flags.flag_id"], name=op.f("fk_panel_items_flag_id_flags")
        ),
        sa.ForeignKeyConstraint(
            ["panel_id"],
            ["panels.panel_id"],
            name=op.f("fk_panel_items_panel_id_panels"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("panel_id", "flag_id", name=op.f("pk_panel_items")),
    )
    op.create_index(
        op.f("ix_panel_items_household_id"), "panel_items", ["household_id"], unique=False
    )
