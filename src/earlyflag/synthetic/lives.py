"""What befalls households: leaving, moving, arriving, separating, births, children grown up."""

from __future__ import annotations

import numpy as np

from earlyflag.synthetic import benefits, council_tax, extras, tenancies
from earlyflag.synthetic.columns import NO_DATE, NONE
from earlyflag.synthetic.hidden import LATE_BY_HABIT, draw_rows, settled, settled_shock
from earlyflag.synthetic.homes import PRIVATE
from earlyflag.synthetic.risk import leave_chance, outlook
from earlyflag.synthetic.society import add_households, adults_of
from earlyflag.synthetic.world import CHILD, GROWN_CHILD, PARTNER, World

SEPARATES = 0.0016
BIRTH = 0.004
CHILD_LEAVES = 0.009
MOVES = np.array([0.0010, 0.0010, 0.0010, 0.0050])
FOUNDS_HOUSEHOLD = 0.35
EMPTY_HOME_FILLS = 0.55
CHILD_GROWN_AT_DAYS = 6575
#: Share of private lets whose licence tells the council of the tenancy.
LICENSED = 0.60


def settle(world: World, rows: np.ndarray, month: int, day: np.ndarray) -> None:
    """Enter new households in every register, and draw what no register shows."""
    households, rng = world.households, world.rng
    households["habit"][rows] = rng.random(len(rows)) < LATE_BY_HABIT
    council_tax.open_accounts(world, rows, month, day)
    tenancies.open_social(world, rows, day)
    private = households["tenure"][rows] == PRIVATE
    room = world.homes["house"][households["home"][rows]] >= 0
    licensed = rng.random(len(rows)) < LICENSED
    learnt = rows[private & (households["low_income"][rows] | licensed) | room]
    at = np.isin(rows, learnt)
    tenancies.open_private(world, learnt, day[at] + rng.integers(2, 25, len(learnt)))
    benefits.settle_benefits(world, rows, month, day)
    households["claimed"][rows] = np.where(month < 0, -99, households["claimed"][rows])
    draw_hidden(world, rows, max(month, 0))


def draw_hidden(world: World, rows: np.ndarray, month: int) -> None:
    """Draw means and shock as they are in the long run, and set the belief to the same odds."""
    households = world.households
    ahead = outlook(world, rows, month)
    share = settled(ahead)
    shock = settled_shock(ahead)
    households["means"][rows] = draw_rows(world.rng, share)
    households["shock"][rows] = world.rng.random(len(rows)) < shock
    habits = np.array([1 - LATE_BY_HABIT, LATE_BY_HABIT])
    households["belief"][rows] = habits[None, :, None] * share[:, None, :]
    households["belief_now"][rows] = households["belief"][rows]
    households["belief_shock"][rows] = shock


def vacate(world: World, rows: np.ndarray, month: int, reason: str) -> None:
    """Close everything that ties households to their home, and empty the home."""
    households = world.households
    day = world.day(month, len(rows), 5, 27)
    benefits.end_all(world, rows, month)
    council_tax.close_accounts(world, rows, month, day)
    tenancies.close_tenancies(world, rows, day, reason)
    world.homes["occupant"][households["home"][rows]] = NONE


def leave_borough(world: World, rows: np.ndarray, month: int, reason: str = "tenant_left") -> None:
    """Let households leave the borough's records for good."""
    living = world.people_of(rows)
    vacate(world, rows, month, reason)
    last = world.months.start(month) + 27
    world.members["until"][world.people["member_row"][living]] = last
    world.people["present"][living] = False
    world.households["active"][rows] = False


def come_and_go(world: World, month: int) -> None:
    """Leave the borough, move within it, and settle new households in empty homes."""
    households, homes = world.households, world.homes
    rows = world.active()
    leaving = world.chosen(rows, leave_chance(world, rows, month))
    extras.record_outcomes(world, leaving, month)
    leave_borough(world, leaving, month)
    staying = world.active()
    movers = world.chosen(staying, MOVES[households["tenure"][staying]])
    _move(world, movers, month)
    standing = np.flatnonzero(homes["occupant"] == NONE)
    let_rooms = np.zeros(len(homes), bool)
    let_rooms[homes["house"][homes["house"] >= 0]] = True
    standing = standing[~let_rooms[standing]]
    filled = world.chosen(standing, EMPTY_HOME_FILLS)
    leads = np.full(len(filled), NONE)
    private = np.flatnonzero(homes["tenure"][filled] == PRIVATE)[: len(world.unhoused)]
    leads[private] = world.unhoused[: len(private)]
    del world.unhoused[: len(private)]
    day = world.day(month, len(filled), 1, 26)
    new = add_households(world, filled, month, day, leads)
    settle(world, new, month, day)


def _move(world: World, rows: np.ndarray, month: int) -> None:
    """Move households to empty homes, most to private ones; the account and tenancy are new."""
    households, homes = world.households, world.homes
    empty = np.flatnonzero((homes["occupant"] == NONE) & (homes["house"] < 0))
    occupied_by_rooms = np.isin(empty, homes["house"])
    empty = world.rng.permutation(empty[~occupied_by_rooms])
    count = min(len(rows), len(empty))
    rows, empty = rows[:count], empty[:count]
    carried = households["low_income"][rows] | (households["claim_kind"][rows] > 0)
    vacate(world, rows, month, "transfer")
    day = world.day(month, count, 27, 28)
    homes["occupant"][empty] = rows
    households["home"][rows] = empty
    households["tenure"][rows] = homes["tenure"][empty]
    households["rent"][rows] = homes["rent"][empty]
    households["moved"][rows] = month
    households["low_income"][rows] = carried
    council_tax.open_accounts(world, rows, month, day)
    tenancies.open_social(world, rows, day)
    low = carried | (world.rng.random(count) < LICENSED)
    low &= households["tenure"][rows] == PRIVATE
    tenancies.open_private(world, rows[low], day[low] + world.rng.integers(2, 25, int(low.sum())))
    before = households["claimed"][rows].copy()
    benefits.settle_benefits(world, rows, month, day)
    households["claimed"][rows] = before


