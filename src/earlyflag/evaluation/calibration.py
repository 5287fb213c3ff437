"""Whether probabilities mean what they say, and the monotone map that makes them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from earlyflag.evaluation.estimates import Estimate, Resamples, once

FINE_BINS = 400
"""Rows are gathered into so many equal-sized bins of their log-odds before a line is fitted."""

NEWTON_STEPS = 25
LARGEST_SHARE = 0.01
"""Expected and observed are compared among this share of the highest scores too."""


@dataclass(frozen=True, slots=True)
class Line:
    """Calibrated log-odds = slope * raw log-odds + intercept."""

    slope: float
    intercept: float


def fit_line(log_odds: np.ndarray, label: np.ndarray, weights: np.ndarray | None = None) -> Line:
    """Return the logistic line from raw to calibrated log-odds (Platt scaling, J. Platt 1999).

    Parameters
    ----------
    log_odds : shape (n_rows,)
    label : shape (n_rows,); 0 or 1
    weights : shape (n_rows,); a sampled row counts for as many as it stands for
    """
    weight = np.ones(len(label)) if weights is None else np.asarray(weights, dtype=np.float64)
    slope, intercept = _newton(log_odds, (weight * label)[None, :], weight[None, :])
    return Line(float(slope[0]), float(intercept[0]))


def fit_shift(log_odds: np.ndarray, label: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Return what must be added to all log-odds so that expected equals observed."""
    weight = np.ones(len(label)) if weights is None else np.asarray(weights, dtype=np.float64)
    target = float((weight * label).sum())
    low, high = -30.0, 30.0
    for _ in range(80):
        middle = (low + high) / 2
        if float((weight * probability(log_odds + middle)).sum()) < target:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def probability(log_odds: np.ndarray) -> np.ndarray:
    """Return the probabilities of log-odds, without overflow at either end."""
    return np.exp(-np.logaddexp(0.0, -np.asarray(log_odds, dtype=np.float64)))


def log_odds_of(chance: np.ndarray) -> np.ndarray:
    """Return the log-odds of probabilities, which are kept off 0 and 1."""
    kept = np.clip(np.asarray(chance, dtype=np.float64), 1e-9, 1 - 1e-9)
    return np.log(kept) - np.log1p(-kept)


def calibration(
    log_odds: np.ndarray, label: np.ndarray, resamples: Resamples
) -> dict[str, Estimate]:
    """Return how observed events compare with expected ones, with clustered intervals.

    Returns
    -------
    figures : slope and intercept of the label on the log-odds (1 and 0 are perfect),
        observed_over_expected overall and among the highest 1%, expected_calibration_error over
        tenths of the rows
    """
    bins = _Bins.of(log_odds, label)
    point = bins.figures(once(len(label)))
    blocks = [bins.figures(block) for block in resamples.weights()]
    return {
        name: Estimate.of(
            float(point[name][0]),
            np.concatenate([block[name] for block in blocks]) if blocks else np.empty(0),
        )
        for name in point
    }


def reliability(
    log_odds: np.ndarray, label: np.ndarray, resamples: Resamples
) -> list[dict[str, object]]:
    """Return the reliability curve: tenths of the rows by score, the last split at its top 1%.

    Each point has n, expected (mean probability) and observed (share with the event, interval).
    """
    chance = probability(log_odds)
    order = np.argsort(log_odds, kind="stable")
    n_rows = len(order)
    edges = np.unique(np.round(np.array([*np.arange(10) / 10, 0.95, 0.99, 1]) * n_rows).astype(int))
    parts = [order[low:high] for low, high in pairwise(edges)]
    replicates = _shares(parts, label, resamples)
    return [
        {
            "n": len(part),
            "expected": float(chance[part].mean()),
            "observed": Estimate.of(float(label[part].mean()), drawn),
        }
        for part, drawn in zip(parts, replicates, strict=True)
    ]


