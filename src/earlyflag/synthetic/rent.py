"""The rent ledger of social tenancies, the landlord's ladder, and notices and alerts elsewhere."""

from __future__ import annotations

import numpy as np

from earlyflag.synthetic.benefits import HOUSING_BENEFIT, NO_CLAIM, learn_of_tenancies
from earlyflag.synthetic.columns import NONE
from earlyflag.synthetic.hidden import Evidence, by_means
from earlyflag.synthetic.homes import PRIVATE
from earlyflag.synthetic.months import SECTION_21_ENDED
from earlyflag.synthetic.society import is_social
from earlyflag.synthetic.world import World

(NOTHING, LETTER_1, LETTER_2, NOTICE, APPLIED, ORDER, WARRANT) = range(7)
SMALLEST_RENT_DUE_PENCE = 400
MISSED = by_means((0.005, 0.12, 0.75, 0.86), (0.08, 0.22, 0.76, 0.86))
CAUGHT_UP = by_means((0.45, 0.16, 0.03, 0.03), (0.32, 0.14, 0.03, 0.03))
SHARE_PAID_IN_PART = 0.35
NOTICE_DAYS = 28
NOTICE_LAPSES_DAYS = 365
FIRST_STEP_DAY = 6

#: Monthly chances that an office takes a step that is due: tenants who answer are spared longer.
STEP_TAKEN = {
    LETTER_1: by_means((0.8, 0.8, 0.8, 0.8)),
    LETTER_2: by_means((0.6, 0.6, 0.6, 0.6)),
    NOTICE: by_means((0.08, 0.10, 0.10, 0.65)),
    APPLIED: by_means((0.02, 0.03, 0.03, 0.50)),
    ORDER: by_means((0.10, 0.10, 0.10, 0.60)),
    WARRANT: by_means((0.01, 0.01, 0.015, 0.35)),
}

#: Monthly chances of what landlords, agents and advisers report, by means of the household. Social
#: landlords refer households in danger to the homelessness team, as they have committed to.
LANDLORD_ALERT = by_means((0.00006, 0.0004, 0.005, 0.45))
SOCIAL_ALERT = by_means((0.00006, 0.0004, 0.004, 0.40))
AGENT_ALERT = by_means((0.00003, 0.0002, 0.002, 0.12))
NOTICE_SEEN = by_means((0.00002, 0.0001, 0.0010, 0.18))
BREATHING_SPACE = by_means((0.00005, 0.003, 0.010, 0.006))
DISREPAIR = by_means((0.006, 0.006, 0.007, 0.009))
ANTISOCIAL = by_means((0.0015, 0.003, 0.006, 0.006))
SHARE_KNOWN_LATE = 0.15


def pay_rent(world: World, rows: np.ndarray, month: int, evidence: Evidence) -> None:
    """Debit the month's rent, credit benefits, and let the household pay its part or not.

    Parameters
    ----------
    rows : this month's households, in the order that `evidence` was made with
    """
    households, months = world.households, world.months
    at = np.flatnonzero(households["ledger"][rows] & (households["moved"][rows] < month))
    weeks, monday = months.mondays(month), months.first_monday(month)
    of = rows[at]
    debit = households["rent"][of].astype(int) * weeks
    _post(world, of, "rent", debit, np.full(len(of), monday))
    benefit = (households["claim_kind"][of] == HOUSING_BENEFIT) & (
        households["claimed"][of] < month
    )
    managed = households["managed"][of] & (households["claimed"][of] < month)
    credit = np.minimum(households["award"][of].astype(int) * weeks, debit)
    _post(world, of[benefit], "housing_benefit", -credit[benefit],
          np.full(int(benefit.sum()), monday))  # fmt: skip
    _post(world, of[managed], "universal_credit", -credit[managed],
          world.day(month, int(managed.sum()), 8, 20))  # fmt: skip
    due = debit - np.where(benefit | managed, credit, 0)
    before = households["rent_arrears"][of].copy()
    asked = np.flatnonzero(due > SMALLEST_RENT_DUE_PENCE)
    missed = np.zeros(len(of), bool)
    missed[asked] = evidence.observe(at[asked], MISSED)
    _settle(world, of, due, missed, month)
    behind = np.flatnonzero((before > SMALLEST_RENT_DUE_PENCE) & ~missed & (due > 0))
    paid = behind[evidence.observe(at[behind], CAUGHT_UP)]
    _post(world, of[paid], "payment", -before[paid], world.day(month, len(paid), 4, 26))
    households["rent_arrears"][of[paid]] -= before[paid]
    _climb(world, of, at, month, evidence)


def _settle(world, rows, due, missed, month) -> None:
    """Write what was paid; some of those who miss the rent pay a part of it."""
    paying = due > 0
    full = paying & ~missed
    _post(world, rows[full], "payment", -due[full], world.day(month, int(full.sum()), 2, 24))
    part = missed & (world.rng.random(len(rows)) < SHARE_PAID_IN_PART)
    half = due[part] // 2
    _post(world, rows[part], "payment", -half, world.day(month, int(part.sum()), 4, 26))
    owed = np.where(missed, due, 0)
    owed[part] -= half
    world.households["rent_arrears"][rows] += owed


def _post(world, rows, kind, amount, day) -> None:
    world.sheets["rent_transactions"].append(
        len(rows), tenancy_ref=world.households["tenancy"][rows], happened_on=day, known_on=day,
        kind=kind, amount_pence=amount,
    )  # fmt: skip


