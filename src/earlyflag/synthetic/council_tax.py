"""Council tax: accounts and who is liable, yearly bills, what is paid and what is not."""

from __future__ import annotations

import numpy as np

from earlyflag.synthetic.columns import NO_DATE, NONE
from earlyflag.synthetic.hidden import Evidence, by_means
from earlyflag.synthetic.homes import OWNED, annual_council_tax
from earlyflag.synthetic.society import adults_of, is_social
from earlyflag.synthetic.world import COUNCIL_TAX, PARTNER, World

METHODS = ("direct_debit", "standing_order", "card", "cash", "attachment", "none")
DIRECT_DEBIT, STANDING_ORDER, CARD, CASH, ATTACHMENT, _ = range(6)
DISCOUNTS = ("none", "single_person", "all_disregarded", "disabled_band", "care_leaver",
             "empty_premium", "second_home")  # fmt: skip
NO_DISCOUNT, SINGLE_PERSON = 0, 1
DISCOUNT_SHARE = np.array([0, 0.25, 0.5, 0.15, 1.0, -1.0, 0.0])
FIRST_DUE_MONTH = 4

MISSED_BY_DEBIT = by_means((0.002, 0.07, 0.70, 0.84), (0.02, 0.10, 0.71, 0.84))
MISSED_OTHERWISE = by_means((0.006, 0.13, 0.78, 0.87), (0.09, 0.22, 0.79, 0.87))
PAID_LATE = by_means((0.05, 0.12, 0.20, 0.20), (0.55, 0.55, 0.55, 0.55))
CAUGHT_UP = by_means((0.60, 0.25, 0.03, 0.02), (0.48, 0.23, 0.03, 0.02))
DEBIT_CANCELLED = by_means((0.0006, 0.010, 0.045, 0.025))
SHARE_PAID_IN_PART = 0.3


def open_accounts(world: World, rows: np.ndarray, month: int, day: np.ndarray) -> None:
    """Open an account for each household (rooms of shared houses have none), and bill it."""
    households, homes, rng = world.households, world.homes, world.rng
    keep = homes["house"][households["home"][rows]] < 0
    rows, day = rows[keep], day[keep]
    count = len(rows)
    tenure = households["tenure"][rows]
    alone = adults_of(world, rows) == 1
    students = (tenure == 3) & (rng.random(count) < 0.04)
    late = households["habit"][rows] == 1
    debit = np.where(tenure == OWNED, 0.80, np.where(is_social(tenure), 0.52, 0.66)) - 0.12 * late
    other = rng.choice([STANDING_ORDER, CARD, CASH], count, p=[0.15, 0.6, 0.25])
    households["method"][rows] = np.where(rng.random(count) < debit, DIRECT_DEBIT, other)
    households["instalments"][rows] = np.where(rng.random(count) < 0.32, 12, 10)
    disabled = world.people["disabled"][households["lead"][rows]]
    households["discount"][rows] = np.where(
        alone, SINGLE_PERSON, np.where(disabled & (rng.random(count) < 0.15), 3, 0)
    )
    households["exempt"][rows] = students
    for name, value in (("arrears", 0), ("stage", 0), ("reminders", 0), ("missed_run", 0)):
        households[name][rows] = value
    households["account"][rows] = world.number("account", count)
    known = day + rng.integers(1, 18, count)
    start_row(world, rows, day, known)
    add_liable(world, rows, day, known)
    if month >= 0:
        bill(world, rows, known, first=month + 1)


def start_row(world: World, rows: np.ndarray, day: np.ndarray, known: np.ndarray) -> None:
    """Begin a new spell of the account with the household's attributes as they are now."""
    households, sheet = world.households, world.sheets["council_tax_accounts"]
    exempt = sheet.code("exemption_class", "N")
    households["account_row"][rows] = sheet.append(
        len(rows), account_ref=households["account"][rows], valid_from=day, known_on=known,
        uprn=households["home"][rows], payment_method=households["method"][rows],
        instalments=households["instalments"][rows], discount=households["discount"][rows],
        exemption_class=np.where(households["exempt"][rows], exempt, NONE),
    )  # fmt: skip


def change_account(world: World, rows: np.ndarray, day: np.ndarray, known: np.ndarray) -> None:
    """End the account's spell the day before and begin another with the changed attributes."""
    sheet = world.sheets["council_tax_accounts"]
    current = world.households["account_row"][rows]
    day = np.maximum(day, sheet.rows["valid_from"][current] + 1)
    known = np.maximum(known, day)
    sheet.set(current, valid_to=day - 1, valid_to_known_on=known)
    start_row(world, rows, day, known)


