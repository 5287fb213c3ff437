"""For each family, 1,000 rows: reasons add up to the score and equal shap's own explainer."""

from __future__ import annotations

import numpy as np
import pytest

from earlyflag.modelling import artefact, explain
from tests import modelling_samples as samples


def loaded(tmp_path, sample):
    samples.write(tmp_path / "1", sample)
    return artefact.load(tmp_path / "1", rehearse=False)


@pytest.mark.parametrize("sample", [samples.lightgbm_sample, samples.logistic_sample])
def test_reasons_and_base_add_up_to_the_score_of_the_training_library(tmp_path, sample):
    sample = sample()
    rows = sample.rows[:1000]
    explained = loaded(tmp_path, sample).contributions(rows)
    shown = samples.CALIBRATION.slope * sample.raw(rows) + samples.CALIBRATION.intercept
    assert np.abs(explained.base + explained.values.sum(axis=1) - shown).max() <= 1e-9


@pytest.mark.parametrize("own_walk", [False, True])
def test_tree_contributions_equal_shaps_tree_explainer(tmp_path, own_walk):
    sample = samples.lightgbm_sample()
    rows = sample.rows[:1000]
    explained = loaded(tmp_path, sample).contributions(rows)
    base, values = explain.tree_explainer_values(sample.trained, rows, own_walk=own_walk)
    slope, intercept = samples.CALIBRATION.slope, samples.CALIBRATION.intercept
    assert np.abs(explained.values - slope * values).max() <= 1e-6
    assert abs(explained.base - (slope * base + intercept)) <= 1e-6


def test_logistic_contributions_equal_shaps_linear_explainer_summed_by_feature(tmp_path):
    sample = samples.logistic_sample()
    rows = sample.rows[:1000]
    explained = loaded(tmp_path, sample).contributions(rows)
    columns, regression = sample.trained[0], sample.trained[1]
    base, values = explain.linear_explainer_values(
        regression.coef_[0],
        float(regression.intercept_[0]),
        columns.transform(rows),
        columns.transform(sample.rows),
    )
    slope, intercept = samples.CALIBRATION.slope, samples.CALIBRATION.intercept
    owners = samples.column_owners(sample)
    by_feature = np.stack(
        [values[:, owners == place].sum(axis=1) for place in range(samples.N_FEATURES)], axis=1
    )
    assert np.abs(explained.values - slope * by_feature).max() <= 1e-6
    assert abs(explained.base - (slope * base + intercept)) <= 1e-6


def test_the_global_pictures_are_drawn_for_missing_and_constant_values_too():
    sample = samples.logistic_sample()
    rows = sample.rows[:200].copy()
    rows[:, 5], rows[:, 6] = np.nan, 3.0
    values = sample.model.contributions(rows)
    names = samples.names()
    pictures = [explain.beeswarm(values, rows, names, most=12)]
    pictures += [explain.dependence(values, rows, names, names[place]) for place in (1, 5, 6)]
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert len({len(picture) for picture in pictures}) > 1
