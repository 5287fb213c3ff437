"""Help with council tax and rent: who claims, what is paid, where it falls short, when it ends."""

from __future__ import annotations

import numpy as np

from earlyflag.synthetic.columns import NO_DATE, NONE
from earlyflag.synthetic.council_tax import post_instalments
from earlyflag.synthetic.hidden import Evidence, by_means
from earlyflag.synthetic.homes import OWNED, PRIVATE
from earlyflag.synthetic.months import age_in_years
from earlyflag.synthetic.society import is_social
from earlyflag.synthetic.world import World

NO_CLAIM, HOUSING_BENEFIT, UNIVERSAL_CREDIT = range(3)
CLAIM_WORDS = ("", "housing_benefit", "universal_credit_housing")
LOCAL_ALLOWANCE_PENCE = np.array([16000, 29500, 36500, 44100, 59300])
PENSION_AGE = 66
SHARE_OF_PRIVATE_RENT = 0.72

#: Monthly chance of a new claim for rent (not yet claiming), and for council tax.
CLAIM_BEGINS = by_means((0.0006, 0.016, 0.028, 0.020))
REDUCTION_BEGINS = by_means((0.0005, 0.012, 0.015, 0.008))
CLAIM_ENDS = 0.006


def settle_benefits(world: World, rows: np.ndarray, month: int, day: np.ndarray) -> None:
    """Give households with low incomes the awards they have when they enter the records."""
    households, rng = world.households, world.rng
    low = households["low_income"][rows]
    renting = households["tenure"][rows] != OWNED
    claims = low & renting & (rng.random(len(rows)) < 0.85)
    award_rent(
        world, rows[claims], month, day[claims], day[claims] + rng.integers(3, 30, claims.sum())
    )
    reduced = low & (households["account"][rows] != NONE) & (rng.random(len(rows)) < 0.75)
    since = day[reduced]
    _award_reduction(world, rows[reduced], since, since + rng.integers(3, 30, len(since)))


def award_rent(world, rows, month, day, known) -> None:
    """Begin a claim for rent: its kind, what it pays, what it leaves short."""
    households, rng = world.households, world.rng
    age = age_in_years(world.people["born"][households["lead"][rows]], world.months.start(month))
    old = age >= PENSION_AGE
    credit = ~old & (rng.random(len(rows)) < (0.75 if month < 12 else 0.93))
    households["claim_kind"][rows] = np.where(credit, UNIVERSAL_CREDIT, HOUSING_BENEFIT)
    private = households["tenure"][rows] == PRIVATE
    first = rows[private & (households["award"][rows] == 0)]
    if month < 0:
        households["rent"][first] = (households["rent"][first] * SHARE_OF_PRIVATE_RENT).round(-1)
    rent = households["rent"][rows]
    bedrooms = np.minimum(world.homes["bedrooms"][households["home"][rows]], 4)
    allowance = LOCAL_ALLOWANCE_PENCE[bedrooms]
    spare_room = ~private & ~old & (rng.random(len(rows)) < 0.12)
    eligible = np.where(private, np.minimum(rent, allowance), rent * np.where(spare_room, 0.86, 1))
    earns = rng.random(len(rows)) < 0.45
    paid = eligible * np.where(earns, rng.uniform(0.45, 0.95, len(rows)), 1)
    kids = households["kids"][rows]
    capped = (
        ~old & ~earns & (rng.random(len(rows)) < np.where(private, 0.10 + 0.12 * kids, 0.03 * kids))
    )
    paid = np.where(capped, paid * 0.82, paid)
    households["award"][rows] = paid.round(-1)
    households["shortfall"][rows] = np.maximum(rent - households["award"][rows], 0)
    households["capped"][rows] = capped
    households["managed"][rows] = ~private & credit & (rng.random(len(rows)) < 0.4)
    households["claimed"][rows] = month
    households["claim"][rows] = world.number("claim", len(rows))
    _write(world, rows, day, known)


def _write(world, rows, day, known) -> None:
    """Write a claim's spell with the household's amounts as they are now."""
    households, sheet = world.households, world.sheets["benefits"]
    words = np.array([NONE, *(sheet.code("kind", word) for word in CLAIM_WORDS[1:])])
    households["claim_row"][rows] = sheet.append(
        len(rows), claim_ref=households["claim"][rows], valid_from=day,
        known_on=np.maximum(known, day), account_ref=households["account"][rows],
        tenancy_ref=households["tenancy"][rows], kind=words[households["claim_kind"][rows]],
        weekly_pence=households["award"][rows],
        shortfall_weekly_pence=households["shortfall"][rows], capped=households["capped"][rows],
    )  # fmt: skip


def _award_reduction(world, rows, day, known) -> None:
    households, rng = world.households, world.rng
    full = rng.random(len(rows)) < 0.30
    cut = np.where(full, 1000, rng.integers(25, 85, len(rows)) * 10)
    households["cut"][rows] = cut
    households["covered"][rows] = True
    households["reduction_claim"][rows] = world.number("claim", len(rows))
    weekly = households["gross"][rows] * cut // 1000 * 10 // 52
    households["reduction_row"][rows] = world.sheets["benefits"].append(
        len(rows), claim_ref=households["reduction_claim"][rows], valid_from=day,
        known_on=np.maximum(known, day), account_ref=households["account"][rows],
        kind="council_tax_reduction", weekly_pence=np.maximum(weekly, 400), capped=False,
    )  # fmt: skip


