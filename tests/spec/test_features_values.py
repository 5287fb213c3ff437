"""Every feature against cases that a housing officer could read."""

from __future__ import annotations

import math

import pytest

from earlyflag.features import CATALOGUE
from tests.feature_cases import compute, read_cases

CASES = read_cases()
ELSEWHERE = {"ward_duty_rate_12m", "ward_recovery_rate_12m"}
"""Rates of a ward need a ward of their own: see test_features_area."""


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory):
    return compute(CASES, tmp_path_factory.mktemp("cases"))


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.title for case in CASES])
def test_each_case_gives_the_values_it_says(frame, number: int) -> None:
    row = frame.iloc[number]
    wrong = {
        name: (float(row[name]), expected)
        for name, expected in CASES[number].values.items()
        if not (
            math.isnan(row[name])
            if math.isnan(expected)
            else math.isclose(row[name], expected, rel_tol=1e-6, abs_tol=1e-6)
        )
    }
    assert not wrong, "feature: (found, expected)"


def test_every_feature_has_a_case() -> None:
    told = {name for case in CASES for name in case.values}
    assert told <= set(CATALOGUE)
    assert set(CATALOGUE) - told - ELSEWHERE == set()
