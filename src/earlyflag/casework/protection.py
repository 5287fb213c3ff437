"""Data protection at hand: subject access, erasure, retention; each with a report."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Any

from earlyflag.casework.desk import Desk
from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import check_can_move, check_may
from earlyflag.casework.suppressing import suppress_household, withdraw
from earlyflag.casework.transitions import Move
from earlyflag.core.clock import LONDON, add_months
from earlyflag.core.errors import Conflict, NotAllowed, NotFound
from earlyflag.core.settings import Retention
from earlyflag.store.records import (
    Alert,
    Assessment,
    CaseOutcome,
    Contact,
    Decision,
    Flag,
    Objection,
    OfferMade,
)
from earlyflag.store.terms import SuppressionKind

SHORT_LIFE = timedelta(days=7)
_STAFF_FIELDS = (
    "decided_by",
    "assessed_by",
    "offered_by",
    "recorded_by",
    "answered_by",
    "reported_by",
    "assignee_id",
)
_WORD_FIELDS = ("reason", "note", "statement", "answer", "pause_reason", "safe_channel")


@dataclass(frozen=True, slots=True)
class RetentionReport:
    """What a run of retention deleted, or would delete, by table."""

    dry_run: bool
    deleted: dict[str, int]
    lapsed_flags: int


def find_households(desk: Desk, reference: str) -> list[tuple[str, int]]:
    """Return the households that a reference leads to, each with the position of its person.

    A person's reference in a source system leads to that person; an account, a tenancy, a UPRN
    or a household's pseudonym to its first member.
    """
    borough = desk.unit.borough
    people = borough.find_person(reference)
    if people:
        return people
    found = {
        household_id
        for kind in ("account", "tenancy", "uprn")
        for household_id in borough.find_by_reference(kind, reference)
    }
    if borough.household(reference, None) is not None:
        found.add(reference)
    return [(household_id, 0) for household_id in sorted(found)]


def subject_access(desk: Desk, reference: str) -> dict[str, Any]:
    """Return everything held about one person's household, for the person, as JSON values.

    Other members are left out, and so are colleagues' names. Words that colleagues wrote are in
    it; `check_before_sending` lists where, since they may name somebody else.

    Raises
    ------
    NotFound
        Nothing is held under this reference.
    """
    check_may(desk.actor, Action.SUBJECT_ACCESS)
    found = find_households(desk, reference)
    if not found:
        raise NotFound("Nothing is held under this reference. Check it against the source system.")
    households = [_held(desk, household_id, position) for household_id, position in found]
    words = sorted({place for held in households for place in _words(held)})
    return {
        "made_at": desk.now.isoformat(),
        "households": households,
        "check_before_sending": words,
    }


def _held(desk: Desk, household_id: str, position: int) -> dict[str, Any]:
    borough, cases = desk.unit.borough, desk.unit.cases
    entry = desk.entry("subject_access", household_id=household_id)
    record = borough.household(household_id, entry)
    scores = []
    for line in borough.history(household_id):
        detail = borough.score_detail(household_id, line.run_id)
        scores.append({"score": plain(line), "detail": plain(detail) if detail else None})
    kinds = (Decision, Assessment, OfferMade, Contact, CaseOutcome, Objection, Alert)
    held: dict[str, Any] = {
        "household": plain(record) if record else None,
        "suppressions": plain(desk.unit.suppressions.of(household_id, desk.today)),
        "scores": scores,
        "timeline": plain(borough.timeline(household_id)),
        "flags": [_without_staff(flag) for flag in desk.unit.flags.of_household(household_id)],
        "seen_by": _seen_by(desk, household_id),
    }
    for kind in kinds:
        name = kind.__name__.lower()
        held[name] = [_without_staff(one) for one in cases.of_household(kind, household_id)]
    if record is not None:
        members = record.members[position : position + 1]
        held["household"]["members"] = plain(members)
        held["household"]["others_left_out"] = len(record.members) - len(members)
    return held


def _seen_by(desk: Desk, household_id: str) -> list[dict[str, Any]]:
    """Return when the household was read or changed, by which roles and why; no colleague."""
    rows = desk.unit.audit.page(household_id=household_id, limit=10_000)
    return [
        {"at": row.at.isoformat(), "roles": row.roles, "action": row.action, "purpose": row.purpose}
        for row in rows
    ]


def _without_staff(record: object) -> dict[str, Any]:
    values: dict[str, Any] = plain(record)
    return {name: value for name, value in values.items() if name not in _STAFF_FIELDS}


def _words(held: dict[str, Any]) -> list[str]:
    return [
        f"{name}.{field}"
        for name, records in held.items()
        if isinstance(records, list)
        for record in records
        for field in _WORD_FIELDS
        if record.get(field)
    ]


def plain(value: Any) -> Any:
    """Return records, dates and codes as what JSON can hold."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value


