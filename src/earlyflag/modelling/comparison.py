"""What a model relies on over a whole borough, and what changed since the last champion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from earlyflag.core.errors import Misused
from earlyflag.core.terms import ModelInfo
from earlyflag.modelling.score import Scored


@dataclass(frozen=True, slots=True)
class Reliance:
    """How much of what moves scores one reason group carries.

    Attributes
    ----------
    size : the mean absolute contribution over the households, in log-odds
    share : of all groups' sizes, 0 to 1
    raises_share : of the households whose score it raises
    features : the features of the group that the model has
    """

    key: str
    title: str
    size: float
    share: float
    raises_share: float
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shift:
    """A reason group's share of what moves scores, before and after; 0 where it has no feature."""

    key: str
    title: str
    share_before: float
    share_after: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models over the same households at the same cut-off.

    Attributes
    ----------
    shifts : by reason group, the largest change of share first
    features_added, features_dropped : declared features of one model only
    rank_correlation : Spearman's, over all households; 1 is the same order
    listed_by_both : households within capacity of both models
    newly_listed, no_longer_listed : household_ids within capacity of one model only, best first
    mean_probability_before, mean_probability_after : over all households
    """

    before: ModelInfo
    after: ModelInfo
    capacity: int
    shifts: tuple[Shift, ...]
    features_added: tuple[str, ...]
    features_dropped: tuple[str, ...]
    rank_correlation: float
    listed_by_both: int
    newly_listed: tuple[str, ...]
    no_longer_listed: tuple[str, ...]
    mean_probability_before: float
    mean_probability_after: float


def relies_on(scored: Scored) -> tuple[Reliance, ...]:
    """Return what moves a run's scores by reason group, the strongest first."""
    sizes = np.abs(scored.totals).mean(axis=0) if len(scored.totals) else scored.totals.sum(axis=0)
    shares = sizes / max(float(sizes.sum()), 1e-12)
    raises = (scored.totals > 0).sum(axis=0) / max(len(scored.totals), 1)
    return tuple(
        Reliance(
            scored.writer.groups[group].key,
            scored.writer.groups[group].title,
            float(sizes[group]),
            float(shares[group]),
            float(raises[group]),
            scored.writer.feature_names[group],
        )
        for group in np.argsort(-sizes, kind="stable")
    )


def compare(before: Scored, after: Scored, capacity: int) -> Comparison:
    """Return what changes when one model follows another.

    Parameters
    ----------
    before, after : the same households at the same cut-off, scored by each model
    capacity : how many households are listed

    Raises
    ------
    Misused
        The two runs are not of the same households in the same order, or of another cut-off.
    """
    same = list(before.household_ids) == list(after.household_ids)
    if before.as_of != after.as_of or not same or not len(before.household_ids):
        raise Misused(
            "Got runs of other households or cut-offs, but expected the same ones. "
            "Score one feature table with both models."
        )
    first, second = before.rank <= capacity, after.rank <= capacity
    order = after.in_order()
    return Comparison(
        before=before.model.info,
        after=after.model.info,
        capacity=capacity,
        shifts=_shifts(before, after),
        features_added=_only(after, before),
        features_dropped=_only(before, after),
        rank_correlation=_rank_correlation(before.log_odds, after.log_odds),
        listed_by_both=int((first & second).sum()),
        newly_listed=_ids(after, [place for place in order if second[place] and not first[place]]),
        no_longer_listed=_ids(
            before,
            [place for place in before.in_order() if first[place] and not second[place]],
        ),
        mean_probability_before=float(before.probability.mean()),
        mean_probability_after=float(after.probability.mean()),
    )


def _shifts(before: Scored, after: Scored) -> tuple[Shift, ...]:
    was, now = _by_key(before), _by_key(after)
    shifts = [
        Shift(
            key,
            (now.get(key) or was[key]).title,
            was[key].share if key in was else 0.0,
            now[key].share if key in now else 0.0,
        )
        for key in {**was, **now}
    ]
    return tuple(sorted(shifts, key=lambda s: -abs(s.share_after - s.share_before)))


def _by_key(scored: Scored) -> Mapping[str, Reliance]:
    return {each.key: each for each in relies_on(scored)}


def _only(one: Scored, other: Scored) -> tuple[str, ...]:
    known = set(other.model.info.features)
    return tuple(name for name in one.model.info.features if name not in known)


def _ids(scored: Scored, places: list[int]) -> tuple[str, ...]:
    return tuple(scored.household_ids[place] for place in places)


def _rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Return Spearman's correlation, ties at their mean rank; 1 where either is constant."""
    ranks = []
    for values in (one, other):
        _, place, size = np.unique(values, return_inverse=True, return_counts=True)
        ranks.append((np.cumsum(size) - (size - 1) / 2.0)[place])
    if min(np.ptp(each) for each in ranks) == 0:
        return 1.0
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
