"""Exact path-dependent Shapley values of boosted trees, by Gauss-Legendre quadrature.

For one leaf of value v, let D be the d distinct features that its path splits on; for a feature k
of D let z_k be the product of the path's cover ratios at the splits on k, and o_k be 1 if the row
passes all of them, else 0. The leaf's game pays v * prod_{k in S} o_k * prod_{k not in S} z_k to a
coalition S, and its Shapley values are

    phi_j = v (o_j - z_j) * integral over t in [0, 1] of prod_{k in D, k != j} (t o_k + (1 - t) z_k)

because the Shapley weight |S|! (d - 1 - |S|)! / d! is the integral of t^|S| (1 - t)^(d - 1 - |S|).
The integrand is a polynomial of degree d - 1, and n Gauss-Legendre nodes integrate degree 2n - 1
exactly: ceil(d / 2) nodes give the value itself, up to rounding. All weights are positive and no
factor exceeds 1, so rounding does not grow with depth.

One walk of a tree serves all its leaves: going down, the product over the path is carried along
at each node of the quadrature; going up, the leaves' products are summed, and each edge hands its
share to its feature. Where a feature is split on again, the deeper edge's factor replaces the
upper one's. Rows stand in the innermost loop, without branches, so that the machine's vector
units work on them. `docs/explanation/explanations.md` derives this and cites its sources;
LightGBM's `pred_contrib` is the reference that it is tested against.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from earlyflag.modelling.tree_walks import VECTOR, walk, walk_one_by_one
from earlyflag.modelling.trees import Trees

BLOCK = 128
"""Rows walked at once: enough to fill the vector units, few enough for the caches."""

FEW = 3
"""Up to this many rows are walked one by one, with the quadrature's nodes side by side."""

LEAST = 2 * VECTOR
"""Rows that the compiled loops take at a time; a narrower block would go row by row."""


