"""Train, choose, calibrate and judge a model as it will be used."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from earlyflag.core.errors import SpecificationInvalid, WindowsOverlap
from earlyflag.core.terms import ModelInfo
from earlyflag.evaluation.calibration import fit_line, log_odds_of
from earlyflag.evaluation.drift import recentre
from earlyflag.evaluation.estimates import Resamples
from earlyflag.evaluation.ranking import Ranked
from earlyflag.modelling.assess import Assessment, assess, recentred_for_serving
from earlyflag.modelling.boosting import Boosted
from earlyflag.modelling.candidates import Advance, Found, Trainer, best_settings, raw
from earlyflag.modelling.linear import SplineLogistic
from earlyflag.modelling.rows import Rows, choose_features, select
from earlyflag.modelling.served import Calibration
from earlyflag.modelling.specification import FAMILIES, Candidate, Specification, months_after
from earlyflag.modelling.windows import Windows, check_apart

if TYPE_CHECKING:
    import pandas as pd

FEWEST_EVENTS = 10
GOLDEN_ROWS = 24


@dataclass(frozen=True)
class Fitted:
    """A trained, calibrated and judged model, not yet registered.

    Attributes
    ----------
    model : LightGBM's booster with its text, or the logistic model's numbers
    calibration : what serving applies to the raw log-odds
    declarations : the catalogue's features, in column order
    golden_rows : shape (n, n_features); made up from the features' quantiles, no household's
    golden_log_odds : shape (n,); calibrated, by the training library
    results : everything the card, the gate and the tracking need, as plain JSON content
    """

    specification: Specification
    windows: Windows
    family: str
    model: Boosted | SplineLogistic
    calibration: Calibration
    declarations: tuple[Any, ...]
    info: ModelInfo
    golden_rows: np.ndarray = field(repr=False)
    golden_log_odds: np.ndarray = field(repr=False)
    background: np.ndarray = field(repr=False)
    results: dict[str, Any] = field(repr=False)

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features, in column order."""
        return self.info.features

    def log_odds(self, matrix: np.ndarray) -> np.ndarray:
        """Return calibrated log-odds of rows of shape (n_rows, n_features)."""
        return self.calibration.slope * raw(self.model, matrix) + self.calibration.intercept


def steps(specification: Specification) -> int:
    """Return how often `fit` calls `advance`, for a progress bar."""
    fits = sum(
        specification.folds * (1 + candidate.trials) + 1 for candidate in specification.candidates
    )
    linear = any(candidate.family == "logistic" for candidate in specification.candidates)
    helped = specification.folds if specification.helped == "model" else 0
    return fits + (0 if linear else specification.folds) + helped + 3


