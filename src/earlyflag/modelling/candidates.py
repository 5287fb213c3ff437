"""Each family of estimators under one face: fit out of fold, fit whole, search settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from earlyflag.evaluation.calibration import log_odds_of
from earlyflag.evaluation.ranking import Ranked
from earlyflag.modelling.boosting import Boosted, Held, fit_boosting
from earlyflag.modelling.linear import SplineLogistic
from earlyflag.modelling.logistic import fit_logistic, raw_in_blocks
from earlyflag.modelling.rows import Rows
from earlyflag.modelling.specification import Candidate

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Trainer:
    """What every fit of one run shares.

    Attributes
    ----------
    names : features, in column order
    monotone : -1, 0 or 1 a feature
    helped_effect : log-odds by which having been helped moves the event, given and not learnt;
        None where helped households are treated otherwise
    """

    names: tuple[str, ...]
    monotone: tuple[int, ...]
    seed: int
    threads: int
    advance: Advance
    helped_effect: float | None = None

    def fit(
        self, family: str, rows: Rows, settings: Mapping[str, Any], *, rounds: int | None = None
    ) -> Boosted | SplineLogistic:
        """Return one fitted estimator."""
        model, _ = self._fit(family, rows, None, settings, rounds)
        return model

    def out_of_fold(
        self, family: str, rows: Rows, settings: Mapping[str, Any]
    ) -> tuple[np.ndarray, int | None]:
        """Return raw log-odds of each row from a model that never saw its household.

        Returns
        -------
        raw : shape (n_rows,)
        rounds : the mean number of trees that early stopping found; None for the linear family
        """
        result = np.empty(len(rows))
        found = []
        for fold in np.unique(rows.fold):
            inside = rows.fold != fold
            held = rows.take(~inside)
            model, rounds = self._fit(family, rows.take(inside), held, settings, None)
            result[~inside] = raw(model, held.matrix)
            found.append(rounds)
            self.advance(1)
        known = [each for each in found if each is not None]
        return result, round(float(np.mean(known))) if known else None

    def _fit(
        self,
        family: str,
        rows: Rows,
        held: Rows | None,
        settings: Mapping[str, Any],
        rounds: int | None,
    ) -> tuple[Boosted | SplineLogistic, int | None]:
        if family == "logistic":
            beside = None if self.helped_effect is None else rows.helped.astype(np.float32)
            linear = fit_logistic(
                rows.matrix, rows.label, settings, names=self.names, weight=_scaled(rows.weight),
                beside=beside,
            )  # fmt: skip
            return linear, None
        base = _base_log_odds(rows)
        held_out = None
        if held is not None:
            held_out = Held(held.matrix, held.label, held.weight, self._offset(held, base))
        boosted = fit_boosting(
            rows.matrix, rows.label, settings, monotone=self.monotone, names=self.names,
            seed=self.seed, threads=self.threads, weight=_importance(rows),
            offset=self._offset(rows, base), held_out=held_out, rounds=rounds,
        )  # fmt: skip
        return boosted, boosted.rounds

    def _offset(self, rows: Rows, base: float) -> np.ndarray | None:
        """Return the log-odds from which a boosted fit starts, where help is modelled."""
        return None if self.helped_effect is None else base + self.helped_effect * rows.helped


def raw(model: Boosted | SplineLogistic, matrix: np.ndarray) -> np.ndarray:
    """Return a fitted estimator's raw log-odds, shape (n_rows,)."""
    return model.raw(matrix) if isinstance(model, Boosted) else raw_in_blocks(model, matrix)


def weighted_average_precision(rows: Rows, scores: np.ndarray) -> float:
    """Return average precision of training rows, sampled rows standing for many."""
    ranked = Ranked(rows.label, scores, np.zeros(len(rows), dtype=np.int8))
    return float(ranked.curves(rows.weight[None, :])[0][0])


@dataclass(slots=True)
class Found:
    """A candidate as it stands after its search.

    Attributes
    ----------
    raw : shape (n_rows,); out-of-fold raw log-odds of the training rows
    value : average precision of `raw`
    trials : how many settings were tried, the first included
    """

    family: str
    settings: dict[str, Any]
    raw: np.ndarray = field(repr=False)
    rounds: int | None
    value: float
    trials: int = 1


