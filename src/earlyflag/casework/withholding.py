"""Leave out of a record what its reader may not see, field by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from earlyflag.casework.permissions import Field, Fields
from earlyflag.core.terms import HouseholdRecord, Member, Reason
from earlyflag.store.records import (
    Alert,
    Assessment,
    CaseOutcome,
    Contact,
    Decision,
    Flag,
    Objection,
    OfferMade,
    PanelAction,
    StatedPurpose,
)

RecordT = TypeVar("RecordT")

FIELDS: Mapping[type[Any], Mapping[str, Field]] = {
    HouseholdRecord: {
        "household_id": Field.PSEUDONYM,
        "as_of": Field.PSEUDONYM,
        "uprn": Field.REFERENCE,
        "address": Field.ADDRESS,
        "postcode": Field.ADDRESS,
        "ward_code": Field.PLACE,
        "tenure": Field.PLACE,
        "account_refs": Field.REFERENCE,
        "tenancy_refs": Field.REFERENCE,
        "members": Field.NAME,
    },
    Member: {
        "source": Field.NAME,
        "person_ref": Field.REFERENCE,
        "name": Field.NAME,
        "role": Field.NAME,
        "date_of_birth": Field.DATE_OF_BIRTH,
    },
    Flag: {
        "flag_id": Field.PSEUDONYM,
        "household_id": Field.PSEUDONYM,
        "run_key": Field.PSEUDONYM,
        "as_of": Field.PSEUDONYM,
        "origin": Field.CASE_CODES,
        "state": Field.CASE_CODES,
        "version": Field.PSEUDONYM,
        "rank": Field.SCORE,
        "probability": Field.SCORE,
        "band": Field.SCORE,
        "first_reason": Field.REASON,
        "second_reason": Field.REASON,
        "ward_code": Field.PLACE,
        "tenure": Field.PLACE,
        "safe_contact": Field.CASE_CODES,
        "without_collection": Field.CASE_CODES,
        "assignee_id": Field.STAFF,
        "raised_at": Field.CASE_CODES,
        "changed_at": Field.CASE_CODES,
        "last_action": Field.CASE_CODES,
        "next_action": Field.CASE_CODES,
        "next_action_on": Field.CASE_CODES,
        "paused_until": Field.CASE_CODES,
        "pause_reason": Field.CASE_WORDS,
        "decision_code": Field.CASE_CODES,
        "decided_at": Field.CASE_CODES,
    },
    Decision: {
        "decision_id": Field.PSEUDONYM,
        "flag_id": Field.PSEUDONYM,
        "household_id": Field.PSEUDONYM,
        "code": Field.CASE_CODES,
        "reason": Field.CASE_WORDS,
        "watch_until": Field.CASE_CODES,
        "decided_by": Field.STAFF,
        "decided_at": Field.CASE_CODES,
    },
    Assessment: {
        "assessment_id": Field.PSEUDONYM,
        "flag_id": Field.PSEUDONYM,
        "household_id": Field.PSEUDONYM,
        "agrees": Field.CASE_CODES,
        "why": Field.CASE_CODES,
        "note": Field.CASE_WORDS,
        "assessed_by": Field.STAFF,
        "assessed_at": Field.CASE_CODES,
    },
    OfferMade: {
        "offer_id": Field.PSEUDONYM,
        "flag_id": Field.PSEUDONYM,
        "household_id": Field.PSEUDONYM,
        "code": Field.CASE_CODES,
        "state": Field.CASE_CODES,
        "offered_by": Field.STAFF,
        "offered_at": Field.CASE_CODES,
        "changed_at": Field.CASE_CODES,
    },
    Contact: {
        "contact_id": Field.PSEUDONYM,
        "flag_id": Field.PSEUDONYM,
        "household_id": Field.PSEUDONYM,
        "happened_on": Field.CASE_CODES,
        "channel": Field.CASE_CODES,
        "result": Field.CASE_CODES,
        "interpreter": Field.CASE_WORDS,
        "adjustments": Field.CASE_WORDS,
        "safe_channel": Field.CASE_WORDS,
        "note": Field.CASE_WORDS,
        "recorded_by": Field.STAFF,
        "recorded_at": Field.CASE_CODES,
    },
    CaseOutcome: {
        "outcome_id": Field.PSEUDONYM,
        "flag_id": Field.PSEUDONYM,
        "household_id": Field.PSEUDONYM,
        "helped": Field.CASE_CODES,
        "outcome": Field.CASE_CODES,
        "duty": Field.CASE_CODES,
        "flag_was_useful": Field.CASE_CODES,
        "note": Field.CASE_WORDS,
        "recorded_by": Field.STAFF,
        "recorded_at": Field.CASE_CODES,
    },
    Objection: {
        "objection_id": Field.PSEUDONYM,
        "household_id": Field.PSEUDONYM,
        "kind": Field.CASE_CODES,
        "state": Field.CASE_CODES,
        "statement": Field.CASE_WORDS,
        "suppression_ref": Field.PSEUDONYM,
        "recorded_by": Field.STAFF,
        "recorded_at": Field.CASE_CODES,
        "answer": Field.CASE_WORDS,
        "answered_by": Field.STAFF,
        "answered_at": Field.CASE_CODES,
    },
    Alert: {
        "alert_id": Field.PSEUDONYM,
        "source": Field.CASE_CODES,
        "state": Field.CASE_CODES,
        "reported_by": Field.STAFF,
        "received_at": Field.CASE_CODES,
        "happened_on": Field.CASE_CODES,
        "arrears_pence": Field.EVIDENCE,
        "tenant_name": Field.NAME,
        "address": Field.ADDRESS,
        "postcode": Field.ADDRESS,
        "uprn": Field.REFERENCE,
        "tenancy_ref": Field.REFERENCE,
        "statement": Field.CASE_WORDS,
        "household_id": Field.PSEUDONYM,
        "flag_id": Field.PSEUDONYM,
    },
    StatedPurpose: {
        "purpose_id": Field.PSEUDONYM,
        "actor_id": Field.STAFF,
        "household_id": Field.PSEUDONYM,
        "purpose": Field.PSEUDONYM,
        "note": Field.CASE_WORDS,
        "stated_at": Field.PSEUDONYM,
        "expires_at": Field.PSEUDONYM,
        "reviewed_by": Field.STAFF,
        "reviewed_at": Field.PSEUDONYM,
        "finding": Field.CASE_WORDS,
    },
    PanelAction: {
        "action_id": Field.PSEUDONYM,
        "panel_id": Field.PSEUDONYM,
        "flag_id": Field.PSEUDONYM,
        "household_id": Field.PSEUDONYM,
        "agency": Field.CASE_CODES,
        "owner": Field.CASE_WORDS,
        "due_on": Field.CASE_CODES,
        "what": Field.CASE_WORDS,
        "state": Field.CASE_CODES,
        "recorded_by": Field.STAFF,
        "recorded_at": Field.CASE_CODES,
        "ended_at": Field.CASE_CODES,
    },
}
"""The group of every field of every record that is shown. A field that is missing here is a bug
that a test finds; `withhold` fails on it rather than show it."""

_BLANKS: dict[type[Any], Any] = {str: "", tuple: ()}


def withhold(record: RecordT, fields: Fields) -> RecordT:
    """Return a record with every field left blank that `fields` does not name.

    Text becomes empty, a tuple becomes empty, anything else None.
    """
    groups = FIELDS[type(record)]
    blank = {
        name: _BLANKS.get(type(getattr(record, name)))
        for name in record.__dataclass_fields__  # type: ignore[attr-defined]
        if groups[name] not in fields
    }
    return replace(record, **blank) if blank else record  # type: ignore[type-var]


def withhold_all(records: Iterable[RecordT], fields: Fields) -> tuple[RecordT, ...]:
    """Return records with what the reader may not see left blank."""
    return tuple(withhold(record, fields) for record in records)


def withhold_household(record: HouseholdRecord, fields: Fields) -> HouseholdRecord:
    """Return a household, its members too, with what the reader may not see left blank."""
    shown = withhold(record, fields)
    return replace(shown, members=withhold_all(shown.members, fields))


def withhold_reasons(reasons: Iterable[Reason], fields: Fields) -> tuple[Reason, ...]:
    """Return reasons, without their evidence where the reader may not see it."""
    if Field.REASON not in fields:
        return ()
    if Field.EVIDENCE in fields:
        return tuple(reasons)
    return tuple(replace(r, evidence=()) if r.evidence else r for r in reasons)
