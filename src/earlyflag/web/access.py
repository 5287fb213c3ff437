"""Which route asks for which permission: one table, and what it does not name is denied.

Roles and scopes come in through `casework.permissions`: a route is open to whoever may do one of
its actions. Casework checks again, with the flag or household at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from earlyflag.casework.permissions import Action


@dataclass(frozen=True, slots=True)
class Access:
    """Who may come to a route.

    Attributes
    ----------
    actions : any one of them suffices
    public : nobody needs to be signed in
    signed_in : being signed in is enough
    """

    actions: frozenset[Action] = frozenset()
    public: bool = False
    signed_in: bool = False


PUBLIC: Final = Access(public=True)
SIGNED_IN: Final = Access(signed_in=True)


def _to(*actions: Action) -> Access:
    return Access(frozenset(actions))


_PAGES: Mapping[str, Mapping[str, Access]] = {
    "/": {"GET": SIGNED_IN},
    "/about": {"GET": SIGNED_IN},
    "/sign-in": {"GET": PUBLIC, "POST": PUBLIC},
    "/sign-in/openid": {"GET": PUBLIC},
    "/sign-in/openid/return": {"GET": PUBLIC},
    "/sign-out": {"POST": SIGNED_IN},
    "/work/{tray}": {"GET": _to(Action.LIST_FLAGS)},
    "/assignments": {"GET": _to(Action.ASSIGN_FLAGS), "POST": _to(Action.ASSIGN_FLAGS)},
    "/flags/{flag_id}/take": {"POST": _to(Action.TAKE_FLAG)},
    "/flags/{flag_id}/decision": {"GET": _to(Action.DECIDE), "POST": _to(Action.DECIDE)},
    "/flags/{flag_id}/offers": {"GET": _to(Action.DECIDE), "POST": _to(Action.DECIDE)},
    "/flags/{flag_id}/assessment": {"GET": _to(Action.ASSESS), "POST": _to(Action.ASSESS)},
    "/flags/{flag_id}/contact": {
        "GET": _to(Action.RECORD_CONTACT),
        "POST": _to(Action.RECORD_CONTACT),
    },
    "/flags/{flag_id}/outcome": {
        "GET": _to(Action.RECORD_OUTCOME),
        "POST": _to(Action.RECORD_OUTCOME),
    },
    "/flags/{flag_id}/pause": {"GET": _to(Action.PAUSE), "POST": _to(Action.PAUSE)},
    "/flags/{flag_id}/resume": {"POST": _to(Action.PAUSE)},
    "/flags/{flag_id}/reopen": {"POST": _to(Action.REOPEN)},
    "/households/{household_id}": {"GET": _to(Action.READ_HOUSEHOLD)},
    "/households/{household_id}/purpose": {
        "GET": _to(Action.READ_HOUSEHOLD),
        "POST": _to(Action.READ_HOUSEHOLD),
    },
    "/households/{household_id}/objection": {
        "GET": _to(Action.RECORD_OBJECTION),
        "POST": _to(Action.RECORD_OBJECTION),
    },
    "/objections": {"GET": _to(Action.ANSWER_OBJECTION)},
    "/objections/{objection_id}": {
        "GET": _to(Action.ANSWER_OBJECTION),
        "POST": _to(Action.ANSWER_OBJECTION),
    },
    "/look-up": {"GET": _to(Action.LOOK_UP), "POST": _to(Action.LOOK_UP)},
    "/purposes": {"GET": _to(Action.REVIEW_LOOKUPS)},
    "/purposes/{purpose_id}": {"POST": _to(Action.REVIEW_LOOKUPS)},
    "/alerts": {"GET": _to(Action.REPORT_ALERT)},
    "/alerts/new": {"GET": _to(Action.REPORT_ALERT), "POST": _to(Action.REPORT_ALERT)},
    "/alerts/file": {"GET": _to(Action.REPORT_ALERT), "POST": _to(Action.REPORT_ALERT)},
    "/alerts/{alert_id}": {"GET": _to(Action.MATCH_ALERT), "POST": _to(Action.MATCH_ALERT)},
    "/panels": {"GET": _to(Action.KEEP_PANEL)},
    "/panels/new": {"GET": _to(Action.KEEP_PANEL), "POST": _to(Action.KEEP_PANEL)},
    "/panels/overview": {"GET": _to(Action.KEEP_PANEL)},
    "/panels/{panel_id}": {"GET": _to(Action.KEEP_PANEL)},
    "/panels/{panel_id}/barriers/{flag_id}": {"POST": _to(Action.KEEP_PANEL)},
    "/panels/{panel_id}/actions": {"POST": _to(Action.KEEP_PANEL)},
    "/panels/{panel_id}/actions/{action_id}": {"POST": _to(Action.KEEP_PANEL)},
    "/panels/{panel_id}/countersign": {"POST": _to(Action.COUNTERSIGN_PANEL)},
    "/panels/{panel_id}/close": {"POST": _to(Action.KEEP_PANEL)},
    "/panels/{panel_id}/pack": {"GET": _to(Action.KEEP_PANEL)},
    "/panels/{panel_id}/pack.pdf": {"GET": _to(Action.KEEP_PANEL)},
    "/capacity": {"GET": _to(Action.READ_FIGURES)},
    "/borough": {"GET": _to(Action.READ_FIGURES)},
    "/pilot": {"GET": _to(Action.READ_PILOT)},
    "/model": {"GET": _to(Action.READ_MODEL)},
    "/model/features": {"GET": _to(Action.READ_MODEL)},
    "/audit": {"GET": _to(Action.READ_AUDIT)},
    "/audit/households/{household_id}": {"GET": _to(Action.READ_AUDIT)},
    "/audit/verify": {"POST": _to(Action.VERIFY_AUDIT)},
    "/users": {"GET": _to(Action.KEEP_ACCOUNTS)},
    "/users/new": {"GET": _to(Action.KEEP_ACCOUNTS), "POST": _to(Action.KEEP_ACCOUNTS)},
    "/users/{account_id}": {"GET": _to(Action.KEEP_ACCOUNTS), "POST": _to(Action.KEEP_ACCOUNTS)},
    "/keys": {"GET": _to(Action.KEEP_KEYS), "POST": _to(Action.KEEP_KEYS)},
    "/keys/{key_id}/revoke": {"POST": _to(Action.KEEP_KEYS)},
    "/upload": {"GET": _to(Action.UPLOAD), "POST": _to(Action.UPLOAD)},
    "/api/docs": {"GET": SIGNED_IN},
    "/api/docs/try": {"GET": SIGNED_IN},
    "/api/openapi.json": {"GET": PUBLIC},
}

_API: Mapping[str, Mapping[str, Access]] = {
    "/health/live": {"GET": PUBLIC},
    "/health/ready": {"GET": PUBLIC},
    "/metrics": {"GET": PUBLIC},
    "/api/v1/households/search": {"POST": _to(Action.LOOK_UP)},
    "/api/v1/households/{household_id}": {"GET": _to(Action.READ_HOUSEHOLD)},
    "/api/v1/households/{household_id}/score": {"GET": _to(Action.READ_HOUSEHOLD)},
    "/api/v1/households/{household_id}/evidence": {"GET": _to(Action.READ_HOUSEHOLD)},
    "/api/v1/households/{household_id}/history": {"GET": _to(Action.READ_HOUSEHOLD)},
    "/api/v1/households/{household_id}/purposes": {"POST": _to(Action.READ_HOUSEHOLD)},
    "/api/v1/score": {"POST": _to(Action.SCORE_ROWS)},
    "/api/v1/flags": {"GET": _to(Action.LIST_FLAGS)},
    "/api/v1/flags/{flag_id}": {"GET": _to(Action.READ_FLAG)},
    "/api/v1/flags/{flag_id}/decisions": {"POST": _to(Action.DECIDE)},
    "/api/v1/flags/{flag_id}/contacts": {"POST": _to(Action.RECORD_CONTACT)},
    "/api/v1/flags/{flag_id}/outcomes": {"POST": _to(Action.RECORD_OUTCOME)},
    "/api/v1/flags/{flag_id}/assignment": {"PUT": _to(Action.TAKE_FLAG, Action.ASSIGN_FLAGS)},
    "/api/v1/alerts": {"POST": _to(Action.REPORT_ALERT)},
    "/api/v1/models/champion": {"GET": _to(Action.READ_MODEL)},
    "/api/v1/models/challenger": {"GET": _to(Action.READ_MODEL)},
    "/api/v1/models/card": {"GET": _to(Action.READ_MODEL)},
    "/api/v1/models/catalogue": {"GET": _to(Action.READ_MODEL)},
    "/api/v1/exports/flags.csv": {"GET": _to(Action.EXPORT_FLAGS)},
    "/api/v1/exports/flags.json": {"GET": _to(Action.EXPORT_FLAGS)},
}

ROUTES: Final[Mapping[tuple[str, str], Access]] = {
    (method, path): access
    for table in (_PAGES, _API)
    for path, methods in table.items()
    for method, access in methods.items()
}
"""Every route, by method and template."""


def access_to(method: str, template: str) -> Access:
    """Return who may come to a route; nobody, if the table does not name it."""
    return ROUTES.get((method, template), Access())
