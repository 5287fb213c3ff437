"""One example of everything that the API takes or gives; nobody in them exists."""

from __future__ import annotations

from typing import Any

HOUSEHOLD, FLAG = "H7K2M4Q9TA", "F2k3m4n5p6q7"
_DAY, _INSTANT = "2027-03-01", "2027-03-01T09:30:00Z"
_MODEL = "early_intervention/3"
_MISSED = "Missed 3 of the last 4 council tax instalments."
_NOTICE = "The score decides no application."

_REASON = {
    "key": "instalments_missed",
    "title": "Council tax instalments missed",
    "sentence": _MISSED,
    "direction": "raises",
    "contribution": 2.3111,
    "features": ["instalments_missed_4"],
}
_EVIDENCE = {
    "table": "council_tax_transactions",
    "reference": "T100231",
    "happened_on": "2027-02-01",
    "known_on": "2027-02-02",
    "text": "Instalment due, £111.15",
    "amount_pence": 11115,
}
_CHANGE = {
    "sentence": "If no council tax were owed, the estimate would be about 3 in 100.",
    "features": ["council_tax_balance_pence"],
    "probability_after": 0.0304,
}
_FIGURES = {
    "probability": 0.0912,
    "log_odds": -2.2989,
    "base_log_odds": -4.61,
    "band": "highest",
    "reasons": [_REASON],
    "unknowns": ["No tenancy record: the rent account is not known."],
    "changes": [_CHANGE],
}
_HISTORY_POINT = {
    "as_of": _DAY,
    "model_version": _MODEL,
    "probability": 0.0912,
    "band": "highest",
    "rank": 12,
}
_REASON_EVIDENCE = {"key": "instalments_missed", "sentence": _MISSED, "evidence": [_EVIDENCE]}
_MEMBER = {"name": "A Tenant", "role": "lead", "date_of_birth": None}
_FOUND = {
    "household_id": HOUSEHOLD,
    "address": "1 Example Street",
    "tenure": "private_rented",
    "needs_purpose": True,
}
_FLAG = {
    "flag_id": FLAG,
    "household_id": HOUSEHOLD,
    "as_of": _DAY,
    "origin": "top",
    "state": "assigned",
    "version": 2,
    "rank": 12,
    "probability": 0.0912,
    "band": "highest",
    "reasons": [_MISSED],
    "ward_code": "E05000644",
    "tenure": "private_rented",
    "safe_contact": False,
    "without_collection": False,
    "assignee": "reviewer",
    "raised_at": _INSTANT,
    "changed_at": _INSTANT,
    "next_action": "decide",
    "next_action_on": "2027-03-15",
    "decision_code": None,
}
_ASSESSMENT = {"agrees": True, "why": "reasons_match", "note": ""}
_EXPORTED_FLAG = {
    "flag_id": FLAG,
    "household_id": HOUSEHOLD,
    "as_of": _DAY,
    "state": "assigned",
    "origin": "top",
    "band": "highest",
    "first_reason": _MISSED,
    "second_reason": "",
    "decision_code": "",
    "next_action": "decide",
    "next_action_on": "2027-03-15",
    "ward_code": "E05000644",
    "tenure": "private_rented",
    "uprn": "",
    "account_refs": "",
    "tenancy_refs": "",
    "name": "",
    "address": "",
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "AlertIn": {
        "happened_on": _DAY,
        "tenant_name": "A Tenant",
        "address": "1 Example Street",
        "postcode": "ZZ9 9ZZ",
        "arrears_pence": 41250,
    },
    "AlertOut": {"alert_id": "A5d6e7f8g9h2", "received": True},
    "AssessmentIn": _ASSESSMENT,
    "AssignmentIn": {"account_id": None},
    "ChangeOut": _CHANGE,
    "ContactIn": {
        "happened_on": _DAY,
        "channel": "telephone",
        "result": "reached",
        "interpreter": "Arabic",
        "note": "Asked to be called in the morning.",
    },
    "DecisionIn": {
        "code": "offer_help",
        "reason": "Rent shortfall grows.",
        "offers": ["money_advice"],
        "assessment": _ASSESSMENT,
    },
    "DocumentOut": {"name": "early_intervention", "published_at": _INSTANT, "content": {}},
    "EvidenceListOut": {
        "household_id": HOUSEHOLD,
        "as_of": _DAY,
        "model_version": _MODEL,
        "reasons": [_REASON_EVIDENCE],
    },
    "EvidenceOut": _EVIDENCE,
    "ExportOut": {"flags": [_EXPORTED_FLAG]},
    "ExportedFlagOut": _EXPORTED_FLAG,
    "FlagChanged": {"flag_id": FLAG},
    "FlagOut": _FLAG,
    "FlagsOut": {"flags": [_FLAG], "total": 1, "next_cursor": None},
    "FoundOut": _FOUND,
    "HistoryOut": {"household_id": HOUSEHOLD, "scores": [_HISTORY_POINT]},
    "HistoryPoint": _HISTORY_POINT,
    "HouseholdOut": {
        "household_id": HOUSEHOLD,
        "as_of": _DAY,
        "address": "1 Example Street",
        "postcode": "ZZ9 9ZZ",
        "ward_code": "E05000644",
        "tenure": "private_rented",
        "uprn": None,
        "account_refs": ["70012345X"],
        "tenancy_refs": [],
        "members": [_MEMBER],
        "suppressions": [],
        "flag_ids": [FLAG],
    },
    "MemberOut": _MEMBER,
    "ModelOut": {
        "model_version": _MODEL,
        "family": "lightgbm",
        "label": "owed_duty",
        "horizon_months": 12,
        "base_rate": 0.0104,
        "features": ["instalments_missed_4"],
        "trained_to": "2026-03-01",
        "data_hash": "9f2c",
        "specification_hash": "41aa",
        "is_serving": True,
    },
    "NameSearch": {"kind": "name", "surname": "Example", "postcode": "ZZ9 9ZZ"},
    "OutcomeIn": {
        "helped": "yes",
        "outcome": "stayed_home",
        "duty": "none",
        "flag_was_useful": True,
    },
    "PurposeIn": {"purpose": "household_asked", "note": "Telephoned about a reminder."},
    "PurposeOut": {
        "household_id": HOUSEHOLD,
        "purpose": "household_asked",
        "expires_at": "2027-03-02T00:00:00Z",
    },
    "ReasonEvidence": _REASON_EVIDENCE,
    "ReasonOut": _REASON,
    "ReferenceSearch": {"kind": "account", "reference": "70012345X"},
    "RowScore": _FIGURES,
    "RowsIn": {"rows": [{"instalments_missed_4": 3, "rent_arrears_weeks": None}]},
    "RowsOut": {
        "model_version": _MODEL,
        "as_of": _DAY,
        "scores": [_FIGURES],
        "notice": _NOTICE,
    },
    "ScoreOut": {
        "household_id": HOUSEHOLD,
        "as_of": _DAY,
        "model_version": _MODEL,
        "run_id": "2027-03-01-1c9e",
        "horizon_months": 12,
        "borough_rate": 0.0104,
        "rank": 12,
        "notice": _NOTICE,
        **_FIGURES,
    },
    "SearchOut": {
        "found": [_FOUND],
        "notice": "None found does not mean that nobody is at risk.",
    },
}
"""By the name of the schema."""


def illustrate(description: dict[str, Any]) -> dict[str, Any]:
    """Put each schema's example into an OpenAPI description, and return it."""
    for name, schema in description.get("components", {}).get("schemas", {}).items():
        if name in EXAMPLES:
            schema["examples"] = [EXAMPLES[name]]
    return description