def erase(desk: Desk, household_id: str, *, dry_run: bool) -> dict[str, int]:
    """Erase a household and keep it from being listed again; return how many rows by table.

    The audit keeps its pseudonym, and so does the list of what was erased: the source systems
    still hold the household, but nothing of it is published when they deliver it again.

    Raises
    ------
    NotAllowed
        A legal hold forbids it.
    NotFound
        No household has this reference.
    """
    check_may(desk.actor, Action.ERASE)
    unit = desk.unit
    if unit.borough.household(household_id, None) is None:
        if unit.erasing.is_erased(household_id):
            raise Conflict("This household has been erased already; nothing of it has come back.")
        raise NotFound("No household has this reference.")
    kinds = {record.kind for record in unit.suppressions.of(household_id, desk.today)}
    if SuppressionKind.LEGAL_HOLD in kinds:
        raise NotAllowed("A legal hold forbids erasing this household. Ask the legal team.")
    if not dry_run:
        withdraw(desk, [household_id])
        if SuppressionKind.OBJECTION not in kinds:
            suppress_household(desk, household_id, SuppressionKind.OBJECTION)
    entry = desk.entry("erased", household_id=household_id, detail={"dry_run": dry_run})
    return unit.erasing.household(household_id, dry_run=dry_run, audit=entry)


def readmit(desk: Desk, household_id: str) -> None:
    """Let an erased household come with the next delivery again, at its own wish.

    The suppression that erasing wrote ends; what a source system suppresses stays so.

    Raises
    ------
    NotFound
        No household of this reference was erased.
    """
    check_may(desk.actor, Action.ERASE)
    if not desk.unit.erasing.forget(
        household_id, desk.entry("readmitted", household_id=household_id)
    ):
        raise NotFound("No household of this reference was erased.")
    for record in desk.unit.suppressions.of(household_id, desk.today):
        if record.kind == SuppressionKind.OBJECTION:
            entry = desk.entry("suppression_ended", subject=record.suppression_ref)
            desk.unit.suppressions.end(record.suppression_ref, desk.today, entry)


def retain(desk: Desk, retention: Retention, *, dry_run: bool) -> RetentionReport:
    """Delete what is older than its limit and let unreviewed flags lapse; report it by table.

    The audit's own retention is `end_stretch`.
    """
    check_may(desk.actor, Action.RETAIN)
    today = desk.today
    flags_before = _midnight(add_months(today, -retention.unreviewed_flags_months))
    stale = desk.unit.flags.unreviewed_since(flags_before)
    if not dry_run:
        for flag in stale:
            _lapse(desk, flag)
    deleted = desk.unit.erasing.expired(
        scores_before=add_months(today, -retention.scores_months),
        flags_before=flags_before,
        access_before=_midnight(add_months(today, -retention.audit_months)),
        now=desk.now,
        short_before=desk.now - SHORT_LIFE,
        dry_run=dry_run,
        audit=desk.entry("retention", detail={"dry_run": dry_run}),
    )
    return RetentionReport(dry_run, deleted, len(stale))


def _lapse(desk: Desk, flag: Flag) -> None:
    entry = desk.entry(
        f"flag_{Move.LAPSE}",
        household_id=flag.household_id,
        subject=flag.flag_id,
        detail={"from_state": flag.state, "to_state": "lapsed"},
    )
    changes = {
        "state": check_can_move(flag, Move.LAPSE),
        "last_action": Move.LAPSE,
        "first_reason": "",
        "second_reason": "",
    }
    desk.unit.flags.change(flag, changes, entry)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), LONDON)
