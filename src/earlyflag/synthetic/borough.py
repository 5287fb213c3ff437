"""Months of a borough's life, one after another, and the folder they leave behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from earlyflag.core.errors import Misused
from earlyflag.synthetic import (
    benefits,
    council_tax,
    extras,
    homelessness,
    lives,
    oracle,
    recovery,
    rent,
    tenancies,
)
from earlyflag.synthetic.columns import Columns
from earlyflag.synthetic.hidden import (
    SHOCK_ENDS,
    Evidence,
    after_month,
    draw_rows,
    shock_after_month,
)
from earlyflag.synthetic.homes import ROOMS_IN_SHARED_HOUSE, add_shared_houses, build_homes
from earlyflag.synthetic.months import Months
from earlyflag.synthetic.risk import outlook
from earlyflag.synthetic.society import add_households
from earlyflag.synthetic.world import World
from earlyflag.synthetic.writing import write_folder

DEFAULT_SEED = 20261001
DEFAULT_MONTHS = 60
FEWEST_HOUSEHOLDS, FEWEST_MONTHS = 100, 2
SHARE_OF_EMPTY_HOMES = 0.035
SHARE_IN_SHARED_HOUSES = 0.012


@dataclass(frozen=True, slots=True)
class BoroughSummary:
    """What was written.

    Attributes
    ----------
    rows : table -> rows
    first_day, last_cut_off : ISO dates; the period, and the last `as_of` it allows
    """

    folder: Path
    households: int
    months: int
    seed: int
    first_day: str
    last_cut_off: str
    rows: dict[str, int]


def write_borough(
    out: Path,
    *,
    households: int,
    months: int = DEFAULT_MONTHS,
    seed: int = DEFAULT_SEED,
    file_format: Literal["parquet", "csv"] = "parquet",
    advance: Callable[[int], None] | None = None,
) -> BoroughSummary:
    """Write a believable borough: the contract's tables, and the truth beside them.

    Parameters
    ----------
    out : folder to write to; made if need be, files of earlier boroughs are replaced
    households : how many live there at the start
    months : length of the period, which ends at the cut-off of 2026-10-01
    seed : the same seed, size and length write the same borough
    file_format : of the contract's tables; the truth is always Parquet
    advance : called with 1 after each simulated month, and once more after writing

    Raises
    ------
    Misused
        Fewer than 100 households or 2 months.
    """
    if households < FEWEST_HOUSEHOLDS or months < FEWEST_MONTHS:
        raise Misused(
            f"A borough needs at least {FEWEST_HOUSEHOLDS} households and {FEWEST_MONTHS} months, "
            f"got {households} and {months}. Give larger numbers."
        )
    world, answers = simulate(households, months, seed, advance)
    rows = write_folder(world, answers, out, file_format)
    if advance is not None:
        advance(1)
    calendar = world.months
    return BoroughSummary(
        out, households, months, seed, calendar.date_of(0).isoformat(),
        calendar.date_of(months).isoformat(), rows,
    )  # fmt: skip


def simulate(
    households: int, months: int, seed: int, advance: Callable[[int], None] | None = None
) -> tuple[World, Columns]:
    """Live through the months; return the borough and the oracle's answers."""
    world = _found(households, Months(months), np.random.default_rng(seed))
    answers = oracle.new_oracle()
    for month in range(months):
        _live(world, month)
        oracle.record(world, answers, month + 1)
        if advance is not None:
            advance(1)
    extras.suppress_some(world)
    return world, answers


def _found(households: int, months: Months, rng: np.random.Generator) -> World:
    """Build the homes and settle the first households, most of them long before the period."""
    rooms = int(households * SHARE_IN_SHARED_HOUSES)
    houses = rooms // ROOMS_IN_SHARED_HOUSE
    standing = round((households - rooms) * (1 + SHARE_OF_EMPTY_HOMES)) + houses
    homes = build_homes(rng, standing)
    of_houses = add_shared_houses(rng, homes, houses)
    world = World(rng, months, homes)
    free = np.setdiff1d(np.arange(standing), homes["house"][of_houses])
    lived_in = rng.choice(free, min(households - len(of_houses), len(free)), replace=False)
    lived_in = np.concatenate([np.sort(lived_in), of_houses])
    years = rng.gamma(1.6, np.array([8.0, 8.0, 7.0, 2.2])[homes["tenure"][lived_in]])
    day = months.start(0) - 20 - (np.clip(years, 0.05, 40) * 365.25).astype(int)
    rows = add_households(world, lived_in, -1, day)
    lives.settle(world, rows, -1, day)
    extras.add_landlords(world)
    extras.add_second_homes(world)
    accounts = rows[world.households["account"][rows] >= 0]
    council_tax.bill(world, accounts, months.start(0) - 190, first=0)
    return world


def _live(world: World, month: int) -> None:
    """Live through one month."""
    households, rng = world.households, world.rng
    homelessness.leave_temporary(world, month)
    lives.come_and_go(world, month)
    lives.change_families(world, month)
    rows = world.active()
    if world.months.calendar_month(month) == council_tax.FIRST_DUE_MONTH:
        _begin_year(world, rows, month)
    ahead = outlook(world, rows, month)
    own = ahead.matrix[np.arange(len(rows)), households["means"][rows]]
    households["means"][rows] = draw_rows(rng, own)
    draw, shocked = rng.random(len(rows)), households["shock"][rows]
    households["shock"][rows] = np.where(shocked, draw >= SHOCK_ENDS, draw < ahead.shock)
    evidence = Evidence(rng, rows, households["habit"][rows], households["means"][rows])
    council_tax.pay_month(world, rows, month, evidence)
    recovery.climb(world, rows, month, evidence)
    benefits.change_claims(world, rows, month, evidence)
    rent.pay_rent(world, rows, month, evidence)
    rent.report(world, rows, month, evidence)
    extras.help_some(world, rows, month)
    homelessness.approach(world, rows, month, evidence)
    before = households["belief"][rows]
    households["belief"][rows] = after_month(before, evidence.complete, ahead)
    households["belief_now"][rows] = after_month(before, evidence.in_time, ahead)
    households["belief_shock"][rows] = shock_after_month(households["belief_shock"][rows], ahead)
    homelessness.owe_duties(world, rows, month, ahead)
    homelessness.others(world, month)


def _begin_year(world: World, rows: np.ndarray, month: int) -> None:
    """Bill the new financial year in March, and raise social rents."""
    households = world.households
    billed = rows[(households["account"][rows] >= 0) & (households["due_from"][rows] < month)]
    council_tax.bill(world, billed, world.months.start(month) - 17, first=month)
    tenancies.raise_rents(world, rows, month)
