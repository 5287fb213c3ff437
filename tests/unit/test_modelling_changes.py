"""What would change a score: only what helps is tried, and it is said truthfully."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from earlyflag.core.errors import UndeclaredFeature
from earlyflag.features import CATALOGUE
from earlyflag.features import GROUPS as DECLARED_GROUPS
from earlyflag.modelling.artefact import feature_facts, group_facts
from earlyflag.modelling.changes import changes, target
from earlyflag.modelling.linear import SplineLogistic, Term
from earlyflag.modelling.reasons import ReasonWriter
from earlyflag.modelling.served import Calibration, ServedModel
from tests import modelling_samples as samples

ACTIONABLE = {
    name: feature_facts(feature) for name, feature in CATALOGUE.items() if feature.actionable
}
HELPS = ("council_tax_arrangement_kept", "rent_arrangement_kept", "council_tax_reduction")


def writer(weight: float) -> ReasonWriter:
    """Return the writer of a model that gives every actionable fact the same weight."""
    facts = tuple(ACTIONABLE.values())
    info = replace(samples.info("logistic"), features=tuple(ACTIONABLE))
    terms = tuple(Term(name, impute=0.0, linear=weight, when_missing=0.0) for name in ACTIONABLE)
    keys = dict.fromkeys(fact.group for fact in facts)
    groups = tuple(group_facts(DECLARED_GROUPS[key]) for key in keys)
    model = ServedModel(info, SplineLogistic(0.0, terms), Calibration(), facts, groups)
    return ReasonWriter(model)


@pytest.mark.parametrize("weight", [-0.3, 0.3])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_no_change_takes_away_help_that_is_had(weight, value):
    asked = writer(weight)
    row = np.full((1, len(ACTIONABLE)), value)
    (found,) = changes(asked, row, asked.model.log_odds(row), line=-0.1)
    # each direction of the weight has facts that would be said if they were moved the wrong way
    assert bool(found) == (weight * (value - 0.5) > 0)
    for change in found:
        for name in HELPS:
            assert f"{ACTIONABLE[name].title}: no" not in change.sentence
    for name in HELPS:
        assert target(ACTIONABLE[name], 1.0) is None
        assert target(ACTIONABLE[name], 0.0) == 1.0


def test_an_arrangement_mended_and_a_reduction_claimed_are_tried():
    asked = writer(-0.3)
    row = np.zeros((1, len(ACTIONABLE)))
    (found,) = changes(asked, row, asked.model.log_odds(row))
    said = " ".join(change.sentence for change in found)
    assert "A rent arrangement is being kept: yes, now no" in said
    assert "A council tax arrangement is being kept: yes, now no" in said
    assert "Receives council tax reduction: yes, now no" in said
    assert target(ACTIONABLE["council_tax_arrangements_broken_12m"], 2.0) == 0.0
    assert target(ACTIONABLE["council_tax_reduction_stopped_12m"], 1.0) == 0.0


def test_an_amount_falls_to_nil_and_a_credit_stays():
    owed = ACTIONABLE["rent_balance_pence"]
    assert target(owed, 5000.0) == 0.0
    assert target(owed, -5000.0) is None
    assert target(owed, float("nan")) is None


def test_a_fact_that_may_point_either_way_is_tried_only_where_what_is_right_is_declared():
    amount = ACTIONABLE["council_tax_reduction_weekly_pence"]
    assert target(amount, 1500.0) is None
    assert target(amount, 0.0) is None
    assert target(replace(amount, helpful=None, monotone=1), 1500.0) == 0.0
    either = {name for name, fact in ACTIONABLE.items() if not fact.monotone}
    declared = {name for name in either if ACTIONABLE[name].helpful is not None}
    assert either - declared == {amount.name}


def test_what_is_right_is_declared_of_actionable_facts_alone():
    with pytest.raises(UndeclaredFeature, match="is not actionable"):
        replace(CATALOGUE["council_tax_arrangement_kept"], actionable=False)


def test_a_change_that_rounds_to_the_same_words_is_not_said_as_a_fall_in_them():
    asked = writer(0.01)
    row = np.zeros((1, len(ACTIONABLE)))
    row[0, list(ACTIONABLE).index("rent_arrears_weeks")] = 1.0
    (before,) = asked.model.log_odds(row)
    (found,) = changes(asked, row, np.array([before]), line=before - 0.001)
    (change,) = found
    assert change.sentence.endswith(
        "be hardly less (about 50 in 100 as before), but below the line"
    )
