"""The oracle: the probability of a duty that nothing in the extracts could improve upon."""

from __future__ import annotations

import numpy as np

from earlyflag.synthetic.columns import Columns, scalar
from earlyflag.synthetic.hidden import duty_within
from earlyflag.synthetic.homelessness import eligible
from earlyflag.synthetic.risk import outlook
from earlyflag.synthetic.world import World

HORIZONS = (6, 12)


def new_oracle() -> Columns:
    """Return empty oracle columns: one row a household and cut-off."""
    return Columns(
        {
            name: scalar(np.int32, -1)
            for name in ("household", "as_of", "home", "account", "tenancy")
        }
        | {"p6": scalar(np.float64, 0.0), "p12": scalar(np.float64, 0.0)}
    )


def record(world: World, oracle: Columns, month: int) -> None:
    """Add every household that may be scored at the start of `month`, and its probabilities."""
    households = world.households
    rows = world.active()
    rows = rows[eligible(world, rows, month)]
    ahead = outlook(world, rows, month)
    within_6, within_12 = duty_within(
        households["belief_now"][rows], households["belief_shock"][rows], ahead, HORIZONS
    )
    oracle.append(
        len(rows), household=rows, as_of=world.months.start(month), home=households["home"][rows],
        account=households["account"][rows], tenancy=households["tenancy"][rows],
        p6=within_6, p12=within_12,
    )  # fmt: skip
