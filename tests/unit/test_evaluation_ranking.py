"""Ranking and capacity figures: right, pessimistic about ties, drawn by household."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from earlyflag.evaluation.estimates import Estimate, Resamples, as_json, once
from earlyflag.evaluation.ranking import Ranked, measure


@pytest.fixture
def sample():
    generator = np.random.default_rng(3)
    score = np.round(generator.normal(size=600), 1)
    label = (generator.random(600) < 1 / (1 + np.exp(2 - score))).astype(float)
    cut_offs = np.repeat(np.array(["2025-01-01", "2025-02-01"], dtype="datetime64[D]"), 300)
    return label, score, cut_offs


def test_average_precision_and_auc_are_those_of_scikit_learn_ties_included(sample):
    label, score, cut_offs = sample
    average_precision, auc = Ranked(label, score, cut_offs).curves(once(len(label)))
    assert average_precision[0] == pytest.approx(average_precision_score(label, score))
    assert auc[0] == pytest.approx(roc_auc_score(label, score))


def test_a_weight_of_two_counts_like_the_row_written_twice(sample):
    label, score, cut_offs = sample
    weights = np.random.default_rng(0).integers(0, 3, len(label))
    twice = np.repeat(np.arange(len(label)), weights)
    weighted = Ranked(label, score, cut_offs).curves(weights[None, :].astype(np.float32))
    written = Ranked(label[twice], score[twice], cut_offs[twice]).curves(once(len(twice)))
    assert np.allclose(weighted, written)


def test_ties_at_the_capacity_cut_are_resolved_against_us():
    label = np.array([1.0, 0.0, 0.0, 1.0])
    tied = Ranked(label, np.array([2.0, 1.0, 1.0, 1.0]), np.zeros(4))
    hits, places = tied.caught(once(4), capacity=3)
    assert (hits[0], places[0]) == (1, 3)
    assert tied.listed(3).tolist() == [True, True, True, False]


def test_every_cut_off_lists_its_own_capacity():
    label = np.array([1.0, 0.0, 1.0, 0.0])
    ranked = Ranked(label, np.array([4.0, 3.0, 2.0, 1.0]), np.array([0, 0, 1, 1]))
    hits, places = ranked.caught(once(4), capacity=1)
    assert (hits[0], places[0]) == (2, 2)


def test_duties_that_nobody_could_be_linked_to_count_as_missed(sample):
    label, score, cut_offs = sample
    draws = Resamples(np.arange(len(label)), replicates=20)
    found = measure(Ranked(label, score, cut_offs), [50], draws, unlinked=100).values
    hits = found["precision_at_50"].value * 100
    assert found["recall_at_50"].value == pytest.approx(hits / label.sum())
    assert found["recall_all_at_50"].value == pytest.approx(hits / (label.sum() + 100))


def test_rows_of_one_household_are_drawn_together():
    households = np.array(["b", "a", "b", "a", "c"])
    for block in Resamples(households, replicates=30).weights():
        assert np.array_equal(block[:, 0], block[:, 2])
        assert np.array_equal(block[:, 1], block[:, 3])
        assert (block[:, [0, 1, 4]].sum(axis=1) == 3).all()


def test_repeating_every_row_does_not_narrow_the_interval(sample):
    label, score, cut_offs = sample
    households = np.arange(len(label))
    one = measure(Ranked(label, score, cut_offs), [], Resamples(households, 200)).values["auc"]
    four = [np.tile(each, 4) for each in (label, score, cut_offs, households)]
    more = measure(Ranked(*four[:3]), [], Resamples(four[3], 200)).values["auc"]
    assert more.high - more.low == pytest.approx(one.high - one.low, rel=0.05)


def test_a_difference_is_paired_so_equal_scores_differ_by_nothing(sample):
    label, score, cut_offs = sample
    draws = Resamples(np.arange(len(label)), replicates=50)
    first = measure(Ranked(label, score, cut_offs), [], draws)
    second = measure(Ranked(label, 3 * score + 1, cut_offs), [], draws)
    gap = first.minus(second, "average_precision")
    assert (gap.value, gap.low, gap.high) == (0, 0, 0)
    assert first.over(second, "average_precision").low == 1


def test_what_is_not_defined_is_written_as_nothing():
    found = as_json({"a": Estimate(float("nan"), 0.0, 1.0), "b": np.float64(2), "c": (np.nan,)})
    assert found == {"a": {"value": None, "low": 0.0, "high": 1.0}, "b": 2.0, "c": [None]}
