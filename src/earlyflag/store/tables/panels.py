"""Lists for multi-agency meetings, what was agreed there, and exports."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from earlyflag.store.tables.base import Base


class PanelRow(Base):
    """One meeting's list: who receives it, its reference and when it expires."""

    __tablename__ = "panels"

    panel_id: Mapped[str] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    meeting_on: Mapped[date]
    expires_on: Mapped[date]
    recipients: Mapped[list[str]]
    state: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    countersigned_by: Mapped[str | None]
    countersigned_at: Mapped[datetime | None]


class PanelItemRow(Base):
    """One household on a meeting's list, and what stands in its way."""

    __tablename__ = "panel_items"

    panel_id: Mapped[str] = mapped_column(
        ForeignKey("panels.panel_id", ondelete="CASCADE"), primary_key=True
    )
    flag_id: Mapped[str] = mapped_column(ForeignKey("flags.flag_id"), primary_key=True)
    household_id: Mapped[str] = mapped_column(index=True)
    position: Mapped[int]
    barriers: Mapped[list[str]]


class PanelActionRow(Base):
    """An action agreed in a meeting: agency, owner and date; carried until it is done."""

    __tablename__ = "panel_actions"

    action_id: Mapped[str] = mapped_column(primary_key=True)
    panel_id: Mapped[str] = mapped_column(ForeignKey("panels.panel_id"), index=True)
    flag_id: Mapped[str] = mapped_column(ForeignKey("flags.flag_id"))
    household_id: Mapped[str] = mapped_column(index=True)
    agency: Mapped[str]
    owner: Mapped[str]
    due_on: Mapped[date]
    what: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(index=True)
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
