"""Contributions are exact: they add up, and equal LightGBM's and shap's own."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earlyflag.core.errors import ArtefactDamaged
from earlyflag.modelling import shapley
from earlyflag.modelling.trees import Trees, read_lightgbm
from tests import modelling_samples as samples

SHAPES = {
    "plain": {},
    "missing values take no side of their own": {"use_missing": False},
    "zero stands for missing": {"zero_as_missing": True},
    "categories as sets": {
        "categorical_feature": [4], "max_cat_to_onehot": 1, "min_data_per_group": 5,
        "cat_smooth": 1,
    },
    "categories one by one": {"categorical_feature": [3, 4], "max_cat_to_onehot": 64},
    "deep and leafy": {"num_leaves": 63, "min_data_in_leaf": 3},
    "a feature met again and again": {"feature_fraction": 0.1, "num_leaves": 31},
    "bagged and monotone": {
        "bagging_fraction": 0.5, "bagging_freq": 1, "monotone_constraints": [1, 1] + [0] * 10,
    },
    "stumps": {"num_leaves": 2},
    "single leaves": {"min_data_in_leaf": 3000},
    "drop-out": {"boosting": "dart"},
}  # fmt: skip


def awkward_rows() -> np.ndarray:
    """Return known rows, and rows of zeros, missing, huge, unseen and fractional values."""
    rows = samples.lightgbm_sample().rows[:300].copy()
    rows[0], rows[1], rows[2], rows[3], rows[4] = np.nan, 0.0, 1e300, -1e300, -0.5
    rows[5], rows[6], rows[7], rows[8] = 1e-36, -1e-36, 39.7, 3e9
    rows[9], rows[10] = np.inf, -np.inf
    return rows


@pytest.mark.parametrize("shape", SHAPES)
def test_contributions_equal_lightgbms_own(shape):
    sample = samples.train_lightgbm(30, **SHAPES[shape])
    rows = awkward_rows()
    trees = read_lightgbm(sample.model)
    base, values = shapley.contributions(trees, rows)
    one_by_one = [shapley.contributions(trees, row[np.newaxis])[1][0] for row in rows[:40]]
    reference = sample.trained.predict(rows, pred_contrib=True, num_threads=1)
    assert np.abs(values - reference[:, :-1]).max() <= 1e-9
    assert np.abs(np.stack(one_by_one) - reference[:40, :-1]).max() <= 1e-9
    assert np.abs(base - reference[:, -1]).max() <= 1e-9
    assert np.abs(trees.raw(rows) - sample.raw(rows)).max() <= 1e-12
    assert np.abs(base + values.sum(axis=1) - trees.raw(rows)).max() <= 1e-9


def test_the_shapes_tried_are_the_shapes_meant():
    by_shape = {
        name: read_lightgbm(samples.train_lightgbm(30, **SHAPES[name]).model) for name in SHAPES
    }
    assert by_shape["single leaves"].n_trees >= 1
    assert len(by_shape["single leaves"].feature) == 0
    assert set(by_shape["zero stands for missing"].missing) >= {1}
    assert set(by_shape["missing values take no side of their own"].missing) == {0}
    words = by_shape["categories as sets"]
    assert (words.category_end - words.category_start).max() >= 2
    assert shapley.plan_walk(by_shape["deep and leafy"]).n_nodes.max() >= 4
    assert shapley.plan_walk(by_shape["a feature met again and again"]).ancestor_depth.max() >= 2


def test_contributions_do_not_depend_on_blocks_or_threads():
    trees = read_lightgbm(samples.lightgbm_sample().model)
    rows = samples.lightgbm_sample().rows[:1000]
    _, together = shapley.contributions(trees, rows, threads=3)
    _, alone = shapley.contributions(trees, rows[777:778])
    assert np.abs(together[777] - alone[0]).max() < 1e-12
    assert shapley.contributions(trees, rows[:0])[1].shape == (0, samples.N_FEATURES)


def by_coalitions(tree: Trees, row: np.ndarray) -> np.ndarray:
    """Return the Shapley values of one tree by their definition, over every coalition."""

    def value(known: frozenset[int], node: int = 0) -> float:
        if node < 0:
            return float(tree.leaf_value[~node])
        left, right = int(tree.left[node]), int(tree.right[node])
        feature = int(tree.feature[node])
        if feature in known:
            return value(known, left if row[feature] <= tree.threshold[node] else right)
        reached = [tree.leaf_count[~c] if c < 0 else tree.count[c] for c in (left, right)]
        parts = (reached[0] * value(known, left), reached[1] * value(known, right))
        return sum(parts) / tree.count[node]

    n = tree.n_features
    result = np.zeros(n)
    for feature in range(n):
        others = [other for other in range(n) if other != feature]
        for size in range(n):
            weight = math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
            for chosen in itertools.combinations(others, size):
                coalition = frozenset(chosen)
                result[feature] += weight * (value(coalition | {feature}) - value(coalition))
    return result


@st.composite
def random_trees(draw) -> Trees:
    """Draw a tree by splitting random leaves, as LightGBM grows one."""
    n_leaves = draw(st.integers(2, 12))
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    left, right, parent_slot = [], [], {0: None}
    for node in range(n_leaves - 1):
        leaf = int(chance.integers(node + 1))
        slot = parent_slot[leaf]
        if slot is not None:
            (left if slot[1] else right)[slot[0]] = node
        left.append(~leaf)
        right.append(~(node + 1))
        parent_slot[leaf], parent_slot[node + 1] = (node, True), (node, False)
    leaf_count = chance.integers(1, 50, n_leaves)
    count = np.zeros(n_leaves - 1, dtype=int)
    for node in reversed(range(n_leaves - 1)):
        count[node] = sum(leaf_count[~c] if c < 0 else count[c] for c in (left[node], right[node]))
    nothing = np.zeros(n_leaves - 1, dtype=int)
    return Trees(
        n_features=4,
        node_start=np.array([0, n_leaves - 1]),
        leaf_start=np.array([0, n_leaves]),
        feature=chance.integers(0, 4, n_leaves - 1),
        threshold=chance.normal(size=n_leaves - 1),
        missing=nothing.astype(np.int8),
        default_left=nothing > 0,
        left=np.array(left),
        right=np.array(right),
        count=count,
        category_start=nothing,
        category_end=nothing,
        category_words=np.zeros(0, dtype=np.uint32),
        leaf_value=chance.normal(size=n_leaves),
        leaf_count=leaf_count,
    )


@settings(max_examples=60, deadline=None)
@given(random_trees(), st.integers(0, 2**32), st.sampled_from([2, 5]))
def test_contributions_equal_the_definition_over_every_coalition(tree, seed, n_rows):
    rows = np.random.default_rng(seed).normal(size=(n_rows, 4))
    _, values = shapley.contributions(tree, rows)
    for row, found in zip(rows, values, strict=True):
        assert np.abs(found - by_coalitions(tree, row)).max() < 1e-12


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("version=v4", "version=v3", "version v3"),
        ("num_class=1", "num_class=3", "several classes"),
        ("max_feature_idx=11", "max_feature_idx=1", "header does not have"),
        ("is_linear=0", "is_linear=1", "linear leaves"),
        ("end of trees", "", "cut off"),
        ("leaf_value=", "leaf_value=1e999 ", "expected 15"),
        ("left_child=", "left_child=x", "cannot be read"),
        ("left_child=1 ", "left_child=0 ", "hang together"),
    ],
)
def test_a_text_that_is_no_plain_binary_model_is_refused(old, new, reason):
    text = samples.lightgbm_sample().model
    assert old in text
    with pytest.raises(ArtefactDamaged, match=reason):
        read_lightgbm(text.replace(old, new, 1))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_cut_of_the_text_is_refused_with_a_sentence(data):
    text = samples.lightgbm_sample().model
    end = text.index("end of trees")
    with pytest.raises(ArtefactDamaged):
        read_lightgbm(text[: data.draw(st.integers(0, end))])
