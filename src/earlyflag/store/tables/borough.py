"""What the pipeline publishes: runs, scores, households, timelines, suppressions, documents."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from earlyflag.store.tables.base import Base


class ScoringRunRow(Base):
    """One run of a model over the borough. A published run is never changed."""

    __tablename__ = "scoring_runs"

    run_key: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(unique=True)
    as_of: Mapped[date] = mapped_column(index=True)
    model_version: Mapped[str]
    model: Mapped[dict[str, Any]]
    data_hash: Mapped[str]
    capacity: Mapped[int]
    scored: Mapped[int]
    cannot_score: Mapped[dict[str, int]]
    withheld: Mapped[int] = mapped_column(server_default="0")
    published_at: Mapped[datetime | None]


class ScoreRow(Base):
    """One household's score in one run, narrow so that history and ranks are read fast."""

    __tablename__ = "scores"

    household_id: Mapped[str] = mapped_column(primary_key=True)
    run_key: Mapped[int] = mapped_column(ForeignKey("scoring_runs.run_key"), primary_key=True)
    as_of: Mapped[date]
    probability: Mapped[float]
    log_odds: Mapped[float]
    base_log_odds: Mapped[float]
    band: Mapped[str]
    rank: Mapped[int]

    __table_args__ = (
        Index("ix_scores_run_key_rank", "run_key", "rank"),
        {"sqlite_with_rowid": False},
    )


class ScoreDetailRow(Base):
    """Reasons, unknowns and changes of one score, as one JSON text (`store.encoding`)."""

    __tablename__ = "score_details"

    run_key: Mapped[int] = mapped_column(ForeignKey("scoring_runs.run_key"), primary_key=True)
    household_id: Mapped[str] = mapped_column(primary_key=True)
    detail: Mapped[str] = mapped_column(Text)


class ErasureRow(Base):
    """A household that was erased: its pseudonym and the day, so that it does not come back."""

    __tablename__ = "erasures"

    household_id: Mapped[str] = mapped_column(primary_key=True)
    erased_at: Mapped[datetime]


class HouseholdRow(Base):
    """Who and where a household is: with `household_members`, the only names and addresses."""

    __tablename__ = "households"

    household_id: Mapped[str] = mapped_column(primary_key=True)
    as_of: Mapped[date]
    uprn: Mapped[str | None]
    address: Mapped[str]
    postcode: Mapped[str | None]
    postcode_key: Mapped[str | None] = mapped_column(index=True)
    ward_code: Mapped[str | None]
    tenure: Mapped[str]
    account_refs: Mapped[list[str]]
    tenancy_refs: Mapped[list[str]]

    __table_args__ = (Index("ix_households_as_of", "as_of"),)


class HouseholdMemberRow(Base):
    """One person of a household, as known at the household's `as_of`."""

    __tablename__ = "household_members"

    household_id: Mapped[str] = mapped_column(
        ForeignKey("households.household_id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    person_ref: Mapped[str]
    name: Mapped[str]
    name_key: Mapped[str]
    role: Mapped[str]
    date_of_birth: Mapped[date | None]

    __table_args__ = (Index("ix_household_members_person_ref_source", "person_ref", "source"),)


class HouseholdReferenceRow(Base):
    """One reference by which a household is looked up: `uprn`, `account` or `tenancy`."""

    __tablename__ = "household_references"

    household_id: Mapped[str] = mapped_column(
        ForeignKey("households.household_id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(primary_key=True)

    __table_args__ = (Index("ix_household_references_kind_reference", "kind", "reference"),)


class TimelineRow(Base):
    """A household's timeline from the source systems, as one JSON text."""

    __tablename__ = "timelines"

    household_id: Mapped[str] = mapped_column(primary_key=True)
    events: Mapped[str] = mapped_column(Text)


class SuppressionRow(Base):
    """Why a household, person or address is left out; from a source system or from casework."""

    __tablename__ = "suppressions"

    suppression_ref: Mapped[str] = mapped_column(primary_key=True)
    origin: Mapped[str]
    kind: Mapped[str]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    uprn: Mapped[str | None]
    source: Mapped[str | None]
    person_ref: Mapped[str | None]
    recorded_by: Mapped[str | None]
    recorded_at: Mapped[datetime]


class SuppressedHouseholdRow(Base):
    """A suppression resolved to a household that it covers."""

    __tablename__ = "suppressed_households"

    household_id: Mapped[str] = mapped_column(primary_key=True)
    suppression_ref: Mapped[str] = mapped_column(
        ForeignKey("suppressions.suppression_ref", ondelete="CASCADE"), primary_key=True
    )


class DocumentRow(Base):
    """A read model for a page: capacity, pilot, monitoring, model card, catalogue."""

    __tablename__ = "documents"

    kind: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    published_at: Mapped[datetime]
    content: Mapped[dict[str, Any]]


class RaisingRow(Base):
    """One raising of flags from a run: its settings and what was left out, counted."""

    __tablename__ = "flag_raisings"

    run_key: Mapped[int] = mapped_column(ForeignKey("scoring_runs.run_key"), primary_key=True)
    raised_at: Mapped[datetime]
    summary: Mapped[dict[str, Any]]


class PilotArmRow(Base):
    """The arm that a household was put in, once and for good."""

    __tablename__ = "pilot_arms"

    household_id: Mapped[str] = mapped_column(primary_key=True)
    run_key: Mapped[int] = mapped_column(ForeignKey("scoring_runs.run_key"))
    as_of: Mapped[date]
    arm: Mapped[str]
    randomised: Mapped[bool]
    assigned_at: Mapped[datetime]
    released_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("household_id", "as_of"),)
