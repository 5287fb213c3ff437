"""Fit every candidate, choose among them, and calibrate: the part that only sees training rows."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from earlyflag.core.clock import add_months
from earlyflag.evaluation.calibration import fit_line, log_odds_of
from earlyflag.evaluation.drift import recentre
from earlyflag.evaluation.estimates import Resamples
from earlyflag.evaluation.ranking import Ranked
from earlyflag.modelling.boosting import Boosted
from earlyflag.modelling.candidates import Advance, Found, Trainer, best_settings, raw
from earlyflag.modelling.linear import SplineLogistic
from earlyflag.modelling.rows import Rows, choose_features, select
from earlyflag.modelling.served import Calibration
from earlyflag.modelling.specification import FAMILIES, Candidate, Specification

if TYPE_CHECKING:
    import pandas as pd

FEWEST_EVENTS = 10
"""With fewer events a base rate is not checked, nor a model trained."""


@dataclass(frozen=True)
class Developed:
    """Candidates after their search, fitted whole and calibrated, and the one that was chosen.

    `models` and `calibrations` are by family; they hold the comparator too. `helped_effect` is the
    log-odds by which having been helped moved the event, where that was modelled.
    """

    found: list[Found]
    chosen: Found
    choice: dict[str, Any]
    models: dict[str, Boosted | SplineLogistic]
    calibrations: dict[str, Calibration]
    calibration_words: dict[str, dict[str, Any]]
    helped_effect: float | None = None

    def log_odds(self, family: str, matrix: np.ndarray) -> np.ndarray:
        """Return calibrated log-odds by one family, shape (n_rows,)."""
        line = self.calibrations[family]
        return line.slope * raw(self.models[family], matrix) + line.intercept


def develop(
    specification: Specification,
    train: Rows,
    declarations: Sequence[Any],
    *,
    storage: Path | None = None,
    study: str = "search",
    threads: int | None = None,
    advance: Advance | None = None,
    compare: bool = True,
) -> Developed:
    """Return the candidates of a specification trained on some rows, and the chosen one.

    Parameters
    ----------
    compare : whether a logistic regression is fitted as comparator where it is no candidate
    """
    tick = advance or (lambda _: None)
    trainer = Trainer(
        names=tuple(each.name for each in declarations),
        monotone=tuple(int(each.monotone or 0) for each in declarations),
        seed=specification.seed,
        threads=threads or os.cpu_count() or 1,
        advance=tick,
    )
    if specification.helped == "model":
        trainer = replace(trainer, helped_effect=_helped_effect(trainer, train))
    found = [
        best_settings(candidate, train, trainer, storage=storage, study_name=study)
        for candidate in specification.candidates
    ]
    chosen, choice = choose(found, train, specification.replicates)
    compared = [*found, *(_comparator(specification, train, trainer) if compare else [])]
    models = {
        each.family: trainer.fit(each.family, train, each.settings, rounds=each.rounds)
        for each in compared
    }
    tick(len(found))
    # A score is the chance without help, so where help is modelled the others calibrate it.
    judged = ~train.helped if specification.helped == "model" else np.ones(len(train), dtype=bool)
    lines = {
        each.family: _calibrated(replace(each, raw=each.raw[judged]), train.take(judged))
        for each in compared
    }
    return Developed(
        found=found,
        chosen=chosen,
        choice=choice,
        models=models,
        calibrations={family: line for family, (line, _) in lines.items()},
        calibration_words={family: words for family, (_, words) in lines.items()},
        helped_effect=trainer.helped_effect,
    )


def cross_validated(
    specification: Specification,
    frame: pd.DataFrame,
    catalogue: Mapping[str, Any],
    *,
    cut_offs: Sequence[date],
    folds: int = 5,
    threads: int | None = None,
    advance: Advance | None = None,
) -> pd.DataFrame:
    """Return calibrated log-odds of each row from a training that never saw its household.

    For data with a single cut-off, where no later one can be the test: households are split into
    `folds`, and choice, early stopping and calibration happen inside each training part anew.

    Returns
    -------
    frame of shape (n, 5): household_id, as_of, label, log_odds, fold
    """
    features, _ = choose_features(specification, frame.columns, catalogue)
    outer = specification.model_copy(
        update={
            "folds": folds,
            "seed": specification.seed + 1,
            "households_apart": None,
            "negatives_per_event": None,
        }
    )
    rows = select(outer, frame, features, cut_offs, part="train")
    inner = select(
        specification.model_copy(update={"households_apart": None, "negatives_per_event": None}),
        frame, features, cut_offs, part="train",
    )  # fmt: skip
    declarations = tuple(catalogue[name] for name in features)
    log_odds = np.empty(len(rows))
    for fold in range(folds):
        held = rows.fold == fold
        developed = develop(
            specification, inner.take(~held), declarations, threads=threads, advance=advance,
            compare=False,
        )  # fmt: skip
        log_odds[held] = developed.log_odds(developed.chosen.family, rows.matrix[held])
    found = frame.iloc[rows.place][["household_id", "as_of", "label"]].reset_index(drop=True)
    return found.assign(log_odds=log_odds, fold=rows.fold)


def choose(found: list[Found], rows: Rows, replicates: int) -> tuple[Found, dict[str, Any]]:
    """Return the simplest candidate within one standard error of the best, and say so.

    The standard error is that of the paired difference in average precision between the best
    candidate and the simpler one, over draws of training households, out of fold.
    """
    ordered = sorted(found, key=lambda each: FAMILIES.index(each.family))
    best = max(ordered, key=lambda each: each.value)
    resamples = Resamples(rows.households, replicates)
    drawn: dict[str, list[np.ndarray]] = {each.family: [] for each in ordered}
    cut_off = np.zeros(len(rows), dtype=np.int8)
    rankings = {each.family: Ranked(rows.label, each.raw, cut_off) for each in ordered}
    for block in resamples.weights():
        for family, ranked in rankings.items():
            drawn[family].append(ranked.curves(block * rows.weight.astype(np.float32))[0])
    values = {family: np.concatenate(parts) for family, parts in drawn.items()}
    compared = []
    winner = best
    for each in ordered:
        gap = best.value - each.value
        error = float(np.std(values[best.family] - values[each.family]))
        within = gap <= error
        compared.append({"family": each.family, "behind_best": gap, "standard_error": error})
        if within and winner is best and each is not best:
            winner = each
        if each is best:
            break
    if winner is best:
        sentence = (
            f"The {best.family} candidate was chosen: none simpler comes within one standard error "
            f"of its average precision ({best.value:.4f}, out of fold)."
        )
    else:
        gap = best.value - winner.value
        sentence = (
            f"The {winner.family} candidate was chosen: the simplest within one standard error "
            f"of the best ({best.family}: {best.value:.4f}, out of fold; {gap:.4f} more)."
        )
    return winner, {"family": winner.family, "sentence": sentence, "compared": compared}


def _calibrated(found: Found, train: Rows) -> tuple[Calibration, dict[str, Any]]:
    """Return the calibration from out-of-fold scores, centred on the latest training."""
    line = fit_line(found.raw, train.label, train.weight)
    slope = max(line.slope, 0.05)
    intercept = line.intercept
    if slope != line.slope:  # a model without signal: keep the map monotone, hold the base rate
        rate = np.average(train.label, weights=train.weight)
        intercept = float(log_odds_of(np.array([rate]))[0] - slope * np.mean(found.raw))
    latest = train.as_of.max()
    half_a_year_before = np.datetime64(add_months(latest.astype(object), -6), "D")
    recent = train.as_of > half_a_year_before
    log_odds = slope * found.raw[recent] + intercept
    words: dict[str, Any] = {"slope": slope, "intercept": intercept}
    if train.label[recent].sum() >= FEWEST_EVENTS:
        checked = recentre(
            log_odds, train.label[recent], train.households[recent],
            where=f"the training cut-offs after {half_a_year_before}",
            row_weights=train.weight[recent],
        )  # fmt: skip
        intercept += checked.shift
        words.update(recentred=checked.shift, sentence=checked.sentence)
    return Calibration(slope, intercept), words


def _comparator(specification: Specification, train: Rows, trainer: Trainer) -> list[Found]:
    """Return the logistic regression that every run is compared with, if it is no candidate."""
    if any(each.family == "logistic" for each in specification.candidates):
        return []
    return [best_settings(Candidate(family="logistic"), train, trainer)]


def _helped_effect(trainer: Trainer, train: Rows) -> float | None:
    """Return the log-odds by which having been helped moves the event, beside the features."""
    from sklearn.linear_model import LogisticRegression

    if not train.helped.any():
        trainer.advance(len(np.unique(train.fold)))
        return None
    beside_help = replace(trainer, helped_effect=0.0)
    scores, _ = beside_help.out_of_fold("logistic", train, {"knots": 5, "penalty": 1.0})
    beside = np.column_stack([scores, train.helped])
    model = LogisticRegression(C=100.0).fit(beside, train.label, sample_weight=train.weight)
    return float(model.coef_[0][1])