def contributions(trees: Trees, rows: np.ndarray, *, threads: int = 1) -> tuple[float, np.ndarray]:
    """Return the base and every feature's Shapley value, in raw log-odds.

    Parameters
    ----------
    trees : the model
    rows : array of shape (n_rows, n_features); NaN is a missing value
    threads : how many blocks of rows are walked at the same time

    Returns
    -------
    The expected raw score over the training rows, and an array of shape (n_rows, n_features)
    whose rows, added to it, give the raw scores.
    """
    plan = plan_walk(trees)
    rows = np.ascontiguousarray(rows, dtype=np.float64)
    result = np.empty(rows.shape)
    parts = np.array_split(np.arange(len(rows)), max(1, min(threads, len(rows) // BLOCK)))
    block = min(BLOCK, -(-max(len(rows), 1) // LEAST) * LEAST)

    def explain(part: np.ndarray) -> None:
        if len(part) == 0:
            return
        span = slice(part[0], part[-1] + 1)
        given = (
            rows[span], result[span], trees.feature, trees.threshold, trees.missing,
            trees.default_left, trees.category_start, trees.category_end, trees.category_words,
            trees.leaf_value, plan.tree_start, plan.n_nodes, plan.depth, plan.split,
            plan.goes_left, plan.ancestor_depth, plan.leaf,
        )  # fmt: skip
        if len(part) <= FEW:
            walk_one_by_one(*given, plan.cover, plan.upper_cover, plan.times, plan.weights)
        else:
            walk(*given, plan.first_factor, plan.factors, block)

    if len(parts) == 1:
        explain(parts[0])
    else:
        with ThreadPoolExecutor(len(parts)) as pool:
            list(pool.map(explain, parts))
    return plan.base, result


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """The order in which the edges of each tree are walked, and what each multiplies.

    Attributes
    ----------
    base : the expected raw score over the training rows
    tree_start : shape (n_trees + 1,); where each tree's edges begin
    n_nodes : shape (n_trees,); quadrature nodes of each tree
    depth, split, goes_left : one entry an edge, parents before children, left before right: its
        depth from 1, the split above it, and which side of the split it is
    ancestor_depth : the depth of the nearest edge above that splits on the same feature, or 0
    leaf : the leaf below the edge, or -1
    cover : each edge's cover product z: over the path's splits on its feature, down to it
    upper_cover : that of the nearest edge above on the same feature, or 1
    times, weights : shape (most nodes + 1, most nodes); row n has the n nodes of the quadrature
        on [0, 1], filled up with nodes of weight 0
    first_factor : one entry an edge; where its factors begin, one row for each of its nodes
    factors : shape (nodes of all edges, 6), in walking order, so that they are read straight
        through; with a = 1 where the row passes the ancestor's splits and o = 1 where it passes
        the edge's too, the path's product is multiplied by [0] + [1] * a + [2] * o, and the
        feature's share of it is [3] + [4] * a + [5] * o: the edge's weight
        (o - z) w / (t o + (1 - t) z) minus the ancestor's
    """

    base: float
    tree_start: np.ndarray
    n_nodes: np.ndarray
    depth: np.ndarray
    split: np.ndarray
    goes_left: np.ndarray
    ancestor_depth: np.ndarray
    leaf: np.ndarray
    cover: np.ndarray
    upper_cover: np.ndarray
    times: np.ndarray
    weights: np.ndarray
    first_factor: np.ndarray
    factors: np.ndarray


@lru_cache(maxsize=4)
def plan_walk(trees: Trees) -> Walk:
    """Return the walk of a model's trees, with every factor worked out once."""
    edges: list[tuple[int, int, bool, int, int, int, float]] = []
    starts, n_nodes = [0], []
    base = 0.0
    for tree in range(trees.n_trees):
        most_features = _add_edges(trees, tree, edges)
        starts.append(len(edges))
        n_nodes.append((most_features + 1) // 2)
        leaves = slice(trees.leaf_start[tree], trees.leaf_start[tree + 1])
        count = trees.leaf_count[leaves]
        base += float(trees.leaf_value[leaves] @ count) / float(count.sum())
    table = np.array(edges, dtype=np.float64).reshape(-1, 7)
    depth, split, goes_left, ancestor, ancestor_depth, leaf = table[:, :6].astype(np.int64).T
    cover = np.ascontiguousarray(table[:, 6])
    has = ancestor >= 0
    upper_cover = np.where(has, cover[ancestor], 1.0) if len(cover) else cover
    times, weights = _quadratures(max(n_nodes, default=1))
    per_edge = np.repeat(n_nodes, np.diff(starts)).astype(np.int64)
    factors = _factors(cover, upper_cover, has, ancestor, times[per_edge], weights[per_edge])
    is_own = np.arange(times.shape[1]) < per_edge[:, None]
    return Walk(
        base, np.array(starts), np.array(n_nodes), depth, split, goes_left > 0, ancestor_depth,
        leaf, cover, upper_cover, times, weights, np.cumsum(per_edge) - per_edge, factors[is_own],
    )  # fmt: skip


def _add_edges(
    trees: Trees, tree: int, edges: list[tuple[int, int, bool, int, int, int, float]]
) -> int:
    """Append one tree's edges in walking order; return the most distinct features of a path."""
    first, first_leaf = int(trees.node_start[tree]), int(trees.leaf_start[tree])
    if trees.node_start[tree + 1] == first:
        return 0
    most = 0
    # A pending edge: its split, side, depth, and the last edge of each feature above it.
    pending: list[tuple[int, bool, int, dict[int, int]]] = [(0, False, 1, {}), (0, True, 1, {})]
    while pending:
        node, is_left, depth, above = pending.pop()
        at = first + node
        child = int(trees.left[at] if is_left else trees.right[at])
        is_leaf = child < 0
        reached = trees.leaf_count[first_leaf + ~child] if is_leaf else trees.count[first + child]
        ratio = float(reached) / float(trees.count[at])
        feature = int(trees.feature[at])
        ancestor = above.get(feature, -1)
        if ancestor >= 0:
            ratio *= edges[ancestor][6]
        ancestor_depth = edges[ancestor][0] if ancestor >= 0 else 0
        leaf = first_leaf + ~child if is_leaf else -1
        below = {**above, feature: len(edges)}
        edges.append((depth, at, is_left, ancestor, ancestor_depth, leaf, ratio))
        if is_leaf:
            most = max(most, len(below))
        else:
            pending += [(child, False, depth + 1, below), (child, True, depth + 1, below)]
    return most


def _quadratures(most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `Walk.times` and `Walk.weights` for up to `most` nodes, filled up to `VECTOR`s."""
    size = -(-max(1, most) // VECTOR) * VECTOR
    times, weights = np.full((size + 1, size), 0.5), np.zeros((size + 1, size))
    for n in range(1, size + 1):
        nodes, node_weights = np.polynomial.legendre.leggauss(n)
        times[n, :n], weights[n, :n] = (nodes + 1) / 2, node_weights / 2
    return times, weights


def _factors(
    cover: np.ndarray,
    upper_cover: np.ndarray,
    has_upper: np.ndarray,
    ancestor: np.ndarray,
    t: np.ndarray,
    w: np.ndarray,
) -> np.ndarray:
    """Return each edge's factors, shape (n_edges, most nodes, 6), from its cover products."""
    z, upper, has = cover[:, None], upper_cover[:, None], has_upper[:, None]
    failing, passing = (1 - t) * z, t + (1 - t) * z
    upper_passing = np.where(has, t + (1 - t) * upper, 1.0)
    both_fail = np.where(has, z / upper, failing)
    only_upper = np.where(has, failing / upper_passing, failing)
    gain = (1 - z) * w / passing + w / (1 - t)
    upper_gain = np.where(has, gain[ancestor], 0.0) if len(cover) else gain
    return np.stack(
        [
            both_fail,
            only_upper - both_fail,
            passing / upper_passing - only_upper,
            np.where(has, 0.0, -w / (1 - t)),
            -upper_gain,
            gain,
        ],
        axis=2,
    )
