"""What is held about one household beside what was published: for the household itself."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from earlyflag.core.terms import SuppressionRecord
from earlyflag.store.tables import (
    AlertRow,
    AssessmentRow,
    Base,
    CaseOutcomeRow,
    ContactRow,
    DecisionRow,
    ErasureRow,
    FlagRow,
    LookupRow,
    ObjectionRow,
    OfferRow,
    PanelActionRow,
    PanelItemRow,
    PanelRow,
    PilotArmRow,
    PurposeRow,
    SuppressedHouseholdRow,
    SuppressionRow,
)

HELD: dict[str, type[Base]] = {
    "flags": FlagRow,
    "decision": DecisionRow,
    "assessment": AssessmentRow,
    "offermade": OfferRow,
    "contact": ContactRow,
    "caseoutcome": CaseOutcomeRow,
    "objection": ObjectionRow,
    "alert": AlertRow,
    "panelaction": PanelActionRow,
    "panelitem": PanelItemRow,
    "purpose": PurposeRow,
    "lookup": LookupRow,
    "pilotarm": PilotArmRow,
    "erasure": ErasureRow,
}
"""Each kind of record of casework by the name it has in an answer, and its table."""

PANEL = ("reference", "meeting_on", "expires_on", "recipients", "countersigned_at")
"""What an answer says of a meeting whose list a household stood on: when, and who received it."""


class Holdings:
    """Reads everything that casework holds about a household, row by row."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, household_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return the rows of every kind of record, as they are stored."""
        return {name: self._rows(table, household_id) for name, table in HELD.items()}

    def _rows(self, table: type[Base], household_id: str) -> list[dict[str, Any]]:
        columns = table.__table__.columns
        query = select(*columns)
        if table is PanelItemRow:
            panel = [PanelRow.__table__.columns[name] for name in PANEL]
            query = select(*columns, *panel).join(PanelRow, PanelRow.panel_id == columns.panel_id)
        found = query.where(columns["household_id"] == household_id)
        rows = self._connection.execute(found.order_by(*table.__table__.primary_key))
        return [dict(row._mapping) for row in rows]

    def suppressions(self, household_id: str) -> list[SuppressionRecord]:
        """Return what suppresses a household, did so once, or will."""
        query = (
            select(
                SuppressionRow.suppression_ref,
                SuppressionRow.kind,
                SuppressionRow.valid_from,
                SuppressionRow.valid_to,
                SuppressedHouseholdRow.household_id,
            )
            .join(SuppressedHouseholdRow)
            .where(SuppressedHouseholdRow.household_id == household_id)
            .order_by(SuppressionRow.valid_from, SuppressionRow.suppression_ref)
        )
        return [SuppressionRecord(*row) for row in self._connection.execute(query)]
