"""Who lives in the borough: households by tenure, their people, names, income and crowding.

The ethnic group shapes a household only here: which tenure it lives in, how likely its income is
low, how many children it has. No hazard anywhere reads it.
"""

from __future__ import annotations

import numpy as np

from earlyflag.synthetic.columns import NONE
from earlyflag.synthetic.homes import ASSOCIATION, COUNCIL, OWNED, PRIVATE
from earlyflag.synthetic.names import COMMUNITIES, name_book
from earlyflag.synthetic.world import CHILD, GROWN_CHILD, LEAD, OTHER, PARTNER, World

SINGLE, COUPLE, FAMILY, LONE_PARENT, SEVERAL = range(5)
TYPE_SHARES = np.array(
    [
        [0.41, 0.29, 0.17, 0.04, 0.09],
        [0.42, 0.10, 0.15, 0.19, 0.14],
        [0.46, 0.09, 0.15, 0.18, 0.12],
        [0.50, 0.22, 0.10, 0.05, 0.13],
    ]
)
AGE_MEAN_AND_SPREAD = np.array([[57, 15], [53, 15], [52, 15], [36, 11]])
LOW_INCOME = np.array([0.05, 0.52, 0.47, 0.13])

#: ethnic group, community of names, share, tilt to each tenure (log), tilt to low income (log-odds)
GROUPS: tuple[tuple[str, str, float, tuple[float, ...], float, float], ...] = (
    ("white_british", "british", 0.285, (0.45, -0.05, 0.05, -0.15), -0.35, -0.2),
    ("white_irish", "irish", 0.02, (0.20, 0.20, 0.20, -0.2), -0.1, -0.1),
    ("white_other", "european", 0.25, (-0.10, -0.8, -0.7, 0.35), -0.25, -0.1),
    ("black_african", "african", 0.048, (-1.1, 0.9, 0.8, -0.5), 0.4, 0.4),
    ("black_caribbean", "caribbean", 0.022, (-0.9, 1.0, 0.9, -0.9), 0.3, 0.1),
    ("black_other", "african", 0.012, (-0.9, 0.9, 0.8, -0.5), 0.4, 0.2),
    ("asian_bangladeshi", "bangladeshi", 0.036, (-0.9, 1.2, 0.9, -0.9), 0.6, 0.9),
    ("asian_indian_pakistani", "south_asian", 0.062, (0.2, -0.5, -0.5, 0.1), -0.1, 0.2),
    ("asian_chinese", "east_asian", 0.03, (0.0, -0.8, -0.8, 0.3), -0.1, -0.2),
    ("asian_other", "east_asian", 0.04, (-0.3, 0.1, 0.1, 0.1), 0.1, 0.1),
    ("mixed", "british", 0.065, (-0.3, 0.3, 0.3, 0.0), 0.1, 0.0),
    ("arab", "arab", 0.076, (-0.5, 0.6, 0.6, -0.1), 0.5, 0.6),
    ("other", "other", 0.054, (-0.4, 0.2, 0.2, 0.1), 0.2, 0.2),
)
ETHNIC_GROUPS = tuple(group[0] for group in GROUPS)
GROUP_SHARES = np.array([group[2] for group in GROUPS])
GROUP_SHARES = GROUP_SHARES / GROUP_SHARES.sum()
COMMUNITY_OF_GROUP = np.array([COMMUNITIES.index(group[1]) for group in GROUPS])
_TENURE_WEIGHTS = np.array([group[2] for group in GROUPS])[:, None] * np.exp(
    np.array([group[3] for group in GROUPS])
)
_INCOME_TILT = np.array([group[4] for group in GROUPS])
_CHILDREN_TILT = np.array([group[5] for group in GROUPS])


