"""The audit: a chain of rows that only grows, its head, and the checkpoints that end a stretch."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from earlyflag.store.tables.base import Base


class AuditRow(Base):
    """One read or change: who, what, whom, when, why. Households by pseudonym only."""

    __tablename__ = "audit"

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor_id: Mapped[str]
    actor_kind: Mapped[str]
    roles: Mapped[str]
    action: Mapped[str]
    household_id: Mapped[str | None]
    subject: Mapped[str | None]
    purpose: Mapped[str | None]
    correlation_id: Mapped[str]
    detail: Mapped[str] = mapped_column(Text)
    previous_hash: Mapped[str]
    hash: Mapped[str]

    __table_args__ = (
        Index("ix_audit_household", "household_id", "sequence"),
        Index("ix_audit_actor", "actor_id", "sequence"),
        Index("ix_audit_at", "at"),
    )


class AuditHeadRow(Base):
    """The newest row's number and hash: one row, locked by each writer in turn."""

    __tablename__ = "audit_head"

    head_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sequence: Mapped[int]
    hash: Mapped[str]

    __table_args__ = (CheckConstraint("head_id = 1", name="one_row"),)


class AuditCheckpointRow(Base):
    """The signed end of a stretch: rows up to `through_sequence` may be deleted."""

    __tablename__ = "audit_checkpoints"

    through_sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    through_hash: Mapped[str]
    rows: Mapped[int]
    signed_at: Mapped[datetime]
    public_key: Mapped[str]
    signature: Mapped[str]