def add_liable(world: World, rows: np.ndarray, day: np.ndarray, known: np.ndarray) -> None:
    """Enter who is liable: the lead, most partners, and one other adult of a shared flat."""
    people, households = world.people, world.households
    living = world.people_of(rows)
    role = people["role"][living]
    joint = (role == PARTNER) & (world.rng.random(len(living)) < 0.88)
    lead = living == households["lead"][people["household"][living]]
    _enter(world, living[lead], "lead", rows, day, known)
    _enter(world, living[joint & ~lead], "joint", rows, day, known)


def _enter(world, people, role, rows, day, known) -> None:
    """Write liable people into the sheet, dated as their household's account is."""
    at = np.zeros(len(world.households), np.int32)
    at[rows] = np.arange(len(rows))
    of = world.people["household"][people]
    records = world.record(COUNCIL_TAX, people, renewed=0.5)
    sheet = world.sheets["council_tax_people"]
    world.people["liable_row"][people] = sheet.append(
        len(people), account_ref=world.households["account"][of], person_ref=records,
        valid_from=day[at[of]], known_on=known[at[of]], role=role,
    )  # fmt: skip


def bill(world: World, rows: np.ndarray, known: np.ndarray | int, first: int) -> None:
    """Charge the instalments from month `first` to the end of the financial year.

    Those who start within the year pay the months that are left; a ten-month payer pays none in
    February and March.
    """
    households, months = world.households, world.months
    charged = ~households["exempt"][rows]
    rows, known = rows[charged], np.broadcast_to(known, len(rows))[charged]
    left = (FIRST_DUE_MONTH - months.calendar_month(first)) % 12 or 12
    share = 1 - DISCOUNT_SHARE[households["discount"][rows]]
    annual = annual_council_tax(world.homes, households["home"][rows], months.tax_year(first))
    ten = households["instalments"][rows] == 10
    due_months = np.maximum(np.where(ten, left - 2, left), 1)
    gross = (annual * share * left / 12 / due_months).round().astype(int)
    households["gross"][rows] = gross
    households["due_from"][rows] = first
    households["due_until"][rows] = first + due_months - 1
    cover = np.where(households["covered"][rows], households["cut"][rows] / 1000, 0.0)
    post_instalments(world, rows, "charge", gross, first, known)
    covered = cover > 0
    amount = -(gross * np.minimum(cover, 1)).astype(int)
    post_instalments(world, rows[covered], "reduction", amount[covered], first, known[covered])


def post_instalments(world, rows, kind, amount, first, known) -> None:
    """Write one ledger row for each month from `first` to the household's last due month."""
    households, months = world.households, world.months
    count = np.maximum(households["due_until"][rows] - first + 1, 0)
    of = np.repeat(np.arange(len(rows)), count)
    step = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
    starts = np.array([months.start(first + number) for number in range(13)])
    known = np.broadcast_to(known, len(rows))[of]
    world.sheets["council_tax_transactions"].append(
        len(of), account_ref=households["account"][rows][of], happened_on=starts[step],
        known_on=known, kind=kind,
        amount_pence=np.asarray(amount)[of],
    )  # fmt: skip


def post(world, rows, kind, amount, day, known=None) -> None:
    """Write one ledger row for each household."""
    world.sheets["council_tax_transactions"].append(
        len(rows), account_ref=world.households["account"][rows], happened_on=day,
        known_on=day if known is None else known, kind=kind, amount_pence=amount,
    )  # fmt: skip


def net_due(world: World, rows: np.ndarray, month: int) -> np.ndarray:
    """Return the instalment that falls due this month after reductions, in pence (0: none)."""
    households = world.households
    gross = households["gross"][rows]
    cover = np.where(households["covered"][rows], households["cut"][rows], 0)
    due = (households["due_from"][rows] <= month) & (month <= households["due_until"][rows])
    due &= (households["account"][rows] != NONE) & ~households["exempt"][rows]
    return np.where(due, gross - (gross * np.minimum(cover / 1000, 1)).astype(int), 0)