def best_settings(
    candidate: Candidate,
    rows: Rows,
    trainer: Trainer,
    *,
    storage: Path | None = None,
    study_name: str = "search",
) -> Found:
    """Return a candidate with its own settings or, where a search is asked for, the best found.

    A search tries the specification's own settings first, keeps within its budget of trials and
    minutes, and writes each trial to `storage` as it ends: stopped and started again with the same
    data and specification, it goes on where it was.
    """
    settings = candidate.complete
    if candidate.trials:
        settings, tried = _search(candidate, rows, trainer, storage, study_name)
    else:
        tried = 1
    scores, rounds = trainer.out_of_fold(candidate.family, rows, settings)
    value = weighted_average_precision(rows, scores)
    return Found(candidate.family, settings, scores, rounds, value, tried)


def _search(
    candidate: Candidate, rows: Rows, trainer: Trainer, storage: Path | None, study_name: str
) -> tuple[dict[str, Any], int]:
    """Return the best settings that Optuna found and how many trials stand in the study."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if storage is not None:
        storage.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name=f"{study_name}-{candidate.family}",
        direction="maximize",
        storage=JournalStorage(JournalFileBackend(str(storage))) if storage else None,
        load_if_exists=True,
    )
    # A sampler draws from its seed on: started again, it would try what it tried before.
    study.sampler = optuna.samplers.TPESampler(
        seed=trainer.seed + len(study.trials), multivariate=True
    )
    own = candidate.complete
    before = _tried(study)
    if not before:  # also where the process was killed at the first trial
        study.enqueue_trial({key: own[key] for key in candidate.search})
    folds = len(np.unique(rows.fold))
    trainer.advance(folds * min(len(before), candidate.trials))

    def objective(trial: optuna.Trial) -> float:
        settings = {**own, **_suggested(trial, candidate)}
        scores, _ = trainer.out_of_fold(candidate.family, rows, settings)
        return weighted_average_precision(rows, scores)

    left = _seconds_left(candidate, before)
    if len(before) < candidate.trials and (left is None or left > 0 or not before):
        study.optimize(objective, n_trials=candidate.trials - len(before), timeout=left)
    tried = len(_tried(study))
    trainer.advance(folds * max(0, candidate.trials - tried))  # what the minutes did not allow
    return {**own, **study.best_params}, tried


def _tried(study: Any) -> list[Any]:
    """Return the trials that came to their end; one that was killed or stopped did not."""
    return [trial for trial in study.trials if trial.state.name == "COMPLETE"]


def _seconds_left(candidate: Candidate, before: list[Any]) -> float | None:
    """Return what earlier runs left of the budget of time; None where there is no such budget."""
    if candidate.minutes is None:
        return None
    return 60 * candidate.minutes - sum(trial.duration.total_seconds() for trial in before)


def _suggested(trial: Any, candidate: Candidate) -> dict[str, Any]:
    """Return one trial's settings; whole-numbered settings stay whole."""
    chosen: dict[str, Any] = {}
    for key, space in candidate.search.items():
        if key in {"leaves", "rounds", "child_rows", "knots"}:
            chosen[key] = trial.suggest_int(key, int(space.low), int(space.high), log=space.log)
        else:
            chosen[key] = trial.suggest_float(key, space.low, space.high, log=space.log)
    return chosen


def _base_log_odds(rows: Rows) -> float:
    """Return the log-odds of the base rate among rows as they are learnt from."""
    weight = _importance(rows)
    return float(log_odds_of(np.array([np.average(rows.label, weights=weight)]))[0])


def _scaled(weight: np.ndarray) -> np.ndarray | None:
    """Return weights for scikit-learn, or None where every row weighs the same."""
    return None if (weight == 1).all() else weight


def _importance(rows: Rows) -> np.ndarray | None:
    """Return LightGBM's row weights: none for sampling, which calibration undoes.

    A sampled row would otherwise weigh as many as it stands for and make small leaves look large.
    What a helped household weighs less than the others stays.
    """
    reduced = np.ones(len(rows))
    for label in (0, 1):
        of_label = rows.label == label
        others = rows.weight[of_label & ~rows.helped]
        if len(others):
            reduced[of_label] = rows.weight[of_label] / others.max()
    return None if (reduced == 1).all() else reduced