def add_households(
    world: World, homes: np.ndarray, month: int, day: np.ndarray, leads: np.ndarray | None = None
) -> np.ndarray:
    """Settle new households in empty homes; return their rows.

    Parameters
    ----------
    homes : rows of the homes
    month, day : when they move in; the day may lie before the period
    leads : people who already exist and found the household (a leaving partner or child), or
        `NONE` where the lead is new to the borough
    """
    rng, count = world.rng, len(homes)
    leads = np.full(count, NONE) if leads is None else leads
    tenure = world.homes["tenure"][homes].astype(int)
    room = world.homes["house"][homes] >= 0
    kind = _pick(rng, TYPE_SHARES[tenure])
    kind = np.where(room | (leads != NONE), SINGLE, kind)
    ethnic = _pick(rng, (_TENURE_WEIGHTS / _TENURE_WEIGHTS.sum(axis=0)).T[tenure])
    known = leads != NONE
    ethnic[known] = world.people["ethnic"][leads[known]]
    odds = np.log(LOW_INCOME / (1 - LOW_INCOME))[tenure] + _INCOME_TILT[ethnic]
    odds = odds + np.where(kind == LONE_PARENT, 1.1, 0) + np.where(kind == COUPLE, -0.6, 0)
    low = rng.random(count) < 1 / (1 + np.exp(-odds))
    rows = world.households.append(
        count, active=True, home=homes, tenure=tenure, ethnic=ethnic, low_income=low,
        community=COMMUNITY_OF_GROUP[ethnic], first_month=month, moved=month if month >= 0 else -99,
        rent=world.homes["rent"][homes],
    )  # fmt: skip
    world.homes["occupant"][homes] = rows
    _add_people(world, rows, kind, day, leads)
    return rows


def _pick(rng: np.random.Generator, shares: np.ndarray) -> np.ndarray:
    cumulative = shares.cumsum(axis=1) / shares.sum(axis=1, keepdims=True)
    return (rng.random(len(shares))[:, None] > cumulative[:, :-1]).sum(axis=1)


def _add_people(
    world: World, rows: np.ndarray, kind: np.ndarray, day: np.ndarray, leads: np.ndarray
) -> None:
    """Give new households their lead, partner, children, grown children and others."""
    rng, households = world.rng, world.households
    tenure = households["tenure"][rows]
    mean, spread = AGE_MEAN_AND_SPREAD[tenure].T
    age = np.clip(rng.normal(mean, spread), 18.2, 96)
    with_children = (kind == FAMILY) | (kind == LONE_PARENT)
    age = np.where(with_children, np.clip(age * 0.55 + 18, 20, 58), age)
    grown_home = (kind == SEVERAL) & (tenure != PRIVATE)
    age = np.where(grown_home, np.clip(age, 42, 80), age)
    male = rng.random(len(rows)) < np.where(kind == LONE_PARENT, 0.12, 0.52)
    lead = _make(world, rows, LEAD, day - (age * 365.25).astype(int), male, day, leads)
    households["lead"][rows] = lead
    _add_partners(world, rows, kind, day, lead)
    _add_children(world, rows, kind, day, age)
    count = np.where(grown_home, 1 + (rng.random(len(rows)) < 0.3), 0)
    _add_kin(world, rows, GROWN_CHILD, count, day, lambda n: rng.uniform(18.1, 29, n))
    households["grown"][rows] = count
    count = np.where((kind == SEVERAL) & (tenure == PRIVATE), 2 + (rng.random(len(rows)) < 0.3), 0)
    _add_kin(world, rows, OTHER, count, day, lambda n: rng.uniform(19, 42, n), own_name=True)
    households["others"][rows] = count


def _add_partners(
    world: World, rows: np.ndarray, kind: np.ndarray, day: np.ndarray, lead: np.ndarray
) -> None:
    rng, people = world.rng, world.people
    chance = np.select(
        [(kind == COUPLE) | (kind == FAMILY), kind == SEVERAL], [1.0, 0.6], 0.0
    )  # fmt: skip
    chance = np.where((kind == SEVERAL) & (world.households["tenure"][rows] == PRIVATE), 0, chance)
    has = rng.random(len(rows)) < chance
    born = people["born"][lead[has]] + rng.normal(500, 1300, int(has.sum())).astype(int)
    born = np.minimum(born, day[has] - 6700)
    male = people["male"][lead[has]] ^ (rng.random(int(has.sum())) < 0.95)
    partner = _make(world, rows[has], PARTNER, born, male, day[has], None)
    shares_name = rng.random(len(partner)) < 0.62
    taken = np.where(shares_name, people["surname"][lead[has]], people["surname"][partner])
    people["surname"][partner] = taken
    world.households["partner"][rows[has]] = partner


