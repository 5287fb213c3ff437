"""Erase what a household has a right to have erased, and remember that it was."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select, update

from earlyflag.store.audit import AuditEntry, AuditTrail
from earlyflag.store.tables import (
    AlertRow,
    AssessmentRow,
    Base,
    CaseOutcomeRow,
    ContactRow,
    DecisionRow,
    ErasureRow,
    FlagRow,
    HouseholdMemberRow,
    HouseholdReferenceRow,
    HouseholdRow,
    IdempotencyRow,
    ObjectionRow,
    OfferRow,
    OutboxRow,
    PanelActionRow,
    PanelItemRow,
    PilotArmRow,
    PurposeRow,
    ScoreDetailRow,
    ScoreRow,
    TimelineRow,
)
from earlyflag.store.writing import insert_once

WORDS: dict[type[Base], dict[str, Any]] = {
    DecisionRow: {"reason": ""},
    AssessmentRow: {"note": ""},
    ContactRow: {"interpreter": "", "adjustments": "", "safe_channel": "", "note": ""},
    CaseOutcomeRow: {"note": ""},
    ObjectionRow: {"statement": "", "answer": ""},
    PanelActionRow: {"owner": "", "what": ""},
    PurposeRow: {"note": "", "finding": None},
    AlertRow: {
        "tenant_name": "",
        "address": "",
        "postcode": "",
        "uprn": None,
        "tenancy_ref": None,
        "statement": "",
        "arrears_pence": None,
    },
    FlagRow: {"first_reason": "", "second_reason": "", "pause_reason": None, "probability": None},
}
"""The columns of each table that say something of a person, and what they are blanked with."""

DELETED: tuple[type[Base], ...] = (
    HouseholdMemberRow,
    HouseholdReferenceRow,
    TimelineRow,
    ScoreDetailRow,
    ScoreRow,
    HouseholdRow,
)
"""The tables whose rows of a household go when it is erased."""

_CODES: tuple[type[Base], ...] = (OfferRow, PanelItemRow, PilotArmRow)
"""Tables that hold nothing but codes and dates of a case; erasing leaves them."""

UNMATCHED = "alerts that matched nobody"
REMEMBERED = "pseudonym remembered, so that it does not come back"
"""How reports name alerts of no household, and the one row that erasing adds."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: which rows of a table, and what they are set to (None deletes them)."""

    name: str
    table: type[Base]
    condition: ColumnElement[bool]
    blanks: dict[str, Any] | None = None


def carry_out(connection: Connection, steps: Iterable[Step], *, dry_run: bool) -> dict[str, int]:
    """Do the steps in order, or count what they would do; return how many rows by name."""
    counts: dict[str, int] = {}
    for step in steps:
        if dry_run:
            counts[step.name] = count_rows(connection, step.table, step.condition)
        elif step.blanks is None:
            done = connection.execute(delete(step.table).where(step.condition))
            counts[step.name] = done.rowcount
        else:
            statement = update(step.table).where(step.condition).values(**step.blanks)
            counts[step.name] = connection.execute(statement).rowcount
    return counts


def count_rows(connection: Connection, table: type[Base], condition: ColumnElement[bool]) -> int:
    """Return how many rows of a table meet a condition."""
    query = select(func.count()).select_from(table).where(condition)
    return connection.scalar(query) or 0


def erased(connection: Connection, household_ids: Collection[str]) -> frozenset[str]:
    """Return which of some households were erased."""
    known = set(connection.scalars(select(ErasureRow.household_id)))
    return frozenset(known.intersection(household_ids))


class Erasing:
    """Erases households; counts first when asked for a dry run."""

    def __init__(self, connection: Connection, audit: AuditTrail) -> None:
        self._connection = connection
        self._audit = audit

    def household(
        self, household_id: str, *, alert_ids: Collection[str], dry_run: bool, audit: AuditEntry
    ) -> dict[str, int]:
        """Erase a household: its records go, its case keeps codes and dates under the pseudonym.

        Messages to case systems and kept answers that name it go at once too. The pseudonym is
        remembered, so that later deliveries do not bring the household back.

        Parameters
        ----------
        alert_ids : alerts about the household that were never matched to it
        """
        names = self._names(household_id)
        steps = [Step(table.__tablename__, table, _of(table, household_id)) for table in DELETED]
        for table, blanks in WORDS.items():
            steps.append(Step(table.__tablename__, table, _of(table, household_id), blanks))
        steps += [
            Step(UNMATCHED, AlertRow, AlertRow.alert_id.in_(list(alert_ids))),
            Step("outbox", OutboxRow, _says(OutboxRow.body, names)),
            Step("idempotency_keys", IdempotencyRow, _says(IdempotencyRow.body, names)),
        ]
        counts = carry_out(self._connection, steps, dry_run=dry_run)
        if not dry_run:
            row = {"household_id": household_id, "erased_at": audit.at}
            insert_once(self._connection, ErasureRow, row)
        self._audit.append(audit)
        return {**counts, REMEMBERED: 1}

    def _names(self, household_id: str) -> list[str]:
        """Return the pseudonym and the references of the household's flags."""
        flags = select(FlagRow.flag_id).where(FlagRow.household_id == household_id)
        return [household_id, *self._connection.scalars(flags)]

    def is_erased(self, household_id: str) -> bool:
        """Answer whether a household was erased."""
        return household_id in erased(self._connection, [household_id])

    def is_held(self, household_id: str) -> bool:
        """Answer whether anything is held under a pseudonym, be it codes of a case alone."""
        tables: tuple[type[Base], ...] = (*DELETED, *WORDS, *_CODES)
        return any(
            count_rows(self._connection, table, _of(table, household_id)) for table in tables
        )

    def forget(self, household_id: str, audit: AuditEntry) -> bool:
        """Let a household come with the next delivery again; False where it was not erased."""
        condition = ErasureRow.household_id == household_id
        gone = self._connection.execute(delete(ErasureRow).where(condition)).rowcount > 0
        self._audit.append(audit)
        return gone


def _of(table: type[Base], household_id: str) -> ColumnElement[bool]:
    return table.__table__.columns["household_id"] == household_id


def _says(body: Any, names: Collection[str]) -> ColumnElement[bool]:
    """Return the condition that a JSON text holds one of some references as a whole value."""
    return or_(*(body.contains(f'"{name}"', autoescape=True) for name in names))
