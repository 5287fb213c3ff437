"""The linear candidate: a logistic regression on splines with L2, by scikit-learn.

Each feature has its value (scaled), a piecewise-linear spline over knots at its quantiles, and an
indicator of being missing. The penalty shrinks the spline towards the straight line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from earlyflag.modelling.linear import SplineLogistic, Term

ROWS_AT_ONCE = 100_000
MOST_ROWS = 200_000
"""Above so many training rows some are drawn to fit on, with weights that make up for the rest."""

SPLINE_SCALE = 0.5
"""Spline columns are this much smaller than the linear one: bends cost more than slopes."""


@dataclass(frozen=True, slots=True)
class _Column:
    """How one feature becomes columns: its knots, scale and stand-in for a missing value."""

    knots: tuple[float, ...]
    impute: float
    centre: float
    scale: float
    ever_missing: bool

    @property
    def width(self) -> int:
        spline = len(self.knots) if len(self.knots) > 2 else 0
        return 1 + spline + int(self.ever_missing)

    def write(self, values: np.ndarray, out: np.ndarray) -> None:
        """Fill `out`, shape (n_rows, width)."""
        missing = np.isnan(values)
        known = np.clip(np.where(missing, self.impute, values), self.knots[0], self.knots[-1])
        out[:, 0] = (known - self.centre) / self.scale
        if len(self.knots) > 2:
            at = np.asarray(self.knots)
            left = np.clip(np.searchsorted(at, known, side="right") - 1, 0, len(at) - 2)
            share = (known - at[left]) / (at[left + 1] - at[left])
            rows = np.arange(len(known))
            out[rows, 1 + left] = SPLINE_SCALE * (1 - share)
            out[rows, 2 + left] = SPLINE_SCALE * share
        if self.ever_missing:
            out[:, -1] = missing


def fit_logistic(
    matrix: np.ndarray,
    label: np.ndarray,
    settings: Mapping[str, Any],
    *,
    names: tuple[str, ...],
    weight: np.ndarray | None = None,
    beside: np.ndarray | None = None,
) -> SplineLogistic:
    """Return the fitted model as plain numbers.

    Parameters
    ----------
    matrix : shape (n_rows, n_features); NaN is missing
    label : shape (n_rows,); 0 or 1
    settings : `knots` (at most so many a feature) and `penalty` (L2; larger is smoother)
    beside : shape (n_rows,); a known influence that is fitted along and left out of the model
    """
    from sklearn.linear_model import LogisticRegression

    columns = [
        _column(matrix[:, place], int(settings["knots"])) for place in range(matrix.shape[1])
    ]
    kept, kept_weight = _fewer(label, weight)
    design = _design(matrix[kept], columns, None if beside is None else beside[kept])
    estimator = LogisticRegression(
        C=1.0 / float(settings["penalty"]), solver="lbfgs", max_iter=200, tol=1e-3
    )
    estimator.fit(design, label[kept], sample_weight=kept_weight)
    return _as_terms(estimator, columns, names, matrix)


def _fewer(
    label: np.ndarray, weight: np.ndarray | None
) -> tuple[np.ndarray | slice, np.ndarray | None]:
    """Return which rows to fit on and their weights; all of them where they are few enough."""
    if len(label) <= MOST_ROWS:
        return slice(None), weight
    generator = np.random.default_rng(len(label))
    events = np.flatnonzero(label == 1)
    others = np.flatnonzero(label == 0)
    n_others = min(len(others), MOST_ROWS - min(len(events), MOST_ROWS // 2))
    drawn = [
        (generator.choice(rows, size, replace=False), len(rows) / max(size, 1))
        for rows, size in ((events, min(len(events), MOST_ROWS - n_others)), (others, n_others))
    ]
    kept = np.concatenate([rows for rows, _ in drawn])
    stands_for = np.concatenate([np.full(len(rows), times) for rows, times in drawn])
    return kept, stands_for if weight is None else stands_for * weight[kept]


def raw_in_blocks(model: SplineLogistic, matrix: np.ndarray) -> np.ndarray:
    """Return raw log-odds block by block, so that wide data need no second copy."""
    blocks = range(0, len(matrix), ROWS_AT_ONCE)
    parts = [model.raw(matrix[start : start + ROWS_AT_ONCE]) for start in blocks]
    return np.concatenate(parts) if parts else np.empty(0)


def _column(values: np.ndarray, most: int) -> _Column:
    """Return how a feature becomes columns, from its training values."""
    known = values[np.isfinite(values)].astype(np.float64)
    if not len(known):
        return _Column((0.0, 1.0), 0.0, 0.0, 1.0, True)
    common = float(np.median(known))
    # Where one value is most of the data (a count of zero), the knots go to the rest.
    rest = known[known != common] if (known == common).mean() > 0.5 else known
    quantiles = (
        np.quantile(rest, np.linspace(0.01, 0.99, most)) if len(rest) else np.array([common])
    )
    knots = np.unique(np.append(quantiles, [common]).astype(np.float32).astype(np.float64))
    if len(knots) < 2:
        knots = np.array([knots[0], knots[0] + 1.0])
    clipped = np.clip(known, knots[0], knots[-1])
    spread = float(clipped.std()) or 1.0
    return _Column(
        knots=tuple(knots.tolist()),
        impute=common,
        centre=float(clipped.mean()),
        scale=spread,
        ever_missing=len(known) < len(values),
    )


def _design(matrix: np.ndarray, columns: list[_Column], beside: np.ndarray | None) -> np.ndarray:
    """Return the design matrix, float32, shape (n_rows, all widths)."""
    width = sum(column.width for column in columns) + (beside is not None)
    design = np.zeros((len(matrix), width), dtype=np.float32)
    start = 0
    for place, column in enumerate(columns):
        column.write(matrix[:, place].astype(np.float64), design[:, start : start + column.width])
        start += column.width
    if beside is not None:
        design[:, -1] = beside
    return design


def _as_terms(
    estimator: Any, columns: list[_Column], names: tuple[str, ...], matrix: np.ndarray
) -> SplineLogistic:
    """Return scikit-learn's coefficients as one function a feature.

    The scaled line and the hats are one piecewise-linear function: a spline of degree 1 whose
    coefficients are its values at the knots.
    """
    coefficients = estimator.coef_[0].astype(np.float64)
    terms = []
    start = 0
    for place, column in enumerate(columns):
        own = coefficients[start : start + column.width]
        start += column.width
        knots = np.asarray(column.knots)
        values = own[0] * (knots - column.centre) / column.scale
        if len(knots) > 2:
            values = values + SPLINE_SCALE * own[1 : 1 + len(knots)]
        term = Term(
            feature=names[place],
            impute=column.impute,
            when_missing=float(own[-1]) if column.ever_missing else 0.0,
            knots=(column.knots[0], *column.knots, column.knots[-1]),
            degree=1,
            coefficients=tuple(values.tolist()),
        )
        mean = float(term.values(matrix[:, place].astype(np.float64)).mean())
        terms.append(Term(**{**_fields(term), "background_mean": mean}))
    return SplineLogistic(float(estimator.intercept_[0]), tuple(terms))


def _fields(term: Term) -> dict[str, Any]:
    return {name: getattr(term, name) for name in Term.__slots__}
