"""The two families, the choice between them, and the rows they learn from."""

import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from earlyflag.core.errors import SpecificationInvalid, UndeclaredFeature
from earlyflag.modelling import Specification
from earlyflag.modelling.baselines import RULES, declared_rules
from earlyflag.modelling.boosting import fit_boosting
from earlyflag.modelling.candidates import Found, Trainer, _importance, best_settings
from earlyflag.modelling.development import choose, develop
from earlyflag.modelling.logistic import fit_logistic, raw_in_blocks
from earlyflag.modelling.rows import Rows, choose_features, select
from earlyflag.modelling.specification import SETTINGS, Candidate

DAYS = (date(2023, 1, 1), date(2024, 1, 1))


def specification(**changes):
    return Specification.of(
        {
            "name": "trial",
            "label": {"event": "owed_duty", "horizon_months": 12},
            "cut_offs": {"train": [DAYS[0]], "test": [DAYS[1]]},
            **changes,
        }
    )


def made_up():
    generator = np.random.default_rng(11)
    n = 3000
    households = np.array([f"H{number % 1500:05d}" for number in range(n)])
    debt = generator.gamma(1.0, 100.0, n).astype(np.float32)
    missed = generator.poisson(0.4, n).astype(np.float32)
    missed[generator.random(n) < 0.2] = np.nan
    odds = -3.5 + 0.01 * np.minimum(debt, 300) + 0.8 * np.nan_to_num(missed, nan=1.0)
    label = (generator.random(n) < 1 / (1 + np.exp(-odds))).astype(float)
    return pd.DataFrame(
        {
            "household_id": households,
            "as_of": pd.to_datetime([DAYS[0]] * 1500 + [DAYS[1]] * 1500),
            "debt": debt,
            "missed": missed,
            "label": label,
            "excluded": [None] * 2990 + ["open duty"] * 10,
            "helped": [False] * 2900 + [True] * 100,
        }
    )


@pytest.fixture
def frame():
    return made_up()


def rows_of(frame, day=DAYS[0], **changes):
    return select(specification(**changes), frame, ("debt", "missed"), [day], part="train")


def test_excluded_helped_and_unlabelled_rows_never_enter(frame):
    frame.loc[2000, "label"] = np.nan
    assert len(rows_of(frame, DAYS[1])) == 1500 - 100 - 1
    assert len(rows_of(frame, DAYS[1], helped="keep")) == 1500 - 10 - 1


def test_a_helped_household_may_weigh_less_instead(frame):
    rows = rows_of(frame, DAYS[1], helped="weight", helped_weight=0.25)
    assert set(rows.weight[rows.helped]) == {0.25}
    assert set(rows.weight[~rows.helped]) == {1.0}


def helped_borough():
    """Help goes to those most at risk, and takes 1.6 off the log-odds of two thirds of them."""
    generator = np.random.default_rng(8)
    n = 12_000
    debt = generator.normal(0, 1, n).astype(np.float32)
    odds = -2.5 + 1.2 * debt
    helped = generator.random(n) < np.where(debt > 0.8, 0.67, 0.02)
    chance = 1 / (1 + np.exp(1.6 * helped - odds))
    frame = pd.DataFrame(
        {
            "household_id": [f"H{number:05d}" for number in range(n)],
            "as_of": pd.to_datetime([DAYS[0]] * n),
            "debt": debt,
            "noise": generator.normal(size=n).astype(np.float32),
            "label": (generator.random(n) < chance).astype(float),
            "helped": helped,
        }
    )
    return frame, 1 / (1 + np.exp(-odds))


def scored_as(frame, helped, family):
    """Return the calibrated chance of every household, trained with its help treated one way."""
    settings = {"lightgbm": {"rounds": 300}, "logistic": {"knots": 4}}[family]
    asked = specification(helped=helped, candidates=[{"family": family, "settings": settings}])
    names = ("debt", "noise")
    train = select(asked, frame, names, [DAYS[0]], part="train")
    declarations = [SimpleNamespace(name=name, monotone=0) for name in names]
    developed = develop(asked, train, declarations, threads=1, compare=False)
    everybody = frame[list(names)].to_numpy(dtype=np.float32)
    return 1 / (1 + np.exp(-developed.log_odds(family, everybody))), developed


@pytest.mark.parametrize("family", ["logistic", "lightgbm"])
def test_a_helped_household_is_not_learnt_as_a_safe_one(family):
    frame, without_help = helped_borough()
    at_risk = frame["debt"].to_numpy() > 0.8
    truth = without_help[at_risk].mean()
    kept, modelled, left_out, weighted = (
        scored_as(frame, helped, family)[0][at_risk].mean() / truth
        for helped in ("keep", "model", "leave_out", "weight")
    )
    assert kept < 0.75
    assert modelled == pytest.approx(1, abs=0.1)
    assert left_out == pytest.approx(1, abs=0.1)
    assert kept < weighted < left_out