def pay_month(world: World, rows: np.ndarray, month: int, evidence: Evidence) -> None:
    """Let each household pay, miss or catch up on its instalment; debits that fail may end.

    Parameters
    ----------
    rows : this month's households, in the order that `evidence` was made with
    """
    households = world.households
    due = net_due(world, rows, month)
    before = households["arrears"][rows].copy()
    missed = np.zeros(len(rows), bool)
    debit = households["method"][rows] == DIRECT_DEBIT
    by_debit, otherwise = np.flatnonzero(debit & (due > 0)), np.flatnonzero(~debit & (due > 0))
    missed[by_debit] = evidence.observe(by_debit, MISSED_BY_DEBIT)
    missed[otherwise] = evidence.observe(otherwise, MISSED_OTHERWISE)
    _post_debits(world, rows[by_debit], due[by_debit], missed[by_debit], month)
    paying = otherwise[~missed[otherwise]]
    late = evidence.observe(paying, PAID_LATE)
    day = np.where(late, world.day(month, len(paying), 16, 25), world.day(month, len(paying), 1, 9))
    post(world, rows[paying], "payment", -due[paying], day, _posted(world, day))
    part = otherwise[missed[otherwise] & (world.rng.random(len(otherwise)) < SHARE_PAID_IN_PART)]
    half = due[part] // 2
    post(world, rows[part], "payment", -half, world.day(month, len(part), 2, 20))
    owed = np.where(missed, due, 0)
    owed[part] -= half
    households["arrears"][rows] += owed
    households["missed_run"][rows] = np.where(
        missed,
        households["missed_run"][rows] + 1,
        np.where(due > 0, 0, households["missed_run"][rows]),
    )
    fresh = missed & (before <= 0)
    households["overdue_since"][rows[fresh]] = month
    _catch_up(world, rows, before, missed, month, evidence)
    _cancel_debits(world, rows, month, evidence)


def _posted(world: World, day: np.ndarray) -> np.ndarray:
    """Return when payments were posted: at once, or for a few within the same month."""
    return day + (world.rng.random(len(day)) < 0.3) * world.rng.integers(1, 4, len(day))


def _post_debits(world, rows, due, failed, month) -> None:
    """Collect direct debits on the first; a bounced one is debited again some days later."""
    day = np.full(len(rows), world.months.start(month))
    post(world, rows, "payment", -due, day)
    bounced = rows[failed]
    back = world.day(month, len(bounced), 4, 7)
    post(world, bounced, "failed_payment", due[failed], back)


def _catch_up(world, rows, before, missed, month, evidence) -> None:
    """Some who are behind and did not miss this month pay what they owe."""
    households = world.households
    behind = np.flatnonzero((before > 0) & ~missed & (households["account"][rows] != NONE))
    behind = behind[households["stage"][rows[behind]] < ARRANGED]
    paid = behind[evidence.observe(behind, CAUGHT_UP)]
    day = world.day(month, len(paid), 3, 24)
    post(world, rows[paid], "payment", -households["arrears"][rows[paid]], day)
    households["arrears"][rows[paid]] = 0


def _cancel_debits(world, rows, month, evidence) -> None:
    """Some stop their direct debit, more often when means fail."""
    households = world.households
    debit = np.flatnonzero(
        (households["method"][rows] == DIRECT_DEBIT) & (households["account"][rows] != NONE)
    )
    stopped = rows[debit[evidence.observe(debit, DEBIT_CANCELLED)]]
    households["method"][stopped] = np.where(world.rng.random(len(stopped)) < 0.7, CARD, CASH)
    day = world.day(month, len(stopped), 8, 24)
    change_account(world, stopped, day, day + world.rng.integers(0, 4, len(stopped)))


def close_accounts(world: World, rows: np.ndarray, month: int, day: np.ndarray) -> None:
    """End accounts: the spell, its people, and the instalments that no longer fall due."""
    households, rng = world.households, world.rng
    keep = households["account"][rows] != NONE
    rows, day = rows[keep], day[keep]
    known = day + rng.integers(2, 25, len(rows))
    sheet = world.sheets["council_tax_accounts"]
    row = households["account_row"][rows]
    day = np.maximum(day, sheet.rows["valid_from"][row])
    known = np.maximum(known, day)
    sheet.set(row, valid_to=day, valid_to_known_on=known)
    end_liability(world, world.people_of(rows), rows, day, known)
    left = np.maximum(
        households["due_until"][rows] - np.maximum(month, households["due_from"][rows] - 1), 0
    )
    gross = households["gross"][rows]
    cover = np.where(households["covered"][rows], households["cut"][rows], 0) / 1000
    refund = left * (gross - (gross * np.minimum(cover, 1)).astype(int))
    some = refund > 0
    post(world, rows[some], "adjustment", -refund[some], day[some], known[some])
    households["due_until"][rows] = month - 1
    households["account"][rows] = NONE
    households["account_row"][rows] = NONE


def end_liability(world, people, rows, day, known) -> None:
    """End the liable spells of people, dated as given for each of the households `rows`."""
    at = np.zeros(len(world.households), np.int32)
    at[rows] = np.arange(len(rows))
    held = world.people["liable_row"][people]
    people, held = people[held != NONE], held[held != NONE]
    of = at[world.people["household"][people]]
    sheet = world.sheets["council_tax_people"]
    last = np.maximum(day[of], sheet.rows["valid_from"][held])
    open_spell = sheet.rows["valid_to"][held] == NO_DATE
    sheet.set(
        held[open_spell],
        valid_to=last[open_spell],
        valid_to_known_on=np.maximum(known[of], last)[open_spell],
    )
    world.people["liable_row"][people] = NONE


ARRANGED = 6
