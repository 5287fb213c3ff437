"""LightGBM's own contributions: the reference of ours, and what stands in should ours fail."""

from __future__ import annotations

import numpy as np

from earlyflag.modelling.served import Contributions, ServedModel


def pred_contrib(model: ServedModel, rows: np.ndarray) -> Contributions:
    """Return the contributions by LightGBM's `pred_contrib`, in calibrated log-odds.

    It loads LightGBM, which serving otherwise does without, and takes some fifty times as long.

    Parameters
    ----------
    model : a served LightGBM model; of another family its own contributions are returned
    rows : shape (n_rows, n_features)
    """
    if not model.text:
        return model.contributions(rows)
    import lightgbm

    booster = lightgbm.Booster(model_str=model.text)
    values = np.asarray(booster.predict(np.asarray(rows, dtype=np.float64), pred_contrib=True))
    slope, intercept = model.calibration.slope, model.calibration.intercept
    base = float(values[0, -1]) if len(values) else model.contributions(rows).base
    return Contributions(slope * base + intercept, slope * values[:, :-1])
