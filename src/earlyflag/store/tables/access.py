"""Who may come in: accounts, sessions, machine keys, purposes of look-ups, throttles."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from earlyflag.store.tables.base import Base


class AccountRow(Base):
    """A person of the council who may sign in."""

    __tablename__ = "accounts"

    account_id: Mapped[str] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    display_name: Mapped[str]
    password_hash: Mapped[str | None]
    subject: Mapped[str | None] = mapped_column(unique=True)
    roles: Mapped[list[str]]
    permissions: Mapped[list[str]]
    is_active: Mapped[bool]
    is_demo: Mapped[bool]
    created_at: Mapped[datetime]
    password_changed_at: Mapped[datetime | None]


class SessionRow(Base):
    """A signed-in browser; the token itself is never stored, only its hash."""

    __tablename__ = "sessions"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.account_id", ondelete="CASCADE"), index=True
    )
    csrf_token: Mapped[str]
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ThrottleRow(Base):
    """Failed sign-ins in a row, by a key (a hash of a username or an address)."""

    __tablename__ = "throttles"

    key: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    locked_until: Mapped[datetime | None]
    changed_at: Mapped[datetime] = mapped_column(index=True)


class MachineKeyRow(Base):
    """A machine's key: hashed, scoped, expiring, with look-up limits of its own."""

    __tablename__ = "machine_keys"

    key_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    key_hash: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str]]
    alert_source: Mapped[str | None]
    lookups_alert_at: Mapped[int]
    lookups_stop_at: Mapped[int]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class PurposeRow(Base):
    """Why somebody may open a household outside their own work, until midnight in London."""

    __tablename__ = "purposes"

    purpose_id: Mapped[str] = mapped_column(primary_key=True)
    actor_id: Mapped[str]
    household_id: Mapped[str] = mapped_column(index=True)
    purpose: Mapped[str]
    note: Mapped[str] = mapped_column(Text)
    stated_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]
    reviewed_by: Mapped[str | None]
    reviewed_at: Mapped[datetime | None]
    finding: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (Index("ix_purposes_actor_household", "actor_id", "household_id"),)


class LookupRow(Base):
    """One household outside somebody's own work, opened on one day."""

    __tablename__ = "lookups"

    actor_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    household_id: Mapped[str] = mapped_column(primary_key=True)


class IdempotencyRow(Base):
    """What was answered to a request that may come twice."""

    __tablename__ = "idempotency_keys"

    actor_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    status: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(index=True)


class WebhookRow(Base):
    """A case system that wants to hear of changes; its secret signs what is sent."""

    __tablename__ = "webhooks"

    webhook_id: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str]
    secret: Mapped[str]
    events: Mapped[list[str]]
    is_active: Mapped[bool]
    created_by: Mapped[str]
    created_at: Mapped[datetime]


class OutboxRow(Base):
    """One message to one case system, kept until it is delivered."""

    __tablename__ = "outbox"

    message_id: Mapped[str] = mapped_column(primary_key=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.webhook_id", ondelete="CASCADE"))
    event: Mapped[str]
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    attempts: Mapped[int]
    due_at: Mapped[datetime] = mapped_column(index=True)
    delivered_at: Mapped[datetime | None]