@pytest.mark.parametrize("family", ["logistic", "lightgbm"])
def test_the_effect_of_help_is_found_and_does_not_blur_the_ranks(family):
    frame, without_help = helped_borough()
    chance, developed = scored_as(frame, "model", family)
    assert developed.helped_effect == pytest.approx(-1.6, abs=0.3)
    order = np.argsort(np.argsort(chance)), np.argsort(np.argsort(without_help))
    assert np.corrcoef(*order)[0, 1] > 0.95


def test_who_was_helped_is_not_judged_where_help_is_modelled(frame):
    def tested(helped):
        return select(specification(helped=helped), frame, ("debt",), [DAYS[1]], part="test")

    assert not tested("model").helped.any()
    assert tested("keep").helped.any()
    assert tested("weight").helped.any()


def test_help_that_nobody_had_is_not_modelled(frame):
    ticks = []
    asked = specification(helped="model", candidates=[{"family": "logistic"}])
    train = select(asked, frame.assign(helped=False), ("debt",), [DAYS[0]], part="train")
    developed = develop(
        asked, train, [SimpleNamespace(name="debt", monotone=0)], threads=1, compare=False,
        advance=ticks.append,
    )  # fmt: skip
    assert developed.helped_effect is None
    assert sum(ticks) == asked.folds * 2 + 1


def test_many_rows_are_thinned_for_the_logistic_fit_and_the_rates_stand(frame, monkeypatch):
    rows = rows_of(frame)
    whole = fit_logistic(rows.matrix, rows.label, {"knots": 3, "penalty": 5.0}, names=("a", "b"))
    monkeypatch.setattr("earlyflag.modelling.logistic.MOST_ROWS", 900)
    few = fit_logistic(rows.matrix, rows.label, {"knots": 3, "penalty": 5.0}, names=("a", "b"))
    chance = [1 / (1 + np.exp(-each.raw(rows.matrix))) for each in (whole, few)]
    assert not np.array_equal(*chance)
    assert chance[1].mean() == pytest.approx(chance[0].mean(), rel=0.1)
    assert np.corrcoef(*chance)[0, 1] > 0.97
    common = 1 - rows.label  # more events than others: every row of the rarer kind is kept
    turned = fit_logistic(rows.matrix, common, {"knots": 3, "penalty": 5.0}, names=("a", "b"))
    assert (1 / (1 + np.exp(-turned.raw(rows.matrix)))).mean() == pytest.approx(
        common.mean(), rel=0.1
    )


def test_a_household_trains_or_tests_but_never_both(frame):
    apart = specification(households_apart=0.4)
    train = select(apart, frame, ("debt",), [DAYS[0]], part="train")
    test = select(apart, frame, ("debt",), [DAYS[1]], part="test")
    names = frame["household_id"].to_numpy()
    assert not set(names[train.place]) & set(names[test.place])
    assert len(np.unique(names[test.place])) == pytest.approx(600, abs=80)


def test_all_rows_of_a_household_share_a_fold(frame):
    rows = select(specification(), frame, ("debt",), DAYS, part="train")
    folds = pd.Series(rows.fold).groupby(rows.households).nunique()
    assert folds.max() == 1
    assert set(np.unique(rows.fold)) == {0, 1, 2, 3}


def test_sampled_rows_stand_for_those_left_out(frame):
    rows = rows_of(frame, negatives_per_event=2)
    whole = rows_of(frame)
    assert rows.label.sum() == whole.label.sum()
    assert len(rows) < len(whole)
    assert rows.weight.sum() == pytest.approx(len(whole), rel=0.1)


def test_a_helped_household_weighs_less_among_sampled_rows_too(frame):
    frame["helped"] = np.arange(len(frame)) % 5 == 0
    rows = rows_of(frame, helped="weight", helped_weight=0.25, negatives_per_event=2)
    assert rows.weight.max() > 3
    learnt = _importance(rows)
    assert set(learnt[rows.helped]) == {0.25}
    assert set(learnt[~rows.helped]) == {1.0}


def feature(group="money"):
    return SimpleNamespace(group=group)


def test_features_are_chosen_by_group_name_and_pattern():
    catalogue = {"a": feature(), "a_lag1": feature(), "b": feature("home"), "c": feature("home")}
    chosen, notes = choose_features(
        specification(features={"groups": ["money"], "include": ["c"], "exclude": ["*_lag?"]}),
        ["a", "a_lag1", "b", "c"], catalogue,
    )  # fmt: skip
    assert chosen == ("a", "c")
    assert not notes
    chosen, notes = choose_features(specification(), ["a", "b"], catalogue)
    assert chosen == ("a", "b")
    assert "2 declared features are not in the data" in notes[0]


