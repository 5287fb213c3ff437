"""The one door to shap: the global plots of training, and its explainers as a second opinion.

Serving never comes here; it explains with `modelling.shapley` and `modelling.linear`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import numpy as np

with warnings.catch_warnings():
    # shap calls matplotlib's older names while it is imported.
    warnings.simplefilter("ignore", PendingDeprecationWarning)
    import shap

BLUE = "#1d70b8"

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


def beeswarm(
    values: np.ndarray, rows: np.ndarray, names: Sequence[str], *, most: int = 15
) -> bytes:
    """Draw how far each leading feature moves scores, coloured by its value; a PNG.

    Parameters
    ----------
    values : shape (n_rows, n_features); contributions in calibrated log-odds
    rows : shape (n_rows, n_features); the rows explained
    most : how many features are drawn, the strongest first
    """
    explanation = shap.Explanation(values=values, data=rows, feature_names=list(names))
    return _drawn(
        lambda: shap.plots.beeswarm(explanation, max_display=most, show=False, plot_size=(8, 6))
    )


def dependence(values: np.ndarray, rows: np.ndarray, names: Sequence[str], feature: str) -> bytes:
    """Draw how one feature's contribution depends on its value; a PNG."""
    explanation = shap.Explanation(values=values, data=rows, feature_names=list(names))
    place = list(names).index(feature)
    return _drawn(lambda: shap.plots.scatter(explanation[:, place], color=BLUE, show=False))


def _drawn(draw: Callable[[], Any]) -> bytes:
    """Return what shap draws as PNG; its figure is closed and matplotlib's state left alone."""
    import matplotlib as mpl

    backend = mpl.get_backend()
    mpl.use("Agg")
    from matplotlib import pyplot

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # shap calls older names, and averages columns of NaN
        draw()
        stream = BytesIO()
        pyplot.gcf().savefig(stream, format="png", dpi=110, bbox_inches="tight")
        pyplot.close("all")
    mpl.use(backend)
    return stream.getvalue()
