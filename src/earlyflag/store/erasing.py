"""Delete what may be kept no longer, and what a household has a right to have erased."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from earlyflag.store.audit import AuditEntry, AuditTrail
from earlyflag.store.flags import unreviewed
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
    LookupRow,
    ObjectionRow,
    OutboxRow,
    PanelActionRow,
    PurposeRow,
    ScoreDetailRow,
    ScoreRow,
    ScoringRunRow,
    SessionRow,
    ThrottleRow,
    TimelineRow,
)
from earlyflag.store.terms import LIVE_STATES, AlertState
from earlyflag.store.writing import insert_once

Step = tuple[str, type[Base], ColumnElement[bool], dict[str, Any] | None]
"""A name for the report, a table, which rows, and what they are set to (None deletes them)."""

_WORDS: dict[type[Base], dict[str, Any]] = {
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
"""The columns of each table that say something of a person, and what erasing sets them to."""

_DELETED: tuple[type[Base], ...] = (
    HouseholdMemberRow,
    HouseholdReferenceRow,
    TimelineRow,
    ScoreDetailRow,
    ScoreRow,
    HouseholdRow,
)


REMEMBERED = "pseudonym remembered, so that it does not come back"
"""How reports name the one row that erasing adds."""


def erased(connection: Connection, household_ids: Collection[str]) -> frozenset[str]:
    """Return which of some households were erased."""
    known = set(connection.scalars(select(ErasureRow.household_id)))
    return frozenset(known.intersection(household_ids))


class Erasing:
    """Deletes and blanks; counts first when asked for a dry run."""

    def __init__(self, connection: Connection, audit: AuditTrail) -> None:
        self._connection = connection
        self._audit = audit

    def household(self, household_id: str, *, dry_run: bool, audit: AuditEntry) -> dict[str, int]:
        """Erase a household: its records go, its case keeps codes and dates under the pseudonym.

        The pseudonym is remembered, so that later deliveries do not bring the household back.
        """
        steps: list[Step] = [
            (table.__tablename__, table, _of(table, household_id), None) for table in _DELETED
        ]
        steps += [
            (table.__tablename__, table, _of(table, household_id), blanks)
            for table, blanks in _WORDS.items()
        ]
        counts = self._carry_out(steps, dry_run)
        if not dry_run:
            row = {"household_id": household_id, "erased_at": audit.at}
            insert_once(self._connection, ErasureRow, row)
        self._audit.append(audit)
        return {**counts, REMEMBERED: 1}

    def is_erased(self, household_id: str) -> bool:
        """Answer whether a household was erased."""
        return household_id in erased(self._connection, [household_id])

    def forget(self, household_id: str, audit: AuditEntry) -> bool:
        """Let a household come with the next delivery again; False where it was not erased."""
        condition = ErasureRow.household_id == household_id
        gone = self._connection.execute(delete(ErasureRow).where(condition)).rowcount > 0
        self._audit.append(audit)
        return gone

    def expired(
        self,
        *,
        scores_before: date,
        flags_before: datetime,
        access_before: datetime,
        now: datetime,
        short_before: datetime,
        dry_run: bool,
        audit: AuditEntry,
    ) -> dict[str, int]:
        """Delete what is older than its limit; return how many rows of each table.

        Parameters
        ----------
        scores_before : day before which scores, and households known no later, go
        flags_before : instant before which alerts that matched nobody go
        access_before : instant before which stated purposes and look-up counts go
        short_before : instant before which kept answers, throttles and messages go
        """
        live = select(FlagRow.household_id).where(
            FlagRow.state.in_(LIVE_STATES), ~unreviewed(flags_before)
        )
        old = select(HouseholdRow.household_id).where(
            HouseholdRow.as_of < scores_before, HouseholdRow.household_id.not_in(live)
        )
        unmatched = (AlertRow.state != AlertState.MATCHED) & (AlertRow.received_at < flags_before)
        steps: list[Step] = [
            ("timelines", TimelineRow, TimelineRow.household_id.in_(old), None),
            ("score_details", ScoreDetailRow, _detail_before(scores_before), None),
            ("scores", ScoreRow, ScoreRow.as_of < scores_before, None),
            (
                "household_members",
                HouseholdMemberRow,
                HouseholdMemberRow.household_id.in_(old),
                None,
            ),
            (
                "household_references",
                HouseholdReferenceRow,
                HouseholdReferenceRow.household_id.in_(old),
                None,
            ),
            ("households", HouseholdRow, HouseholdRow.household_id.in_(old), None),
            ("alerts", AlertRow, unmatched, None),
            ("purposes", PurposeRow, PurposeRow.stated_at < access_before, None),
            ("lookups", LookupRow, LookupRow.day < access_before.date(), None),
            ("sessions", SessionRow, SessionRow.expires_at < now, None),
            ("idempotency_keys", IdempotencyRow, IdempotencyRow.created_at < short_before, None),
            ("throttles", ThrottleRow, ThrottleRow.changed_at < short_before, None),
            ("outbox", OutboxRow, OutboxRow.created_at < short_before, None),
        ]
        self._audit.append(audit)
        return self._carry_out(steps, dry_run)

    def _carry_out(self, steps: Iterable[Step], dry_run: bool) -> dict[str, int]:
        counts: dict[str, int] = {}
        for name, table, condition, blanks in steps:
            if dry_run:
                query = select(func.count()).select_from(table).where(condition)
                counts[name] = self._connection.scalar(query) or 0
            elif blanks is None:
                counts[name] = self._connection.execute(delete(table).where(condition)).rowcount
            else:
                statement = update(table).where(condition).values(**blanks)
                counts[name] = self._connection.execute(statement).rowcount
        return counts


def _of(table: type[Base], household_id: str) -> ColumnElement[bool]:
    return table.__table__.columns["household_id"] == household_id


def _detail_before(day: date) -> ColumnElement[bool]:
    runs = select(ScoringRunRow.run_key).where(ScoringRunRow.as_of < day)
    return ScoreDetailRow.run_key.in_(runs)
