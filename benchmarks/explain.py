"""Contributions of a whole borough: ours against shap's TreeExplainer and LightGBM's pred_contrib.

One run on one core, values compared. Without a home, a model of 500 trees of 31 leaves over 60
features is trained on made-up rows; with `--home` and `--name`, the champion explains rows drawn
within the range of its golden rows.

    python benchmarks/explain.py [--home data --name owed_duty]
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import lightgbm
import numpy as np

from earlyflag.core.home import Home
from earlyflag.core.terms import ModelInfo
from earlyflag.modelling import artefact, explain, reference
from earlyflag.modelling.score import score
from earlyflag.modelling.served import Calibration, FeatureFacts, GroupFacts, ServedModel
from earlyflag.modelling.trees import Trees, read_lightgbm

TREES, LEAVES, FEATURES, GROUPS = 500, 31, 60, 15
COMPARED = 2000
"""Rows that the slow explainers explain; theirs and ours are compared on all of them."""


def made_up(n_rows: int) -> np.ndarray:
    """Return rows as features look: counts, money, shares, and values that are not known."""
    draw = np.random.default_rng(20)
    rows = draw.normal(size=(n_rows, FEATURES))
    rows[:, :20] = draw.poisson(1.0, (n_rows, 20))
    rows[:, 20:35] = np.round(draw.exponential(30_000, (n_rows, 15)))
    rows[draw.random(rows.shape) < 0.1] = np.nan
    return rows


def made_up_model(n_rows: int = 40_000) -> ServedModel:
    """Return a trained model of the size that the comparison is stated for."""
    rows = made_up(n_rows)
    draw = np.random.default_rng(21)
    scale = np.nanstd(rows, axis=0)
    risk = np.nan_to_num(rows / scale) @ draw.normal(size=FEATURES) * 0.3
    outcome = risk + draw.logistic(size=n_rows) > np.quantile(risk, 0.9)
    settings = {
        "objective": "binary", "num_leaves": LEAVES, "learning_rate": 0.03, "verbose": -1,
        "num_threads": 1,
    }  # fmt: skip
    booster = lightgbm.train(settings, lightgbm.Dataset(rows, outcome.astype(int)), TREES)
    text = booster.model_to_string()
    names = tuple(f"feature_{place}" for place in range(FEATURES))
    info = ModelInfo(
        "made_up", "1", "lightgbm", "owed_duty", 12, float(outcome.mean()), names, "", "",
        date(2026, 1, 1),
    )  # fmt: skip
    facts = tuple(
        FeatureFacts(
            name, name, "Its value is {value:number}", "count", f"group_{place % GROUPS}",
            sentence_missing=f"{name} is not known",
        )
        for place, name in enumerate(names)
    )  # fmt: skip
    groups = tuple(GroupFacts(f"group_{place}", f"Group {place}") for place in range(GROUPS))
    return ServedModel(info, read_lightgbm(text), Calibration(), facts, groups, text=text)


def champion(home: Path, name: str) -> tuple[ServedModel, np.ndarray]:
    """Return the champion and its golden rows."""
    registry = Home(home).registry
    pointer = artefact.pointed(registry, name)
    files = artefact.verify(registry / name / pointer.version, pointer.manifest_sha256)
    golden = np.array(json.loads(files["golden.json"])["rows"], dtype=np.float64)
    return artefact.parse(files), golden


def within(golden: np.ndarray, n_rows: int) -> np.ndarray:
    """Return rows whose every value is that of some golden row."""
    draw = np.random.default_rng(22)
    picks = draw.integers(0, len(golden), (n_rows, golden.shape[1]))
    return golden[picks, np.arange(golden.shape[1])]


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that a piece of work took, and its result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def main() -> None:
    """Measure, compare, print a table and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--name", default="owed_duty")
    parser.add_argument("--households", type=int, default=130_000)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    if asked.home is None:
        model, rows = made_up_model(), made_up(asked.households)
    else:
        model, golden = champion(asked.home, asked.name)
        rows = within(golden, asked.households)
    few = rows[:COMPARED]
    model.contributions(few[:64])  # compiled once a machine; not part of any figure
    ours_few, ours = timed(lambda: model.contributions(few))
    figures: dict[str, Any] = {
        "family": model.info.family,
        "trees": model.estimator.n_trees if isinstance(model.estimator, Trees) else 0,
        "features": len(model.features),
        "households": len(rows),
        "ours_rows_per_second_small_batch": round(len(few) / ours_few),
    }
    if isinstance(model.estimator, Trees):
        figures |= against_others(model, few, ours.values)
    one = min(timed(lambda: model.contributions(few[:1]))[0] for _ in range(50))
    whole, _ = timed(lambda: model.contributions(rows, threads=asked.threads))
    ids = [f"H{place:07}" for place in range(len(rows))]
    scoring, run = timed(lambda: score(model, ids, rows, date(2026, 6, 1), threads=asked.threads))
    wording, said = timed(lambda: sum(len(each.reasons) for each in run.scores(keep=5)))
    figures |= {
        "threads": asked.threads,
        "ours_rows_per_second": round(len(rows) / whole),
        "ours_one_row_milliseconds": round(1000 * one, 2),
        "borough_contributions_seconds": round(whole, 1),
        "borough_scored_and_checked_seconds": round(scoring, 1),
        "borough_reasons_worded_seconds": round(wording, 1),
        "reasons_worded": said,
    }
    if "tree_explainer_rows_per_second" in figures:
        ratio = figures["ours_rows_per_second"] / figures["tree_explainer_rows_per_second"]
        figures["times_tree_explainer"] = round(ratio, 1)
    for name, value in figures.items():
        print(f"{name:40} {value:>14,}" if not isinstance(value, str) else f"{name:40} {value:>14}")
    print(json.dumps(figures))


def against_others(model: ServedModel, rows: np.ndarray, ours: np.ndarray) -> dict[str, Any]:
    """Return the other explainers' speeds and how far their values stand from ours."""
    booster = lightgbm.Booster(model_str=model.text)
    slope = model.calibration.slope
    by_lightgbm, theirs = timed(lambda: reference.pred_contrib(model, rows))
    by_shap, (_, values) = timed(lambda: explain.tree_explainer_values(booster, rows))
    few = rows[: len(rows) // 4]
    by_shap_itself, (_, walked) = timed(
        lambda: explain.tree_explainer_values(booster, few, own_walk=True)
    )
    return {
        "pred_contrib_rows_per_second": round(len(rows) / by_lightgbm),
        "tree_explainer_rows_per_second": round(len(rows) / by_shap),
        "tree_explainer_own_walk_rows_per_second": round(len(few) / by_shap_itself),
        "largest_difference_pred_contrib": float(np.abs(theirs.values - ours).max()),
        "largest_difference_tree_explainer": float(np.abs(slope * values - ours).max()),
        "largest_difference_own_walk": float(np.abs(slope * walked - ours[: len(few)]).max()),
    }


if __name__ == "__main__":
    main()
