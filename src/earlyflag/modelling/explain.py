"""The one door to shap: the global plots of training, and its explainers as a second opinion.

Serving never comes here; it explains with `modelling.shapley` and `modelling.linear`.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

with warnings.catch_warnings():
    # shap calls matplotlib's older names while it is imported.
    warnings.simplefilter("ignore", PendingDeprecationWarning)
    import shap

TOLERANCE = 1e-6
"""How far our contributions may stand from shap's (the checks find about 1e-12)."""


def tree_explainer_values(
    booster: Any, rows: np.ndarray, *, own_walk: bool = False
) -> tuple[float, np.ndarray]:
    """Return `shap.TreeExplainer`'s base and values, path-dependent, in raw log-odds.

    Parameters
    ----------
    booster : a LightGBM booster
    rows : shape (n_rows, n_features)
    own_walk : whether shap walks the trees itself; else it hands them to LightGBM's
        `pred_contrib`, as it does unless told otherwise
    """
    explainer = shap.TreeExplainer(booster, feature_perturbation="tree_path_dependent")
    if own_walk:
        explainer.model.model_type = "internal"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="LightGBM binary classifier", module="shap")
        values = np.asarray(explainer.shap_values(rows, check_additivity=False))
    return float(np.ravel(explainer.expected_value)[-1]), values


def linear_explainer_values(
    coefficients: np.ndarray, intercept: float, columns: np.ndarray, background: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return `shap.LinearExplainer`'s base and values over a linear model's own columns.

    Parameters
    ----------
    coefficients : shape (n_columns,)
    columns, background : shape (n_rows, n_columns); what is explained, and what it departs from
    """
    masker = shap.maskers.Independent(background, max_samples=len(background))
    explainer = shap.LinearExplainer((coefficients, intercept), masker)
    return float(explainer.expected_value), np.asarray(explainer.shap_values(columns))
