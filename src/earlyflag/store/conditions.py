"""Conditions that several repositories ask for."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BindParameter, ColumnElement, or_

from earlyflag.store.tables import SuppressionRow


def active_on(day: date | BindParameter[date]) -> ColumnElement[bool]:
    """Return the condition that a suppression holds on a day."""
    return (SuppressionRow.valid_from <= day) & or_(
        SuppressionRow.valid_to.is_(None), SuppressionRow.valid_to > day
    )
