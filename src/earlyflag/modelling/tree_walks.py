"""The compiled walks behind `shapley`: many rows side by side, or one row and many nodes.

What the arguments mean stands with `shapley.Walk` and `trees.Trees`.
"""

from __future__ import annotations

import numpy as np

from earlyflag.modelling.compiled import compiled, inlined
from earlyflag.modelling.trees import MISSING_NAN, below, in_categories

VECTOR = 8
"""Numbers that the widest vector units take at once; blocks and nodes are filled up to it."""


@compiled
def walk(
    rows, result, feature, threshold, missing, default_left, category_start, category_end,
    category_words, leaf_value, tree_start, n_nodes, depth, split, goes_left, ancestor_depth,
    leaf, first_factor, factors, block,
):  # fmt: skip
    """Walk every tree with a block of rows at a time (see `shapley`)."""
    n_rows, n_features = rows.shape
    deepest = depth.max() if len(depth) else 1
    most = n_nodes.max() if len(n_nodes) else 1
    values, phi = np.zeros((n_features, block)), np.zeros((n_features, block))
    down, up = np.ones((deepest + 1, most, block)), np.zeros((deepest + 1, most, block))
    passed, went_left = np.zeros((deepest + 1, block)), np.zeros((deepest + 1, block))
    open_edge = np.zeros(deepest + 1, dtype=np.int64)
    for start in range(0, n_rows, block):
        size = min(block, n_rows - start)
        values[:, :size] = rows[start : start + size].T
        phi[:] = 0.0
        for tree in range(len(tree_start) - 1):
            n = n_nodes[tree]
            top = 0
            for edge in range(tree_start[tree], tree_start[tree + 1]):
                here, at, upper = depth[edge], split[edge], ancestor_depth[edge]
                while top >= here:
                    done = open_edge[top]
                    own = feature[split[done]]
                    first = first_factor[done]
                    _close(up, top, phi, own, passed, ancestor_depth[done], factors, first, n)
                    top -= 1
                first = first_factor[edge]
                if goes_left[edge]:
                    _take_sides(
                        values, feature[at], threshold[at], missing[at], default_left[at],
                        category_words[category_start[at] : category_end[at]],
                        went_left, here - 1,
                    )  # fmt: skip
                _pass(went_left, goes_left[edge], passed, here, upper)
                if leaf[edge] >= 0:
                    value = leaf_value[leaf[edge]]
                    _add_leaf(
                        value, down, up, here, phi, feature[at], passed, upper, factors, first, n
                    )
                else:
                    top = here
                    open_edge[top] = edge
                    _open(down, up, here, passed, upper, factors, first, n)
            while top > 0:
                done = open_edge[top]
                own, first = feature[split[done]], first_factor[done]
                _close(up, top, phi, own, passed, ancestor_depth[done], factors, first, n)
                top -= 1
        result[start : start + size] = phi[:, :size].T


# The pieces below take whole arrays and places in them: a slice would count references.


@compiled
def _take_sides(values, own, threshold, missing, default_left, words, went_left, above):
    """Note with 1 each row that a split sends left, with 0 each that it sends right."""
    if len(words) > 0:
        for row in range(values.shape[1]):
            went_left[above, row] = 1.0 if in_categories(values[own, row], words) else 0.0
    elif missing == MISSING_NAN:  # the usual case, written for the vector units
        default = 1.0 if default_left else 0.0
        for row in range(values.shape[1]):
            known = 1.0 if values[own, row] <= threshold else 0.0
            went_left[above, row] = default if np.isnan(values[own, row]) else known
    else:
        for row in range(values.shape[1]):
            is_left = below(values[own, row], threshold, missing, default_left)
            went_left[above, row] = 1.0 if is_left else 0.0


@compiled
def _pass(went_left, goes_left, passed, here, upper):
    """Note which rows pass all of the path's splits on the edge's feature, this one included."""
    for row in range(passed.shape[1]):
        side = went_left[here - 1, row]
        passed[here, row] = side if goes_left else 1.0 - side
    if upper > 0:
        for row in range(passed.shape[1]):
            passed[here, row] *= passed[upper, row]


@inlined
def _open(down, up, here, passed, upper, factors, first, n):
    """Go down an edge to a split: multiply the path's product, start the subtree's sums."""
    for q in range(n):
        factor, with_old, with_new = (
            factors[first + q, 0],
            factors[first + q, 1],
            factors[first + q, 2],
        )
        for row in range(passed.shape[1]):
            old, new = passed[upper, row], passed[here, row]
            up[here, q, row] = 0.0
            down[here, q, row] = down[here - 1, q, row] * (factor + with_old * old + with_new * new)


@inlined
def _add_leaf(value, down, up, here, phi, own, passed, upper, factors, first, n):
    """Go down an edge to a leaf: hand its part to the edge's feature and to the sums above."""
    for q in range(n):
        factor, with_old, with_new = (
            factors[first + q, 0],
            factors[first + q, 1],
            factors[first + q, 2],
        )
        loss, old_gain, gain = factors[first + q, 3], factors[first + q, 4], factors[first + q, 5]
        for row in range(passed.shape[1]):
            old, new = passed[upper, row], passed[here, row]
            part = value * down[here - 1, q, row] * (factor + with_old * old + with_new * new)
            phi[own, row] += part * (loss + old_gain * old + gain * new)
            up[here - 1, q, row] += part


