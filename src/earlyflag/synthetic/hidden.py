"""What no extract shows: a household's means and habits, and exactly what evidence says of them.

Each household has a *habit* (0 pays on time when it can, 1 pays late whatever its means), fixed,
and *means* that move monthly: 0 steady, 1 stretched, 2 sinking, 3 losing the home. Beside them a
*shock* (a quarrel, abuse, a landlord's sudden wish) is on or off and leaves no trace in any table.
Bills, claims, alerts and the steps of landlords are drawn given habit and means alone, so Bayes'
rule on the table of the eight pairs (a hidden Markov model's forward filter) gives the probability
of each pair given all that is visible, without approximation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

HABITS, MEANS = 2, 4
STEADY, STRETCHED, SINKING, LOSING = range(MEANS)
LATE_BY_HABIT = 0.08

#: Monthly chance of a duty by means, before the household's own factor.
DUTY_BY_MEANS = np.array([0.0, 0.0001, 0.0015, 0.054])
SHOCK_ENDS = 0.25
SHOCK_DUTY = 0.16


def transitions(up: np.ndarray, lose: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Return the monthly transition matrices of means, of shape (households, 4, 4).

    Parameters
    ----------
    up : factor on becoming poorer, one a household
    lose : factor on the home itself coming into danger
    down : factor on recovery
    """
    matrix = np.zeros((len(up), MEANS, MEANS))
    matrix[:, 0, 1] = np.minimum(0.0026 * up, 0.30)
    matrix[:, 0, 2] = np.minimum(0.0002 * up, 0.08)
    matrix[:, 0, 3] = np.minimum(0.00026 * lose, 0.05)
    matrix[:, 1, 0] = 0.06 * down
    matrix[:, 1, 2] = np.minimum(0.036 * np.sqrt(up), 0.25)
    matrix[:, 1, 3] = np.minimum(0.0028 * lose, 0.05)
    matrix[:, 2, 0] = 0.008 * down
    matrix[:, 2, 1] = 0.032 * down
    matrix[:, 2, 3] = np.minimum(0.026 * lose, 0.25)
    matrix[:, 3, 0] = 0.007 * down
    matrix[:, 3, 1] = 0.007 * down
    for means in range(MEANS):
        matrix[:, means, means] = 1 - matrix[:, means].sum(axis=1)
    return matrix


def draw_rows(rng: np.random.Generator, chances: np.ndarray) -> np.ndarray:
    """Draw one column for each row of chances that add up to 1."""
    cumulative = chances.cumsum(axis=1)
    return (rng.random(len(chances))[:, None] > cumulative[:, :-1]).sum(axis=1)


@dataclass(frozen=True)
class Outlook:
    """What decides a household's risk as far as anything visible does; arrays, one a household.

    Attributes
    ----------
    matrix : monthly transitions of means, (households, 4, 4)
    duty : monthly chance of a duty by means, (households, 4)
    shock : monthly chance that a shock begins
    child : monthly chance of a duty to an adult child whom the records name
    leave : monthly chance of leaving the borough's records
    """

    matrix: np.ndarray
    duty: np.ndarray
    shock: np.ndarray
    child: np.ndarray
    leave: np.ndarray

    def of(self, rows: np.ndarray) -> Outlook:
        """Return the outlook of some of the households."""
        return Outlook(
            self.matrix[rows], self.duty[rows], self.shock[rows], self.child[rows], self.leave[rows]
        )


