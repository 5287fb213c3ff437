"""A logistic regression on splines as plain numbers: evaluated and explained without scikit-learn.

The raw log-odds are an intercept plus one function a feature,

    g(x) = linear * x + sum_k coefficients[k] * B_k(x)      where x is known
    g(x) = g(impute) + when_missing                         where x is missing

with B-splines B_k that are constant outside the first and last inner knot. The model is additive,
so the Shapley value of a feature, its features taken as independent, is g(x) minus the mean of g
over the background: the same as `shap.LinearExplainer` summed over the feature's columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from earlyflag.core.errors import ArtefactDamaged


@dataclass(frozen=True, slots=True)
class Term:
    """What one feature adds to the raw log-odds.

    Attributes
    ----------
    feature : the feature's name
    impute : the value that stands in for a missing one
    linear : the coefficient of the value itself
    when_missing : added where the value is missing (the missing indicator's coefficient)
    knots : the full knot vector, boundary knots repeated or extended, as scikit-learn's
        `BSpline.t`; empty for a term without a spline
    degree : of the spline
    coefficients : len(knots) - degree - 1 of them
    background_mean : the mean of g over the training rows; what the feature adds to the base
    """

    feature: str
    impute: float = 0.0
    linear: float = 0.0
    when_missing: float = 0.0
    knots: tuple[float, ...] = ()
    degree: int = 3
    coefficients: tuple[float, ...] = ()
    background_mean: float = 0.0

    def values(self, column: np.ndarray) -> np.ndarray:
        """Return g of each value of a column, shape (n_rows,); NaN is a missing value."""
        missing = np.isnan(column)
        known = np.where(missing, self.impute, column)
        result = self.linear * known
        if self.knots:
            result += spline(known, self.knots, self.degree, self.coefficients)
        return result + np.where(missing, self.when_missing, 0.0)


def spline(
    values: np.ndarray, knots: tuple[float, ...], degree: int, coefficients: tuple[float, ...]
) -> np.ndarray:
    """Return a B-spline's value at each of `values`, constant outside its base interval.

    De Boor's algorithm, all values at once (C. de Boor, A Practical Guide to Splines, 1978, ch. X).
    """
    at = np.asarray(knots, dtype=np.float64)
    weights = np.asarray(coefficients, dtype=np.float64)
    clipped = np.clip(values, at[degree], at[len(weights)])
    left = np.searchsorted(at, clipped, side="right") - 1
    left = np.clip(left, degree, len(weights) - 1)
    parts = [weights[left - degree + step] for step in range(degree + 1)]
    for level in range(1, degree + 1):
        for step in range(degree, level - 1, -1):
            low = at[left - degree + step]
            width = at[left + 1 + step - level] - low
            share = np.divide(clipped - low, width, out=np.zeros_like(clipped), where=width > 0)
            parts[step] = (1.0 - share) * parts[step - 1] + share * parts[step]
    return parts[degree]


@dataclass(frozen=True, slots=True)
class SplineLogistic:
    """An additive logistic model: the intercept and one term a feature, in the feature order."""

    intercept: float
    terms: tuple[Term, ...]

    @property
    def base(self) -> float:
        """The raw log-odds averaged over the background."""
        return self.intercept + sum(term.background_mean for term in self.terms)

    def raw(self, rows: np.ndarray) -> np.ndarray:
        """Return the raw log-odds of each row, from an array of shape (n_rows, n_features)."""
        rows = np.asarray(rows, dtype=np.float64)
        columns = (term.values(rows[:, place]) for place, term in enumerate(self.terms))
        return np.full(len(rows), self.intercept) + sum(columns)

    def contributions(self, rows: np.ndarray) -> np.ndarray:
        """Return each feature's Shapley value, shape (n_rows, n_features), in raw log-odds."""
        rows = np.asarray(rows, dtype=np.float64)
        result = np.empty(rows.shape)
        for place, term in enumerate(self.terms):
            result[:, place] = term.values(rows[:, place]) - term.background_mean
        return result

    def as_json(self) -> dict[str, Any]:
        """Return the model as the content of `model.json`."""
        return {
            "format": 1,
            "family": "logistic",
            "intercept": self.intercept,
            "terms": [asdict(term) for term in self.terms],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> SplineLogistic:
        """Read the content of `model.json`.

        Raises
        ------
        ArtefactDamaged
            A key is missing or unknown, or knots and coefficients do not fit together.
        """
        try:
            if content["format"] != 1 or content["family"] != "logistic":
                raise ArtefactDamaged("model.json is not of the format that this version reads.")
            terms = tuple(
                Term(**{**term, **{key: tuple(term[key]) for key in ("knots", "coefficients")}})
                for term in content["terms"]
            )
            model = cls(float(content["intercept"]), terms)
        except (KeyError, TypeError, ValueError) as error:
            raise ArtefactDamaged(
                f"model.json cannot be read as a logistic model ({type(error).__name__})."
            ) from error
        for term in terms:
            fits = len(term.knots) == len(term.coefficients) + term.degree + 1
            rising = all(np.diff(term.knots) >= 0) and len(term.coefficients) > term.degree
            if term.knots and not (fits and rising):
                raise ArtefactDamaged(f"The spline of {term.feature} does not fit its knots.")
        return model