def change_families(world: World, month: int) -> None:
    """Separate couples, add births, let children grow up and leave."""
    households, people = world.households, world.people
    rows = world.active()
    couples = rows[households["partner"][rows] != NONE]
    born = people["born"][households["lead"][couples]]
    young = born > world.months.start(month) - 60 * 365.25
    _separate(world, world.chosen(couples, np.where(young, SEPARATES, SEPARATES / 5)), month)
    fertile = rows[
        (households["partner"][rows] != NONE)
        & (people["born"][households["lead"][rows]] > world.months.start(month) - 42 * 365.25)
    ]
    _bear(world, world.chosen(fertile, BIRTH), month)
    _grow_up(world, month)
    _leave_parents(world, month)


def depart(world: World, leaving: np.ndarray, day: np.ndarray, found: float) -> None:
    """Let people leave their household: end their spells; some will found one of their own."""
    people = world.people
    known = day + world.rng.integers(2, 40, len(leaving))
    tenancies.end_tenants(world, leaving, day, known)
    held = people["liable_row"][leaving]
    some = held != NONE
    sheet = world.sheets["council_tax_people"]
    last = np.maximum(day[some], sheet.rows["valid_from"][held[some]])
    sheet.set(held[some], valid_to=last, valid_to_known_on=np.maximum(known[some], last))
    people["liable_row"][leaving] = NONE
    world.members["until"][people["member_row"][leaving]] = day
    people["present"][leaving] = False
    world.unhoused.extend(world.chosen(leaving, found).tolist())


def _separate(world: World, rows: np.ndarray, month: int) -> None:
    """One partner leaves; whoever is then alone claims the single person discount."""
    households = world.households
    partner = households["partner"][rows]
    day = world.day(month, len(rows), 2, 24)
    depart(world, partner, day, FOUNDS_HOUSEHOLD)
    households["partner"][rows] = NONE
    households["split"][rows] = month
    single = (adults_of(world, rows) == 1) & (households["account"][rows] != NONE)
    single &= households["discount"][rows] == council_tax.NO_DISCOUNT
    rows, day = rows[single], day[single]
    known = day + world.rng.integers(0, 5, len(rows))
    households["discount"][rows] = council_tax.SINGLE_PERSON
    council_tax.change_account(world, rows, day, known)
    rest = (households["due_until"][rows] > month) & ~households["exempt"][rows]
    rest &= households["due_from"][rows] <= month + 1
    rows, known = rows[rest], known[rest]
    cut = households["gross"][rows] // 4
    council_tax.post_instalments(world, rows, "discount", -cut, month + 1, known)
    households["gross"][rows] -= cut


def _bear(world: World, rows: np.ndarray, month: int) -> None:
    from earlyflag.synthetic.society import add_child

    day = world.day(month, len(rows), 1, 27)
    child = add_child(world, rows, day)
    named = world.households["tenancy"][rows] != NONE
    known = day[named] + world.rng.integers(5, 60, int(named.sum()))
    tenancies.enter_tenants(world, child[named], day[named], known)
    tenancies.count_known(world, rows[named])


def _grow_up(world: World, month: int) -> None:
    """Turn children who reach eighteen this month into grown children, in the records too."""
    people, households = world.people, world.households
    start = world.months.start(month)
    born = people["born"]
    grown = np.flatnonzero(
        people["present"] & (people["role"] == CHILD)
        & (born <= start - CHILD_GROWN_AT_DAYS)
    )  # fmt: skip
    grown = grown[households["active"][people["household"][grown]]]
    people["role"][grown] = GROWN_CHILD
    of = people["household"][grown]
    np.subtract.at(households["kids"], of, 1)
    np.add.at(households["grown"], of, 1)
    named = grown[people["tenant_row"][grown] != NONE]
    sheet = world.sheets["tenancy_people"]
    day = np.full(len(named), start)
    held = people["tenant_row"][named]
    fits = sheet.rows["valid_from"][held] < day
    named, day, held = named[fits], day[fits], held[fits]
    sheet.set(held, valid_to=day - 1, valid_to_known_on=day)
    tenancies.enter_tenants(world, named, day, day)
    tenancies.count_known(world, np.unique(people["household"][named]))


def _leave_parents(world: World, month: int) -> None:
    people, households = world.people, world.households
    grown = np.flatnonzero(people["present"] & (people["role"] == GROWN_CHILD))
    leaving = world.chosen(grown, CHILD_LEAVES)
    grown_child_leaves(world, leaving, month, found=0.12)
    assert (households["grown"] >= 0).all()


def grown_child_leaves(world: World, leaving: np.ndarray, month: int, found: float) -> None:
    """Let grown children leave their parents' home."""
    of = world.people["household"][leaving]
    np.subtract.at(world.households["grown"], of, 1)
    depart(world, leaving, world.day(month, len(leaving), 2, 25), found)
    tenancies.count_known(world, np.unique(of))


__all__ = ["NO_DATE", "PARTNER", "change_families", "come_and_go", "leave_borough", "settle"]