class Evidence:
    """One month's observations of some households, drawn from the truth and remembered as odds.

    Parameters
    ----------
    households : row numbers of the households
    habit, means : the truth, one a household
    """

    def __init__(
        self, rng: np.random.Generator, households: np.ndarray, habit: np.ndarray, means: np.ndarray
    ) -> None:
        self._rng = rng
        self._at = households
        self._habit, self._means = habit, means
        self.complete = np.ones((len(households), HABITS, MEANS))
        self.in_time = np.ones((len(households), HABITS, MEANS))

    def observe(self, rows: np.ndarray, chance: np.ndarray) -> np.ndarray:
        """Draw whether something happened, and weigh what that says.

        Parameters
        ----------
        rows : positions among this month's households
        chance : of shape (rows or 1, 2, 4): the chance of it, by habit and means

        Returns
        -------
        array of booleans, one a row
        """
        return self.observe_late(rows, chance, 0.0)[0]

    def observe_late(
        self, rows: np.ndarray, chance: np.ndarray, late: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """As `observe`, for records of which a share `late` becomes known a month later.

        Returns
        -------
        whether it happened, and whether its record is late; booleans, one a row each
        """
        chance = np.broadcast_to(chance, (len(rows), HABITS, MEANS))
        own = chance[np.arange(len(rows)), self._habit[rows], self._means[rows]]
        happened = self._rng.random(len(rows)) < own
        is_late = happened & (self._rng.random(len(rows)) < late) if late else happened & False
        seen = (happened & ~is_late)[:, None, None]
        self.complete[rows] *= np.where(happened[:, None, None], chance, 1 - chance)
        timely = chance * (1 - late)
        self.in_time[rows] *= np.where(seen, timely, 1 - timely)
        return happened, is_late


def by_means(usual: tuple[float, ...], late: tuple[float, ...] | None = None) -> np.ndarray:
    """Return chances by habit and means, of shape (1, 2, 4)."""
    return np.array([[usual, usual if late is None else late]])


def after_month(belief: np.ndarray, odds: np.ndarray, outlook: Outlook) -> np.ndarray:
    """Return the belief after a month's means moved, its evidence came and no duty did.

    Parameters
    ----------
    belief : (households, 2, 4), adding up to 1 each
    odds : what the month's evidence says, (households, 2, 4)
    """
    moved = np.matmul(belief, outlook.matrix)
    weighed = moved * odds * (1 - outlook.duty)[:, None, :]
    return weighed / weighed.sum(axis=(1, 2), keepdims=True)


def shock_after_month(shock: np.ndarray, outlook: Outlook) -> np.ndarray:
    """Return the probability that a shock is on after a month without a duty."""
    on = shock * (1 - SHOCK_ENDS) + (1 - shock) * outlook.shock
    return on * (1 - SHOCK_DUTY) / (1 - on * SHOCK_DUTY)


def settled(outlook: Outlook) -> np.ndarray:
    """Return the means, of shape (households, 4), that no duty has ended, in the long run."""
    share = np.tile([0.95, 0.03, 0.015, 0.005], (len(outlook.matrix), 1))
    for _ in range(48):
        share = np.einsum("nm,nmk->nk", share, outlook.matrix) * (1 - outlook.duty)
        share /= share.sum(axis=1, keepdims=True)
    return share


def settled_shock(outlook: Outlook) -> np.ndarray:
    """Return the long-run probability of a shock that has not led to a duty."""
    shock = np.zeros(len(outlook.shock))
    for _ in range(24):
        shock = shock_after_month(shock, outlook)
    return shock


def duty_within(
    belief: np.ndarray, shock: np.ndarray, outlook: Outlook, horizons: tuple[int, ...]
) -> list[np.ndarray]:
    """Return the probability of a duty within each horizon (months), one array a horizon.

    Habit no longer matters once the belief is formed; means and shock are carried forward month by
    month, a household that leaves first counts as none.
    """
    means = belief.sum(axis=1)[:, None, :]
    shock = shock.copy()
    here, total = np.ones(len(shock)), np.zeros(len(shock))
    answers = []
    for month in range(1, max(horizons) + 1):
        here = here * (1 - outlook.leave)
        means = np.matmul(means, outlook.matrix)
        on = shock * (1 - SHOCK_ENDS) + (1 - shock) * outlook.shock
        by_means_now = np.einsum("nom,nm->n", means, outlook.duty)
        none = (1 - by_means_now) * (1 - on * SHOCK_DUTY) * (1 - outlook.child)
        total = total + here * (1 - none)
        here = here * none
        means = means * (1 - outlook.duty)[:, None, :]
        means /= means.sum(axis=2, keepdims=True)
        shock = on * (1 - SHOCK_DUTY) / (1 - on * SHOCK_DUTY)
        if month in horizons:
            answers.append(total)
    return answers
