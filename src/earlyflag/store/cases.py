"""What people did with flags: decisions, assessments, offers, contacts, outcomes, objections."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Select, bindparam, func, insert, select, update

from earlyflag.core.errors import NotFound
from earlyflag.store.audit import AuditEntry, AuditTrail
from earlyflag.store.records import (
    Alert,
    Assessment,
    CaseOutcome,
    Contact,
    Decision,
    Objection,
    OfferMade,
    columns,
    read,
)
from earlyflag.store.tables import (
    AlertRow,
    AssessmentRow,
    Base,
    CaseOutcomeRow,
    ContactRow,
    DecisionRow,
    ObjectionRow,
    OfferRow,
)
from earlyflag.store.terms import AlertState, ObjectionState, OfferState

CaseT = TypeVar("CaseT")
TABLES: dict[type[Any], tuple[type[Base], str]] = {
    Decision: (DecisionRow, "decided_at"),
    Assessment: (AssessmentRow, "assessed_at"),
    OfferMade: (OfferRow, "offered_at"),
    Contact: (ContactRow, "recorded_at"),
    CaseOutcome: (CaseOutcomeRow, "recorded_at"),
    Objection: (ObjectionRow, "recorded_at"),
    Alert: (AlertRow, "received_at"),
}
"""Each record of the case life, its table and the column it is ordered by."""


@cache
def _newest_where(kind: type[Any], column: str) -> Select[*tuple[Any, ...]]:
    """Return the query of records with a value in a column; built once, since pages run many."""
    table, order = TABLES[kind]
    found = table.__table__.columns
    query: Select[*tuple[Any, ...]] = select(*found)
    return query.where(found[column] == bindparam("value")).order_by(found[order].desc())


class Cases:
    """Adds to the case life and reads it back."""

    def __init__(self, connection: Connection, audit: AuditTrail) -> None:
        self._connection = connection
        self._audit = audit

    def add(self, record: object, audit: AuditEntry) -> None:
        """Write one record of the case life."""
        table, _ = TABLES[type(record)]
        self._connection.execute(insert(table).values(**columns(record)))
        self._audit.append(audit)

    def of_flag(self, kind: type[CaseT], flag_id: str) -> list[CaseT]:
        """Return a flag's records of one kind, newest first."""
        return self._where(kind, "flag_id", flag_id)

    def of_household(self, kind: type[CaseT], household_id: str) -> list[CaseT]:
        """Return a household's records of one kind, newest first."""
        return self._where(kind, "household_id", household_id)

    def since(self, kind: type[CaseT], instant: datetime) -> list[CaseT]:
        """Return the records of one kind written since an instant, newest first."""
        table, order = TABLES[kind]
        columns_ = table.__table__.columns
        query = select(*columns_).where(columns_[order] >= instant)
        rows = self._connection.execute(query.order_by(columns_[order].desc()))
        return [read(kind, row) for row in rows]

    def _where(self, kind: type[CaseT], column: str, value: str) -> list[CaseT]:
        rows = self._connection.execute(_newest_where(cast(Any, kind), column), {"value": value})
        return [read(kind, row) for row in rows]

    def households_decided_since(self, instant: datetime) -> set[str]:
        """Return the households somebody has decided about since an instant."""
        query = select(DecisionRow.household_id).where(DecisionRow.decided_at >= instant)
        return set(self._connection.scalars(query))

    def change_offer(
        self, offer_id: str, state: OfferState, *, now: datetime, audit: AuditEntry
    ) -> None:
        """Say how far an offer has come."""
        statement = update(OfferRow).where(OfferRow.offer_id == offer_id)
        done = self._connection.execute(statement.values(state=state, changed_at=now))
        if done.rowcount == 0:
            raise NotFound("No offer has this reference. Open the flag again.")
        self._audit.append(audit)

    def offer(self, offer_id: str) -> OfferMade:
        """Return an offer.

        Raises
        ------
        NotFound
            No offer has this reference.
        """
        return self._one(OfferMade, "offer_id", offer_id)

    def objection(self, objection_id: str) -> Objection:
        """Return an objection.

        Raises
        ------
        NotFound
            No objection has this reference.
        """
        return self._one(Objection, "objection_id", objection_id)

    def alert(self, alert_id: str) -> Alert:
        """Return an early alert.

        Raises
        ------
        NotFound
            No alert has this reference.
        """
        return self._one(Alert, "alert_id", alert_id)

    def _one(self, kind: type[CaseT], column: str, value: str) -> CaseT:
        found = self._where(kind, column, value)
        if not found:
            raise NotFound(
                "Nothing has this reference. Go back to the list and open it from there."
            )
        return found[0]

    def objections(self, state: ObjectionState) -> list[Objection]:
        """Return the objections in a state, newest first."""
        return self._where(Objection, "state", state)

    def alerts(self, state: AlertState) -> list[Alert]:
        """Return the early alerts in a state, newest first."""
        return self._where(Alert, "state", state)

    def all_alerts(self, households: Sequence[str] | None = None) -> list[Alert]:
        """Return every early alert, oldest first, of some households or of all."""
        query = select(*AlertRow.__table__.columns).order_by(AlertRow.received_at)
        if households is not None:
            query = query.where(AlertRow.household_id.in_(list(households)))
        return [read(Alert, row) for row in self._connection.execute(query)]

    def answer_objection(
        self,
        objection_id: str,
        state: ObjectionState,
        answer: str,
        *,
        by: str,
        now: datetime,
        audit: AuditEntry,
    ) -> None:
        """Write the answer to an objection."""
        statement = update(ObjectionRow).where(ObjectionRow.objection_id == objection_id)
        self._connection.execute(
            statement.values(state=state, answer=answer, answered_by=by, answered_at=now)
        )
        self._audit.append(audit)

    def resolve_alert(
        self,
        alert_id: str,
        state: AlertState,
        household_id: str | None,
        flag_id: str | None,
        audit: AuditEntry,
    ) -> None:
        """Write what became of an alert."""
        statement = update(AlertRow).where(AlertRow.alert_id == alert_id)
        self._connection.execute(
            statement.values(state=state, household_id=household_id, flag_id=flag_id)
        )
        self._audit.append(audit)

    def tally(self, kind: type[Any], column: str) -> dict[str, int]:
        """Return how many records of a kind have each value of a column."""
        table, _ = TABLES[kind]
        counted = table.__table__.columns[column]
        query = select(counted, func.count()).group_by(counted)
        return {str(value): count for value, count in self._connection.execute(query)}