def change_claims(world: World, rows: np.ndarray, month: int, evidence: Evidence) -> None:
    """Begin and end claims for a month; amounts go up each April.

    Parameters
    ----------
    rows : this month's households, in the order that `evidence` was made with
    """
    households = world.households
    renting = households["tenure"][rows] != OWNED
    none = np.flatnonzero(renting & (households["claim_kind"][rows] == NO_CLAIM))
    begun = rows[none[evidence.observe(none, CLAIM_BEGINS)]]
    day = world.day(month, len(begun), 3, 20)
    learn_of_tenancies(world, begun, day)
    award_rent(world, begun, month, day, day + world.rng.integers(0, 8, len(begun)))
    billed = (households["account"][rows] != NONE) & ~households["exempt"][rows]
    free = np.flatnonzero(billed & ~households["covered"][rows])
    reduced = rows[free[evidence.observe(free, REDUCTION_BEGINS)]]
    day = world.day(month, len(reduced), 3, 20)
    _award_reduction(world, reduced, day, day)
    _credit_rest_of_year(world, reduced, month, day)
    claiming = rows[households["claim_kind"][rows] != NO_CLAIM]
    ended = world.chosen(claiming[households["claimed"][claiming] < month - 2], CLAIM_ENDS)
    end_claims(world, ended, month)
    if world.months.calendar_month(month) == 4:
        uprate(world, np.setdiff1d(claiming, ended), month)


def learn_of_tenancies(world: World, rows: np.ndarray, day: np.ndarray) -> None:
    """Enter private tenancies that a claim or an alert brings to the council's notice."""
    from earlyflag.synthetic.tenancies import open_private

    households = world.households
    unknown = (households["tenure"][rows] == PRIVATE) & (households["tenancy"][rows] == NONE)
    open_private(world, rows[unknown], day[unknown])


def _credit_rest_of_year(world, rows, month, day) -> None:
    """Credit a new reduction against the instalments still to come this year."""
    households = world.households
    rest = households["due_until"][rows] > month
    rows, day = rows[rest], day[rest]
    amount = -(households["gross"][rows] * households["cut"][rows] // 1000)
    first = month + 1
    late_start = households["due_from"][rows] > first
    rows, amount, day = rows[~late_start], amount[~late_start], day[~late_start]
    post_instalments(world, rows, "reduction", amount, first, day)


def end_claims(world: World, rows: np.ndarray, month: int) -> None:
    """End claims for rent; the end is known some days later."""
    households, sheet = world.households, world.sheets["benefits"]
    rows = rows[households["claim_kind"][rows] != NO_CLAIM]
    held = households["claim_row"][rows]
    day = np.maximum(world.day(month, len(rows), 2, 20), sheet.rows["valid_from"][held])
    sheet.set(held, valid_to=day, valid_to_known_on=day + world.rng.integers(0, 8, len(rows)))
    for name, value in (("claim_kind", NO_CLAIM), ("award", 0), ("shortfall", 0),
                        ("capped", False), ("managed", False), ("claim_row", NONE)):  # fmt: skip
        households[name][rows] = value


def end_all(world: World, rows: np.ndarray, month: int) -> None:
    """End every award of households that leave their home."""
    end_claims(world, rows, month)
    households, sheet = world.households, world.sheets["benefits"]
    rows = rows[households["covered"][rows]]
    held = households["reduction_row"][rows]
    day = np.maximum(world.day(month, len(rows), 2, 20), sheet.rows["valid_from"][held])
    open_spell = sheet.rows["valid_to"][held] == NO_DATE
    sheet.set(held[open_spell], valid_to=day[open_spell], valid_to_known_on=day[open_spell] + 5)
    households["covered"][rows] = False
    households["cut"][rows] = 0


def uprate(world: World, rows: np.ndarray, month: int) -> None:
    """Begin a new spell of each claim in April: rents and awards rise, not always alike."""
    households, sheet = world.households, world.sheets["benefits"]
    held = households["claim_row"][rows]
    start = world.months.start(month)
    fits = sheet.rows["valid_from"][held] < start
    rows, held = rows[fits], held[fits]
    sheet.set(held, valid_to=start - 1, valid_to_known_on=start - 20)
    private = households["tenure"][rows] == PRIVATE
    frozen = world.months.tax_year(month) % 2 == 0
    rise = np.where(private & frozen, 1.0, 1.04)
    award = np.minimum(households["award"][rows] * rise, households["rent"][rows]).round(-1)
    households["award"][rows] = award
    households["shortfall"][rows] = np.maximum(households["rent"][rows] - award, 0)
    _write(world, rows, np.full(len(rows), start), np.full(len(rows), start - 20))


def reductions_of_known(world: World, rows: np.ndarray) -> np.ndarray:
    """Return which households have a reduction in force."""
    return world.households["covered"][rows]


__all__ = ["award_rent", "change_claims", "end_all", "is_social", "settle_benefits"]
