"""How a list falls on groups of households: need, selection, recall, false discovery, calibration.

Groups come from equality monitoring and from tenure, ward, household type and linkage quality.
They are compared here and nowhere else; none is ever a feature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from earlyflag.evaluation.estimates import Estimate, Resamples

NOT_KNOWN = "not known"

SHARES = {"need": 0, "selected": 0, "recall": 1, "false_discovery": 2}
"""The figures that are shares, and the sum that each is a share of."""


def by_group(
    groups: np.ndarray,
    label: np.ndarray,
    chance: np.ndarray,
    listed: np.ndarray,
    resamples: Resamples,
    *,
    limit: int = 10,
) -> list[dict[str, Any]]:
    """Return one entry a group, the largest first, each figure with its clustered interval.

    Parameters
    ----------
    groups : shape (n_rows,), text; missing values become "not known"
    label : shape (n_rows,); 1 where the event happened
    chance : shape (n_rows,); calibrated probability
    listed : shape (n_rows,); whether the row was within capacity
    limit : a group of fewer households is named with its figures withheld; a figure that rests
        on fewer events or listed rows is withheld too

    Returns
    -------
    entries : group, n (rows), households, suppressed, and the figures need (share with the
        event), selected (share listed), selected_over_need, recall, false_discovery,
        observed_over_expected
    """
    names = texts(groups)
    kinds, codes = np.unique(names, return_inverse=True)
    sums, replicates = _sums(codes, len(kinds), label, chance, listed, resamples)
    result = []
    for place, name in enumerate(kinds):
        of_group = codes == place
        households = len(np.unique(resamples.households[of_group]))
        entry: dict[str, Any] = {"group": str(name), "suppressed": households < limit}
        if households < limit:
            result.append({**entry, "n": None, "households": None})
            continue
        entry.update(n=int(of_group.sum()), households=households)
        point, drawn = _figures(sums[:, place]), _figures(replicates[:, :, place])
        events, on_list = sums[1, place], sums[2, place]
        shaky = {
            "recall": events < limit,
            "observed_over_expected": events < limit,
            "selected_over_need": events < limit,
            "false_discovery": on_list < limit,
        }
        for name_of, value in point.items():
            estimate = Estimate.of(float(value), drawn[name_of])
            if name_of in SHARES and estimate.low == estimate.high:
                estimate = _wilson(float(value), sums[SHARES[name_of], place])
            entry[name_of] = None if shaky.get(name_of) else estimate
        result.append(entry)
    return sorted(result, key=lambda entry: -(entry["n"] or 0))


def gaps(
    groups: np.ndarray, label: np.ndarray, listed: np.ndarray, *, limit: int = 10
) -> dict[str, float | None]:
    """Return Fairlearn's differences and ratios over the groups large enough to compare.

    `recall_ratio` is the lowest group recall over the highest (equal opportunity),
    `selection_ratio` the same of selection rates (demographic parity).
    """
    from fairlearn.metrics import MetricFrame, selection_rate, true_positive_rate

    names = texts(groups)
    kinds, codes = np.unique(names, return_inverse=True)
    events = np.bincount(codes, weights=label, minlength=len(kinds))
    kept = np.isin(codes, np.flatnonzero((events >= limit) & (kinds != NOT_KNOWN)))
    if len(np.unique(codes[kept])) < 2:
        return {"recall_ratio": None, "recall_difference": None, "selection_ratio": None}
    compared = MetricFrame(
        metrics={"recall": true_positive_rate, "selection": selection_rate},
        y_true=label[kept].astype(int),
        y_pred=listed[kept].astype(int),
        sensitive_features=names[kept],
    )
    ratio, difference = compared.ratio(), compared.difference()
    return {
        "recall_ratio": _number(ratio["recall"]),
        "recall_difference": _number(difference["recall"]),
        "selection_ratio": _number(ratio["selection"]),
    }


def audit(
    columns: Mapping[str, np.ndarray],
    label: np.ndarray,
    chance: np.ndarray,
    listed: np.ndarray,
    resamples: Resamples,
    *,
    intersections: Sequence[tuple[str, str]] = (),
    limit: int = 10,
) -> dict[str, dict[str, Any]]:
    """Return the audit of each characteristic and each intersection, by its name.

    An intersection of `tenure` and `sex` is named `tenure x sex`.
    """
    crossed = {
        f"{first} x {second}": np.char.add(
            np.char.add(texts(columns[first]).astype(str), " / "),
            texts(columns[second]).astype(str),
        )
        for first, second in intersections
        if first in columns and second in columns
    }
    return {
        name: {
            "groups": by_group(values, label, chance, listed, resamples, limit=limit),
            "gaps": gaps(values, label, listed, limit=limit),
        }
        for name, values in {**columns, **crossed}.items()
    }


def cannot_be_scored(
    columns: Mapping[str, np.ndarray], reason: np.ndarray, *, limit: int = 10
) -> dict[str, list[dict[str, Any]]]:
    """Return how many of each group could not be scored, by characteristic; small ones withheld.

    Parameters
    ----------
    columns : each of shape (n_records,); all records, scored or not
    reason : shape (n_records,), text; empty or missing where the record was scored
    """
    scored = texts(reason) == NOT_KNOWN
    result = {}
    for name, values in columns.items():
        kinds, codes = np.unique(texts(values), return_inverse=True)
        total = np.bincount(codes, minlength=len(kinds))
        lost = np.bincount(codes, weights=~scored, minlength=len(kinds)).astype(int)
        result[name] = [
            {
                "group": str(kind),
                "n": int(n) if n >= limit else None,
                "cannot_be_scored": int(k) if n >= limit and (k == 0 or k >= limit) else None,
            }
            for kind, n, k in zip(kinds, total, lost, strict=True)
        ]
    return result


def funnel(
    groups: np.ndarray, stages: Mapping[str, np.ndarray], *, limit: int = 10
) -> list[dict[str, Any]]:
    """Return how many of each group were listed and reached each stage.

    The largest group comes first; those that are withheld come last, by name.

    Parameters
    ----------
    groups : shape (n_listed,), text
    stages : each of shape (n_listed,), yes or no, in the order they are reached
    limit : a group of fewer listed households, and a count above 0 and below it, is withheld;
        where those withheld are still fewer together, the next smallest is too, since the
        difference to the total would tell them

    Returns
    -------
    entries : group, suppressed, listed, and each stage; None is withheld
    """
    kinds, codes = np.unique(texts(groups), return_inverse=True)
    total = np.bincount(codes, minlength=len(kinds))
    counts = {"listed": total} | {
        stage: np.bincount(codes, weights=np.asarray(reached), minlength=len(kinds)).astype(int)
        for stage, reached in stages.items()
    }
    hidden = {
        stage: _withheld(count, (total < limit) | ((count > 0) & (count < limit)), limit)
        for stage, count in counts.items()
    }
    return [
        {
            "group": str(kinds[place]),
            "suppressed": bool(hidden["listed"][place]),
            **{
                stage: None if hidden[stage][place] else int(count[place])
                for stage, count in counts.items()
            },
        }
        for place in np.argsort(np.where(hidden["listed"], 0, -total), kind="stable")
    ]


def _withheld(count: np.ndarray, hidden: np.ndarray, limit: int) -> np.ndarray:
    """Return which counts to withhold so that those withheld are not few even together."""
    hidden = hidden.copy()
    while 0 < count[hidden].sum() < limit and (count[~hidden] > 0).any():
        shown = np.flatnonzero(~hidden & (count > 0))
        hidden[shown[np.argmin(count[shown])]] = True
    return hidden


def texts(values: np.ndarray) -> np.ndarray:
    """Return groups as text, shape (n,), missing and empty ones as "not known"."""
    import pandas as pd

    column = pd.Series(np.asarray(values, dtype=object))
    result = column.astype(str).str.strip()
    missing = column.isna() | result.isin(["", "<NA>", "nan", "None"])
    return result.mask(missing, NOT_KNOWN).to_numpy(dtype=object)


def _sums(
    codes: np.ndarray,
    n_groups: int,
    label: np.ndarray,
    chance: np.ndarray,
    listed: np.ndarray,
    resamples: Resamples,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the sums of rows, events, listed, both, and expected events in each group.

    Returns
    -------
    point : shape (5, n_groups)
    replicates : shape (5, n_replicates, n_groups)
    """
    from scipy import sparse

    quantities = np.stack([np.ones(len(label)), label, listed, label * listed, chance])
    point = np.stack([np.bincount(codes, weights=each, minlength=n_groups) for each in quantities])
    blocks = []
    for counts, households in resamples.counts():
        parts = []
        for each in quantities:
            table = sparse.csr_matrix(
                (each, (codes, households)), shape=(n_groups, counts.shape[1])
            )
            parts.append((table @ counts.T.astype(np.float64)).T)
        blocks.append(np.stack(parts))
    return point, np.concatenate(blocks, axis=1)


def _figures(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Return each figure from the five sums, stacked along the first axis."""
    rows, events, listed, both, expected = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "need": events / rows,
            "selected": listed / rows,
            "selected_over_need": (listed / rows) / (events / rows),
            "recall": both / events,
            "false_discovery": 1 - both / listed,
            "observed_over_expected": events / expected,
        }


def _wilson(share: float, n: float) -> Estimate:
    """Return Wilson's interval of a share, where draws of 0 or 1 would show no doubt at all."""
    z = 1.959964
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    return Estimate(share, max(0.0, middle - half), min(1.0, middle + half))


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
