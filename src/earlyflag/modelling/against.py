"""A new model beside the champion that serves, on the same rows, scored from its artefact.

Two models judged on their own test cut-offs cannot be told apart: years differ more than models.
So the champion is scored again, by the export that serving loads, on the households and cut-offs
that the new model is judged on, and the difference is drawn by household for both at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from earlyflag.evaluation.estimates import Resamples, as_json
from earlyflag.evaluation.ranking import Ranked, measure
from earlyflag.modelling.rows import Rows, matrix
from earlyflag.modelling.served import ServedModel
from earlyflag.modelling.specification import Specification

if TYPE_CHECKING:
    import pandas as pd


def against(
    champion: ServedModel,
    log_odds: np.ndarray,
    frame: pd.DataFrame,
    test: Rows,
    specification: Specification,
) -> dict[str, Any]:
    """Return how a new model compares with the champion on the rows that the new one is judged on.

    Parameters
    ----------
    champion : as it serves
    log_odds : shape (len(test),); the new model's
    frame : the labelled rows, with the features of either
    test : the rows of `frame` to compare on

    Returns
    -------
    comparison : plain content: `version`; `difference` (average precision, new minus champion) and
        `average_precision` (the champion's), None where they could not be compared; `sentence`
    """
    version = champion.info.version
    absent = [name for name in champion.info.features if name not in frame]
    if absent:
        return {
            "version": version,
            "difference": None,
            "average_precision": None,
            "sentence": f"Champion {version} was not scored on the same rows: the data lack "
            f"{len(absent)} of its {len(champion.info.features)} features (first: {absent[0]}).",
        }
    rows = matrix(frame, champion.info.features, test.place)
    draws = Resamples(test.households, specification.replicates, specification.seed)
    own, other = (
        measure(Ranked(test.label, score, test.as_of), [], draws)
        for score in (log_odds, champion.log_odds(rows))
    )
    found = {
        "version": version,
        "difference": own.minus(other, "average_precision"),
        "average_precision": other.values["average_precision"],
        "sentence": _sentence(champion, test, specification),
    }
    return dict(as_json(found))


def _sentence(champion: ServedModel, test: Rows, specification: Specification) -> str:
    """Say on what the two were compared, and what favours the champion there."""
    info, label = champion.info, specification.label
    first = test.as_of.min().astype(object)
    words = f"Compared on {len(test):,} rows from {first}, the same for both, drawn by household."
    if label.ends(info.trained_to) > first:
        words += (
            f" Champion {info.version} learnt from labels after {first}, so that the comparison "
            "favours it."
        )
    if info.label != label.event:
        words += f" It was trained to foresee {info.label}, not {label.event}."
    return words
