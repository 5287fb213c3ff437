"""Growing columns: what the borough keeps of its homes, people and households, and its ledgers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

NO_DATE = np.iinfo(np.int32).min
NONE = -1


class Columns:
    """Named NumPy columns of one length that grow together.

    Parameters
    ----------
    fills : column -> (dtype, value of a new row, shape of one value)
    """

    def __init__(self, fills: Mapping[str, tuple[Any, Any, tuple[int, ...]]]) -> None:
        self._fills = dict(fills)
        self._columns = {
            name: np.full((64, *shape), fill, dtype) for name, (dtype, fill, shape) in fills.items()
        }
        self.length = 0

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, name: str) -> np.ndarray:
        """Return a column, of shape (rows, ...), as a view that may be written to."""
        return self._columns[name][: self.length]

    def append(self, count: int, **values: Any) -> np.ndarray:
        """Add `count` rows; columns that are not given take their fill. Return the row numbers."""
        start, end = self.length, self.length + count
        self._reserve(end)
        for name, value in values.items():
            self._columns[name][start:end] = value
        self.length = end
        return np.arange(start, end)

    def _reserve(self, needed: int) -> None:
        """Make room for `needed` rows, doubling so that growth stays cheap."""
        for name, column in self._columns.items():
            if len(column) >= needed:
                continue
            dtype, fill, shape = self._fills[name]
            larger = np.full((max(needed, 2 * len(column)), *shape), fill, dtype)
            larger[: self.length] = column[: self.length]
            self._columns[name] = larger


def scalar(dtype: Any, fill: Any) -> tuple[Any, Any, tuple[int, ...]]:
    """Declare a column of one number a row."""
    return dtype, fill, ()
