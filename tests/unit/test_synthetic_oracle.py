"""The oracle is Bayes' rule on what is visible: exact where it says so, calibrated as a whole."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from earlyflag.synthetic.borough import simulate
from earlyflag.synthetic.cases import GROWN, MEMBER
from earlyflag.synthetic.columns import NO_DATE
from earlyflag.synthetic.hidden import (
    HABITS,
    LATE_BY_HABIT,
    MEANS,
    SHOCK_DUTY,
    SHOCK_ENDS,
    Evidence,
    Outlook,
    after_month,
    by_means,
    draw_rows,
    duty_within,
    settled,
    settled_shock,
    transitions,
)

SEEN = by_means((0.02, 0.2, 0.6, 0.7), (0.2, 0.3, 0.6, 0.7))


def one_outlook(count: int = 1, **changes: float) -> Outlook:
    ones = np.ones(count)
    return Outlook(
        transitions(ones * 8, ones * 6, ones),
        np.tile([0.0, 0.002, 0.02, 0.15], (count, 1)),
        ones * changes.get("shock", 0.01),
        ones * changes.get("child", 0.002),
        ones * changes.get("leave", 0.01),
    )


def test_the_belief_equals_the_sum_over_every_hidden_path():
    ahead = one_outlook()
    happened = [True, False, True]
    start = np.array([1 - LATE_BY_HABIT, LATE_BY_HABIT])[:, None] * settled(ahead)[0]
    belief = start[None]
    for seen in happened:
        belief = after_month(belief, SEEN if seen else 1 - SEEN, ahead)
    by_path = np.zeros((HABITS, MEANS))
    for habit, *path in itertools.product(range(HABITS), *[range(MEANS)] * 4):
        weight = start[habit, path[0]]
        for before, now, seen in zip(path, path[1:], happened, strict=False):
            chance = SEEN[0, habit, now]
            weight *= ahead.matrix[0, before, now] * (chance if seen else 1 - chance)
            weight *= 1 - ahead.duty[0, now]
        by_path[habit, path[-1]] += weight
    np.testing.assert_allclose(belief[0], by_path / by_path.sum(), rtol=1e-12)


def test_a_late_record_counts_as_not_seen_until_it_is_known():
    rng = np.random.default_rng(0)
    evidence = Evidence(rng, np.arange(4000), np.zeros(4000, int), np.full(4000, 3))
    happened, late = evidence.observe_late(np.arange(4000), by_means((0.1, 0.2, 0.3, 0.5)), 0.2)
    assert late[~happened].sum() == 0
    assert late.sum() / happened.sum() == pytest.approx(0.2, abs=0.03)
    np.testing.assert_allclose(
        evidence.in_time[late][:, 0], [[0.92, 0.84, 0.76, 0.60]] * late.sum()
    )
    np.testing.assert_allclose(evidence.complete[late][:, 0], [[0.1, 0.2, 0.3, 0.5]] * late.sum())


def test_the_outlook_of_a_duty_equals_what_simulated_lives_show():
    lives, rng = 200_000, np.random.default_rng(4)
    ahead = one_outlook(lives)
    share = settled(ahead.of(np.array([0])))
    shock = settled_shock(ahead.of(np.array([0])))
    belief = np.zeros((1, HABITS, MEANS))
    belief[0, 0] = share[0]
    expected = duty_within(belief, shock, ahead.of(np.array([0])), (6, 12))
    means = draw_rows(rng, np.repeat(share, lives, axis=0))
    shocked = rng.random(lives) < shock[0]
    here, owed_by = np.ones(lives, bool), np.full(lives, 99)
    for month in range(1, 13):
        here &= rng.random(lives) >= ahead.leave
        means = draw_rows(rng, ahead.matrix[0][means])
        draw = rng.random(lives)
        shocked = np.where(shocked, draw >= SHOCK_ENDS, draw < ahead.shock)
        owed = rng.random(lives) < ahead.duty[0][means]
        owed |= shocked & (rng.random(lives) < SHOCK_DUTY)
        owed |= rng.random(lives) < ahead.child
        owed_by = np.where(here & owed & (owed_by == 99), month, owed_by)
        here &= ~owed
    for horizon, answer in zip((6, 12), expected, strict=True):
        share_owed = (owed_by <= horizon).mean()
        error = 4 * np.sqrt(share_owed / lives)
        assert answer[0] == pytest.approx(share_owed, abs=error)


def answers_and_labels(households: int, months: int, seed: int):
    world, answers = simulate(households, months, seed)
    cases, truth = world.sheets["homelessness_cases"], world.case_truth
    owed = cases.rows["duty_on"] != NO_DATE
    owed &= (truth["relation"] == MEMBER) | (truth["relation"] == GROWN)
    duties = np.stack([truth["household"][owed], cases.rows["duty_on"][owed]])
    as_of = answers["as_of"]
    finished = as_of <= world.months.start(months - 12)
    label = np.zeros(len(as_of), bool)
    for household, day in duties.T:
        rows = answers["household"] == household
        label |= rows & (as_of <= day) & (day < as_of + 365)
    return answers["p12"][finished], label[finished], as_of[finished]


def test_observed_duties_are_near_those_expected_and_the_order_is_as_good_as_promised():
    expected, label, _ = answers_and_labels(5000, 30, seed=11)
    assert label.sum() / expected.sum() == pytest.approx(1.0, abs=0.25)
    assert 0.72 < roc_auc_score(label, expected) < 0.88
    assert 0.007 < label.mean() < 0.02


@pytest.mark.slow
def test_over_many_households_the_oracle_is_calibrated_in_every_part_of_its_range():
    expected, label, _ = answers_and_labels(40_000, 48, seed=12)
    assert label.sum() / expected.sum() == pytest.approx(1.0, abs=0.06)
    assert 0.75 < roc_auc_score(label, expected) < 0.85
    assert average_precision_score(label, expected) > 5 * label.mean()
    order = np.argsort(expected)
    for part in np.array_split(
        order, [len(order) // 2, len(order) * 9 // 10, len(order) * 99 // 100]
    ):
        assert label[part].sum() / expected[part].sum() == pytest.approx(1.0, abs=0.15)
