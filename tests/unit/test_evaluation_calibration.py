"""Probabilities: the line that calibrates them, the figures that judge them, and drift."""

import numpy as np
import pytest

from earlyflag.evaluation.calibration import (
    calibration,
    fit_line,
    fit_shift,
    probability,
    reliability,
)
from earlyflag.evaluation.drift import recentre, stability_index
from earlyflag.evaluation.estimates import Resamples


@pytest.fixture
def drawn():
    generator = np.random.default_rng(5)
    raw = generator.normal(-2, 1.5, 20_000)
    label = (generator.random(20_000) < probability(0.7 * raw - 0.4)).astype(float)
    return raw, label


def test_the_line_finds_the_slope_and_intercept_that_made_the_labels(drawn):
    line = fit_line(*drawn)
    assert line.slope == pytest.approx(0.7, abs=0.05)
    assert line.intercept == pytest.approx(-0.4, abs=0.1)


def test_sampled_rows_that_weigh_what_they_stand_for_give_the_same_line(drawn):
    raw, label = drawn
    kept = (label == 1) | (np.random.default_rng(1).random(len(label)) < 0.2)
    weight = np.where(label[kept] == 1, 1.0, 5.0)
    line = fit_line(raw[kept], label[kept], weight)
    assert line.slope == pytest.approx(fit_line(raw, label).slope, abs=0.06)
    assert line.intercept == pytest.approx(fit_line(raw, label).intercept, abs=0.12)


def test_true_probabilities_are_found_calibrated(drawn):
    raw, label = drawn
    found = calibration(0.7 * raw - 0.4, label, Resamples(np.arange(len(label)), 60))
    for name in ("slope", "observed_over_expected"):
        assert found[name].value == pytest.approx(1, abs=0.05)
    assert found["intercept"].low < 0 < found["intercept"].high
    assert found["expected_calibration_error"].value < 0.01


def test_overconfident_scores_have_a_slope_below_one(drawn):
    raw, label = drawn
    found = calibration(2 * raw, label, Resamples(np.arange(len(label)), 60))
    assert found["slope"].high < 0.5


def test_twice_the_expected_events_show_as_two(drawn):
    raw, _ = drawn
    label = (np.random.default_rng(2).random(len(raw)) < 2 * probability(raw - 3)).astype(float)
    found = calibration(raw - 3, label, Resamples(np.arange(len(raw)), 60))
    assert found["observed_over_expected"].value == pytest.approx(2, abs=0.25)


def test_the_reliability_curve_covers_every_row_once(drawn):
    raw, label = drawn
    points = reliability(raw, label, Resamples(np.arange(len(raw)), 20))
    assert sum(each["n"] for each in points) == len(raw)
    expected = [each["expected"] for each in points]
    assert expected == sorted(expected)


def test_a_drifted_base_rate_is_recentred_and_says_so(drawn):
    raw, label = drawn
    households = np.arange(len(label))
    true = 0.7 * raw - 0.4
    drifted = recentre(true - 0.5, label, households, where="the latest cut-off")
    assert drifted.drifted
    assert drifted.shift == pytest.approx(0.5, abs=0.08)
    assert "re-centred by" in drifted.sentence
    held = recentre(true, label, households, where="the latest cut-off")
    assert (held.drifted, held.shift) == (False, 0.0)


def test_the_shift_makes_expected_equal_observed(drawn):
    raw, label = drawn
    assert probability(raw + fit_shift(raw, label)).sum() == pytest.approx(label.sum(), rel=1e-6)


def test_the_stability_index_is_small_for_the_same_data_and_large_for_other():
    generator = np.random.default_rng(0)
    before = generator.normal(size=5000)
    assert stability_index(before, generator.normal(size=5000)) < 0.02
    assert stability_index(before, generator.normal(1, 1, size=5000)) > 0.25
    missing = np.where(generator.random(5000) < 0.5, np.nan, before)
    assert stability_index(before, missing) > 0.25
