"""Read LightGBM's text format into arrays and score rows with it, without LightGBM.

The reader accepts what a binary model of single trees needs and refuses the rest with a sentence.
A damaged file can at worst raise `ArtefactDamaged`; LightGBM's own reader may end the process.
The decision rules (missing values, zero as missing, category bit sets) are those of LightGBM's
`Tree::NumericalDecision` and `Tree::CategoricalDecision`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from earlyflag.core.errors import ArtefactDamaged
from earlyflag.modelling.compiled import compiled

MISSING_NONE, MISSING_ZERO, MISSING_NAN = 0, 1, 2
ZERO = 1e-35
"""What LightGBM takes for zero where zero stands for a missing value."""

CATEGORICAL_BIT, DEFAULT_LEFT_BIT, MISSING_SHIFT = 1, 2, 2
MAX_CATEGORY = 2**31 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """The trees of one model, all nodes in flat arrays.

    Attributes
    ----------
    n_features : the number of columns of a row
    node_start, leaf_start : shape (n_trees + 1,); where each tree's nodes and leaves begin
    feature, threshold, missing, default_left, count : one entry an internal node; `count` is the
        number of training rows that reached it
    left, right : one entry an internal node, counted inside the tree; a negative one is the leaf
        `~value`
    category_start, category_end : the node's words in `category_words`; equal on a numeric node
    leaf_value, leaf_count : one entry a leaf, in raw log-odds and training rows
    """

    n_features: int
    node_start: np.ndarray
    leaf_start: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    missing: np.ndarray
    default_left: np.ndarray
    left: np.ndarray
    right: np.ndarray
    count: np.ndarray
    category_start: np.ndarray
    category_end: np.ndarray
    category_words: np.ndarray
    leaf_value: np.ndarray
    leaf_count: np.ndarray

    @property
    def n_trees(self) -> int:
        """The number of trees."""
        return len(self.node_start) - 1

    def raw(self, rows: np.ndarray) -> np.ndarray:
        """Return the raw score of each row: the sum of one leaf a tree.

        Parameters
        ----------
        rows : array of shape (n_rows, n_features); NaN is a missing value
        """
        rows = np.ascontiguousarray(rows, dtype=np.float64)
        result = np.empty(len(rows))
        _sum_of_leaves(
            rows, self.node_start, self.leaf_start, self.feature, self.threshold, self.missing,
            self.default_left, self.left, self.right, self.category_start, self.category_end,
            self.category_words, self.leaf_value, result,
        )  # fmt: skip
        return result


def read_lightgbm(text: str) -> Trees:
    """Return the trees of a model in LightGBM's text format (version 4).

    Raises
    ------
    ArtefactDamaged
        The text is cut off, inconsistent, or of a kind that is not served (several classes,
        linear trees, averaged forests).
    """
    try:
        head, *blocks = text.split("\nTree=")
        if not blocks or "end of trees" not in blocks[-1]:
            raise ArtefactDamaged("model.txt has no end of trees: it is cut off.")
        blocks[-1] = blocks[-1].split("end of trees")[0]
        header = _fields(head)
        _check_kind(head, header)
        n_features = int(header["max_feature_idx"]) + 1
        trees = [_read_tree(_fields(block), number) for number, block in enumerate(blocks)]
        result = _joined(trees, n_features)
    except (KeyError, ValueError, IndexError, OverflowError) as error:
        raise ArtefactDamaged(
            f"model.txt cannot be read as a LightGBM model ({type(error).__name__}). "
            "Train and register the model again."
        ) from error
    _check_whole(result)
    return result


def _fields(block: str) -> dict[str, str]:
    """Return the `key=value` lines of one block."""
    return dict(line.split("=", 1) for line in block.splitlines() if "=" in line)


def _check_kind(head: str, header: dict[str, str]) -> None:
    """Refuse the kinds of model whose score is no plain sum of leaves."""
    if header["version"] != "v4":
        raise ArtefactDamaged(f"Got a LightGBM text of version {header['version']}, expected v4.")
    if header["num_class"] != "1" or header["num_tree_per_iteration"] != "1":
        raise ArtefactDamaged("Got a model of several classes, but expected one binary outcome.")
    if "average_output" in head:
        raise ArtefactDamaged("Got an averaged forest, but expected boosted trees.")


def _read_tree(fields: dict[str, str], number: int) -> dict[str, Any]:
    """Return one tree's arrays under the names of `Trees`."""
    if fields.get("is_linear", "0") != "0":
        raise ArtefactDamaged(f"Tree {number} has linear leaves, which are not served.")
    n_leaves = int(fields["num_leaves"])
    n_nodes = n_leaves - 1

    def numbers(key: str, kind: Any, size: int) -> np.ndarray:
        values = np.array([kind(word) for word in fields[key].split()] if size else [], dtype=kind)
        if len(values) != size:
            raise ArtefactDamaged(f"Tree {number}: got {len(values)} of {key}, expected {size}.")
        return values

    leaf_count = numbers("leaf_count", int, n_leaves) if n_nodes else np.ones(1, dtype=int)
    kinds = numbers("decision_type", int, n_nodes)
    threshold = numbers("threshold", float, n_nodes)
    categorical = (kinds & CATEGORICAL_BIT) > 0
    start = np.zeros(n_nodes, dtype=np.int64)
    end = np.zeros(n_nodes, dtype=np.int64)
    words = np.zeros(0, dtype=np.uint32)
    if categorical.any():
        bounds = numbers("cat_boundaries", int, int(fields["num_cat"]) + 1)
        words = np.array([int(word) for word in fields["cat_threshold"].split()], dtype=np.uint32)
        which = threshold[categorical].astype(np.int64)
        start[categorical], end[categorical] = bounds[which], bounds[which + 1]
        if bounds[-1] != len(words) or (which < 0).any() or (end <= start)[categorical].any():
            raise ArtefactDamaged(f"Tree {number}: its category sets do not fit together.")
    return {
        "feature": numbers("split_feature", int, n_nodes),
        "threshold": threshold,
        "missing": ((kinds >> MISSING_SHIFT) & 3).astype(np.int8),
        "default_left": (kinds & DEFAULT_LEFT_BIT) > 0,
        "left": numbers("left_child", int, n_nodes),
        "right": numbers("right_child", int, n_nodes),
        "count": numbers("internal_count", int, n_nodes),
        "category_start": start,
        "category_end": end,
        "category_words": words,
        "leaf_value": numbers("leaf_value", float, n_leaves),
        "leaf_count": leaf_count,
    }


