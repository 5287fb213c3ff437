"""The boosted-tree candidate: LightGBM with few leaves, strong L2 and monotone constraints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

STOP_AFTER_ROUNDS = 60
"""Held-out log loss must improve within so many rounds, or the fit ends."""


@dataclass(frozen=True, slots=True)
class Boosted:
    """A trained model: LightGBM's text, and the booster that speaks it."""

    text: str
    rounds: int
    booster: Any

    def raw(self, matrix: np.ndarray) -> np.ndarray:
        """Return raw log-odds of rows, shape (n_rows,), as LightGBM gives them."""
        return np.asarray(self.booster.predict(matrix, raw_score=True), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Held:
    """Rows of other households than those that are learnt from; `offset` as in `fit_boosting`."""

    matrix: np.ndarray
    label: np.ndarray
    weight: np.ndarray
    offset: np.ndarray | None = None


def fit_boosting(
    matrix: np.ndarray,
    label: np.ndarray,
    settings: Mapping[str, Any],
    *,
    monotone: tuple[int, ...],
    names: tuple[str, ...],
    seed: int,
    threads: int,
    weight: np.ndarray | None = None,
    offset: np.ndarray | None = None,
    held_out: Held | None = None,
    rounds: int | None = None,
) -> Boosted:
    """Return a boosted model of the label.

    Parameters
    ----------
    matrix : shape (n_rows, n_features), float32
    label : shape (n_rows,); 0 or 1
    settings : of the specification: leaves, rounds, learning_rate, l2, child_weight, child_rows,
        feature_share, row_share, random_splits (1: each split is the best of few thresholds drawn
        at random, which is slower to learn and calmer where events are rare)
    monotone : one of -1, 0, 1 a feature
    offset : shape (n_rows,); log-odds that are given, not learnt, and not part of the model. It
        must hold the base rate too, since LightGBM starts from it and from nothing else
    held_out : other households, on which early stopping looks
    rounds : how many trees, where it was found before; overrides settings and early stopping
    """
    import lightgbm

    parameters = {
        "objective": "binary",
        "metric": "binary_logloss",
        "num_leaves": int(settings["leaves"]),
        "learning_rate": float(settings["learning_rate"]),
        "lambda_l2": float(settings["l2"]),
        "min_sum_hessian_in_leaf": float(settings["child_weight"]),
        "min_data_in_leaf": int(settings["child_rows"]),
        "feature_fraction": float(settings["feature_share"]),
        "bagging_fraction": float(settings["row_share"]),
        "bagging_freq": 1 if float(settings["row_share"]) < 1 else 0,
        "monotone_constraints": list(monotone),
        "monotone_constraints_method": "intermediate",
        "extra_trees": bool(settings["random_splits"]),
        "boost_from_average": True,
        "feature_pre_filter": False,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": threads,
        "seed": seed,
        "verbosity": -1,
    }
    data = lightgbm.Dataset(
        matrix, label, weight=weight, init_score=offset, feature_name=list(names),
        free_raw_data=True,
    )  # fmt: skip
    valid, callbacks = [], []
    if held_out is not None and rounds is None:
        valid = [
            lightgbm.Dataset(
                held_out.matrix, held_out.label, weight=held_out.weight,
                init_score=held_out.offset, reference=data,
            )
        ]  # fmt: skip
        callbacks = [lightgbm.early_stopping(STOP_AFTER_ROUNDS, verbose=False)]
    booster = lightgbm.train(
        parameters,
        data,
        num_boost_round=rounds or int(settings["rounds"]),
        valid_sets=valid,
        callbacks=callbacks,
    )
    best = int(booster.best_iteration) if valid and booster.best_iteration > 0 else None
    text = booster.model_to_string(num_iteration=best or -1)
    return Boosted(text, best or booster.current_iteration(), lightgbm.Booster(model_str=text))
