"""A household's outlook: what is visible of it, turned into monthly chances.

Every input is something an extract shows by then: tenure, the lead's age, who is named, benefits
and their shortfall, crowding, a recent move, separation or claim, the landlord's ladder. Ethnic
group, sex and disability are not among them.
"""

from __future__ import annotations

import numpy as np

from earlyflag.synthetic.columns import NONE
from earlyflag.synthetic.hidden import DUTY_BY_MEANS, Outlook, transitions
from earlyflag.synthetic.homes import ASSOCIATION, COUNCIL, OWNED, PRIVATE
from earlyflag.synthetic.months import age_in_years
from earlyflag.synthetic.rent import APPLIED, NOTICE
from earlyflag.synthetic.society import is_social
from earlyflag.synthetic.world import World

#: Factors by tenure as the tables show it: owned, council, association, private, and a private
#: tenancy that no record mentions, which nothing tells from an owned home but its people's moves.
UNSEEN = 4
POORER = np.array([0.45, 1.0, 1.0, 1.30, 0.50])
HOME_IN_DANGER = np.array([0.15, 0.85, 0.85, 1.8, 0.25])
DUTY = np.array([0.8, 0.95, 0.95, 1.10, 0.8])
SHOCKED = np.array([0.50, 0.95, 0.95, 1.20, 0.60])
LEAVES = np.array([0.0030, 0.0012, 0.0014, 0.0085])
AGE_EDGES = np.array([25, 35, 45, 55, 65, 75])
BY_AGE = np.array([1.40, 1.30, 1.06, 1.0, 0.80, 0.50, 0.20])

SHOCK_A_MONTH = 0.00135
GROWN_CHILD_DUTY = 0.0007
HELP_LASTS_MONTHS = 6
CHANGE_LASTS_MONTHS = 6


def visible_factors(world: World, rows: np.ndarray, month: int) -> dict[str, np.ndarray]:
    """Return what is visible of households at the start of a month, one array a fact."""
    households = world.households
    lead = households["lead"][rows]
    tenure = households["tenure"][rows]
    unseen = (tenure == PRIVATE) & (households["tenancy"][rows] == NONE)
    persons = (
        1 + (households["partner"][rows] != NONE) + households["known_kids"][rows]
        + households["known_grown"][rows]
    )  # fmt: skip
    bedrooms = np.maximum(world.homes["bedrooms"][households["home"][rows]], 1)
    recent = {
        name: month - households[name][rows] <= CHANGE_LASTS_MONTHS
        for name in ("split", "claimed", "helped")
    }
    rent = np.maximum(households["rent"][rows], 1)
    return {
        "tenure": np.where(unseen, UNSEEN, tenure),
        "age": age_in_years(world.people["born"][lead], world.months.start(month)),
        "alone": (households["partner"][rows] == NONE) & (households["others"][rows] == 0),
        "kids": households["known_kids"][rows],
        "grown": households["known_grown"][rows],
        "crowded": (households["tenancy"][rows] != NONE) & (persons / bedrooms > 2),
        "short": np.clip(households["shortfall"][rows] / rent, 0, 0.6)
        * (households["claim_kind"][rows] > 0),
        "capped": households["capped"][rows],
        "moved": month - households["moved"][rows] <= 2 * CHANGE_LASTS_MONTHS,
        "rent_stage": households["rent_stage"][rows],
        **recent,
    }


def outlook(world: World, rows: np.ndarray, month: int) -> Outlook:
    """Return the monthly chances of households from `month` on, given what is visible of them."""
    seen = visible_factors(world, rows, month)
    tenure = seen["tenure"]
    by_age = BY_AGE[np.searchsorted(AGE_EDGES, seen["age"], side="right")]
    alone_with_kids = seen["alone"] & (seen["kids"] > 0)
    composed = np.select(
        [alone_with_kids, seen["alone"], seen["kids"] > 0], [2.5, 1.25, 0.75], 0.42
    )
    poorer = (
        POORER[tenure] * np.sqrt(composed)
        * np.exp(1.8 * seen["short"]) * np.where(seen["capped"], 1.5, 1.0)
        * np.where(seen["split"], 3.0, 1.0) * np.where(seen["claimed"], 1.5, 1.0)
    )  # fmt: skip
    danger = (
        HOME_IN_DANGER[tenure] * np.where(seen["moved"], 0.8, 1.0)
        * np.where(seen["rent_stage"] >= NOTICE, 1.5, 1.0)
        * np.where(seen["rent_stage"] >= APPLIED, 1.3, 1.0)
    )  # fmt: skip
    duty = (
        DUTY_BY_MEANS
        * np.minimum(DUTY[tenure] * composed**0.3 * np.where(seen["crowded"], 1.2, 1.0), 3.0)[
            :, None
        ]
    )
    shock = (
        SHOCK_A_MONTH * SHOCKED[tenure] * by_age * composed**0.75
        * np.where(seen["split"], 3.5, 1.0) * np.where(seen["crowded"], 1.6, 1.0)
    )  # fmt: skip
    child = GROWN_CHILD_DUTY * seen["grown"] * np.where(seen["crowded"], 1.7, 1.0)
    help_factor = np.where(seen["helped"], 2.2, 1.0)
    matrix = transitions(poorer, danger / help_factor, help_factor)
    leave = leave_chance(world, rows, month)
    return Outlook(matrix, duty / np.sqrt(help_factor)[:, None], shock, child, leave)


def leave_chance(world: World, rows: np.ndarray, month: int) -> np.ndarray:
    """Return the monthly chance of leaving the borough's records, by tenure and age."""
    born = world.people["born"][world.households["lead"][rows]]
    young = age_in_years(born, world.months.start(month)) < 35
    return LEAVES[world.households["tenure"][rows]] * np.where(young, 1.25, 0.9)


__all__ = ["ASSOCIATION", "COUNCIL", "OWNED", "PRIVATE", "is_social", "outlook"]
