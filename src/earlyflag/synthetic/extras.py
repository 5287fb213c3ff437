"""What stands beside the ledgers: help given, suppressions, monitoring, second homes, landlords."""

from __future__ import annotations

import numpy as np

from earlyflag.synthetic.columns import NONE
from earlyflag.synthetic.council_tax import METHODS
from earlyflag.synthetic.homes import OWNED, PRIVATE, annual_council_tax
from earlyflag.synthetic.recovery import SUMMONED
from earlyflag.synthetic.rent import LETTER_2
from earlyflag.synthetic.world import COUNCIL_TAX, HOMELESSNESS, TENANCY, World

HELPED_A_MONTH = 0.012
CONTACTED_A_MONTH = 0.02
MONITORED = (0.35, 0.75, 0.9)
SHARE_OF_SECOND_HOMES = 0.012
OUTCOME_KINDS = ("left_owing_council_tax",)


def help_some(world: World, rows: np.ndarray, month: int) -> None:
    """Contact and support some of those whose debts are plain to see; support lowers the risk."""
    households = world.households
    in_sight = rows[
        (households["stage"][rows] >= SUMMONED) | (households["rent_stage"][rows] >= LETTER_2)
    ]
    tried = world.chosen(in_sight, CONTACTED_A_MONTH)
    day = world.day(month, len(tried), 2, 20)
    reached = world.rng.random(len(tried)) < 0.6
    _intervene(world, tried, "contact_attempt", day)
    _intervene(world, tried[reached], "contacted", day[reached] + 3)
    helped = world.chosen(in_sight, HELPED_A_MONTH)
    day = world.day(month, len(helped), 4, 26)
    _intervene(world, helped, "support_started", day)
    paid = world.rng.random(len(helped)) < 0.3
    _intervene(world, helped[paid], "payment_awarded", day[paid] + 1)
    households["helped"][helped] = month
    ending = rows[households["helped"][rows] == month - 5]
    _intervene(world, ending, "support_ended", world.day(month, len(ending), 2, 26))


def _intervene(world, rows, kind, day) -> None:
    households = world.households
    world.sheets["interventions"].append(
        len(rows), intervention_ref=world.number("intervention", len(rows)),
        uprn=households["home"][rows], account_ref=households["account"][rows],
        tenancy_ref=households["tenancy"][rows], happened_on=day, kind=kind,
    )  # fmt: skip


def record_outcomes(world: World, leavers: np.ndarray, month: int) -> None:
    """Write an optional outcome: an account holder who left the borough owing council tax."""
    households = world.households
    owing = leavers[households["arrears"][leavers] > 20000]
    owing = owing[households["account"][owing] != NONE]
    world.sheets["outcomes"].append(
        len(owing), outcome_ref=world.number("outcome", len(owing)),
        account_ref=households["account"][owing], uprn=households["home"][owing],
        happened_on=world.day(month, len(owing), 27, 28), kind=0,
    )  # fmt: skip


def add_second_homes(world: World) -> None:
    """Give some owners a second account, at a flat that nobody else lives in."""
    homes, households, rng = world.homes, world.households, world.rng
    rows = world.active()
    owners = rng.permutation(rows[households["tenure"][rows] == OWNED])
    empty = np.flatnonzero((homes["occupant"] == NONE) & (homes["tenure"] != 1))
    empty = empty[~np.isin(empty, homes["house"])]
    count = min(int(SHARE_OF_SECOND_HOMES * len(rows)), len(empty) // 3, len(owners))
    homes["occupant"][empty[:count]] = owners[:count]
    _static_accounts(world, owners[:count], empty[:count], "second_home", renewed=0.3)


def add_landlords(world: World) -> None:
    """Give each shared house its landlord's account; the landlord owns a home in the borough."""
    homes, households, rng = world.homes, world.households, world.rng
    houses = np.unique(homes["house"][homes["house"] >= 0])
    rows = world.active()
    owners = rng.choice(rows[households["tenure"][rows] == OWNED], len(houses))
    homes["occupant"][houses] = owners
    _static_accounts(world, owners, houses, "none", renewed=0.5)


def _static_accounts(world, owners, homes, discount, renewed) -> None:
    """Write accounts that are always paid, from before the period to its end."""
    months, rng = world.months, world.rng
    account = world.number("account", len(owners))
    since = months.start(0) - rng.integers(200, 3000, len(owners))
    sheet = world.sheets["council_tax_accounts"]
    sheet.append(
        len(owners), account_ref=account, valid_from=since, known_on=since + 5, uprn=homes,
        payment_method=METHODS.index("direct_debit"), instalments=10, discount=discount,
    )  # fmt: skip
    lead = world.households["lead"][owners]
    world.sheets["council_tax_people"].append(
        len(owners), account_ref=account, person_ref=world.record(COUNCIL_TAX, lead, renewed),
        valid_from=since, known_on=since + 5, role="lead",
    )  # fmt: skip
    ledger = world.sheets["council_tax_transactions"]
    for month in range(months.count):
        if months.calendar_month(month) in (2, 3):
            continue
        amount = annual_council_tax(world.homes, homes, months.tax_year(month)) // 10
        due = months.start(month)
        ledger.append(len(owners), account_ref=account, happened_on=due, known_on=due - 20,
                      kind="charge", amount_pence=amount)  # fmt: skip
        ledger.append(len(owners), account_ref=account, happened_on=due, known_on=due,
                      kind="payment", amount_pence=-amount)  # fmt: skip


def suppress_some(world: World) -> None:
    """Write a few suppressions of each kind, most by person, some by home."""
    rng, records, months = world.rng, world.records, world.months
    sheet = world.sheets["suppressions"]
    count = max(4, len(world.households) // 250)
    chosen = rng.choice(len(records), count, replace=False)
    kinds = ("objection", "safe_contact", "deceased", "staff_member", "legal_hold")
    kind = rng.choice([sheet.code("kind", word) for word in kinds], count,
                      p=[0.3, 0.35, 0.15, 0.15, 0.05])  # fmt: skip
    sheet.append(
        count, suppression_ref=world.number("suppression", count),
        source=records["source"][chosen], person_ref=chosen, kind=kind,
        valid_from=months.start(0) + rng.integers(0, 30 * months.count, count),
    )  # fmt: skip
    homes = rng.choice(world.households["home"][world.active()], max(1, count // 8))
    sheet.append(
        len(homes), suppression_ref=world.number("suppression", len(homes)), uprn=homes,
        kind="legal_hold", valid_from=months.start(0) + rng.integers(0, 300, len(homes)),
    )  # fmt: skip


def monitored(world: World) -> np.ndarray:
    """Return the records (rows) with equality monitoring: some of each source."""
    share = np.array(MONITORED)[world.records["source"]]
    return np.flatnonzero(world.rng.random(len(world.records)) < share)


__all__ = ["HOMELESSNESS", "PRIVATE", "TENANCY", "add_landlords", "add_second_homes", "help_some",
           "monitored", "record_outcomes", "suppress_some"]  # fmt: skip