def _joined(trees: list[dict[str, Any]], n_features: int) -> Trees:
    """Return the trees in flat arrays."""
    offset = 0
    for tree in trees:
        tree["category_start"] += offset
        tree["category_end"] += offset
        offset += len(tree["category_words"])
    flat = {name: np.concatenate([tree[name] for tree in trees]) for name in trees[0]}
    sizes = np.array([len(tree["leaf_value"]) for tree in trees])
    return Trees(
        n_features=n_features,
        node_start=np.concatenate([[0], np.cumsum(sizes - 1)]),
        leaf_start=np.concatenate([[0], np.cumsum(sizes)]),
        **flat,
    )


def _check_whole(trees: Trees) -> None:
    """Check that each tree is one: every node and leaf has one parent, and was reached."""
    if not (np.isfinite(trees.leaf_value).all() and not np.isnan(trees.threshold).any()):
        raise ArtefactDamaged("model.txt has leaf values or thresholds that are no numbers.")
    if ((trees.feature < 0) | (trees.feature >= trees.n_features)).any():
        raise ArtefactDamaged("model.txt splits on a feature that its header does not have.")
    if (trees.count <= 0).any() or (trees.leaf_count <= 0).any():
        raise ArtefactDamaged("model.txt has a node that no training row reached.")
    for tree in range(trees.n_trees):
        nodes = slice(trees.node_start[tree], trees.node_start[tree + 1])
        children = np.concatenate([trees.left[nodes], trees.right[nodes]])
        n_nodes = len(trees.left[nodes])
        expected = np.concatenate([np.arange(-n_nodes - 1, 0), np.arange(1, n_nodes)])
        parents = np.concatenate([np.arange(n_nodes), np.arange(n_nodes)])
        inner = children > 0
        is_tree = np.array_equal(np.sort(children), expected) and bool(
            (parents[inner] < children[inner]).all()
        )
        if n_nodes and not is_tree:
            raise ArtefactDamaged(f"model.txt: tree {tree} does not hang together.")


@compiled
def _sum_of_leaves(
    rows, node_start, leaf_start, feature, threshold, missing, default_left, left, right,
    category_start, category_end, category_words, leaf_value, result,
):  # fmt: skip
    """Walk each row down each tree and add the leaves up."""
    for row in range(rows.shape[0]):
        total = 0.0
        for tree in range(len(node_start) - 1):
            first = node_start[tree]
            node = 0 if node_start[tree + 1] > first else -1
            while node >= 0:
                at = first + node
                value = rows[row, feature[at]]
                words = category_words[category_start[at] : category_end[at]]
                if len(words) > 0:
                    is_left = in_categories(value, words)
                else:
                    is_left = below(value, threshold[at], missing[at], default_left[at])
                node = left[at] if is_left else right[at]
            total += leaf_value[leaf_start[tree] + ~node]
        result[row] = total


@compiled
def below(value, threshold, missing, default_left):
    """Return whether a numeric split sends `value` left, missing values as LightGBM does."""
    if missing == MISSING_NAN:
        return default_left if np.isnan(value) else value <= threshold
    if missing == MISSING_ZERO:
        return value <= threshold if abs(value) > ZERO else default_left
    return value <= threshold if not np.isnan(value) else threshold >= 0.0


@compiled
def in_categories(value, words):
    """Return whether a categorical split sends `value` left: its bit stands in `words`."""
    if not -1.0 < value <= MAX_CATEGORY:
        return False
    category = np.int64(value)
    word = category >> 5
    return word < len(words) and ((words[word] >> (category & 31)) & 1) == 1