def _shares(parts: list[np.ndarray], label: np.ndarray, resamples: Resamples) -> list[np.ndarray]:
    """Return each part's share of events under every replicate."""
    blocks = [
        [_share(block[:, part], label[part]) for part in parts] for block in resamples.weights()
    ]
    return [np.concatenate(column) for column in zip(*blocks, strict=True)]


def _share(weights: np.ndarray, label: np.ndarray) -> np.ndarray:
    total = weights.sum(axis=1, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (weights.astype(np.float64) @ label) / total


@dataclass(frozen=True, slots=True)
class _Bins:
    """Rows in order of their log-odds, cut into bins; all figures come from the bins' sums."""

    order: np.ndarray
    starts: np.ndarray
    chance: np.ndarray
    label: np.ndarray
    middle: np.ndarray

    @classmethod
    def of(cls, log_odds: np.ndarray, label: np.ndarray) -> _Bins:
        order = np.argsort(-np.asarray(log_odds), kind="stable")
        n_rows = len(order)
        top = max(1, round(LARGEST_SHARE * n_rows))
        edges = np.linspace(0, n_rows, min(FINE_BINS, n_rows) + 1).astype(int)[:-1]
        starts = np.unique(np.append(edges, top if top < n_rows else 0))
        ordered = np.asarray(log_odds, dtype=np.float64)[order]
        sizes = np.diff(np.append(starts, n_rows))
        middle = np.add.reduceat(ordered, starts) / sizes
        return cls(order, starts, probability(ordered), np.asarray(label, float)[order], middle)

    def figures(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        ordered = weights[:, self.order].astype(np.float64)
        totals = np.add.reduceat(ordered, self.starts, axis=1)
        events = np.add.reduceat(ordered * self.label, self.starts, axis=1)
        expected = np.add.reduceat(ordered * self.chance, self.starts, axis=1)
        slope, intercept = _newton(self.middle, events, totals)
        n_rows = len(self.order)
        top = self.starts < max(1, round(LARGEST_SHARE * n_rows))
        tenth = np.minimum(self.starts * 10 // n_rows, 9)
        first = np.flatnonzero(np.append(True, np.diff(tenth) > 0))
        gaps = np.abs(
            np.add.reduceat(events, first, axis=1) - np.add.reduceat(expected, first, axis=1)
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            return {
                "slope": slope,
                "intercept": intercept,
                "observed_over_expected": events.sum(axis=1) / expected.sum(axis=1),
                "observed_over_expected_top": events[:, top].sum(axis=1)
                / expected[:, top].sum(axis=1),
                "expected_calibration_error": gaps.sum(axis=1) / totals.sum(axis=1),
            }


def _newton(
    at: np.ndarray, events: np.ndarray, totals: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return slope and intercept of the logistic line for each row of sums, by Newton's method.

    Parameters
    ----------
    at : shape (n_bins,); the bins' log-odds
    events, totals : shape (n_replicates, n_bins)
    """
    rate = np.clip(events.sum(axis=1) / np.maximum(totals.sum(axis=1), 1e-12), 1e-9, 1 - 1e-9)
    centre = float(np.average(at, weights=totals.sum(axis=0) + 1e-12))
    x = at - centre
    slope = np.ones(len(events))
    intercept = np.log(rate / (1 - rate))
    for _ in range(NEWTON_STEPS):
        chance = probability(intercept[:, None] + slope[:, None] * x)
        gap = events - totals * chance
        spread = totals * chance * (1 - chance) + 1e-12
        g0, g1 = gap.sum(axis=1), (gap * x).sum(axis=1)
        h00, h01, h11 = spread.sum(axis=1), (spread * x).sum(axis=1), (spread * x * x).sum(axis=1)
        determinant = np.maximum(h00 * h11 - h01 * h01, 1e-12)
        intercept = intercept + np.clip((h11 * g0 - h01 * g1) / determinant, -4, 4)
        slope = slope + np.clip((h00 * g1 - h01 * g0) / determinant, -4, 4)
    return slope, intercept - slope * centre