@inlined
def _close(up, here, phi, own, passed, upper, factors, first, n):
    """Come up an edge whose subtree is done: hand its sums to the feature and to those above."""
    for q in range(n):
        loss, old_gain, gain = factors[first + q, 3], factors[first + q, 4], factors[first + q, 5]
        for row in range(passed.shape[1]):
            old, new = passed[upper, row], passed[here, row]
            phi[own, row] += up[here, q, row] * (loss + old_gain * old + gain * new)
            up[here - 1, q, row] += up[here, q, row]


@compiled
def walk_one_by_one(  # noqa: PLR0912 - its loops share arrays that only one function may hold
    rows, result, feature, threshold, missing, default_left, category_start, category_end,
    category_words, leaf_value, tree_start, n_nodes, depth, split, goes_left, ancestor_depth,
    leaf, cover, upper_cover, times, weights,
):  # fmt: skip
    """Walk every tree with one row at a time, `VECTOR` of the quadrature's nodes side by side.

    The same sums as `walk`, but each edge's factors are worked out where they are needed: one row
    would wait longer for a table of them than for the few divisions. A tree with more nodes than
    `VECTOR` is walked again for the rest; nodes beyond a tree's own have weight 0 and add nothing.
    """
    deepest = depth.max() if len(depth) else 1
    down, up = np.ones((deepest + 1, VECTOR)), np.zeros((deepest + 1, VECTOR))
    gain = np.zeros((deepest + 1, VECTOR))
    passed, own = np.ones(deepest + 1), np.zeros(deepest + 1, dtype=np.int64)
    went_left = np.zeros(deepest + 1)
    t, w = np.zeros(VECTOR), np.zeros(VECTOR)
    phi = np.zeros((rows.shape[1], VECTOR))
    for row in range(rows.shape[0]):
        phi[:] = 0.0
        for tree in range(len(tree_start) - 1):
            n = n_nodes[tree]
            for first_node in range(0, n, VECTOR):
                t[:] = times[n, first_node : first_node + VECTOR]
                w[:] = weights[n, first_node : first_node + VECTOR]
                top = 0
                for edge in range(tree_start[tree], tree_start[tree + 1]):
                    here, at, upper = depth[edge], split[edge], ancestor_depth[edge]
                    while top >= here:
                        _close_one(up, gain, phi, own[top], top)
                        top -= 1
                    mine = feature[at]
                    if goes_left[edge]:
                        value = rows[row, mine]
                        if category_end[at] > category_start[at]:
                            words = category_words[category_start[at] : category_end[at]]
                            is_left = in_categories(value, words)
                        else:
                            is_left = below(value, threshold[at], missing[at], default_left[at])
                        went_left[here - 1] = 1.0 if is_left else 0.0
                        new = went_left[here - 1]
                    else:
                        new = 1.0 - went_left[here - 1]
                    if upper > 0:
                        old = passed[upper]
                        new *= old
                        _again(down, gain, here, t, w, new, cover[edge], old, upper_cover[edge])
                    else:
                        _first_time(down, gain, here, t, w, new, cover[edge])
                    if leaf[edge] >= 0:
                        _add_leaf_one(leaf_value[leaf[edge]], down, up, gain, phi, mine, here)
                    else:
                        top = here
                        passed[here], own[here] = new, mine
                        for q in range(VECTOR):
                            up[here, q] = 0.0
                while top > 0:
                    _close_one(up, gain, phi, own[top], top)
                    top -= 1
        for place in range(rows.shape[1]):
            result[row, place] = phi[place].sum()


@inlined
def _first_time(down, gain, here, t, w, new, z):
    """Go down an edge whose feature no split above has: multiply the product, note the weight."""
    if new > 0.0:
        for q in range(VECTOR):
            factor = t[q] + (1.0 - t[q]) * z
            gain[here, q] = (1.0 - z) * w[q] / factor
            down[here, q] = down[here - 1, q] * factor
    else:
        for q in range(VECTOR):
            gain[here, q] = -w[q] / (1.0 - t[q])
            down[here, q] = down[here - 1, q] * ((1.0 - t[q]) * z)


@inlined
def _again(down, gain, here, t, w, new, z, old, upper_z):
    """Go down an edge whose feature was split on above: its factor takes the upper one's place."""
    for q in range(VECTOR):
        factor = t[q] * new + (1.0 - t[q]) * z
        upper = t[q] * old + (1.0 - t[q]) * upper_z
        gain[here, q] = (new - z) * w[q] / factor - (old - upper_z) * w[q] / upper
        down[here, q] = down[here - 1, q] * (factor / upper)


@inlined
def _add_leaf_one(value, down, up, gain, phi, mine, here):
    """Hand a leaf's part to its edge's feature and to the sums above."""
    for q in range(VECTOR):
        part = value * down[here, q]
        phi[mine, q] += part * gain[here, q]
        up[here - 1, q] += part


@inlined
def _close_one(up, gain, phi, mine, here):
    """Come up an edge whose subtree is done: hand its sums to the feature and to those above."""
    for q in range(VECTOR):
        phi[mine, q] += up[here, q] * gain[here, q]
        up[here - 1, q] += up[here, q]
