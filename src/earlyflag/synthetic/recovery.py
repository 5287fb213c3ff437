"""The council tax recovery ladder, with its statutory waits; it reads the ledger and nothing else.

A reminder (or, after two in a year, a final notice) is sent at least seven days after a missed
instalment; a summons at least fourteen days after it; a liability order at a hearing at least
fourteen days after the summons. Which of those due are taken each month is the office's chance.
"""

from __future__ import annotations

import numpy as np

from earlyflag.synthetic.columns import NONE
from earlyflag.synthetic.council_tax import ATTACHMENT, change_account, post
from earlyflag.synthetic.hidden import Evidence, by_means
from earlyflag.synthetic.world import World

NOTHING, REMINDED, SECOND, FINAL, SUMMONED, ORDERED, ARRANGED, AGENTS, ATTACHED = range(9)
STAGE_WORDS = ("", "reminder", "second_reminder", "final_notice", "summons", "liability_order",
               "arrangement_made", "enforcement_agent", "attachment")  # fmt: skip
DAYS_TO_PAY = 7
DAYS_TO_SUMMONS = 14
DAYS_TO_HEARING = 14
SUMMONS_COSTS_PENCE = 6500
ORDER_COSTS_PENCE = 3500
SMALLEST_PURSUED_PENCE = 3000
KEPT = by_means((0.93, 0.72, 0.42, 0.40), (0.80, 0.62, 0.38, 0.35))


def climb(world: World, rows: np.ndarray, month: int, evidence: Evidence) -> None:
    """Move accounts along the ladder for a month.

    Parameters
    ----------
    rows : this month's households, in the order that `evidence` was made with
    """
    households = world.households
    if world.months.calendar_month(month) == 4:
        households["reminders"][rows] = 0
    at = np.flatnonzero((households["account"][rows] != NONE) & ~households["exempt"][rows])
    stage = households["stage"][rows].copy()
    owes = households["arrears"][rows] > 0
    _clear(world, rows[at[~owes[at] & (stage[at] > NOTHING)]], month)
    at = at[owes[at]]
    large = households["arrears"][rows[at]] >= SMALLEST_PURSUED_PENCE
    missed = households["missed_run"][rows[at]] > 0
    _remind(world, rows[at[(stage[at] == NOTHING) & missed]], month)
    warned = (stage[at] >= REMINDED) & (stage[at] <= FINAL) & large
    _summon(world, rows[at[warned]], month)
    _order(world, rows[at[stage[at] == SUMMONED]], month)
    _enforce(world, rows[at[(stage[at] == ORDERED) | (stage[at] == AGENTS)]], month)
    _hold_to_arrangement(world, rows, at[stage[at] == ARRANGED], month, evidence)
    _deduct(world, rows[at[stage[at] == ATTACHED]], month)


def _step(world, rows, stage, day) -> None:
    """Write a step of the ladder and remember it."""
    households = world.households
    households["stage"][rows] = stage
    households["stage_on"][rows] = day
    _write(world, rows, STAGE_WORDS[stage], day)


def _write(world, rows, word, day) -> None:
    households = world.households
    world.sheets["council_tax_recovery"].append(
        len(rows), account_ref=households["account"][rows], happened_on=day,
        known_on=np.asarray(day), stage=word, balance_pence=households["arrears"][rows],
    )  # fmt: skip


def _clear(world, rows, month) -> None:
    """Close the matter of those who owe nothing any more."""
    households = world.households
    ordered = rows[households["stage"][rows] >= SUMMONED]
    _write(world, ordered, "cleared", world.day(month, len(ordered), 26, 28))
    households["stage"][rows] = NOTHING


def _remind(world, rows, month) -> None:
    households = world.households
    rows = world.chosen(rows, 0.8)
    day = world.day(month, len(rows), 9, 20)
    sent = households["reminders"][rows]
    for stage, which in ((REMINDED, sent == 0), (SECOND, sent == 1), (FINAL, sent >= 2)):
        _step(world, rows[which], stage, day[which])
    households["reminders"][rows] += 1


def _summon(world, rows, month) -> None:
    day = world.day(month, len(rows), 6, 16)
    waited = day - world.households["stage_on"][rows] >= DAYS_TO_SUMMONS
    taken = waited & (world.rng.random(len(rows)) < 0.4)
    rows, day = rows[taken], day[taken]
    world.households["arrears"][rows] += SUMMONS_COSTS_PENCE
    post(world, rows, "costs", SUMMONS_COSTS_PENCE, day)
    _step(world, rows, SUMMONED, day)


def _order(world, rows, month) -> None:
    day = world.day(month, len(rows), 10, 24)
    waited = day - world.households["stage_on"][rows] >= DAYS_TO_HEARING
    taken = waited & (world.rng.random(len(rows)) < 0.75)
    rows, day = rows[taken], day[taken]
    world.households["arrears"][rows] += ORDER_COSTS_PENCE
    post(world, rows, "costs", ORDER_COSTS_PENCE, day)
    _step(world, rows, ORDERED, day)


def _enforce(world, rows, month) -> None:
    """After an order: an arrangement, deductions from a benefit, or enforcement agents."""
    households = world.households
    rows = rows[households["stage_on"][rows] < world.months.start(month) - 5]
    draw = world.rng.random(len(rows))
    day = world.day(month, len(rows), 4, 26)
    on_benefit = households["claim_kind"][rows] > 0
    with_agents = households["stage"][rows] == AGENTS
    arranged = draw < 0.16
    attached = ~arranged & on_benefit & (draw < 0.26)
    agents = ~arranged & ~attached & ~with_agents & (draw < 0.36)
    _step(world, rows[arranged], ARRANGED, day[arranged])
    _step(world, rows[agents], AGENTS, day[agents])
    _step(world, rows[attached], ATTACHED, day[attached])
    changed = rows[attached]
    households["method"][changed] = ATTACHMENT
    change_account(world, changed, day[attached], day[attached] + 1)


def _hold_to_arrangement(world, rows, at, month, evidence) -> None:
    """Those in an arrangement pay a part each month, or break it."""
    kept = evidence.observe(at, KEPT)
    _pay_part(world, rows[at[kept]], month, 5)
    broken = rows[at[~kept]]
    day = world.day(month, len(broken), 22, 27)
    _write(world, broken, "arrangement_broken", day)
    world.households["stage"][broken] = ORDERED
    world.households["stage_on"][broken] = day


def _deduct(world, rows, month) -> None:
    """Deductions arrive whatever the household does."""
    _pay_part(world, rows, month, 9)


def _pay_part(world, rows, month, parts) -> None:
    households = world.households
    owed = households["arrears"][rows]
    amount = np.minimum(owed, np.maximum(owed // parts, 2500))
    post(world, rows, "payment", -amount, world.day(month, len(rows), 10, 21))
    households["arrears"][rows] -= amount
