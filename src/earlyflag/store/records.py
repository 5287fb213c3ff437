"""What repositories give and take: frozen records with the columns of their tables."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from functools import cache, partial
from typing import Any, TypeVar, cast, get_type_hints

from sqlalchemy import Row

from earlyflag.core.terms import Band, Change, ModelInfo, Reason
from earlyflag.store import terms

RecordT = TypeVar("RecordT")
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def new_id(prefix: str) -> str:
    """Return a fresh opaque reference that nobody can guess or count by."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(12))


def _collect(make: Callable[[Any], Any], item: Callable[[Any], Any], values: Any) -> Any:
    return make(item(value) for value in values)


@cache
def _readers(kind: type[Any]) -> dict[str, Callable[[Any], Any]]:
    hints = get_type_hints(kind)
    readers: dict[str, Callable[[Any], Any]] = {}
    for field in fields(kind):
        hint = hints[field.name]
        options = getattr(hint, "__args__", (hint,))
        code = next((o for o in options if isinstance(o, type) and issubclass(o, StrEnum)), None)
        if getattr(hint, "__origin__", None) in (tuple, frozenset):
            readers[field.name] = partial(_collect, hint.__origin__, code or str)
        elif code:
            readers[field.name] = code
    return readers


def read(kind: type[RecordT], row: Row[*tuple[Any, ...]] | Mapping[str, Any]) -> RecordT:
    """Return a database row as a record, its codes as enumerations and its lists as tuples."""
    values = dict(row._mapping) if isinstance(row, Row) else dict(row)
    for name, make in _readers(cast(Any, kind)).items():
        if values.get(name) is not None:
            values[name] = make(values[name])
    return kind(**values)


def columns(record: object) -> dict[str, Any]:
    """Return a record as the values of its table's columns."""
    values: dict[str, Any] = {}
    for field in fields(record):  # type: ignore[arg-type]
        value = getattr(record, field.name)
        values[field.name] = list(value) if isinstance(value, tuple | frozenset) else value
    return values


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A published scoring run."""

    run_key: int
    run_id: str
    as_of: date
    model: ModelInfo
    data_hash: str
    capacity: int
    scored: int
    cannot_score: Mapping[str, int]
    withheld: int
    published_at: datetime


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """One score of a household's history, without its reasons."""

    household_id: str
    run_id: str
    as_of: date
    probability: float
    log_odds: float
    base_log_odds: float
    band: Band
    rank: int
    model_version: str


@dataclass(frozen=True, slots=True)
class ScoreDetail:
    """The reasons of one score, what is not known, and what would change it."""

    reasons: tuple[Reason, ...]
    unknowns: tuple[str, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """A piece of work on one household, and where it stands."""

    flag_id: str
    household_id: str
    run_key: int | None
    as_of: date
    origin: terms.FlagOrigin
    state: terms.FlagState
    version: int
    rank: int
    probability: float | None
    band: Band
    first_reason: str
    second_reason: str
    ward_code: str | None
    tenure: str
    safe_contact: bool
    without_collection: bool
    assignee_id: str | None
    raised_at: datetime
    changed_at: datetime
    last_action: str
    next_action: str
    next_action_on: date
    paused_until: date | None
    pause_reason: str | None
    decision_code: terms.DecisionCode | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided about a flag, with the reason in words."""

    decision_id: str
    flag_id: str
    household_id: str
    code: terms.DecisionCode
    reason: str
    watch_until: date | None
    decided_by: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Assessment:
    """Whether somebody agrees with a flag, and why."""

    assessment_id: str
    flag_id: str
    household_id: str
    agrees: bool
    why: terms.AssessmentWhy
    note: str
    assessed_by: str
    assessed_at: datetime


@dataclass(frozen=True, slots=True)
class OfferMade:
    """One kind of help offered to a household."""

    offer_id: str
    flag_id: str
    household_id: str
    code: str
    state: terms.OfferState
    offered_by: str
    offered_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Contact:
    """One attempt to reach a household."""

    contact_id: str
    flag_id: str
    household_id: str
    happened_on: date
    channel: terms.ContactChannel
    result: terms.ContactResult
    interpreter: str
    adjustments: str
    safe_channel: str
    note: str
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """Where a household stood when the work ended."""

    outcome_id: str
    flag_id: str
    household_id: str
    helped: terms.Helped
    outcome: terms.OutcomeCode
    duty: terms.DutyOwed
    flag_was_useful: bool | None
    note: str
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Objection:
    """A household contests its flag or objects to being flagged."""

    objection_id: str
    household_id: str
    kind: terms.ObjectionKind
    state: terms.ObjectionState
    statement: str
    suppression_ref: str | None
    recorded_by: str
    recorded_at: datetime
    answer: str = ""
    answered_by: str | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """An early alert about a tenant who is struggling."""

    alert_id: str
    source: terms.AlertSource
    state: terms.AlertState
    reported_by: str
    received_at: datetime
    happened_on: date
    arrears_pence: int | None
    tenant_name: str
    address: str
    postcode: str
    uprn: str | None
    tenancy_ref: str | None
    statement: str
    household_id: str | None
    flag_id: str | None


@dataclass(frozen=True, slots=True)
class Panel:
    """One multi-agency meeting's list."""

    panel_id: str
    reference: str
    title: str
    meeting_on: date
    expires_on: date
    recipients: tuple[str, ...]
    state: terms.PanelState
    created_by: str
    created_at: datetime
    countersigned_by: str | None = None
    countersigned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PanelItem:
    """One household on a meeting's list."""

    panel_id: str
    flag_id: str
    household_id: str
    position: int
    barriers: tuple[terms.Barrier, ...]


@dataclass(frozen=True, slots=True)
class PanelAction:
    """An action agreed in a meeting."""

    action_id: str
    panel_id: str
    flag_id: str
    household_id: str
    agency: str
    owner: str
    due_on: date
    what: str
    state: terms.PanelActionState
    recorded_by: str
    recorded_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A person of the council who may sign in."""

    account_id: str
    username: str
    display_name: str
    password_hash: str | None
    subject: str | None
    roles: frozenset[terms.Role]
    permissions: frozenset[terms.Permission]
    is_active: bool
    is_demo: bool
    created_at: datetime
    password_changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A signed-in browser."""

    token_hash: str
    account_id: str
    csrf_token: str
    started_at: datetime
    seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class MachineKey:
    """A machine's key, without the key itself."""

    key_id: str
    name: str
    key_hash: str
    scopes: frozenset[terms.Scope]
    alert_source: terms.AlertSource | None
    lookups_alert_at: int
    lookups_stop_at: int
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class StatedPurpose:
    """Why somebody may open a household outside their own work."""

    purpose_id: str
    actor_id: str
    household_id: str
    purpose: terms.Purpose
    note: str
    stated_at: datetime
    expires_at: datetime
    reviewed_by: str | None = None
    reviewed_at: datetime | None = None
    finding: str | None = None


@dataclass(frozen=True, slots=True)
class PilotArm:
    """The arm that a household was put in."""

    household_id: str
    run_key: int
    as_of: date
    arm: terms.Arm
    randomised: bool
    assigned_at: datetime
    released_at: datetime | None = None