def _climb(world, rows, at, month, evidence) -> None:
    """Move tenancies in arrears along the landlord's ladder; letters, notice, court, order.

    A step falls due by the ledger alone. Whether the office takes it then tells of the household.
    """
    households = world.households
    weeks = households["rent_arrears"][rows] / np.maximum(households["rent"][rows], 1)
    stage, since = households["rent_stage"][rows].copy(), households["rent_stage_on"][rows].copy()
    households["rent_stage"][rows[(weeks < 0.5) & (stage < ORDER)]] = NOTHING
    day = world.day(month, len(rows), FIRST_STEP_DAY, 27)
    waited = world.months.start(month) + FIRST_STEP_DAY - 1 - since
    lapsed = (stage == NOTICE) & (weeks >= 0.5) & (waited > NOTICE_LAPSES_DAYS)
    stage[lapsed] = households["rent_stage"][rows[lapsed]] = LETTER_2
    steps = (
        (LETTER_1, "arrears_letter_1", (stage == NOTHING) & (weeks >= 2), 0),
        (LETTER_2, "arrears_letter_2", (stage == LETTER_1) & (weeks >= 4), 14),
        (NOTICE, "notice_seeking_possession", (stage == LETTER_2) & (weeks >= 6), 14),
        (APPLIED, "court_application", (stage == NOTICE) & (weeks >= 8), NOTICE_DAYS),
        (ORDER, "suspended_order", (stage == APPLIED) & (weeks >= 4), NOTICE_DAYS),
        (WARRANT, "warrant", (stage >= ORDER) & (weeks >= 6), NOTICE_DAYS),
    )
    for to, word, ready, wait in steps:
        due = np.flatnonzero(ready & (waited >= wait))
        taken = np.zeros(len(rows), bool)
        taken[due] = evidence.observe(at[due], STEP_TAKEN[to])
        outright = taken & (to == ORDER) & (world.rng.random(len(rows)) < 0.4)
        write_events(world, rows[taken & ~outright], word, day[taken & ~outright])
        write_events(world, rows[outright], "possession_order", day[outright])
        households["rent_stage"][rows[taken]] = to
        households["rent_stage_on"][rows[taken]] = day[taken]
        if to == APPLIED:
            _post(world, rows[taken], "court_costs", 35500, day[taken])
            households["rent_arrears"][rows[taken]] += 35500
    _arrange(world, rows, weeks, month)


def _arrange(world, rows, weeks, month) -> None:
    """Offices make arrangements with some tenants in arrears; whether kept, the ledger shows."""
    talks = rows[(weeks >= 3)]
    made = world.chosen(talks, 0.05)
    write_events(world, made, "arrangement_made", world.day(month, len(made), 8, 27))


def write_events(world, rows, kind, day, known=None, *, by_tenancy=None) -> None:
    """Write tenancy events; where no tenancy is known the home alone is named."""
    households = world.households
    tenancy = households["tenancy"][rows]
    known = day if known is None else known
    world.sheets["tenancy_events"].append(
        len(rows), event_ref=world.number("event", len(rows)), tenancy_ref=tenancy,
        uprn=households["home"][rows], happened_on=day, known_on=known, kind=kind,
    )  # fmt: skip


def report(world: World, rows: np.ndarray, month: int, evidence: Evidence) -> None:
    """Let landlords, agents, advisers and neighbours report; some reports are recorded late."""
    households = world.households
    private = np.flatnonzero(households["tenure"][rows] == PRIVATE)
    social = np.flatnonzero(is_social(households["tenure"][rows]))
    everybody = np.arange(len(rows))
    _observe(world, rows, social, "landlord_alert", SOCIAL_ALERT, month, evidence)
    for word, chance in (("landlord_alert", LANDLORD_ALERT), ("agent_alert", AGENT_ALERT)):
        told = _observe(world, rows, private, word, chance, month, evidence)
        households["alerted"][told] = month
        learnt = world.chosen(told, 0.6)
        learn_of_tenancies(world, learnt, np.full(len(learnt), world.months.start(month + 1) - 1))
    ended = world.months.start(month) >= SECTION_21_ENDED
    notice = "section_8_notice" if ended else "section_21_notice"
    seen = private[households["tenancy"][rows[private]] != NONE]
    _observe(world, rows, seen, notice, NOTICE_SEEN, month, evidence)
    _observe(world, rows, everybody, "breathing_space", BREATHING_SPACE, month, evidence)
    _observe(world, rows, social, "disrepair_complaint", DISREPAIR, month, evidence)
    _observe(world, rows, social, "antisocial_behaviour_complaint", ANTISOCIAL, month, evidence)


def _observe(world, rows, at, word, chance, month, evidence) -> np.ndarray:
    """Draw and write one kind of event for the households at `at`; return those it befell."""
    happened, late = evidence.observe_late(at, chance, SHARE_KNOWN_LATE)
    befallen, late = rows[at[happened]], late[happened]
    day = world.day(month, len(befallen), 2, 24)
    next_month = world.months.start(month + 1)
    delay = world.rng.integers(1, 25, len(befallen))
    known = np.where(late, next_month + delay, np.minimum(day + delay // 6, next_month - 1))
    write_events(world, befallen, word, day, known)
    return befallen


def owes_rent(world: World, rows: np.ndarray) -> np.ndarray:
    """Return the arrears in weeks of rent, 0 where there is no ledger."""
    households = world.households
    return households["rent_arrears"][rows] / np.maximum(households["rent"][rows], 1)


__all__ = ["NO_CLAIM", "ORDER", "owes_rent", "pay_rent", "report", "write_events"]
