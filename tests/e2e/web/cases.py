"""Something for every page to show: flags in each state, a meeting's list, an alert, an objection.

Made with casework itself in the borough that is served, so that no page is empty or missing when
the pages are walked through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from earlyflag import casework
from earlyflag.casework.signing_in import actor_of
from earlyflag.core.settings import Settings
from earlyflag.store.terms import (
    AlertSource,
    Barrier,
    DecisionCode,
    DocumentKind,
    ObjectionKind,
    Scope,
)
from earlyflag.store.units import begin
from tests.web.borough import household_id

OURS, OFFERED, OBJECTING = 20, 19, 18
"""Households, by rank: the manager's flag, one to which help was offered, one that objects."""

FEATURE = {
    "name": "rent_arrears_weeks",
    "title": "Weeks in rent arrears",
    "sentence": "Rent has been owed for some of the last 26 weeks.",
    "unit": "weeks",
    "sources": ["rent_transactions"],
    "sensitivity": "personal",
    "gateway": "Public task",
    "actionable": True,
}
FIGURES = {
    "lead": ["Of every 100 households listed, 9 would be owed a duty."],
    "sections": [
        {
            "heading": "Over time",
            "text": ["The share that came to be owed a duty."],
            "line": [
                {"label": month, "value": value, "shown": f"{value}%"}
                for month, value in (("January", 1.1), ("February", 1.3), ("March", 1.2))
            ],
        },
        {
            "heading": "By ward",
            "bars": [
                {"label": ward, "value": count, "shown": str(count)}
                for ward, count in (("E05000001", 8), ("E05000002", 12))
            ],
        },
    ],
}
CARD = {"markdown": "# Card\n\n## Figures\n\n| Which | Value |\n| --- | --- |\n| One | 2 |\n"}
DOCUMENTS: Mapping[DocumentKind, Mapping[str, Any]] = {
    **dict.fromkeys(DocumentKind, FIGURES),
    DocumentKind.MODEL_CARD: CARD,
    DocumentKind.CATALOGUE: {"features": [FEATURE]},
}


def make_cases(engine: Engine, now: datetime) -> dict[str, str]:
    """Bring the borough to life; return what stands for each parameter of a route."""
    rules = casework.Rules.of(Settings())

    def at_desk(who: str, work: Callable[[casework.Desk], Any]) -> Any:
        with begin(engine) as unit:
            account = unit.access.account_by_username(who)
        actor = actor_of(account) if account else casework.system_actor(who)
        with casework.open_desk(engine, actor, now=now, rules=rules) as desk:
            return work(desk)

    def take(desk: casework.Desk, rank: int) -> casework.FlagView:
        flag = desk.unit.flags.of_household(household_id(rank))[0]
        return casework.take_flag(desk, flag.flag_id, flag.version)

    for kind, content in DOCUMENTS.items():
        at_desk("score", lambda desk, k=kind, c=content: casework.put_document(desk, k, "one", c))
    ours, offered = (
        at_desk("manager", lambda desk, rank=rank: take(desk, rank)) for rank in (OURS, OFFERED)
    )
    offer = casework.DecisionForm(DecisionCode.OFFER_HELP, "Rent is short.", ("money_advice",))
    at_desk("manager", lambda d: casework.decide(d, offered.flag_id, offered.version, offer))
    objection = at_desk(
        "manager",
        lambda desk: casework.record_objection(
            desk, household_id(OBJECTING), ObjectionKind.CONTEST, "It was paid.", suppress_now=False
        ),
    )
    alert = casework.AlertForm(now.date(), "Nobody Known", "1 Elsewhere Road", "ZZ1 1ZZ")
    alert_id = at_desk(
        "manager", lambda desk: casework.report_alert(desk, alert, source=AlertSource.LANDLORD)
    )
    _, key = at_desk("admin", lambda d: casework.make_key(d, "Case system", [Scope.FLAGS_READ]))
    with begin(engine) as unit:
        account = unit.access.account_by_username("second-officer")
    assert account is not None
    return {
        "tray": "unassigned",
        "household_id": household_id(OURS),
        "flag_id": ours.flag_id,
        "offered_flag_id": offered.flag_id,
        "panel_id": _panel(at_desk, now.date(), [ours.flag_id, offered.flag_id]),
        "alert_id": alert_id,
        "objection_id": objection.objection_id,
        "account_id": account.account_id,
        "key_id": key.key_id,
    }


def _panel(at_desk: Callable[..., Any], today: date, flags: list[str]) -> str:
    """Return a countersigned list with actions of its own and one carried from another."""

    def make(desk: casework.Desk, title: str) -> str:
        panel = casework.make_panel(
            desk, title, today + timedelta(days=7), ["A housing association"], flags
        )
        casework.agree_action(
            desk,
            panel.panel_id,
            flags[0],
            agency="Advice centre",
            owner="A duty adviser",
            due_on=today + timedelta(days=14),
            what="Check the claim",
        )
        casework.set_barriers(desk, panel.panel_id, flags[0], [Barrier.DISREPAIR])
        return panel.panel_id

    at_desk("manager", lambda desk: make(desk, "An earlier panel"))
    panel_id: str = at_desk("manager", lambda desk: make(desk, "This week's panel"))
    at_desk("second", lambda desk: casework.countersign(desk, panel_id))
    return panel_id
