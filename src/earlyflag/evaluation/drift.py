"""Whether the latest data still look like the data that a model learnt from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from earlyflag.evaluation.calibration import fit_shift, probability
from earlyflag.evaluation.estimates import Estimate, Resamples, once

LARGE_SHIFT = 0.25
"""A population stability index above this is usually called a large change."""


@dataclass(frozen=True, slots=True)
class Recentring:
    """What checking the base rate found.

    Attributes
    ----------
    ratio : observed over expected events where it was checked
    drifted : whether the interval of `ratio` leaves out 1
    shift : added to all log-odds; 0 where nothing drifted
    sentence : for the model card
    """

    ratio: Estimate
    drifted: bool
    shift: float
    sentence: str


def recentre(
    log_odds: np.ndarray,
    label: np.ndarray,
    households: np.ndarray,
    *,
    where: str,
    row_weights: np.ndarray | None = None,
    seed: int = 1,
) -> Recentring:
    """Return how far the base rate has moved on some rows, and the shift that re-centres it.

    Parameters
    ----------
    where : what the rows are, for the sentence
    row_weights : shape (n_rows,); how many rows each stands for, where some were sampled
    """
    chance = probability(log_odds)
    stands_for = np.ones(len(label)) if row_weights is None else row_weights
    resamples = Resamples(households, 400, seed)

    def ratio(weights: np.ndarray) -> np.ndarray:
        kept = weights * stands_for
        return (kept @ label) / np.maximum(kept @ chance, 1e-12)

    drawn = np.concatenate([ratio(block) for block in resamples.weights()])
    found = Estimate.of(float(ratio(once(len(label)))[0]), drawn)
    drifted = bool(label.sum() > 0 and (found.low > 1 or found.high < 1))
    shift = fit_shift(log_odds, label, stands_for) if drifted else 0.0
    words = f"observed over expected is {found} on {where}"
    sentence = (
        f"The base rate has drifted: {words}; probabilities were re-centred by "
        f"{shift:+.3f} log-odds."
        if drifted
        else f"The base rate holds: {words}; nothing was re-centred."
    )
    return Recentring(found, drifted, shift, sentence)


def stability_index(before: np.ndarray, after: np.ndarray, *, bins: int = 10) -> float:
    """Return the population stability index of one column; missing values are a bin of their own.

    Parameters
    ----------
    before, after : shape (n,), (m,); NaN is missing
    """
    known = before[np.isfinite(before)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1])) if len(known) else []

    def shares(values: np.ndarray) -> np.ndarray:
        place = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values))
        counts = np.bincount(place.astype(int), minlength=len(edges) + 2) + 0.5
        return counts / counts.sum()

    old, new = shares(before), shares(after)
    return float(((new - old) * np.log(new / old)).sum())
