"""The fairness audit: right figures, intervals, and nothing printed of small groups."""

import numpy as np
import pytest

from earlyflag.evaluation import fairness
from earlyflag.evaluation.estimates import Resamples
from earlyflag.evaluation.leakage import (
    above_oracle,
    delayed_features,
    plausible_auc,
    single_feature,
)


@pytest.fixture
def two_groups():
    groups = np.array(["a"] * 200 + ["b"] * 100 + ["rare"] * 6 + [None] * 40, dtype=object)
    label = np.zeros(346)
    label[:40] = 1
    label[200:220] = 1
    listed = np.zeros(346, dtype=bool)
    listed[:30] = True
    listed[190:210] = True
    return groups, label, np.full(346, 0.2), listed, Resamples(np.arange(346), 100)


def test_each_figure_of_a_group_is_counted_in_that_group(two_groups):
    found = {entry["group"]: entry for entry in fairness.by_group(*two_groups)}
    first, second = found["a"], found["b"]
    assert first["need"].value == pytest.approx(0.2)
    assert first["recall"].value == pytest.approx(30 / 40)
    assert first["false_discovery"].value == pytest.approx(10 / 40)
    assert second["recall"].value == pytest.approx(10 / 20)
    assert second["selected_over_need"].value == pytest.approx(0.1 / 0.2)
    assert first["observed_over_expected"].value == pytest.approx(1.0)
    assert first["recall"].low < 0.75 < first["recall"].high
    assert found["not known"]["n"] == 40


def test_a_group_below_the_limit_is_named_and_nothing_else(two_groups):
    entry = next(each for each in fairness.by_group(*two_groups) if each["group"] == "rare")
    assert entry == {"group": "rare", "suppressed": True, "n": None, "households": None}


def test_a_figure_that_rests_on_few_events_is_withheld(two_groups):
    found = {entry["group"]: entry for entry in fairness.by_group(*two_groups)}
    assert found["not known"]["recall"] is None
    assert found["not known"]["need"].value == 0


def test_a_share_of_zero_still_shows_doubt(two_groups):
    groups, label, chance, _, draws = two_groups
    nobody = np.zeros(346, dtype=bool)
    found = {e["group"]: e for e in fairness.by_group(groups, label, chance, nobody, draws)}
    assert found["a"]["recall"].value == 0
    assert found["a"]["recall"].high > 0.05


def test_gaps_are_the_lowest_over_the_highest_of_known_groups(two_groups):
    groups, label, _, listed, _ = two_groups
    assert fairness.gaps(groups, label, listed)["recall_ratio"] == pytest.approx(0.5 / 0.75)
    assert fairness.gaps(groups[:200], label[:200], listed[:200])["recall_ratio"] is None


def test_intersections_are_audited_beside_the_characteristics(two_groups):
    groups, label, chance, listed, draws = two_groups
    columns = {"tenure": groups, "sex": np.array(["f", "m"] * 173, dtype=object)}
    found = fairness.audit(
        columns, label, chance, listed, draws, intersections=[("tenure", "sex"), ("sex", "gone")]
    )
    assert set(found) == {"tenure", "sex", "tenure x sex"}
    assert "a / f" in {each["group"] for each in found["tenure x sex"]["groups"]}


def test_who_cannot_be_scored_is_counted_by_group_with_small_counts_withheld():
    groups = np.array(["a"] * 50 + ["b"] * 30 + ["c"] * 5, dtype=object)
    reason = np.array(["no date of birth"] * 20 + [None] * 30 + ["x"] * 3 + [None] * 32, object)
    found = fairness.cannot_be_scored({"tenure": groups}, reason)["tenure"]
    assert found == [
        {"group": "a", "n": 50, "cannot_be_scored": 20},
        {"group": "b", "n": 30, "cannot_be_scored": None},
        {"group": "c", "n": None, "cannot_be_scored": None},
    ]


def test_the_audit_goes_on_from_list_to_contacted_to_helped():
    groups = np.array(["a"] * 40 + ["b"] * 30, dtype=object)
    contacted = np.isin(np.arange(70), [*range(25), *range(40, 52)])
    found = fairness.funnel(groups, {"contacted": contacted, "helped": np.zeros(70)})
    assert found == [
        {"group": "a", "suppressed": False, "listed": 40, "contacted": 25, "helped": 0},
        {"group": "b", "suppressed": False, "listed": 30, "contacted": 12, "helped": 0},
    ]


def test_a_small_count_of_the_audit_is_withheld_and_does_not_follow_from_the_total():
    groups = np.array(["a"] * 40 + ["b"] * 30 + ["c"] * 20 + ["d"] * 4, dtype=object)
    helped = np.isin(np.arange(94), [*range(12), *range(40, 55), *range(70, 74)])
    found = {each["group"]: each for each in fairness.funnel(groups, {"helped": helped})}
    assert found["d"] == {"group": "d", "suppressed": True, "listed": None, "helped": None}
    # The group of 4 alone would be the total minus the others: the next smallest goes too.
    assert found["c"]["listed"] is None
    assert (found["a"]["listed"], found["b"]["listed"]) == (40, 30)
    # Of the 31 helped, 4 are of c and none of d: those 4 would be what a and b leave.
    assert [found[each]["helped"] for each in "abcd"] == [None, 15, None, None]


def test_the_alarms_ring_for_what_is_too_good_to_be_true():
    assert single_feature({"a": 0.7, "b": 0.3}, 0.5).rings
    assert not single_feature({"a": 0.4, "b": 0.6}, 0.7).rings
    assert plausible_auc(0.98, 0.95).rings
    assert delayed_features(0.30, 0.10, 0.6).rings
    assert not delayed_features(0.30, 0.25, 0.6).rings
    assert not delayed_features(0.30, None, 0.6).rings
    assert above_oracle(0.01).rings
    assert not above_oracle(-0.01).rings
