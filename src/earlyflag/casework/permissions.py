"""Who may do what and see which fields: one table. What is not declared in it is denied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from earlyflag.store.terms import Role, Scope


class Action(StrEnum):
    """Everything that can be asked of casework."""

    LIST_FLAGS = "list_flags"
    READ_FLAG = "read_flag"
    TAKE_FLAG = "take_flag"
    ASSIGN_FLAGS = "assign_flags"
    DECIDE = "decide"
    ASSESS = "assess"
    RECORD_CONTACT = "record_contact"
    RECORD_OUTCOME = "record_outcome"
    PAUSE = "pause"
    REOPEN = "reopen"
    LOOK_UP = "look_up"
    READ_HOUSEHOLD = "read_household"
    REVIEW_LOOKUPS = "review_lookups"
    RECORD_OBJECTION = "record_objection"
    ANSWER_OBJECTION = "answer_objection"
    REPORT_ALERT = "report_alert"
    MATCH_ALERT = "match_alert"
    KEEP_PANEL = "keep_panel"
    COUNTERSIGN_PANEL = "countersign_panel"
    EXPORT_FLAGS = "export_flags"
    EXPORT_SCORES = "export_scores"
    READ_FIGURES = "read_figures"
    READ_PILOT = "read_pilot"
    READ_MODEL = "read_model"
    READ_ASSESSMENTS = "read_assessments"
    SCORE_ROWS = "score_rows"
    UPLOAD = "upload"
    READ_AUDIT = "read_audit"
    VERIFY_AUDIT = "verify_audit"
    KEEP_ACCOUNTS = "keep_accounts"
    KEEP_KEYS = "keep_keys"
    SUPPRESS = "suppress"
    SUBJECT_ACCESS = "subject_access"
    ERASE = "erase"
    RETAIN = "retain"
    PUBLISH = "publish"
    RAISE_FLAGS = "raise_flags"


class Field(StrEnum):
    """A group of fields that is shown or withheld as one."""

    PSEUDONYM = "pseudonym"
    NAME = "name"
    DATE_OF_BIRTH = "date_of_birth"
    ADDRESS = "address"
    REFERENCE = "reference"
    PLACE = "place"
    SCORE = "score"
    REASON = "reason"
    EVIDENCE = "evidence"
    TIMELINE = "timeline"
    CASE_CODES = "case_codes"
    CASE_WORDS = "case_words"
    STAFF = "staff"
    COUNTS = "counts"
    AUDIT_ROW = "audit_row"


Fields = frozenset[Field]
NOTHING: Fields = frozenset()

_PSEUDONYMOUS = frozenset(
    {Field.PSEUDONYM, Field.PLACE, Field.SCORE, Field.REASON, Field.CASE_CODES}
)
_ROW = _PSEUDONYMOUS | {Field.NAME, Field.ADDRESS, Field.STAFF}
_CASE = _ROW | {
    Field.DATE_OF_BIRTH,
    Field.REFERENCE,
    Field.EVIDENCE,
    Field.TIMELINE,
    Field.CASE_WORDS,
}
_COUNTS = frozenset({Field.COUNTS})
_FOUND = frozenset({Field.PSEUDONYM, Field.ADDRESS})

_CASEWORK: dict[Action, Fields] = {
    Action.LIST_FLAGS: _ROW,
    Action.READ_FLAG: _CASE,
    Action.TAKE_FLAG: NOTHING,
    Action.DECIDE: NOTHING,
    Action.ASSESS: NOTHING,
    Action.RECORD_CONTACT: NOTHING,
    Action.RECORD_OUTCOME: NOTHING,
    Action.PAUSE: NOTHING,
    Action.LOOK_UP: _FOUND,
    Action.READ_HOUSEHOLD: _CASE,
    Action.RECORD_OBJECTION: NOTHING,
    Action.REPORT_ALERT: NOTHING,
    Action.KEEP_PANEL: _CASE,
    Action.READ_FIGURES: _COUNTS,
    Action.READ_MODEL: _COUNTS,
}

ROLES: Mapping[Role, Mapping[Action, Fields]] = {
    Role.OFFICER: _CASEWORK,
    Role.REVIEWER: {
        **_CASEWORK,
        Action.REOPEN: NOTHING,
        Action.MATCH_ALERT: _CASE,
        Action.SCORE_ROWS: frozenset({Field.SCORE, Field.REASON}),
    },
    Role.MANAGER: {
        **_CASEWORK,
        Action.ASSIGN_FLAGS: frozenset({Field.STAFF, Field.COUNTS}),
        Action.REOPEN: NOTHING,
        Action.REVIEW_LOOKUPS: frozenset({Field.PSEUDONYM, Field.STAFF, Field.CASE_WORDS}),
        Action.ANSWER_OBJECTION: _CASE,
        Action.MATCH_ALERT: _CASE,
        Action.COUNTERSIGN_PANEL: _CASE,
        Action.EXPORT_FLAGS: _CASE,
        Action.READ_PILOT: _COUNTS,
        Action.SUPPRESS: NOTHING,
        Action.UPLOAD: _COUNTS,
    },
    Role.ANALYST: {
        Action.LIST_FLAGS: _PSEUDONYMOUS,
        Action.READ_FLAG: _PSEUDONYMOUS,
        Action.READ_HOUSEHOLD: _PSEUDONYMOUS,
        Action.READ_FIGURES: _COUNTS,
        Action.READ_PILOT: _COUNTS,
        Action.READ_MODEL: _COUNTS,
        Action.READ_ASSESSMENTS: _PSEUDONYMOUS,
        Action.SCORE_ROWS: frozenset({Field.SCORE, Field.REASON}),
        Action.UPLOAD: _COUNTS,
    },
    Role.AUDITOR: {
        Action.READ_AUDIT: frozenset({Field.PSEUDONYM, Field.STAFF, Field.AUDIT_ROW}),
        Action.VERIFY_AUDIT: _COUNTS,
        Action.REVIEW_LOOKUPS: frozenset({Field.PSEUDONYM, Field.STAFF}),
        Action.READ_MODEL: _COUNTS,
    },
    Role.ADMIN: {
        Action.KEEP_ACCOUNTS: frozenset({Field.STAFF}),
        Action.KEEP_KEYS: frozenset({Field.STAFF}),
    },
}
"""For each role, what it may do and which fields it sees when it does."""

SCOPES: Mapping[Scope, Mapping[Action, Fields]] = {
    Scope.FLAGS_READ: {
        Action.LIST_FLAGS: _PSEUDONYMOUS | {Field.REFERENCE},
        Action.READ_FLAG: _PSEUDONYMOUS | {Field.REFERENCE},
    },
    Scope.FLAGS_WRITE: {
        Action.READ_FLAG: _PSEUDONYMOUS | {Field.REFERENCE},
        Action.RECORD_CONTACT: NOTHING,
        Action.RECORD_OUTCOME: NOTHING,
    },
    Scope.HOUSEHOLDS_READ: {
        Action.LOOK_UP: frozenset({Field.PSEUDONYM}),
        Action.READ_HOUSEHOLD: _PSEUDONYMOUS | {Field.REFERENCE, Field.EVIDENCE},
    },
    Scope.SCORE: {Action.SCORE_ROWS: frozenset({Field.SCORE, Field.REASON})},
    Scope.ALERTS_WRITE: {Action.REPORT_ALERT: NOTHING},
    Scope.MODELS_READ: {Action.READ_MODEL: _COUNTS},
    Scope.EXPORT: {Action.EXPORT_FLAGS: _PSEUDONYMOUS | {Field.REFERENCE}},
}
"""For each scope of a machine key, what it may do and which fields it sees."""

SYSTEM: Mapping[Action, Fields] = {
    Action.PUBLISH: NOTHING,
    Action.RAISE_FLAGS: _COUNTS,
    Action.EXPORT_SCORES: frozenset({Field.PSEUDONYM, Field.REFERENCE, Field.SCORE}),
    Action.READ_FIGURES: _COUNTS,
    Action.READ_ASSESSMENTS: _PSEUDONYMOUS,
    Action.VERIFY_AUDIT: _COUNTS,
    Action.KEEP_ACCOUNTS: frozenset({Field.STAFF}),
    Action.KEEP_KEYS: frozenset({Field.STAFF}),
    Action.SUPPRESS: NOTHING,
    Action.SUBJECT_ACCESS: _CASE,
    Action.ERASE: _COUNTS,
    Action.RETAIN: _COUNTS,
    Action.REPORT_ALERT: NOTHING,
}
"""What the service's own commands may do; they run where only the council's operators can."""


def fields_for(
    action: Action, *, roles: Iterable[Role] = (), scopes: Iterable[Scope] = ()
) -> Fields | None:
    """Return the fields that roles and scopes see when they do this, or None if they may not."""
    found = [ROLES.get(role, {}).get(action) for role in roles]
    found += [SCOPES.get(scope, {}).get(action) for scope in scopes]
    allowed = [fields for fields in found if fields is not None]
    return frozenset().union(*allowed) if allowed else None
