"""Every feature against cases that a housing officer could read."""

from __future__ import annotations

import math

import pytest

from earlyflag.features import CATALOGUE
from tests.feature_cases import FOLDER, Case, compute, read_cases

CASES = read_cases()
# Rates of a ward depend on all its households, so these cases are a borough of their own.
WARDS = read_cases(FOLDER / "wards")


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory):
    return compute(CASES, tmp_path_factory.mktemp("cases"))


@pytest.fixture(scope="module")
def wards(tmp_path_factory: pytest.TempPathFactory):
    return compute(WARDS, tmp_path_factory.mktemp("wards"))


def assert_gives(row, case: Case) -> None:
    wrong = {
        name: (float(row[name]), expected)
        for name, expected in case.values.items()
        if not (
            math.isnan(row[name])
            if math.isnan(expected)
            else math.isclose(row[name], expected, rel_tol=1e-6, abs_tol=1e-6)
        )
    }
    assert not wrong, "feature: (found, expected)"


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.title for case in CASES])
def test_each_case_gives_the_values_it_says(frame, number: int) -> None:
    assert_gives(frame.iloc[number], CASES[number])


@pytest.mark.parametrize("number", range(len(WARDS)), ids=[case.title for case in WARDS])
def test_each_home_of_a_ward_has_the_rates_it_says(wards, number: int) -> None:
    assert_gives(wards.iloc[number], WARDS[number])


def test_every_feature_has_a_case() -> None:
    told = {name for case in (*CASES, *WARDS) for name in case.values}
    assert told == set(CATALOGUE)


def test_every_feature_has_a_case_in_which_it_is_known() -> None:
    known = {
        name for case in (*CASES, *WARDS) for name, value in case.values.items() if value == value
    }
    assert set(CATALOGUE) - known == set()