def _add_children(
    world: World, rows: np.ndarray, kind: np.ndarray, day: np.ndarray, age: np.ndarray
) -> None:
    rng = world.rng
    tilt = _CHILDREN_TILT[world.households["ethnic"][rows]]
    count = np.clip(1 + rng.poisson(0.75 * np.exp(tilt * 0.8)), 1, 5)
    count = np.where((kind == FAMILY) | (kind == LONE_PARENT), count, 0)
    oldest = np.repeat(np.clip(age - 19, 0.6, 17.8), count)
    _add_kin(world, rows, CHILD, count, day, lambda n: rng.random(n) * oldest)
    world.households["kids"][rows] = count


def _add_kin(world, rows, role, count, day, ages, *, own_name=False) -> None:
    """Add `count` people of one role to each household, ages in years from `ages(n)`."""
    of = np.repeat(rows, count)
    if not len(of):
        return
    days = np.repeat(day, count)
    male = world.rng.random(len(of)) < 0.5
    made = _make(world, of, role, days - (ages(len(of)) * 365.25).astype(int), male, days, None)
    if own_name:
        return
    people, lead = world.people, world.households["lead"][of]
    people["surname"][made] = people["surname"][lead]
    _make_twins(world, made, of)
    namesake = (role == GROWN_CHILD) & people["male"][made] & people["male"][lead]
    namesake &= world.rng.random(len(made)) < 0.06
    people["forename"][made[namesake]] = people["forename"][lead[namesake]]


def _make_twins(world: World, made: np.ndarray, of: np.ndarray) -> None:
    """Give about 1.5% of neighbouring siblings one date of birth."""
    twins = (of[1:] == of[:-1]) & (world.rng.random(len(of) - 1) < 0.015)
    born = world.people["born"]
    born[made[1:][twins]] = born[made[:-1][twins]]


def _make(world, rows, role, born, male, day, existing) -> np.ndarray:
    """Make people of households (or take people who exist already) and note where they live."""
    rng, book = world.rng, name_book()
    household = world.households
    community = household["community"][rows]
    made = world.people.append(
        len(rows), household=rows, role=role, born=born, male=male, community=community,
        ethnic=household["ethnic"][rows], forename=book.draw_forenames(rng, community, male),
        surname=book.draw_surnames(rng, community), disabled=rng.random(len(rows)) < 0.14,
    )  # fmt: skip
    people = world.people
    people["birth_surname"][made] = people["surname"][made]
    if existing is not None and (existing != NONE).any():
        moved = existing != NONE
        people["present"][made[moved]] = False
        people["household"][made[moved]] = rows[moved]
        made = np.where(moved, existing, made)
        chosen = made[moved]
        people["household"][chosen] = rows[moved]
        people["role"][chosen] = role
        people["present"][chosen] = True
    people["member_row"][made] = world.members.append(
        len(rows), household=rows, person=made, since=day
    )
    return made


def add_child(world: World, rows: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Add a newborn child to each household; return the children's rows."""
    people, lead = world.people, world.households["lead"][rows]
    child = _make(world, rows, CHILD, day, world.rng.random(len(rows)) < 0.5, day, None)
    people["surname"][child] = people["surname"][lead]
    world.households["kids"][rows] += 1
    return child


def is_social(tenure: np.ndarray) -> np.ndarray:
    """Return whether a tenure is a council's or a housing association's."""
    return (tenure == COUNCIL) | (tenure == ASSOCIATION)


def adults_of(world: World, rows: np.ndarray) -> np.ndarray:
    """Return the number of adults of households."""
    households = world.households
    partner = households["partner"][rows] != NONE
    return 1 + partner + households["grown"][rows] + households["others"][rows]


__all__ = ["ETHNIC_GROUPS", "OWNED", "add_households", "adults_of", "is_social"]
