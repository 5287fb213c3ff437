"""Homelessness: approaches, duties, their reasons, and what becomes of the household."""

from __future__ import annotations

import numpy as np

from earlyflag.synthetic import cases, lives, tenancies
from earlyflag.synthetic.columns import NONE
from earlyflag.synthetic.hidden import (
    HABITS,
    LOSING,
    SHOCK_DUTY,
    Evidence,
    Outlook,
    by_means,
)
from earlyflag.synthetic.homes import OWNED, PRIVATE
from earlyflag.synthetic.world import GROWN_CHILD, World

APPROACH = by_means((0.00004, 0.0005, 0.004, 0.014))
OWNERS_APPROACH = 0.25
PREVENTED = 0.36
PREVENTED_AFTER_SHOCK = 0.10
STAYS_WHEN_PREVENTED = 0.65
TO_TEMPORARY = 0.40
LEAVES_TEMPORARY = 0.045
AFTER_HELP = np.array([0.70, 0.20, 0.08, 0.02])
OPEN_MONTHS = 3
APPROACH_EXCLUDES_MONTHS = 3

#: Duties a month for each household of the borough, to people whom no extract of it knows.
UNKNOWN_A_MONTH = 0.00027
HOSTED_A_MONTH = 0.00023


def approach(world: World, rows: np.ndarray, month: int, evidence: Evidence) -> None:
    """Let households approach the council without being owed a duty yet."""
    households = world.households
    owned = households["tenure"][rows] == OWNED
    chance = np.where(owned[:, None, None], APPROACH * OWNERS_APPROACH, APPROACH)
    asked = rows[evidence.observe(np.arange(len(rows)), chance)]
    households["approached"][asked] = month
    cases.write_members(world, asked, households["lead"][asked], month, "none", shocked=None)


def owe_duties(world: World, rows: np.ndarray, month: int, ahead: Outlook) -> np.ndarray:
    """Draw this month's duties; return which of `rows` were owed one that ends their risk.

    A duty to a grown child takes the child alone: the household goes on as it was.
    """
    households, rng = world.households, world.rng
    by_means_now = ahead.duty[np.arange(len(rows)), households["means"][rows]]
    from_means = rng.random(len(rows)) < by_means_now
    from_shock = households["shock"][rows] & (rng.random(len(rows)) < SHOCK_DUTY)
    owed = from_means | from_shock
    _grown_children(world, rows[~owed & (rng.random(len(rows)) < ahead.child)], month)
    shocked = from_shock[owed] & ~from_means[owed]
    _members(world, rows[owed], month, shocked)
    return owed


def _members(world: World, rows: np.ndarray, month: int, shocked: np.ndarray) -> None:
    """Write the households' cases, then help them stay, house them for a time, or lose them."""
    rng = world.rng
    prevented = rng.random(len(rows)) < np.where(shocked, PREVENTED_AFTER_SHOCK, PREVENTED)
    lead = world.households["lead"][rows]
    partner = world.households["partner"][rows]
    applicant = np.where((partner != NONE) & (rng.random(len(rows)) < 0.3), partner, lead)
    for duty, which in (("prevention", prevented), ("relief", ~prevented)):
        cases.write_members(
            world, rows[which], applicant[which], month, duty, shocked=shocked[which]
        )
    world.households["approached"][rows] = month
    stays = prevented & (rng.random(len(rows)) < STAYS_WHEN_PREVENTED)
    _start_afresh(world, rows[stays], month)
    leaving = rows[~stays]
    housed = rng.random(len(leaving)) < TO_TEMPORARY
    _house_for_a_time(world, leaving[housed], month)
    lives.leave_borough(world, leaving[~housed], month, "homeless")


def _start_afresh(world: World, rows: np.ndarray, month: int) -> None:
    """Set means anew after a duty was met in place; that this happened is on record."""
    households = world.households
    chances = np.tile(AFTER_HELP, (len(rows), 1))
    households["means"][rows] = (
        world.rng.random(len(rows))[:, None] > chances.cumsum(axis=1)[:, :-1]
    ).sum(axis=1)
    households["shock"][rows] = False
    habit = households["belief_now"][rows].sum(axis=2)
    households["belief"][rows] = habit[:, :, None] * AFTER_HELP
    households["belief_now"][rows] = households["belief"][rows]
    households["belief_shock"][rows] = 0.0
    households["busy_until"][rows] = month + OPEN_MONTHS


def _house_for_a_time(world: World, rows: np.ndarray, month: int) -> None:
    """Move households to temporary accommodation: an empty private home, a licence."""
    households, homes = world.households, world.homes
    lives.vacate(world, rows, month, "homeless")
    empty = np.flatnonzero(
        (homes["occupant"] == NONE) & (homes["tenure"] == PRIVATE) & (homes["house"] < 0)
    )
    empty = world.rng.permutation(empty[~np.isin(empty, homes["house"])])[: len(rows)]
    day = np.full(len(rows), world.months.start(month) + 27)
    households["active"][rows] = False
    rows, day = rows[: len(empty)], day[: len(empty)]
    homes["occupant"][empty] = rows
    households["home"][rows] = empty
    tenancies.open_temporary(world, rows, day)


def leave_temporary(world: World, month: int) -> None:
    """End some households' stay in temporary accommodation; they leave the records."""
    households = world.households
    housed = np.flatnonzero(~households["active"] & (households["tenancy"] != NONE))
    lives.leave_borough(world, world.chosen(housed, LEAVES_TEMPORARY), month, "tenant_left")


def _grown_children(world: World, rows: np.ndarray, month: int) -> None:
    """A grown child whom the tenancy names is asked to leave and owed a duty."""
    people = world.people
    living = world.people_of(rows)
    named = living[(people["role"][living] == GROWN_CHILD) & (people["tenant_row"][living] != NONE)]
    _, first = np.unique(people["household"][named], return_index=True)
    child = named[first]
    rows = people["household"][child]
    cases.write_asked_to_leave(world, rows, child, month)
    lives.grown_child_leaves(world, child, month, found=0.0)


def others(world: World, month: int) -> None:
    """Owe duties to people who are nobody's known member: hosted kin, and the unknown."""
    households = world.households
    rows = world.active()
    weight = np.array([0.5, 1.9, 1.8, 0.7])[households["tenure"][rows]]
    hosts = world.chosen(rows, HOSTED_A_MONTH * weight)
    cases.write_hosted(world, hosts, month)
    cases.write_unknown(world, int(world.rng.poisson(UNKNOWN_A_MONTH * len(rows))), month)


def eligible(world: World, rows: np.ndarray, month: int) -> np.ndarray:
    """Return whether households may be scored at the start of a month.

    Not with an open duty, nor within three months of an approach; those in temporary
    accommodation are not among the active.
    """
    households = world.households
    waits = month - households["approached"][rows] <= APPROACH_EXCLUDES_MONTHS
    return ~(waits | (month <= households["busy_until"][rows]))


__all__ = ["HABITS", "LOSING", "approach", "eligible", "leave_temporary", "others", "owe_duties"]
