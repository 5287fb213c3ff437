"""Conditions that several repositories ask for."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BindParameter, ColumnElement, Select, and_, or_, select

from earlyflag.store.tables import SuppressedHouseholdRow, SuppressionRow
from earlyflag.store.terms import SuppressionKind


def active_on(day: date | BindParameter[date]) -> ColumnElement[bool]:
    """Return the condition that a suppression holds on a day."""
    return (SuppressionRow.valid_from <= day) & or_(
        SuppressionRow.valid_to.is_(None), SuppressionRow.valid_to > day
    )


def needing_safe_contact(day: date) -> Select[str]:
    """Return the query for the households that need safe contact on a day."""
    return suppressed_where(
        and_(active_on(day), SuppressionRow.kind == SuppressionKind.SAFE_CONTACT)
    )


def suppressed_where(condition: ColumnElement[bool]) -> Select[str]:
    """Return the query for the households that suppressions of some sort cover."""
    return (
        select(SuppressedHouseholdRow.household_id)
        .join(
            SuppressionRow,
            SuppressionRow.suppression_ref == SuppressedHouseholdRow.suppression_ref,
        )
        .where(condition)
    )
