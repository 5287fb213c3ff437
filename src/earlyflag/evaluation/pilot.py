"""Did offering help help? The offer arm beside the holdback arm, as they were drawn.

Households are compared in the arm that chance put them in, whatever was done for them
(intention to treat), and only those whose arm was drawn by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from earlyflag.evaluation.estimates import Estimate

Z95 = 1.959963984540054
Z80 = 0.8416212335729143
"""Standard normal quantiles: of a 95% interval, and of a test's power of 80%."""


@dataclass(frozen=True, slots=True)
class PilotEffect:
    """What the pilot shows.

    Attributes
    ----------
    n_offer, n_holdback : households in each arm
    rate_offer : share owed a duty in the offer arm
    rate_without_help : the same in the holdback arm: what would have happened
    difference : offer minus holdback; below 0 is fewer duties where help was offered
    detectable : the smallest difference that arms of this size would show four times in five
    """

    n_offer: int
    n_holdback: int
    rate_offer: Estimate
    rate_without_help: Estimate
    difference: Estimate
    detectable: float

    @property
    def sentence(self) -> str:
        """The finding in words, with the rate without help beside it."""
        offer, without = self.rate_offer, self.rate_without_help
        if self.difference.high < 0:
            verdict = "Fewer households that were offered help were owed a duty"
        elif self.difference.low > 0:
            verdict = "More households that were offered help were owed a duty"
        else:
            verdict = "No difference beyond noise was found"
        return (
            f"{verdict}: {100 * offer.value:.1f} in 100 of {self.n_offer:,} offered help, against "
            f"{100 * without.value:.1f} in 100 of {self.n_holdback:,} without help (difference "
            f"{100 * self.difference.value:+.1f}, 95% interval {100 * self.difference.low:+.1f} to "
            f"{100 * self.difference.high:+.1f}). Arms of this size can show a difference of "
            f"{100 * self.detectable:.1f} in 100 or more."
        )


def effect(offered: np.ndarray, event: np.ndarray) -> PilotEffect:
    """Return the effect of being offered help on an event.

    Parameters
    ----------
    offered : shape (n_households,); True in the offer arm, False in the holdback arm
    event : shape (n_households,); whether the event came within the horizon

    Raises
    ------
    ValueError
        An arm is empty, or the arrays differ in length.

    Notes
    -----
    Intervals are Wilson's for a share and Newcombe's hybrid score interval for the difference
    (Statistics in Medicine 17, 1998, method 10), which hold at the small counts of a pilot.
    """
    offered, event = np.asarray(offered, dtype=bool), np.asarray(event, dtype=bool)
    if offered.shape != event.shape or offered.ndim != 1:
        raise ValueError(f"Got arms of shape {offered.shape} and events of {event.shape}.")
    counts = [(int(event[arm].sum()), int(arm.sum())) for arm in (offered, ~offered)]
    if min(n for _, n in counts) == 0:
        raise ValueError("Got an empty arm, but expected households in both.")
    one, two = (_wilson(hits, n) for hits, n in counts)
    gap = one.value - two.value
    difference = Estimate(
        gap,
        gap - sqrt((one.value - one.low) ** 2 + (two.high - two.value) ** 2),
        gap + sqrt((one.high - one.value) ** 2 + (two.value - two.low) ** 2),
    )
    return PilotEffect(
        n_offer=counts[0][1],
        n_holdback=counts[1][1],
        rate_offer=one,
        rate_without_help=two,
        difference=difference,
        detectable=detectable(two.value, counts[0][1], counts[1][1]),
    )


def detectable(rate: float, n_offer: int, n_holdback: int) -> float:
    """Return the smallest difference in shares that a pilot of this size would likely show.

    Two-sided at 5% with a power of 80%, at the rate without help.
    """
    spread = rate * (1 - rate) * (1 / n_offer + 1 / n_holdback)
    return (Z95 + Z80) * sqrt(spread)


def _wilson(hits: int, n: int) -> Estimate:
    share = hits / n
    centre = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 * sqrt(share * (1 - share) / n + Z95**2 / (4 * n * n)) / (1 + Z95**2 / n)
    return Estimate(share, max(0.0, centre - half), min(1.0, centre + half))
