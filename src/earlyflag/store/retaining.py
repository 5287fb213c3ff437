"""Delete or blank what may be kept no longer, save what a legal hold keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select

from earlyflag.store.audit import AuditEntry, AuditTrail
from earlyflag.store.conditions import active_on
from earlyflag.store.erasing import WORDS, Step, carry_out, count_rows
from earlyflag.store.flags import unreviewed
from earlyflag.store.suppressing import CASEWORK
from earlyflag.store.tables import (
    AlertRow,
    AssessmentRow,
    Base,
    CaseOutcomeRow,
    ContactRow,
    DecisionRow,
    FlagRow,
    HouseholdMemberRow,
    HouseholdReferenceRow,
    HouseholdRow,
    IdempotencyRow,
    LookupRow,
    ObjectionRow,
    OfferRow,
    OutboxRow,
    PanelActionRow,
    PanelItemRow,
    PanelRow,
    PilotArmRow,
    PurposeRow,
    ScoreDetailRow,
    ScoreRow,
    ScoringRunRow,
    SessionRow,
    SuppressedHouseholdRow,
    SuppressionRow,
    ThrottleRow,
    TimelineRow,
)
from earlyflag.store.terms import LIVE_STATES, AlertState, ObjectionState, SuppressionKind

_OF_A_FLAG: tuple[type[Base], ...] = (
    DecisionRow,
    AssessmentRow,
    OfferRow,
    ContactRow,
    CaseOutcomeRow,
    PanelActionRow,
    PanelItemRow,
)
"""The tables whose rows live as long as their flag."""

_WITH_WORDS = (DecisionRow, AssessmentRow, ContactRow, CaseOutcomeRow, PanelActionRow)
_HOMES: tuple[type[Base], ...] = (
    TimelineRow,
    HouseholdMemberRow,
    HouseholdReferenceRow,
    HouseholdRow,
)
BLANKED = "{}: words blanked"
"""How reports name the rows of a table whose words go and whose codes and dates stay."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Before when each kind of record goes.

    Attributes
    ----------
    scores : scores, and households known no later
    flags : alerts that matched nobody
    words : the words of cases that ended
    cases : the whole records of cases that ended
    access : stated purposes and look-up counts
    short : kept answers, throttles and messages
    now : sessions that ended
    """

    scores: date
    flags: datetime
    words: datetime
    cases: datetime
    access: datetime
    short: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class Expired:
    """How many rows went, and how many a legal hold kept, by name."""

    gone: dict[str, int]
    held_back: dict[str, int]


class Retaining:
    """Carries the limits out; counts the same first when asked for a dry run."""

    def __init__(self, connection: Connection, audit: AuditTrail) -> None:
        self._connection = connection
        self._audit = audit

    def expired(self, limits: Limits, *, today: date, dry_run: bool, audit: AuditEntry) -> Expired:
        """Delete or blank what is older than its limit; return how many rows by table."""
        held = _under_legal_hold(today)
        kept: dict[str, int] = {}
        free: list[Step] = []
        for step in _steps(limits, held):
            is_held = _is_held(step.table, held)
            if is_held is None:
                free.append(step)
                continue
            both = and_(step.condition, is_held)
            kept[step.name] = count_rows(self._connection, step.table, both)
            free.append(replace(step, condition=and_(step.condition, ~is_held)))
        gone = carry_out(self._connection, free, dry_run=dry_run)
        detail = {"deleted": sum(gone.values()), "withheld": sum(kept.values())}
        self._audit.append(replace(audit, detail={**audit.detail, **detail}))
        return Expired(gone, {name: count for name, count in kept.items() if count})


References = Select[str]


def _under_legal_hold(today: date) -> References:
    return (
        select(SuppressedHouseholdRow.household_id)
        .join(SuppressionRow)
        .where(SuppressionRow.kind == SuppressionKind.LEGAL_HOLD, active_on(today))
    )


def _is_held(table: type[Base], held: References) -> ColumnElement[bool] | None:
    """Return the condition that a row belongs to a held household; None where none can."""
    columns = table.__table__.columns
    if "household_id" in columns:
        own_id: ColumnElement[Any] = columns["household_id"]
        # A row without a household is nobody's: `IN` alone would say neither yes nor no of it.
        return (func.coalesce(own_id, "") if columns["household_id"].nullable else own_id).in_(held)
    if table is PanelRow:
        own = PanelItemRow.panel_id == PanelRow.panel_id
        return exists().where(own, PanelItemRow.household_id.in_(held))
    if table is SuppressionRow:
        own = SuppressedHouseholdRow.suppression_ref == SuppressionRow.suppression_ref
        return exists().where(own, SuppressedHouseholdRow.household_id.in_(held))
    return None


def _ended(before: datetime) -> ColumnElement[bool]:
    """Return the condition that work on a flag ended before an instant."""
    return and_(FlagRow.state.not_in(LIVE_STATES), FlagRow.changed_at < before)


def _flags(condition: ColumnElement[bool]) -> References:
    return select(FlagRow.flag_id).where(condition)


def _steps(limits: Limits, held: References) -> list[Step]:
    """Return what goes, children before parents; a condition asks only for what still stands."""
    live = select(FlagRow.household_id).where(
        FlagRow.state.in_(LIVE_STATES), ~unreviewed(limits.flags)
    )
    return [
        *_published(limits, live),
        *_words(limits),
        *_cases(limits, held),
        *_about_access(limits),
    ]


def _published(limits: Limits, live: References) -> list[Step]:
    """What the pipeline published; a household with an open case keeps it until the case ends."""
    old = select(HouseholdRow.household_id).where(
        HouseholdRow.as_of < limits.scores, HouseholdRow.household_id.not_in(live)
    )
    present = select(HouseholdRow.household_id).where(HouseholdRow.household_id.not_in(old))
    runs = select(ScoringRunRow.run_key).where(ScoringRunRow.as_of < limits.scores)
    return [
        _delete(
            PilotArmRow,
            (PilotArmRow.assigned_at < limits.cases) & PilotArmRow.household_id.not_in(present),
        ),
        _delete(
            ScoreDetailRow,
            ScoreDetailRow.run_key.in_(runs) & ScoreDetailRow.household_id.not_in(live),
        ),
        _delete(ScoreRow, (ScoreRow.as_of < limits.scores) & ScoreRow.household_id.not_in(live)),
        *(_delete(table, table.__table__.columns["household_id"].in_(old)) for table in _HOMES),
    ]


def _words(limits: Limits) -> list[Step]:
    """The words of cases that ended; their codes and dates stay until the cases' own limit."""
    between = and_(_ended(limits.words), FlagRow.changed_at >= limits.cases)
    flags = _flags(between)
    closed, received = _closed_at(), AlertRow.received_at
    steps = [_blank(table, table.__table__.columns["flag_id"].in_(flags)) for table in _WITH_WORDS]
    steps += [
        _blank(FlagRow, between),
        _blank(
            ObjectionRow,
            _answered() & (closed < limits.words) & (closed >= limits.cases),
        ),
        _blank(
            AlertRow,
            or_(
                AlertRow.flag_id.in_(flags),
                _matched_without_flag() & (received < limits.words) & (received >= limits.cases),
            ),
        ),
    ]
    return steps


