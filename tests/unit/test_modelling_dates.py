"""The day that a reason's sentence gives is the day of what the sentence says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from earlyflag import features
from earlyflag.core.terms import Evidence
from earlyflag.features.groups import GROUPS
from earlyflag.modelling.artefact import feature_facts, group_facts
from earlyflag.modelling.linear import SplineLogistic, Term
from earlyflag.modelling.reasons import ReasonWriter
from earlyflag.modelling.served import Calibration, ServedModel
from earlyflag.modelling.wording import day
from tests import modelling_samples as samples
from tests.feature_cases import AS_OF, HandmadeTables, read_cases, village

CASES = read_cases()
RECOVERY, POSSESSION = "council_tax_recovery_stage_24m", "possession_stage_24m"


def said(name: str, value: float, rows: tuple[Evidence, ...]) -> str:
    """Return the sentence of a reason of one feature alone, with the rows behind it."""
    fact = feature_facts(features.CATALOGUE[name])
    info = replace(samples.info("logistic"), features=(name,))
    estimator = SplineLogistic(0.0, (Term(name, impute=0.0, linear=1.0, when_missing=0.0),))
    groups = (group_facts(GROUPS[fact.group]),)
    writer = ReasonWriter(ServedModel(info, estimator, Calibration(), (fact,), groups))
    return writer.reason(0, 0, value, 1.0, {name: rows}).sentence


def row(name: str, happened_on: date, rank: int | None) -> Evidence:
    table = features.CATALOGUE[name].sources[0]
    return Evidence(table, f"{name}/{happened_on}", happened_on, happened_on, "", None, rank)


@pytest.mark.parametrize(
    ("name", "order", "earlier"), [(RECOVERY, 5, 4), (POSSESSION, 6, 3)]
)  # fmt: skip
def test_a_stage_is_dated_by_its_own_newest_row_not_by_a_later_lesser_step(name, order, earlier):
    made = date(2025, 11, 16)
    rows = tuple(row(name, date(2026, month, 15), earlier) for month in (7, 6, 5, 4))
    reached = (row(name, made, order), row(name, date(2025, 10, 1), order))
    for behind in ((*rows, *reached), (*rows[:3], *reached), (reached[0],)):
        assert said(name, order, behind).endswith(f"latest {day(made)}")


def test_a_stage_without_a_row_of_its_own_has_no_day():
    rows = tuple(row(RECOVERY, date(2026, month, 15), 4) for month in (7, 6, 5, 4, 3))
    assert "2026" not in said(RECOVERY, 5, rows)
    arrangements = tuple(row(RECOVERY, date(2026, month, 15), None) for month in (7, 6, 5, 4, 3))
    assert "2026" not in said(RECOVERY, 5, arrangements)


def test_the_day_of_a_stage_is_that_of_a_record_of_that_stage_in_every_case():
    rows, households = village(CASES)
    names = [name for name, feature in features.CATALOGUE.items() if feature.unit == "rank"]
    found = features.evidence_of(
        HandmadeTables(rows), households, [f"H{at}" for at in range(len(CASES))], AS_OF, names
    )
    seen = 0
    for at, case in enumerate(CASES):
        for name in names:
            value = case.values.get(name, 0.0)
            if not value > 0:
                continue
            behind = found[f"H{at}"][name]
            newest = max(each.happened_on for each in behind if each.rank == value)
            assert said(name, value, behind).endswith(f"latest {day(newest)}")
            seen += 1
    assert seen > 8


@pytest.mark.parametrize("months", [3, 6, 12])
def test_a_debt_counted_in_instalments_names_none_as_missed_and_has_no_day(months):
    name = f"council_tax_instalments_missed_{months}m"
    due = (row(name, date(2026, 9, 1), None),)
    assert said(name, 1.0, due) == (
        f"Owes council tax that reaches back over 1 instalment of the last {months} months"
    )
    feature = features.CATALOGUE[name]
    assert said(name, 3.0, due * 3).startswith("Owes council tax that reaches back over 3 instal")
    for words in (feature.title, *feature.sentences, GROUPS[feature.group].title):
        assert "missed" not in words.lower()
