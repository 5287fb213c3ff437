"""The case life: flags and what people do with them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from earlyflag.store.tables.base import Base
from earlyflag.store.terms import LIVE_STATES, FlagState

_LIVE = text("state IN (" + ", ".join(f"'{state}'" for state in LIVE_STATES) + ")")
_STATES = "state IN (" + ", ".join(f"'{state}'" for state in FlagState) + ")"


class FlagRow(Base):
    """A household that somebody should look at: a piece of work. One live flag a household."""

    __tablename__ = "flags"

    flag_id: Mapped[str] = mapped_column(primary_key=True)
    household_id: Mapped[str]
    run_key: Mapped[int | None] = mapped_column(ForeignKey("scoring_runs.run_key"))
    as_of: Mapped[date]
    origin: Mapped[str]
    state: Mapped[str]
    version: Mapped[int]
    rank: Mapped[int]
    probability: Mapped[float | None]
    band: Mapped[str]
    first_reason: Mapped[str]
    second_reason: Mapped[str]
    ward_code: Mapped[str | None]
    tenure: Mapped[str]
    safe_contact: Mapped[bool]
    without_collection: Mapped[bool]
    assignee_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.account_id"))
    raised_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    last_action: Mapped[str]
    next_action: Mapped[str]
    next_action_on: Mapped[date]
    paused_until: Mapped[date | None]
    pause_reason: Mapped[str | None] = mapped_column(Text)
    decision_code: Mapped[str | None]
    decided_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(_STATES, name="state_is_known"),
        Index(
            "uq_flags_one_live_a_household",
            "household_id",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        Index("ix_flags_household_id", "household_id"),
        Index("ix_flags_state_rank", "state", "rank", "flag_id"),
        Index("ix_flags_state_raised", "state", "raised_at", "flag_id"),
        Index("ix_flags_state_next", "state", "next_action_on", "flag_id"),
        Index("ix_flags_assignee_state_rank", "assignee_id", "state", "rank", "flag_id"),
        Index("ix_flags_run_key", "run_key"),
        Index(
            "ix_flags_tally",
            "state",
            "ward_code",
            "tenure",
            "safe_contact",
            "household_id",
            "assignee_id",
        ),
    )


class DecisionRow(Base):
    """What somebody decided about a flag, with the reason in words."""

    __tablename__ = "decisions"

    decision_id: Mapped[str] = mapped_column(primary_key=True)
    flag_id: Mapped[str] = mapped_column(ForeignKey("flags.flag_id"), index=True)
    household_id: Mapped[str] = mapped_column(index=True)
    code: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    watch_until: Mapped[date | None]
    decided_by: Mapped[str]
    decided_at: Mapped[datetime] = mapped_column(index=True)


class AssessmentRow(Base):
    """Whether a reviewer agrees with a flag, and why; for the analysts."""

    __tablename__ = "assessments"

    assessment_id: Mapped[str] = mapped_column(primary_key=True)
    flag_id: Mapped[str] = mapped_column(ForeignKey("flags.flag_id"), index=True)
    household_id: Mapped[str]
    agrees: Mapped[bool]
    why: Mapped[str]
    note: Mapped[str] = mapped_column(Text)
    assessed_by: Mapped[str]
    assessed_at: Mapped[datetime]


class OfferRow(Base):
    """One kind of help offered to a household, and how far it has come."""

    __tablename__ = "offers"

    offer_id: Mapped[str] = mapped_column(primary_key=True)
    flag_id: Mapped[str] = mapped_column(ForeignKey("flags.flag_id"), index=True)
    household_id: Mapped[str] = mapped_column(index=True)
    code: Mapped[str]
    state: Mapped[str]
    offered_by: Mapped[str]
    offered_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class ContactRow(Base):
    """One attempt to reach a household."""

    __tablename__ = "contacts"

    contact_id: Mapped[str] = mapped_column(primary_key=True)
    flag_id: Mapped[str] = mapped_column(ForeignKey("flags.flag_id"), index=True)
    household_id: Mapped[str] = mapped_column(index=True)
    happened_on: Mapped[date]
    channel: Mapped[str]
    result: Mapped[str]
    interpreter: Mapped[str] = mapped_column(Text)
    adjustments: Mapped[str] = mapped_column(Text)
    safe_channel: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]


class CaseOutcomeRow(Base):
    """Where a household stood when the work ended, and whether the flag helped."""

    __tablename__ = "case_outcomes"

    outcome_id: Mapped[str] = mapped_column(primary_key=True)
    flag_id: Mapped[str] = mapped_column(ForeignKey("flags.flag_id"), index=True)
    household_id: Mapped[str] = mapped_column(index=True)
    helped: Mapped[str]
    outcome: Mapped[str]
    duty: Mapped[str]
    flag_was_useful: Mapped[bool | None]
    note: Mapped[str] = mapped_column(Text)
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]


class ObjectionRow(Base):
    """A household contests its flag or objects to being flagged at all."""

    __tablename__ = "objections"

    objection_id: Mapped[str] = mapped_column(primary_key=True)
    household_id: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(index=True)
    statement: Mapped[str] = mapped_column(Text)
    suppression_ref: Mapped[str | None]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]
    answer: Mapped[str] = mapped_column(Text)
    answered_by: Mapped[str | None]
    answered_at: Mapped[datetime | None]


class AlertRow(Base):
    """An early alert: somebody outside says that a tenant is struggling."""

    __tablename__ = "alerts"

    alert_id: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    state: Mapped[str] = mapped_column(index=True)
    reported_by: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(index=True)
    happened_on: Mapped[date]
    arrears_pence: Mapped[int | None]
    tenant_name: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    postcode: Mapped[str]
    uprn: Mapped[str | None]
    tenancy_ref: Mapped[str | None]
    statement: Mapped[str] = mapped_column(Text)
    household_id: Mapped[str | None] = mapped_column(index=True)
    flag_id: Mapped[str | None] = mapped_column(ForeignKey("flags.flag_id"))