def _cases(limits: Limits, held: References) -> list[Step]:
    """The whole records of cases that ended long ago, and what was kept beside them."""
    flags = _flags(_ended(limits.cases))
    unmatched = (AlertRow.state != AlertState.MATCHED) & (AlertRow.received_at < limits.flags)
    old_alone = _matched_without_flag() & (AlertRow.received_at < limits.cases)
    day = limits.cases.date()
    ended = and_(SuppressionRow.origin == CASEWORK, SuppressionRow.valid_to < day)
    covered = select(SuppressionRow.suppression_ref).where(ended)
    of_held = select(SuppressedHouseholdRow.suppression_ref).where(
        SuppressedHouseholdRow.household_id.in_(held)
    )
    return [
        _delete(AlertRow, or_(unmatched, AlertRow.flag_id.in_(flags), old_alone)),
        *(_delete(table, table.__table__.columns["flag_id"].in_(flags)) for table in _OF_A_FLAG),
        _delete(PanelRow, and_(PanelRow.expires_on < day, *_nothing_left(flags))),
        _delete(FlagRow, _ended(limits.cases)),
        _delete(ObjectionRow, _answered() & (_closed_at() < limits.cases)),
        _delete(
            SuppressedHouseholdRow,
            SuppressedHouseholdRow.suppression_ref.in_(
                covered.where(SuppressionRow.suppression_ref.not_in(of_held))
            ),
        ),
        _delete(SuppressionRow, ended),
    ]


def _nothing_left(flags: References) -> Sequence[ColumnElement[bool]]:
    """Return the conditions that a meeting's list keeps no household and no action."""
    return [
        ~exists().where(
            table.__table__.columns["panel_id"] == PanelRow.panel_id,
            table.__table__.columns["flag_id"].not_in(flags),
        )
        for table in (PanelItemRow, PanelActionRow)
    ]


def _about_access(limits: Limits) -> list[Step]:
    """Why and when people came in, and what is kept for a week to answer and deliver."""
    return [
        _delete(PurposeRow, PurposeRow.stated_at < limits.access),
        _delete(LookupRow, LookupRow.day < limits.access.date()),
        _delete(SessionRow, SessionRow.expires_at < limits.now),
        _delete(IdempotencyRow, IdempotencyRow.created_at < limits.short),
        _delete(ThrottleRow, ThrottleRow.changed_at < limits.short),
        _delete(OutboxRow, OutboxRow.created_at < limits.short),
    ]


def _answered() -> ColumnElement[bool]:
    return ObjectionRow.state != ObjectionState.OPEN


def _closed_at() -> Any:
    return func.coalesce(ObjectionRow.answered_at, ObjectionRow.recorded_at)


def _matched_without_flag() -> ColumnElement[bool]:
    return and_(AlertRow.state == AlertState.MATCHED, AlertRow.flag_id.is_(None))


def _delete(table: type[Base], condition: ColumnElement[bool]) -> Step:
    return Step(table.__tablename__, table, condition)


def _blank(table: type[Base], condition: ColumnElement[bool]) -> Step:
    """Blank the words of rows that still have any, so that each row is counted once."""
    blanks = WORDS[table]
    columns = table.__table__.columns
    has_words = or_(
        *(
            columns[name].is_not(None) if blank is None else columns[name] != blank
            for name, blank in blanks.items()
        )
    )
    name = BLANKED.format(table.__tablename__)
    return Step(name, table, and_(condition, has_words), blanks)