def fit(
    specification: Specification,
    frame: pd.DataFrame,
    catalogue: Mapping[str, Any],
    *,
    windows: Windows,
    audit: pd.DataFrame | None = None,
    truth: pd.DataFrame | None = None,
    delayed: pd.DataFrame | None = None,
    unlinked: Mapping[date, float] | None = None,
    data_hash: str = "",
    storage: Path | None = None,
    threads: int | None = None,
    advance: Advance | None = None,
) -> Fitted:
    """Return a model trained on the training cut-offs and judged on the test cut-offs.

    Parameters
    ----------
    frame : household_id, as_of, features (float32, NaN is not known), label (0, 1 or missing),
        and where they exist excluded (reason or null), censored, helped, label_known_on
    catalogue : each feature's declaration by name
    windows : the cut-offs, from `modelling.windows`
    audit : household_id, as_of and the audit's columns; never features
    truth : household_id, as_of, oracle (probability); synthetic boroughs only
    delayed : household_id, as_of (a test cut-off), features as they were one month earlier
    unlinked : events in each test cut-off's horizon that no scorable household could have shown
    storage : a file that keeps the search's trials, so that it can be stopped and resumed
    advance : called `steps(specification)` times

    Raises
    ------
    SpecificationInvalid
        A protected characteristic or audit group is among the features, or there are too few
        events to learn from.
    UndeclaredFeature
        The specification names what the catalogue does not declare.
    WindowsOverlap
        A training label became known after the first test cut-off.
    """
    tick = advance or (lambda _: None)
    check_apart(specification, windows)
    features, notes = choose_features(specification, frame.columns, catalogue)
    declarations = tuple(catalogue[name] for name in features)
    frame = _known_in_time(frame, windows)
    train = select(specification, frame, features, windows.train, part="train")
    test = select(specification, frame, features, windows.test, part="test")
    _check_events(train, test, specification)
    tick(1)
    trainer = Trainer(
        names=features,
        monotone=tuple(int(getattr(each, "monotone", 0) or 0) for each in declarations),
        seed=specification.seed,
        threads=threads or os.cpu_count() or 1,
        advance=tick,
    )
    if specification.helped == "model":
        trainer = replace(trainer, helped_effect=_helped_effect(trainer, train))
    study = f"{specification.content_hash[:12]}-{data_hash[:12]}"
    found = [
        best_settings(candidate, train, trainer, storage=storage, study_name=study)
        for candidate in specification.candidates
    ]
    chosen, choice = choose(found, train, specification.replicates)
    comparator = _comparator(specification, train, trainer)
    models = {
        each.family: trainer.fit(each.family, train, each.settings, rounds=each.rounds)
        for each in found
    }
    tick(len(found))
    compared = [*found, *comparator]
    models.update(
        {each.family: trainer.fit(each.family, train, each.settings) for each in comparator}
    )
    calibrations = {each.family: _calibrated(each, train) for each in compared}
    calibration, line_words = calibrations[chosen.family]
    model = models[chosen.family]
    log_odds = {
        family: calibrations[family][0].slope * raw(each, test.matrix)
        + calibrations[family][0].intercept
        for family, each in models.items()
    }
    assessment = assess(
        Assessment(
            specification=specification,
            frame=frame,
            test=test,
            features=features,
            log_odds=log_odds,
            champion=chosen.family,
            model=model,
            calibration=calibration,
            audit=audit,
            truth=truth,
            delayed=delayed,
            unlinked=unlinked or {},
            train_matrix=train.matrix,
        )
    )
    tick(1)
    calibration, serving = recentred_for_serving(calibration, log_odds[chosen.family], test)
    golden = _golden_rows(train.matrix, specification.seed)
    info = ModelInfo(
        name=specification.name,
        version="0",
        family=chosen.family,
        label=specification.label.event,
        horizon_months=specification.label.horizon_months
        or max(1, round((specification.label.horizon_days or 30) / 30.4)),
        base_rate=float(np.average(train.label, weights=train.weight)),
        features=features,
        data_hash=data_hash,
        specification_hash=specification.content_hash,
        trained_to=max(windows.train),
    )
    results = {
        "specification": specification.model_dump(mode="json"),
        "model": {"name": specification.name, "family": chosen.family, "choice": choice},
        "candidates": [
            {
                "family": each.family,
                "settings": each.settings,
                "rounds": each.rounds,
                "trials": each.trials,
                "average_precision_out_of_fold": each.value,
            }
            for each in found
        ],
        "windows": {
            "train": [str(each) for each in windows.train],
            "test": [str(each) for each in windows.test],
        },
        "rows": {
            "train": len(train),
            "train_stand_for": float(train.weight.sum()),
            "train_events": int(train.label.sum()),
            "train_households": len(np.unique(train.households)),
            "test": len(test),
            "test_events": int(test.label.sum()),
            "test_households": len(np.unique(test.households)),
        },
        "calibration_fit": line_words,
        "serving": serving,
        "notes": notes,
        **assessment,
    }
    tick(1)
    fitted = Fitted(
        specification=specification,
        windows=windows,
        family=chosen.family,
        model=model,
        calibration=calibration,
        declarations=declarations,
        info=info,
        golden_rows=golden,
        golden_log_odds=np.empty(0),
        background=train.matrix[:: max(1, len(train) // 2000)],
        results=results,
    )
    return replace(fitted, golden_log_odds=fitted.log_odds(golden))


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
            f"{best.family} was chosen: no simpler candidate comes within one standard error "
            f"of its average precision ({best.value:.4f}, out of fold)."
        )
    else:
        gap = best.value - winner.value
        sentence = (
            f"{winner.family} was chosen: it is the simplest candidate within one standard error "
            f"of the best ({best.family}: {best.value:.4f}, out of fold; {gap:.4f} more)."
        )
    return winner, {"family": winner.family, "sentence": sentence, "compared": compared}


def _known_in_time(frame: pd.DataFrame, windows: Windows) -> pd.DataFrame:
    """Return the frame, refused if a training label became known after the first test cut-off."""
    if "label_known_on" not in frame:
        return frame
    import pandas as pd

    first = pd.Timestamp(windows.test[0])
    trains = frame["as_of"].isin([pd.Timestamp(each) for each in windows.train])
    late = trains & (pd.to_datetime(frame["label_known_on"]) > first)
    count = int(late.sum())
    if count and count == int(trains.sum()):
        raise WindowsOverlap(
            f"All {count} training labels became known after the first test cut-off "
            f"{windows.test[0]}. Start cut_offs.test later."
        )
    return frame[~late] if count else frame


def _check_events(train: Rows, test: Rows, specification: Specification) -> None:
    for rows, name in ((train, "training"), (test, "test")):
        events = int(rows.label.sum())
        if events < FEWEST_EVENTS or events == len(rows):
            raise SpecificationInvalid(
                f"The {name} cut-offs hold {events} events ({specification.label.event}) in "
                f"{len(rows)} rows; at least {FEWEST_EVENTS} of each kind are needed. Add cut-offs "
                "or choose a longer horizon."
            )


def _calibrated(found: Found, train: Rows) -> tuple[Calibration, dict[str, Any]]:
    """Return the calibration from out-of-fold scores, centred on the latest training year."""
    line = fit_line(found.raw, train.label, train.weight)
    slope = max(line.slope, 0.05)
    intercept = line.intercept
    if slope != line.slope:  # a model without signal: keep the map monotone, hold the base rate
        rate = np.average(train.label, weights=train.weight)
        intercept = float(log_odds_of(np.array([rate]))[0] - slope * np.mean(found.raw))
    latest = train.as_of.max()
    year_before = np.datetime64(months_after(latest.astype(object), -6), "D")
    recent = (train.as_of > year_before) & (train.weight == train.weight)
    log_odds = slope * found.raw[recent] + intercept
    weights = train.weight[recent]
    words: dict[str, Any] = {"slope": slope, "intercept": intercept}
    if (weights == 1).all() and train.label[recent].sum() >= FEWEST_EVENTS:
        checked = recentre(
            log_odds, train.label[recent], train.households[recent],
            where=f"the training cut-offs after {year_before}",
        )  # fmt: skip
        intercept += checked.shift
        words.update(recentred=checked.shift, sentence=checked.sentence)
    return Calibration(slope, intercept), words


def _comparator(specification: Specification, train: Rows, trainer: Trainer) -> list[Found]:
    """Return the logistic regression that every run is compared with, if it is no candidate."""
    if any(each.family == "logistic" for each in specification.candidates):
        return []
    return [best_settings(Candidate(family="logistic"), train, trainer)]


def _helped_effect(trainer: Trainer, train: Rows) -> float:
    """Return the log-odds by which having been helped moves the event, beside the features."""
    from sklearn.linear_model import LogisticRegression

    if not train.helped.any():
        return 0.0
    scores, _ = trainer.out_of_fold("logistic", train, {"knots": 5, "penalty": 1.0})
    beside = np.column_stack([scores, train.helped])
    model = LogisticRegression(C=100.0).fit(beside, train.label, sample_weight=train.weight)
    return float(model.coef_[0][1])


def _golden_rows(matrix: np.ndarray, seed: int) -> np.ndarray:
    """Return made-up rows: each feature drawn by itself, so that no row is a household's."""
    generator = np.random.default_rng(seed)
    result = np.empty((GOLDEN_ROWS, matrix.shape[1]))
    for column in range(matrix.shape[1]):
        drawn = generator.integers(0, len(matrix), GOLDEN_ROWS)
        result[:, column] = matrix[drawn, column]
    result[0] = np.nan
    result[1] = 0.0
    return result
