"""Something for every page to show: flags in each state, a meeting's list, an alert, an objection.

Made with casework itself in the borough that is served, so that no page is empty or missing when
the pages are walked through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
    Role,
    Scope,
)
from earlyflag.store.units import begin
from tests.web.borough import household_id

OWN: Mapping[Role, tuple[int, int]] = {
    Role.MANAGER: (20, 19),
    Role.REVIEWER: (14, 13),
    Role.OFFICER: (16, 15),
}
"""The flags of each role that works on flags, by rank: one to decide, one with help offered."""
OBJECTING = 18
"""A household, by rank, that objects."""

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
    "lead": ["Of every 100 households listed, 9 would be owed a duty. Measured on 2026-01-01."],
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
                {"label": ward, "value": count, "shown": f"{count} expected"}
                for ward, count in (("E05000001", 8), ("E05000002", 12))
            ],
            "table": {
                "caption": "Households by ward",
                "headings": ["Ward", "Scored", "Expected", "Share found", "Missed of all duties"],
                "rows": [[f"E{n:08d}", "2,048", "1.3", "49.0% (32.2 to 68.9)", "71 in 100"]
                         for n in range(20)],
                "numeric": [1, 2, 3, 4],
            },
        },
    ],
}  # fmt: skip
_HEADINGS = ("Group", "Rows", "Need", "Listed", "Listed for need", "Missed", "Listed in vain")
_TABLE = "\n".join(
    f"| {' | '.join(cells)} |"
    for cells in (
        _HEADINGS,
        ["---"] * len(_HEADINGS),
        *([f"Group {n}", "2,048", "1.3%", "4.9%", "3.80", "51.0%", "87.5%"] for n in range(8)),
    )
)
CARD = {
    "markdown": f"""# Owed a duty within 12 months: model card

Trained to 2026-01-01. <b>Not markup.</b>

## Data

| Listed by | Average precision |
| --- | --- |
| **This model** | 0.154 (0.066 to 0.315) |

## Fairness

Groups of fewer than 10 are withheld.

### By tenure

{_TABLE}

### By sex

{_TABLE}

### By age

{_TABLE}

### By ward

{_TABLE}

## What it looks at

- `council_tax_balance_change_over_the_last_12_months_pence`: 9.7%
"""
}
DOCUMENTS: Mapping[DocumentKind, Mapping[str, Any]] = {
    **dict.fromkeys(DocumentKind, FIGURES),
    DocumentKind.MODEL_CARD: CARD,
    DocumentKind.CATALOGUE: {"features": [FEATURE]},
}


@dataclass(frozen=True)
class Cases:
    """What stands for each parameter of a route, for each role."""

    values: Mapping[str, str]
    own: Mapping[Role, tuple[str, str]]
    """The flags of each role that works on flags: one to decide, one with help offered."""

    def address(self, template: str, role: Role) -> str:
        """Return the address of a route for a role: of its own work, where it has any."""
        to_decide, offered = self.own.get(role, self.own[Role.MANAGER])
        rank = OWN.get(role, OWN[Role.MANAGER])[0]
        is_offered = template.endswith(("/offers", "/outcome"))
        return template.format(
            **self.values,
            flag_id=offered if is_offered else to_decide,
            household_id=household_id(rank),
        )


def make_cases(engine: Engine, now: datetime) -> Cases:
    """Bring the borough to life; return what stands for each parameter of a route."""
    rules = casework.Rules.of(Settings())

    def at_desk(who: str, work: Callable[[casework.Desk], Any]) -> Any:
        with begin(engine) as unit:
            account = unit.access.account_by_username(who)
        actor = actor_of(account) if account else casework.system_actor(who)
        with casework.open_desk(engine, actor, now=now, rules=rules) as desk:
            return work(desk)

    for kind, content in DOCUMENTS.items():
        at_desk("score", lambda desk, k=kind, c=content: casework.put_document(desk, k, "one", c))
    own = {role: _work_of(at_desk, role) for role in OWN}
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
    values = {
        "tray": "unassigned",
        "panel_id": _panel(at_desk, now.date(), list(own[Role.MANAGER])),
        "alert_id": alert_id,
        "objection_id": objection.objection_id,
        "account_id": account.account_id,
        "key_id": key.key_id,
    }
    return Cases(values, own)


def _work_of(at_desk: Callable[..., Any], role: Role) -> tuple[str, str]:
    """Return two flags that a role has taken: one to decide, one with help offered."""

    def take(desk: casework.Desk, rank: int) -> casework.FlagView:
        flag = desk.unit.flags.of_household(household_id(rank))[0]
        return casework.take_flag(desk, flag.flag_id, flag.version)

    def offer(desk: casework.Desk, flag: Any) -> None:
        form = casework.DecisionForm(DecisionCode.OFFER_HELP, "Rent is short.", ("money_advice",))
        casework.decide(desk, flag.flag_id, flag.version, form)

    mine, offered = (
        at_desk(role.value, lambda desk, rank=rank: take(desk, rank)) for rank in OWN[role]
    )
    at_desk(role.value, lambda desk: offer(desk, offered))
    return mine.flag_id, offered.flag_id


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