def test_an_undeclared_feature_and_a_protected_one_are_refused():
    with pytest.raises(UndeclaredFeature, match="first: nothing"):
        choose_features(specification(features={"exclude": ["nothing"]}), ["a"], {"a": feature()})
    with pytest.raises(SpecificationInvalid, match="fairness audit alone"):
        choose_features(specification(), ["sex"], {"sex": feature()})
    with pytest.raises(SpecificationInvalid, match="fairness audit alone"):
        choose_features(specification(), ["Sex"], {"Sex": feature()})


def test_the_logistic_model_as_plain_numbers_scores_as_scikit_learn_did(frame, monkeypatch):
    from sklearn.linear_model import LogisticRegression

    caught = {}
    fitting = LogisticRegression.fit

    def fit(self, design, *args, **kwargs):
        result = fitting(self, design, *args, **kwargs)
        caught["raw"] = self.decision_function(design)
        return result

    monkeypatch.setattr(LogisticRegression, "fit", fit)
    rows = rows_of(frame)
    model = fit_logistic(
        rows.matrix, rows.label, {"knots": 6, "penalty": 1.0}, names=("debt", "missed")
    )
    assert np.allclose(model.raw(rows.matrix), caught["raw"], atol=1e-4)
    contributions = model.contributions(rows.matrix)
    assert np.allclose(model.base + contributions.sum(axis=1), model.raw(rows.matrix))
    assert np.allclose(contributions.mean(axis=0), 0, atol=1e-9)
    assert np.allclose(raw_in_blocks(model, rows.matrix), model.raw(rows.matrix))


def boosted(rows, **changes):
    settings = {**SETTINGS["lightgbm"], "rounds": 60, **changes}
    return fit_boosting(
        rows.matrix, rows.label, settings, monotone=(1, 0), names=("debt", "missed"), seed=1,
        threads=1,
    )  # fmt: skip


def test_a_monotone_feature_never_lowers_the_boosted_score(frame):
    model = boosted(rows_of(frame))
    grid = np.column_stack([np.linspace(0, 500, 80), np.full(80, 1.0)]).astype(np.float32)
    assert (np.diff(model.raw(grid)) >= -1e-9).all()


def test_the_boosted_model_learns_the_same_twice(frame):
    rows = rows_of(frame)
    assert boosted(rows).text == boosted(rows).text


def found(family, raw, value):
    return Found(family, {}, raw, None, value)


def test_the_simplest_model_within_one_standard_error_wins_and_says_so():
    generator = np.random.default_rng(0)
    label = (generator.random(2000) < 0.1).astype(float)
    signal = label + generator.normal(0, 1.0, 2000)
    close = signal + generator.normal(0, 0.02, 2000)
    worse = signal + generator.normal(0, 3.0, 2000)
    ones, folds = np.ones(2000), np.zeros(2000, dtype=int)
    rows = Rows(
        place=np.arange(2000), households=np.arange(2000), as_of=np.zeros(2000, "datetime64[D]"),
        matrix=np.zeros((2000, 1)), label=label, weight=ones, helped=ones == 0, fold=folds,
    )  # fmt: skip
    best = found("lightgbm", signal, 0.5)
    winner, choice = choose([found("logistic", close, 0.4995), best], rows, 60)
    assert winner.family == "logistic"
    said = "The logistic candidate was chosen: the simplest within one standard error"
    assert choice["sentence"].startswith(said)
    winner, choice = choose([found("logistic", worse, 0.2), best], rows, 60)
    assert winner.family == "lightgbm"
    said = "The lightgbm candidate was chosen: none simpler comes within one standard error"
    assert choice["sentence"].startswith(said)


def searched(frame, storage, *, advance=lambda _: None, **budget):
    candidate = Candidate.model_validate(
        {
            "family": "logistic",
            "settings": {"knots": 3, "penalty": 7.0},
            "search": {"penalty": {"low": 0.1, "high": 100, "log": True}},
            **budget,
        }
    )
    trainer = Trainer(("debt", "missed"), (0, 0), 1, 1, advance)
    return best_settings(candidate, rows_of(frame), trainer, storage=storage, study_name="s")


