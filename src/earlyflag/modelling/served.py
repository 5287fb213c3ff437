"""A model as it serves: scores and exact contributions from NumPy and numba alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from earlyflag.core.errors import ArtefactDamaged, FeatureListDiffers, InputInvalid
from earlyflag.core.terms import ModelInfo
from earlyflag.modelling import shapley
from earlyflag.modelling.linear import SplineLogistic
from earlyflag.modelling.trees import Trees

YES_OR_NO = "yes or no"
"""The unit of the features that are answers, sent as true or false, 1 or 0."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Calibrated log-odds = slope * raw log-odds + intercept, so that ranks and reasons stand."""

    slope: float = 1.0
    intercept: float = 0.0

    def __post_init__(self) -> None:
        if not (0 < self.slope < math.inf and math.isfinite(self.intercept)):
            raise ArtefactDamaged("The calibration's slope must be above 0, its intercept finite.")


@dataclass(frozen=True, slots=True)
class FeatureFacts:
    """What serving keeps of a feature's declaration in the catalogue (`features.declare`)."""

    name: str
    title: str
    sentence: str
    unit: str
    group: str
    window_months: int | None = None
    monotone: int = 0
    actionable: bool = False
    helpful: float | None = None
    sources: tuple[str, ...] = ()
    sentence_zero: str = ""
    sentence_negative: str = ""
    sentence_missing: str = ""


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """What serving keeps of a reason group's declaration: the features that make one reason."""

    key: str
    title: str
    leads: tuple[str, ...] = ()
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Contributions:
    """How each feature moved each row's calibrated log-odds from the base.

    Attributes
    ----------
    base : the calibrated log-odds before anything is known of a household
    values : shape (n_rows, n_features); base + values.sum(axis=1) is the log-odds of the row
    """

    base: float
    values: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class ServedModel:
    """One verified model: it scores and explains rows of its declared features.

    `estimator` holds the family's numbers, `text` LightGBM's own form of them (blank for the other
    family), `manifest_sha256` names the artefact it was read from.
    """

    info: ModelInfo
    estimator: Trees | SplineLogistic
    calibration: Calibration
    features: tuple[FeatureFacts, ...]
    groups: tuple[GroupFacts, ...]
    manifest_sha256: str = ""
    text: str = ""

    def log_odds(self, rows: np.ndarray) -> np.ndarray:
        """Return the calibrated log-odds of each row, from shape (n_rows, n_features)."""
        raw = self.estimator.raw(self._checked(rows))
        return self.calibration.slope * raw + self.calibration.intercept

    def contributions(self, rows: np.ndarray, *, threads: int = 1) -> Contributions:
        """Return the base and each feature's exact Shapley value, in calibrated log-odds."""
        rows = self._checked(rows)
        if isinstance(self.estimator, Trees):
            base, values = shapley.contributions(self.estimator, rows, threads=threads)
        else:
            base, values = self.estimator.base, self.estimator.contributions(rows)
        values *= self.calibration.slope
        return Contributions(self.calibration.slope * base + self.calibration.intercept, values)

    def matrix(self, rows: Sequence[Mapping[str, float | None]]) -> np.ndarray:
        """Return rows of named values as shape (n_rows, n_features); None and absent are NaN.

        Raises
        ------
        InputInvalid
            A row names a feature that the model does not have, a value is infinite, or true or
            false came for a number.
        """
        names = self.info.features
        undeclared = sorted({name for row in rows for name in row} - set(names))
        if undeclared:
            raise InputInvalid(
                f"{len(undeclared)} of the named features are not declared by model "
                f"{self.info.full_version} (first: {undeclared[0][:60]}). "
                "See the model's feature list.",
                undeclared[0][:60],
                expected=f"a feature of model {self.info.full_version}",
                got="an undeclared name",
            )
        self._check_answers(rows)
        values: list[list[Any]] = [[row.get(name) for name in names] for row in rows]
        result = np.array(values, dtype=np.float64).reshape(len(rows), len(names))
        if np.isinf(result).any():
            place = int(np.isinf(result).any(axis=0).argmax())
            raise InputInvalid(
                "Got an infinite number, but expected a finite one.",
                names[place],
                expected="a finite number",
                got="an infinite number",
            )
        return result

    def _check_answers(self, rows: Sequence[Mapping[str, float | None]]) -> None:
        """Refuse true and false where a number belongs: they would pass for 1 and 0."""
        answered = {name for row in rows for name, value in row.items() if value is True
                    or value is False}  # fmt: skip
        if not answered:
            return
        numbers = [
            fact for fact in self.features if fact.name in answered and fact.unit != YES_OR_NO
        ]
        if numbers:
            raise InputInvalid(
                f"{len(numbers)} of the features that came as true or false are numbers "
                f"(first: {numbers[0].name}, in {numbers[0].unit}). Send the number, or null where "
                "it is not known.",
                numbers[0].name,
                expected=f"a number ({numbers[0].unit})",
                got="true or false",
            )

    def _checked(self, rows: np.ndarray) -> np.ndarray:
        rows = np.asarray(rows, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.info.features):
            raise FeatureListDiffers(
                f"Got rows of shape {rows.shape}, but expected "
                f"(any, {len(self.info.features)}) for model {self.info.full_version}."
            )
        return rows


def probability(log_odds: np.ndarray) -> np.ndarray:
    """Return the probabilities of log-odds, without overflow at either end."""
    return np.exp(-np.logaddexp(0.0, -np.asarray(log_odds, dtype=np.float64)))
