"""Compile a numeric kernel with numba, kept on disk where a place to write is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def inlined(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Return a piece of a kernel that is written into whatever compiled kernel calls it.

    There its arrays are known not to overlap, which the vector units need to know.
    """
    return numba.njit(inline="always", nogil=True, error_model="numpy")(kernel)


def compiled(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Return `kernel` compiled on its first call: no global lock, multiply-add contracted.

    Contraction alone is allowed of the fast-math liberties: missing values stay missing values.
    A read-only installation without a user cache compiles anew in each process instead of failing.
    """
    options = {"nogil": True, "fastmath": {"contract"}, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(kernel)
    except RuntimeError:  # numba found no folder that it may write to
        return numba.njit(**options)(kernel)
