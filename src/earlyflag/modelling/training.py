"""Train, choose, calibrate and judge a model as it will be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from earlyflag.core.errors import SpecificationInvalid, WindowsOverlap
from earlyflag.core.terms import ModelInfo
from earlyflag.evaluation.fairness import cannot_be_scored
from earlyflag.modelling.against import against
from earlyflag.modelling.assess import Assessment, assess, recentred_for_serving
from earlyflag.modelling.boosting import Boosted
from earlyflag.modelling.candidates import Advance, raw
from earlyflag.modelling.development import FEWEST_EVENTS, Developed, develop
from earlyflag.modelling.linear import SplineLogistic
from earlyflag.modelling.rows import Rows, choose_features, select
from earlyflag.modelling.served import Calibration, ServedModel
from earlyflag.modelling.specification import Specification
from earlyflag.modelling.windows import Windows, check_apart

if TYPE_CHECKING:
    import pandas as pd

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
    unscorable: pd.DataFrame | None = None,
    champion: ServedModel | None = None,
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
    unscorable : one row a record that should lead to a score: `reason` (blank where it does) and
        the audit's columns; the audit counts by group who cannot be scored
    champion : the model that serves now, to be scored on the same test rows
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
    study = f"{specification.content_hash[:12]}-{data_hash[:12]}"
    developed = develop(
        specification, train, declarations, storage=storage, study=study, threads=threads,
        advance=tick,
    )  # fmt: skip
    log_odds = {family: developed.log_odds(family, test.matrix) for family in developed.models}
    family = developed.chosen.family
    assessment = assess(
        Assessment(
            specification=specification,
            frame=frame,
            test=test,
            features=features,
            log_odds=log_odds,
            champion=family,
            model=developed.models[family],
            audit=audit,
            truth=truth,
            delayed=delayed,
            unlinked=unlinked or {},
            train_matrix=train.matrix,
        )
    )
    tick(1)
    calibration, serving = recentred_for_serving(
        developed.calibrations[family], log_odds[family], test
    )
    fitted = Fitted(
        specification=specification,
        windows=windows,
        family=family,
        model=developed.models[family],
        calibration=calibration,
        declarations=declarations,
        info=_info(specification, windows, family, features, train, data_hash),
        golden_rows=_golden_rows(train.matrix, specification.seed),
        golden_log_odds=np.empty(0),
        background=train.matrix[:: max(1, len(train) // 2000)],
        results={
            **_account(specification, windows, developed, train, test),
            "serving": serving,
            "notes": notes,
            "cannot_be_scored": _unscorable(unscorable, specification),
            "against_champion": _against(champion, log_odds[family], frame, test, specification),
            **assessment,
        },
    )
    tick(1)
    return replace(fitted, golden_log_odds=fitted.log_odds(fitted.golden_rows))


def _against(
    champion: ServedModel | None,
    log_odds: np.ndarray,
    frame: pd.DataFrame,
    test: Rows,
    specification: Specification,
) -> dict[str, Any]:
    """Return the comparison with the champion under its version, which may change by promotion."""
    if champion is None:
        return {}
    return {champion.info.version: against(champion, log_odds, frame, test, specification)}


def _unscorable(records: pd.DataFrame | None, specification: Specification) -> dict[str, Any]:
    """Return who cannot be scored, counted by group, small counts withheld."""
    if records is None:
        return {}
    return cannot_be_scored(
        {name: records[name].to_numpy(dtype=object) for name in records if name != "reason"},
        records["reason"].to_numpy(dtype=object),
        limit=specification.audit.disclosure_limit,
    )


def _info(
    specification: Specification,
    windows: Windows,
    family: str,
    features: tuple[str, ...],
    train: Rows,
    data_hash: str,
) -> ModelInfo:
    label = specification.label
    return ModelInfo(
        name=specification.name,
        version="0",
        family=family,
        label=label.event,
        horizon_months=label.horizon_months or max(1, round((label.horizon_days or 30) / 30.4)),
        base_rate=float(np.average(train.label, weights=train.weight)),
        features=features,
        data_hash=data_hash,
        specification_hash=specification.content_hash,
        trained_to=max(windows.train),
    )


def _account(
    specification: Specification, windows: Windows, developed: Developed, train: Rows, test: Rows
) -> dict[str, Any]:
    """Return what was trained on what, and how the choice fell, as plain content."""
    return {
        "specification": specification.model_dump(mode="json"),
        "model": {
            "name": specification.name,
            "family": developed.chosen.family,
            "choice": developed.choice,
            "helped_effect": developed.helped_effect,
        },
        "candidates": [
            {
                "family": each.family,
                "settings": each.settings,
                "rounds": each.rounds,
                "trials": each.trials,
                "average_precision_out_of_fold": each.value,
            }
            for each in developed.found
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
        "calibration_fit": developed.calibration_words[developed.chosen.family],
    }


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
