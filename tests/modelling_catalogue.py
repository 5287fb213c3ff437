"""A small catalogue in the declared form, with a model on it, for the tests of reasons."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from earlyflag.features.declare import Feature, ReasonGroup
from earlyflag.modelling import artefact
from earlyflag.modelling.linear import SplineLogistic, Term
from earlyflag.modelling.served import Calibration, ServedModel
from tests import modelling_samples as samples

AS_OF = date(2026, 6, 1)


def feature(name: str, group: str, unit: str, sentence: str, **more) -> Feature:
    title = name.replace("_", " ").capitalize()
    window = more.pop("window_months", None)
    sources = ("council_tax_transactions",)
    return Feature(name, title, sentence, unit, window, sources, group, "council_tax", **more)


CATALOGUE = (
    feature(
        "missed", "instalments", "count",
        "{value:count:instalment was:instalments were} missed in 6 months; newest {latest:date}",
        monotone=1, actionable=True, sentence_zero="No instalment was missed in 6 months",
        sentence_missing="Council tax instalments are not known",
    ),
    feature("owed_pence", "arrears", "pence", "{value:money} of council tax is owed", monotone=1,
            actionable=True, sentence_zero="No council tax is owed",
            sentence_negative="The account is {value:money} in credit"),
    feature("owed_weeks", "arrears", "weeks", "Owed for {value:weeks}", monotone=1,
            actionable=True),
    feature("has_reduction", "reduction", "yes or no", "Council tax reduction is paid", monotone=-1,
            actionable=True, sentence_zero="No council tax reduction is paid"),
    feature("rooms_short", "space", "count", "{value:count:bedroom:bedrooms} short",
            sentence_missing="The number of bedrooms is not known", window_months=12),
    feature("rent_share", "rent", "share", "{value:percent} of the rent was paid"),
)  # fmt: skip

GROUPS = (
    ReasonGroup("instalments", "Instalments missed", ("missed",), missing="No ledger is known"),
    ReasonGroup("arrears", "Council tax owed", ("owed_pence",)),
    ReasonGroup("reduction", "Council tax reduction", ("has_reduction",)),
    ReasonGroup("space", "Space in the home", ("rooms_short",)),
    ReasonGroup("rent", "How rent is paid", ("rent_share",), missing="No rent account is known"),
    ReasonGroup("unused", "A group of no feature"),
)

WEIGHTS = (0.4, 0.00001, 0.03, -0.5, 0.3, -0.8)
MEANS = (0.5, 5000.0, 1.0, 0.2, 0.1, 0.9)


def model(tmp_path: Path) -> ServedModel:
    """Return a linear model over the catalogue, through an artefact."""
    names = tuple(each.name for each in CATALOGUE)
    terms = tuple(
        Term(name, impute=mean, linear=weight, when_missing=0.2, background_mean=weight * mean)
        for name, weight, mean in zip(names, WEIGHTS, MEANS, strict=True)
    )
    logistic = SplineLogistic(-4.0, terms)
    rows = borough(30)
    info = replace(samples.info("logistic"), features=names, base_rate=0.01)
    folder = tmp_path / "registry" / "sample" / "1"
    artefact.write(
        folder,
        info=info,
        model=logistic,
        calibration=Calibration(1.1, 0.1),
        features=CATALOGUE,
        groups=GROUPS,
        golden_rows=rows,
        golden_log_odds=1.1 * logistic.raw(rows) + 0.1,
    )
    return artefact.load(folder, rehearse=False)


def borough(n_rows: int, seed: int = 5) -> np.ndarray:
    """Return rows of the catalogue's features with some values missing."""
    draw = np.random.default_rng(seed)
    rows = np.stack(
        [
            draw.poisson(0.7, n_rows),
            np.round(draw.normal(2000, 20000, n_rows)),
            draw.exponential(2.0, n_rows),
            draw.integers(0, 2, n_rows),
            draw.poisson(0.2, n_rows),
            draw.random(n_rows),
        ],
        axis=1,
    ).astype(float)
    rows[draw.random(rows.shape) < 0.1] = np.nan
    return rows
