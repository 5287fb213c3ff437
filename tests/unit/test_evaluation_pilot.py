"""The pilot's effect: arms as drawn, intervals that hold, the rate without help beside it."""

from __future__ import annotations

import numpy as np
import pytest

from earlyflag.evaluation.pilot import detectable, effect


def arms(hits_offer: int, n_offer: int, hits_holdback: int, n_holdback: int):
    offered = np.repeat([True, False], [n_offer, n_holdback])
    event = np.concatenate([np.arange(n_offer) < hits_offer, np.arange(n_holdback) < hits_holdback])
    return offered, event


def test_the_interval_is_newcombes_published_example():
    # Newcombe 1998, table II, method 10, contrast (a): 56/70 against 48/80.
    found = effect(*arms(56, 70, 48, 80)).difference
    assert found.value == pytest.approx(0.2)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)


def test_no_event_in_either_arm_still_has_an_interval():
    # The same table, contrast (g): 0/10 against 0/10.
    found = effect(*arms(0, 10, 0, 10)).difference
    assert (round(found.low, 4), round(found.high, 4)) == (-0.2775, 0.2775)


def test_the_sentence_says_the_rate_without_help():
    words = effect(*arms(10, 200, 40, 200)).sentence
    assert words.startswith("Fewer households that were offered help were owed a duty")
    assert "5.0 in 100 of 200 offered help" in words
    assert "20.0 in 100 of 200 without help" in words


def test_a_difference_within_noise_is_called_that():
    assert effect(*arms(10, 100, 12, 100)).sentence.startswith("No difference beyond noise")


def test_more_duties_where_help_was_offered_are_said_as_plainly():
    assert effect(*arms(60, 100, 12, 100)).sentence.startswith("More households")


def test_an_empty_arm_is_refused():
    with pytest.raises(ValueError, match="empty arm"):
        effect(np.array([True, True]), np.array([False, True]))


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(3)
    offered = np.repeat([True, False], [150, 100])
    covered = 0
    for _ in range(400):
        event = generator.random(250) < np.where(offered, 0.06, 0.10)
        found = effect(offered, event).difference
        covered += found.low <= -0.04 <= found.high
    assert covered / 400 > 0.92


def test_arms_four_times_as_large_show_a_difference_half_as_large():
    assert detectable(0.1, 400, 400) == pytest.approx(detectable(0.1, 100, 100) / 2)