def test_a_search_keeps_its_budget_and_goes_on_where_it_stopped(frame, tmp_path):
    ticks = []
    assert searched(frame, tmp_path / "trials", trials=2, advance=ticks.append).trials == 2
    assert ticks == [0, *[1] * 8, 0, *[1] * 4]
    ticks.clear()
    resumed = searched(frame, tmp_path / "trials", trials=3, advance=ticks.append)
    assert resumed.trials == 3
    # The bar starts behind the two trials that are there.
    assert ticks == [8, *[1] * 4, 0, *[1] * 4]
    assert 0.1 <= resumed.settings["penalty"] <= 100


def test_a_search_that_goes_on_tries_no_setting_twice(frame, tmp_path):
    for trials in (3, 6):
        searched(frame, tmp_path / "trials", trials=trials)
    tried = first_trial_settings(tmp_path / "trials")
    assert len(tried) == 6
    assert len(set(tried)) == 6


def test_a_search_ends_with_its_minutes_and_the_bar_with_it(frame, tmp_path):
    ticks = []
    found = searched(frame, tmp_path / "t", trials=50, minutes=1e-6, advance=ticks.append)
    assert found.trials == 1
    assert found.settings["penalty"] == 7.0
    assert sum(ticks) == 4 * (50 + 1)
    again = searched(frame, tmp_path / "t", trials=50, minutes=1e-6)
    assert again.trials == 1


def first_trial_settings(storage):
    from optuna import load_study
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    study = load_study(
        study_name="s-logistic", storage=JournalStorage(JournalFileBackend(str(storage)))
    )
    return [each.params["penalty"] for each in study.trials if each.state.name == "COMPLETE"]


KILLED_AT = {"first": 2, "later": 10}
"""At which fit of four a trial the process dies: within the first trial, within the third."""


def search_and_die(storage, at_fit):
    """Search, and be killed at a fit, as by a machine that is switched off."""
    fits = []

    def die(amount):
        fits.append(amount)
        if sum(fits) == at_fit:
            os.kill(os.getpid(), signal.SIGKILL)

    searched(made_up(), storage, trials=4, advance=die)


@pytest.mark.parametrize("when", KILLED_AT)
def test_a_search_whose_process_was_killed_goes_on_with_every_trial_it_ended(frame, tmp_path, when):
    storage = tmp_path / "trials"
    program = (
        "from pathlib import Path\n"
        "from tests.unit.test_modelling_estimators import search_and_die\n"
        f"search_and_die(Path({str(storage)!r}), {KILLED_AT[when]})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=False, timeout=120
    )
    assert done.returncode == -signal.SIGKILL
    ticks = []
    assert searched(frame, storage, trials=4, advance=ticks.append).trials == 4
    assert ticks[0] == 4 * (KILLED_AT[when] // 4)
    assert sum(ticks) == 4 * (4 + 1)
    assert first_trial_settings(storage)[0] == 7.0


def rule(name):
    return next(each for each in RULES if each.name == name)


def scored(name, **columns):
    values = {key: np.array(column, dtype=float) for key, column in columns.items()}
    n = len(next(iter(values.values())))
    return rule(name).score(values, np.arange(n), np.zeros(n, dtype="datetime64[D]"))


def test_the_dropped_score_is_the_published_formula():
    score = scored(
        "dropped_score",
        rent_balance_pence=[100_000, np.nan],
        days_since_rent_payment=[16, 0],
        rent_arrangement_kept=[1, 0],
        tenancy_notices_12m=[1, 0],
        days_since_tenancy_notice=[20, np.nan],
        rule_rent_days_in_arrears=[61, 0],
        rule_rent_payment_change_pence=[-2000, 0],
        rule_rent_payment_gap_change_days=[-3, 0],
        rule_rent_arrangements_broken=[4, 0],
    )
    whole = 1.2 * 1000 + 1.5 * 61 + 16 * 2 - 20 + 5 * 3 + 50 * 4 + 50 + 100 + 20 + 50
    assert score[0] == round((whole - 1000) / 10)
    assert score[1] < -1e17


def test_the_ladder_puts_the_rung_before_the_balance():
    score = scored(
        "ladder",
        rent_balance_pence=[400, 900, 2000, 90_000, 50_000, 3000],
        rent_arrears_weeks=[0.1, 0.1, 0.2, 3.9, 4.0, 0.3],
        rent_months_owing_6m=[0, 0, 0, 3, 3, 2],
        rent_arrears_letters_3m=[0, 0, 0, 0, 0, 0],
        possession_stage_24m=[0, 0, 0, 0, 0, 7],
    )
    assert np.argsort(score).tolist() == [0, 1, 2, 3, 4, 5]


def test_a_rule_lists_what_it_knows_nothing_of_last():
    score = scored("largest_debt", council_tax_balance_pence=[np.nan, -5, 10])
    assert np.argsort(score).tolist() == [0, 1, 2]
    own = declared_rules({"mine": "debt"})[0]
    assert own.uses == ("debt",)
