"""What a model relies on, and what changes when another follows it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from earlyflag.core.errors import Misused
from earlyflag.modelling.comparison import compare, relies_on
from earlyflag.modelling.linear import SplineLogistic
from earlyflag.modelling.score import score
from tests import modelling_catalogue as small

IDS = [f"H{place}" for place in range(300)]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return small.model(tmp_path_factory.mktemp("model"))


def without(model, name):
    """Return the model with one feature's term set to nothing."""
    terms = tuple(
        replace(term, linear=0.0, when_missing=0.0, background_mean=0.0)
        if term.feature == name
        else term
        for term in model.estimator.terms
    )
    info = replace(model.info, version="2")
    return replace(model, info=info, estimator=SplineLogistic(model.estimator.intercept, terms))


def test_reliance_is_shared_out_among_the_groups_the_strongest_first(model):
    run = score(model, IDS, small.borough(300), small.AS_OF)
    found = relies_on(run)
    assert sum(each.share for each in found) == pytest.approx(1)
    assert [each.size for each in found] == sorted((each.size for each in found), reverse=True)
    instalments = next(each for each in found if each.key == "instalments")
    own = run.totals[:, [g.key for g in run.writer.groups].index("instalments")]
    assert instalments.size == pytest.approx(np.abs(own).mean())
    assert instalments.raises_share == pytest.approx((own > 0).mean())
    assert instalments.features == ("missed",)


def test_a_comparison_names_what_moved_and_who_enters_and_leaves_the_list(model):
    rows = small.borough(300)
    before = score(model, IDS, rows, small.AS_OF)
    after = score(without(model, "missed"), IDS, rows, small.AS_OF)
    found = compare(before, after, 30)
    assert found.shifts[0].key == "instalments"
    assert found.shifts[0].share_after == 0
    assert found.listed_by_both + len(found.newly_listed) == 30
    assert len(found.newly_listed) == len(found.no_longer_listed) > 0
    for household_id in found.newly_listed:
        place = IDS.index(household_id)
        assert after.rank[place] <= 30 < before.rank[place]
    assert 0 < found.rank_correlation < 1
    assert found.features_added == found.features_dropped == ()


def test_a_model_compared_with_itself_has_not_changed(model):
    run = score(model, IDS, small.borough(300), small.AS_OF)
    found = compare(run, run, 30)
    assert found.rank_correlation == pytest.approx(1)
    assert (found.listed_by_both, found.newly_listed) == (30, ())
    assert all(shift.share_before == shift.share_after for shift in found.shifts)


def test_runs_of_other_households_cannot_be_compared(model):
    run = score(model, IDS, small.borough(300), small.AS_OF)
    other = score(model, IDS[::-1], small.borough(300), small.AS_OF)
    with pytest.raises(Misused, match="same ones"):
        compare(run, other, 30)
