"""Small trained models for the tests of scores, reasons and artefacts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from earlyflag.core.terms import ModelInfo
from earlyflag.modelling import artefact
from earlyflag.modelling.linear import SplineLogistic, Term
from earlyflag.modelling.served import Calibration, FeatureFacts, GroupFacts

CALIBRATION = Calibration(slope=0.9, intercept=-0.3)
N_FEATURES = 12


@dataclass(frozen=True)
class Sample:
    """A trained model beside the rows it was trained on and its training library's object."""

    model: str | SplineLogistic
    trained: Any
    rows: np.ndarray

    def raw(self, rows: np.ndarray) -> np.ndarray:
        """Return the raw log-odds as the training library computes them."""
        if isinstance(self.model, str):
            return self.trained.predict(rows, raw_score=True, num_threads=1)
        return self.trained.decision_function(rows)


def names(n_features: int = N_FEATURES) -> tuple[str, ...]:
    return tuple(f"feature_{place}" for place in range(n_features))


def info(family: str, version: str = "1", n_features: int = N_FEATURES) -> ModelInfo:
    return ModelInfo(
        name="sample",
        version=version,
        family=family,
        label="owed_duty",
        horizon_months=12,
        base_rate=0.02,
        features=names(n_features),
        data_hash="d" * 64,
        specification_hash="s" * 64,
        trained_to=date(2026, 1, 1),
    )


def features(n_features: int = N_FEATURES) -> tuple[FeatureFacts, ...]:
    return tuple(
        FeatureFacts(name, name.replace("_", " "), "", "count", f"group_{place % 4}")
        for place, name in enumerate(names(n_features))
    )


GROUPS = tuple(GroupFacts(f"group_{place}", f"Group {place}") for place in range(5))


def borough(n_rows: int = 3000, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Return rows with missing values, counts, money and flags, and an outcome."""
    draw = np.random.default_rng(seed)
    rows = draw.normal(size=(n_rows, N_FEATURES))
    rows[:, 1] = draw.poisson(1.5, n_rows)
    rows[:, 2] = np.round(draw.exponential(400, n_rows))
    rows[:, 3] = draw.integers(0, 2, n_rows)
    rows[:, 4] = draw.integers(0, 40, n_rows)
    rows[draw.random(rows.shape) < 0.08] = np.nan
    known = np.nan_to_num(rows)
    risk = known[:, 0] + 0.6 * known[:, 1] * (known[:, 3] > 0) + (known[:, 4] % 3 == 0)
    return rows, (risk + draw.logistic(size=n_rows) > 2.2).astype(int)


def train_lightgbm(n_trees: int = 40, **parameters: Any) -> Sample:
    import lightgbm

    rows, outcome = borough()
    settings = {
        "objective": "binary", "num_leaves": 15, "min_data_in_leaf": 20, "verbose": -1,
        "num_threads": 1, "seed": 3, **parameters,
    }  # fmt: skip
    categories = settings.pop("categorical_feature", [])
    data = lightgbm.Dataset(rows, outcome, categorical_feature=categories, params=settings)
    booster = lightgbm.train(settings, data, n_trees)
    return Sample(booster.model_to_string(), booster, rows)


def write(folder: Path, sample: Sample, version: str = "1", **changes: Any) -> str:
    family = "lightgbm" if isinstance(sample.model, str) else "logistic"
    golden = sample.rows[:25]
    content = {
        "info": info(family, version),
        "model": sample.model,
        "calibration": CALIBRATION,
        "features": features(),
        "groups": GROUPS,
        "golden_rows": golden,
        "golden_log_odds": CALIBRATION.slope * sample.raw(golden) + CALIBRATION.intercept,
        **changes,
    }
    return artefact.write(folder, **content)


@cache
def lightgbm_sample() -> Sample:
    return train_lightgbm()


@cache
def logistic_sample() -> Sample:
    """Return a spline regression trained by scikit-learn, and the same as plain numbers."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import SplineTransformer

    rows, outcome = borough()
    spline = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True),
        ColumnTransformer(
            [("spline", SplineTransformer(5, degree=3, knots="quantile"), list(range(3)))],
            remainder="passthrough",
        ),
    )
    pipeline = make_pipeline(spline, LogisticRegression(C=1.0, max_iter=2000)).fit(rows, outcome)
    return Sample(as_terms(pipeline, rows), pipeline, rows)


def as_terms(pipeline: Any, rows: np.ndarray) -> SplineLogistic:
    """Return the pipeline's coefficients as terms, their background the training rows."""
    from dataclasses import replace

    imputer = pipeline[0][0]
    splines = pipeline[0][1].named_transformers_["spline"]
    regression = pipeline[1]
    coefficients = list(regression.coef_[0])
    terms = []
    for basis in splines.bsplines_:
        width = len(basis.t) - basis.k - 1
        own, coefficients = coefficients[:width], coefficients[width:]
        terms.append((tuple(map(float, basis.t)), tuple(map(float, own)), 0.0))
    n_linear = rows.shape[1] - len(terms)
    terms += [((), (), float(weight)) for weight in coefficients[:n_linear]]
    missing = dict(zip(imputer.indicator_.features_, coefficients[n_linear:], strict=True))
    made = []
    for place, (knots, own, weight) in enumerate(terms):
        term = Term(
            names()[place],
            impute=float(imputer.statistics_[place]),
            linear=weight,
            when_missing=float(missing.get(place, 0.0)),
            knots=knots,
            coefficients=own,
        )
        made.append(replace(term, background_mean=float(term.values(rows[:, place]).mean())))
    return SplineLogistic(float(regression.intercept_[0]), tuple(made))


def column_owners(sample: Sample) -> np.ndarray:
    """Return which feature each column of the spline regression belongs to."""
    imputer = sample.trained[0][0]
    splines = sample.trained[0][1].named_transformers_["spline"].bsplines_
    owners = [place for place, basis in enumerate(splines) for _ in range(len(basis.t) - 4)]
    owners += list(range(len(splines), N_FEATURES))
    return np.array(owners + list(imputer.indicator_.features_))
