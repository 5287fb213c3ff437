"""Scores rank, band and explain every household, and their reasons add up."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from earlyflag.core.errors import FeatureListDiffers, InputInvalid, ReasonsDoNotAddUp
from earlyflag.core.terms import Band, Direction, Evidence
from earlyflag.modelling import artefact, reference
from earlyflag.modelling.score import Scored, bands_of, matrix_of, ranks, score
from earlyflag.modelling.served import Contributions, ServedModel
from tests import modelling_catalogue as small
from tests import modelling_samples as samples


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> ServedModel:
    return small.model(tmp_path_factory.mktemp("model"))


def scored(model: ServedModel, rows: np.ndarray) -> Scored:
    return score(model, [f"H{place}" for place in range(len(rows))], rows, small.AS_OF)


def one(model: ServedModel, **values: float):
    """Return the score of one household with usual values but for those named."""
    usual = dict(zip(model.info.features, small.MEANS, strict=True)) | values
    return next(scored(model, model.matrix([usual])).scores())


def reason(found, key):
    return next(each for each in found.reasons if each.key == key)


@pytest.mark.parametrize("keep", [None, 0, 1, 2, 4, 50])
def test_reasons_and_base_add_up_to_the_log_odds_of_the_probability_shown(model, keep):
    for each in scored(model, small.borough(200)).scores(keep=keep):
        total = each.base_log_odds + sum(reason.contribution for reason in each.reasons)
        assert total == pytest.approx(each.log_odds, abs=1e-9)
        assert each.probability == pytest.approx(1 / (1 + math.exp(-each.log_odds)), abs=1e-12)
        named = [name for reason in each.reasons for name in reason.features]
        assert sorted(named) == sorted(model.info.features)


def test_the_strongest_reasons_come_first_and_the_rest_is_gathered(model):
    found = next(scored(model, small.borough(1)).scores(keep=2))
    sizes = [abs(each.contribution) for each in found.reasons[:2]]
    assert sizes == sorted(sizes, reverse=True)
    assert found.reasons[2].key == "others"
    assert found.reasons[2].sentence == "3 other reasons taken together"


def test_a_reason_says_the_fact_that_moved_the_score_its_way(model):
    found = reason(one(model, missed=3), "instalments")
    assert found.sentence == "3 instalments were missed in 6 months"
    assert found.direction is Direction.RAISES
    assert found.features == ("missed",)
    found = reason(one(model, missed=0), "instalments")
    assert found.sentence == "No instalment was missed in 6 months"
    assert found.direction is Direction.LOWERS
    assert reason(one(model, missed=1), "instalments").sentence.startswith("1 instalment was")
    assert reason(one(model, owed_pence=-5000), "arrears").sentence.endswith("£50.00 in credit")


def test_of_a_group_the_feature_speaks_that_pushes_the_groups_way(model):
    found = reason(one(model, owed_pence=4000, owed_weeks=30), "arrears")
    assert found.sentence == "Owed for 30 weeks"
    assert set(found.features) == {"owed_pence", "owed_weeks"}
    assert "£900.00" in reason(one(model, owed_pence=90_000, owed_weeks=2), "arrears").sentence


def test_evidence_gives_the_sentence_its_day_and_stands_behind_it(model):
    rows = [
        Evidence("council_tax_transactions", f"T{day}", date(2026, 5, day), date(2026, 5, day), "")
        for day in (3, 12, 9)
    ]
    evidence = {"H0": {"missed": rows, "rooms_short": rows[:1]}}
    several = scored(model, model.matrix([{"missed": 3, "rooms_short": 2}] * 2))
    first, second = several.scores(evidence=evidence)
    said = reason(first, "instalments")
    assert said.sentence == "3 instalments were missed in 6 months; newest 12 May 2026"
    assert [row.reference for row in said.evidence] == ["T12", "T9", "T3"]
    # a state is no event: the day of a row behind it would not be the day of the shortage
    assert reason(first, "space").sentence == "2 bedrooms short"
    assert reason(second, "instalments").evidence == ()
    assert "newest" not in reason(second, "instalments").sentence


def test_what_is_not_known_is_said_and_never_worded_as_a_fact(model):
    nothing = [float("nan")] * len(model.info.features)
    found = next(scored(model, np.array([nothing])).scores())
    assert "No ledger is known" in found.unknowns
    assert "No rent account is known" in found.unknowns
    assert "Council tax owed: not known" in found.unknowns
    assert reason(found, "rent").sentence == "No rent account is known"
    assert reason(found, "space").sentence == "The number of bedrooms is not known"
    assert one(model).unknowns == ()


def test_bands_count_from_the_base_rate():
    rate = 0.01
    odds = np.array([7.9, 8.1, 3.9, 4.1, 1.9, 2.1, 0.1]) * rate / (1 - rate)
    assert bands_of(np.log(odds), rate) == [
        Band.HIGH, Band.HIGHEST, Band.RAISED, Band.HIGH, Band.USUAL, Band.RAISED, Band.USUAL,
    ]  # fmt: skip
    assert set(bands_of(np.array([0.0]), 0.0)) == {Band.HIGHEST}


def test_equal_scores_are_ranked_the_same_way_each_time_but_not_each_month():
    ids = [f"H{place}" for place in range(200)]
    tied = np.zeros(200)
    first = ranks(tied, ids, date(2026, 6, 1))
    assert sorted(first) == list(range(1, 201))
    order = np.random.default_rng(1).permutation(200)
    shuffled = ranks(tied, [ids[place] for place in order], date(2026, 6, 1))
    assert np.array_equal(shuffled, first[order])
    assert not np.array_equal(first, ranks(tied, ids, date(2026, 7, 1)))
    assert ranks(np.array([1.0, 3.0, 2.0]), ids[:3], date(2026, 6, 1)).tolist() == [3, 1, 2]


def test_the_line_is_the_score_of_the_last_household_within_capacity(model):
    run = scored(model, small.borough(50))
    line = run.line(10)
    assert (run.log_odds >= line).sum() == 10
    assert run.line(50) is None


def test_changes_are_what_the_model_itself_gives_for_the_changed_row(model):
    run = scored(model, model.matrix([{"missed": 4, "owed_pence": 80_000, "has_reduction": 0}]))
    found = next(run.scores(with_changes=True, line=-9.0))
    assert [change.features for change in found.changes] == [
        ("missed",), ("owed_pence",), ("has_reduction",),
    ]  # fmt: skip
    for change, values in zip(found.changes, [{"missed": 0}, {"owed_pence": 0}], strict=False):
        row = {"missed": 4, "owed_pence": 80_000, "has_reduction": 0} | values
        after = model.log_odds(model.matrix([row]))[0]
        assert change.probability_after == pytest.approx(1 / (1 + math.exp(-after)), abs=1e-12)
    sentence = found.changes[0].sentence
    assert sentence.startswith("If this were so (Missed: 0, now 4), the estimate would be about")
    assert "below the line" not in sentence


def test_facts_that_only_together_take_a_household_below_the_line_are_named_together(model):
    run = scored(model, model.matrix([{"missed": 4, "owed_pence": 80_000, "has_reduction": 0}]))
    alone = list(next(run.scores(with_changes=True)).changes)
    lowest = alone[0].probability_after
    line = math.log(lowest / (1 - lowest)) - 0.1
    together = next(run.scores(with_changes=True, line=line)).changes[-1]
    assert together.features == ("missed", "owed_pence")
    assert "which is below the line" in together.sentence


def test_only_actionable_facts_are_tried_and_only_falls_are_said(model):
    run = scored(model, model.matrix([{"missed": 0, "rooms_short": 4, "has_reduction": 1}]))
    assert next(run.scores(with_changes=True)).changes == ()


def test_rows_without_a_feature_of_the_model_are_refused(model):
    frame = pd.DataFrame(small.borough(3), columns=list(model.info.features))
    assert matrix_of(model, frame[frame.columns[::-1]]).shape == (3, 6)
    with pytest.raises(FeatureListDiffers, match="1 of the 6 features"):
        matrix_of(model, frame.drop(columns="missed"))
    with pytest.raises(FeatureListDiffers, match=r"\(3, 5\)"):
        scored(model, small.borough(3)[:, :5])
    with pytest.raises(InputInvalid, match="not declared"):
        model.matrix([{"missed": 1, "surname_length": 2}])


class Wrong(ServedModel):
    """A model whose contributions of one row are off by a millionth."""

    def contributions(self, rows, *, threads=1):
        explained = ServedModel.contributions(self, rows, threads=threads)
        if len(rows) > 7:
            explained.values[7, 0] += 1e-6
        return explained


def wrong(model: ServedModel) -> Wrong:
    return Wrong(**{name: getattr(model, name) for name in ServedModel.__slots__})


def test_reasons_that_do_not_add_up_stop_the_run(model):
    with pytest.raises(ReasonsDoNotAddUp, match="For 1 of 20 households"):
        scored(wrong(model), small.borough(20))


@pytest.mark.parametrize("value", [1e8, -1e8, 1e12, -1e12])
def test_huge_values_of_a_straight_term_add_up_to_their_size(model, value):
    usual = dict(zip(model.info.features, small.MEANS, strict=True))
    for name in ("rent_share", "missed"):
        run = scored(model, model.matrix([usual | {name: value / 3}]))
        assert run.base + run.totals.sum() == pytest.approx(run.log_odds[0], rel=1e-9)


def test_lightgbms_own_contributions_stand_in_for_ours(tmp_path):
    sample = samples.lightgbm_sample()
    samples.write(tmp_path / "1", sample)
    model = wrong(artefact.load(tmp_path / "1", rehearse=False))
    rows = sample.rows[:100]
    ids = [f"H{place}" for place in range(100)]
    run = score(model, ids, rows, small.AS_OF, fallback=reference.pred_contrib)
    sound = score(artefact.load(tmp_path / "1", rehearse=False), ids, rows, small.AS_OF)
    assert np.abs(run.totals - sound.totals).max() < 1e-9


def test_progress_is_told_in_rows(model):
    told: list[int] = []
    rows = small.borough(45_000)
    score(model, [str(place) for place in range(45_000)], rows, small.AS_OF, advance=told.append)
    assert told == [20_000, 20_000, 5_000]


def test_the_reference_explains_a_logistic_model_by_its_own_route(model):
    explained = reference.pred_contrib(model, small.borough(5))
    assert isinstance(explained, Contributions)
    assert explained.values.shape == (5, 6)


def test_a_served_model_is_not_changed_by_scoring(model):
    rows = small.borough(10)
    before = rows.copy()
    list(scored(model, rows).scores(with_changes=True))
    assert np.array_equal(rows, before, equal_nan=True)
    assert replace(model, text="").info == model.info
