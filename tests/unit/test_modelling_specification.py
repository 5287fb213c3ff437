"""Specifications: what ships is sound, and each mistake is refused with what to change."""

from datetime import date
from pathlib import Path

import pytest

from earlyflag.core.clock import add_months
from earlyflag.core.errors import HorizonUnfinished, SpecificationInvalid, WindowsOverlap
from earlyflag.features import CATALOGUE
from earlyflag.modelling import Specification, windows_of
from earlyflag.modelling.rows import choose_features
from earlyflag.modelling.specification import PROTECTED
from earlyflag.modelling.tables import load_catalogue

MODELS = Path(__file__).parents[2] / "models"


def content(**changes):
    base = {
        "name": "trial",
        "label": {"event": "owed_duty", "horizon_months": 12},
        "cut_offs": {"train": ["2023-01-01"], "test": ["2024-01-01"]},
    }
    return {**base, **changes}


@pytest.mark.parametrize("name", ["early_intervention", "early_intervention_6m", "household_pulse"])
def test_every_specification_that_ships_can_be_read(name):
    specification = Specification.load(MODELS / f"{name}.yaml")
    assert specification.name == name
    assert specification.purpose
    assert specification.not_for


@pytest.mark.parametrize("file", sorted(MODELS.glob("*.yaml")), ids=lambda file: file.stem)
def test_no_specification_that_ships_uses_the_age_of_a_lead(file):
    if file.stem.endswith("_catalogue"):
        assert not PROTECTED & set(load_catalogue(file).features)
        return
    specification = Specification.load(file)
    if specification.catalogue is None:
        features, _ = choose_features(specification, CATALOGUE, CATALOGUE)
        assert not {"young_lead", *PROTECTED} & set(features)


def refusal(error, **changes):
    with pytest.raises(error) as caught:
        Specification.of(content(**changes))
    return str(caught.value)


def test_a_misspelt_key_is_refused_with_the_one_that_was_meant():
    assert "did you mean capacities?" in refusal(SpecificationInvalid, capacites=[100])


def test_a_refusal_ends_its_question_as_one():
    message = refusal(SpecificationInvalid, capacites=[100])
    assert "did you mean capacities? See docs" in message


@pytest.mark.parametrize("capacities", [[], [0, 100], [-5]])
def test_a_list_without_a_length_is_refused(capacities):
    assert "capacities" in refusal(SpecificationInvalid, capacities=capacities)


def test_bounds_the_wrong_way_round_are_refused():
    message = refusal(SpecificationInvalid, promotion={"calibration_slope": [1.4, 0.7]})
    assert "calibration_slope must give the lower bound first" in message


def test_a_cut_off_named_twice_counts_once():
    named = content(cut_offs={"train": ["2023-01-01"] * 2, "test": ["2024-01-01"] * 2})
    found = windows_of(Specification.of(named), data_from=None, data_until=date(2025, 1, 1))
    assert (len(found.train), len(found.test)) == (1, 1)


def test_a_misspelt_key_deep_inside_is_refused_with_its_place():
    message = refusal(SpecificationInvalid, label={"event": "owed_duty", "horizon_month": 12})
    assert "label.horizon_month" in message
    assert "did you mean horizon_months?" in message


def test_a_misspelt_setting_of_a_candidate_is_refused():
    wrong = [{"family": "lightgbm", "settings": {"leafs": 8}}]
    assert "did you mean leaves?" in refusal(SpecificationInvalid, candidates=wrong)


def test_a_label_without_a_horizon_is_refused():
    assert "horizon_months or horizon_days" in refusal(
        SpecificationInvalid, label={"event": "owed_duty"}
    )


def test_overlapping_cut_offs_are_refused_with_the_dates_that_overlap():
    message = refusal(
        WindowsOverlap, cut_offs={"train": ["2023-01-01", "2023-06-01"], "test": ["2024-01-01"]}
    )
    assert "1 of 2 training cut-offs overlap" in message
    assert "2023-06-01 is known only on 2024-06-01" in message
    assert "End cut_offs.train earlier" in message


def test_a_training_horizon_that_ends_on_the_first_test_cut_off_is_allowed():
    assert Specification.of(content()).cut_offs.test == (date(2024, 1, 1),)


def test_an_unfinished_horizon_is_refused_with_the_day_it_ends():
    message = refusal(HorizonUnfinished, data_until=date(2024, 6, 30))
    assert "ends on 2025-01-01" in message
    assert "Take an earlier cut-off" in message


@pytest.mark.parametrize("name", ["ethnic_group", "ward_code"])
def test_an_audit_group_as_a_feature_is_refused(name):
    message = refusal(
        SpecificationInvalid, features={"include": [name]}, audit={"groups": ["ward_code"]}
    )
    assert f"features.include names {name}" in message
    assert "take it out" in message


def test_a_search_without_ranges_is_refused():
    wrong = [{"family": "lightgbm", "trials": 5}]
    assert "search names no setting" in refusal(SpecificationInvalid, candidates=wrong)


def test_a_file_that_is_missing_or_no_yaml_is_refused_by_its_name(tmp_path):
    with pytest.raises(SpecificationInvalid, match="no specification at"):
        Specification.load(tmp_path / "gone.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: [", encoding="utf-8")
    with pytest.raises(SpecificationInvalid, match="not valid YAML"):
        Specification.load(broken)


def test_the_hash_changes_with_any_decision_and_with_nothing_else():
    first = Specification.of(content())
    assert first.content_hash == Specification.of(content()).content_hash
    assert first.content_hash != Specification.of(content(capacities=[99])).content_hash


def test_cut_offs_are_counted_back_from_the_last_finished_horizon():
    free = Specification.of(content(cut_offs={"train_every_months": 3, "history_months": 6}))
    found = windows_of(free, data_from=date(2021, 1, 1), data_until=date(2025, 12, 31))
    assert found.test == (date(2024, 7, 1), date(2024, 9, 1), date(2024, 11, 1), date(2025, 1, 1))
    assert max(found.train) == date(2023, 7, 1)
    assert min(found.train) >= date(2021, 7, 1)
    assert all(add_months(each, 12) <= found.test[0] for each in found.train)
    assert found.delayed[0] == date(2024, 6, 1)


def test_data_one_day_short_of_a_horizon_move_the_test_back_a_month():
    free = Specification.of(content(cut_offs={"test_count": 1}))
    for last, expected in ((date(2025, 12, 31), 1), (date(2025, 12, 30), 12)):
        found = windows_of(free, data_from=date(2021, 1, 1), data_until=last)
        assert found.test[-1].month == expected


def test_data_too_short_for_any_training_are_refused():
    with pytest.raises(HorizonUnfinished, match="no training cut-off is left"):
        windows_of(
            Specification.of(content(cut_offs={})),
            data_from=date(2024, 1, 1),
            data_until=date(2025, 12, 31),
        )


def test_named_cut_offs_beyond_the_data_are_refused():
    with pytest.raises(HorizonUnfinished, match="the data end on 2024-12-30"):
        windows_of(
            Specification.of(content()),
            data_from=date(2021, 1, 1),
            data_until=date(2024, 12, 30),
        )


def test_months_are_added_to_the_last_day_of_shorter_months():
    assert add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert add_months(date(2024, 1, 15), -2) == date(2023, 11, 15)
