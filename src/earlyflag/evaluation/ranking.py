"""How well a score ranks: average precision, AUC, and what a list of a given length catches."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from earlyflag.evaluation.estimates import Estimate, Resamples, once


@dataclass(frozen=True, slots=True)
class Ranked:
    """Rows put in order by their score once, then measured under any row weights.

    Attributes
    ----------
    label : shape (n_rows,); 1 where the event happened
    score : shape (n_rows,); higher is listed first
    cut_offs : shape (n_rows,); a list is drawn at each of them
    """

    label: np.ndarray
    score: np.ndarray
    cut_offs: np.ndarray
    _order: np.ndarray = field(init=False, repr=False)
    _starts: np.ndarray = field(init=False, repr=False)
    _lists: list[np.ndarray] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        score = np.asarray(self.score, dtype=np.float64)
        order = np.argsort(-score, kind="stable")
        ordered = score[order]
        first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        holds = np.add.reduceat(np.asarray(self.label, dtype=np.float64)[order], first) > 0
        # Only scores that an event has matter: what lies between them is one segment.
        opens = holds | np.append(True, holds[:-1])
        # Within one score the rows without the event come first: ties count against us.
        against_us = np.lexsort((self.label, -score))
        lists = [
            against_us[self.cut_offs[against_us] == cut_off] for cut_off in np.unique(self.cut_offs)
        ]
        object.__setattr__(self, "_order", order)
        object.__setattr__(self, "_starts", first[opens])
        object.__setattr__(self, "_lists", lists)

    def curves(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return average precision and AUC, each of shape (n_replicates,).

        Rows of one score enter together. Both are pooled over the cut-offs.
        """
        ordered = weights[:, self._order]
        rows = np.add.reduceat(ordered, self._starts, axis=1, dtype=np.float64)
        gained = np.zeros_like(rows)
        label = np.asarray(self.label)[self._order]
        places = np.flatnonzero(label)
        if len(places):
            segment = np.searchsorted(self._starts, places, side="right") - 1
            begins = np.flatnonzero(np.append(True, np.diff(segment) > 0))
            own = ordered[:, places].astype(np.float64) * label[places]
            gained[:, segment[begins]] = np.add.reduceat(own, begins, axis=1)
        events = np.cumsum(gained, axis=1)
        listed = np.cumsum(rows, axis=1)
        passed = rows - gained
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.where(listed > 0, events / listed, 0.0)
            average_precision = (gained * precision).sum(axis=1) / events[:, -1]
            area = (passed * (events - gained / 2)).sum(axis=1)
            auc = area / (events[:, -1] * passed.sum(axis=1))
        return average_precision, auc

    def caught(self, weights: np.ndarray, capacity: int) -> tuple[np.ndarray, np.ndarray]:
        """Return events on the lists and places used, summed over cut-offs, a pair a replicate.

        Each cut-off lists its `capacity` highest rows; a tie at the cut is resolved against us.
        """
        hits = np.zeros(len(weights))
        places = np.zeros(len(weights))
        for rows in self._lists:
            depth = 2 * capacity + 100
            taken = _taken(weights[:, rows[:depth]], capacity)
            while depth < len(rows) and (taken.sum(axis=1) < capacity).any():
                depth *= 4
                taken = _taken(weights[:, rows[:depth]], capacity)
            hits += taken @ np.asarray(self.label)[rows[:depth]]
            places += taken.sum(axis=1)
        return hits, places

    def listed(self, capacity: int) -> np.ndarray:
        """Return which rows are on their cut-off's list, shape (n_rows,), ties against us."""
        result = np.zeros(len(self.label), dtype=bool)
        for rows in self._lists:
            result[rows[:capacity]] = True
        return result


def _taken(ordered: np.ndarray, capacity: int) -> np.ndarray:
    """Return how much of each row's weight is within capacity, rows in the order of the list."""
    ordered = ordered.astype(np.float64)
    before = np.cumsum(ordered, axis=1) - ordered
    return np.clip(capacity - before, 0.0, ordered)


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of one score and, for paired differences, their replicates.

    `values` maps a figure's name to its estimate; capacity figures are `precision_at_100` etc.
    """

    values: dict[str, Estimate]
    replicates: dict[str, np.ndarray] = field(repr=False)

    def minus(self, other: Measured, name: str) -> Estimate:
        """Return this score's figure minus the other's, paired by replicate."""
        return Estimate.of(
            self.values[name].value - other.values[name].value,
            self.replicates[name] - other.replicates[name],
        )

    def over(self, other: Measured, name: str) -> Estimate:
        """Return this score's figure as a multiple of the other's, paired by replicate."""
        with np.errstate(invalid="ignore", divide="ignore"):
            replicates = self.replicates[name] / other.replicates[name]
            value = np.divide(self.values[name].value, other.values[name].value)
        return Estimate.of(float(value), replicates)


def measure(
    ranked: Ranked, capacities: list[int], resamples: Resamples, *, unlinked: float = 0.0
) -> Measured:
    """Return ranking and capacity figures of one score, with intervals clustered by household.

    Parameters
    ----------
    ranked : the rows in order
    capacities : how many households are listed at each cut-off
    resamples : the draws of households
    unlinked : events at these cut-offs that no ranked row could have caught; they count in
        `recall_all_at_K` (recall over all duties) and not in `recall_at_K`

    Returns
    -------
    figures : average_precision, auc, base_rate, and for each capacity K precision_at_K,
        recall_at_K, recall_all_at_K, lift_at_K, contacts_per_event_at_K
    """
    point = _figures(ranked, once(len(ranked.label)), capacities, unlinked)
    blocks = [_figures(ranked, block, capacities, unlinked) for block in resamples.weights()]
    replicates = {
        name: np.concatenate([block[name] for block in blocks]) if blocks else np.empty(0)
        for name in point
    }
    values = {name: Estimate.of(float(point[name][0]), replicates[name]) for name in point}
    return Measured(values, replicates)


def _figures(
    ranked: Ranked, weights: np.ndarray, capacities: list[int], unlinked: float
) -> dict[str, np.ndarray]:
    """Return every figure under each replicate's weights, shape (n_replicates,) each."""
    average_precision, auc = ranked.curves(weights)
    events = weights.astype(np.float64) @ ranked.label
    base_rate = events / np.maximum(weights.sum(axis=1, dtype=np.float64), 1e-12)
    result = {"average_precision": average_precision, "auc": auc, "base_rate": base_rate}
    for capacity in capacities:
        hits, places = ranked.caught(weights, capacity)
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = hits / places
            result[f"precision_at_{capacity}"] = precision
            result[f"recall_at_{capacity}"] = hits / events
            result[f"recall_all_at_{capacity}"] = hits / (events + unlinked)
            result[f"lift_at_{capacity}"] = precision / base_rate
            result[f"contacts_per_event_at_{capacity}"] = places / hits
    return result
