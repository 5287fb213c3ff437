"""A figure with its interval, and the bootstrap that gives it: households are drawn, not rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

LEVEL = 0.95
"""The share of bootstrap replicates that an interval covers."""

ROWS_IN_MEMORY = 16_000_000
"""How many (replicate, row) weights are held at once; 4 bytes each."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with the 95% interval of its bootstrap; NaN where it is not defined."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, value: float, replicates: np.ndarray) -> Estimate:
        """Return `value` with the percentile interval of its replicates, shape (n_replicates,)."""
        known = replicates[np.isfinite(replicates)]
        if not len(known):
            return cls(float(value), float("nan"), float("nan"))
        low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return cls(float(value), float(low), float(high))

    def as_json(self) -> dict[str, float | None]:
        """Return the three numbers, None for what is not defined."""
        named = {"value": self.value, "low": self.low, "high": self.high}
        return {key: float(each) if np.isfinite(each) else None for key, each in named.items()}

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True, slots=True)
class Resamples:
    """The same draws of households for every figure of a run, so that differences are paired.

    Attributes
    ----------
    households : shape (n_rows,); any labels, all rows of one household are drawn together
    replicates : how many draws
    seed : of the draws
    """

    households: np.ndarray
    replicates: int = 200
    seed: int = 20_260_701

    def counts(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield how often each household was drawn, (some replicates, n_households), and codes.

        The codes, shape (n_rows,), say which household a row belongs to.
        """
        _, codes = np.unique(self.households, return_inverse=True)
        n_households = int(codes.max()) + 1 if len(codes) else 0
        block = max(1, ROWS_IN_MEMORY // max(1, len(codes)))
        generator = np.random.default_rng(self.seed)
        for start in range(0, self.replicates, block):
            size = min(block, self.replicates - start)
            counts = np.empty((size, n_households), dtype=np.float32)
            for row in range(size):
                drawn = generator.integers(0, n_households, n_households)
                counts[row] = np.bincount(drawn, minlength=n_households)
            yield counts, codes

    def weights(self) -> Iterator[np.ndarray]:
        """Yield blocks of shape (some replicates, n_rows): how often each row was drawn."""
        for counts, codes in self.counts():
            yield counts[:, codes]


def once(n_rows: int) -> np.ndarray:
    """Return the weights of the sample itself, shape (1, n_rows)."""
    return np.ones((1, n_rows), dtype=np.float32)


def as_json(content: Any) -> Any:
    """Return nested results with every estimate, array and NumPy number as plain JSON content."""
    if isinstance(content, Estimate):
        return content.as_json()
    if isinstance(content, dict):
        return {str(key): as_json(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [as_json(value) for value in content]
    if isinstance(content, np.ndarray | np.generic):
        return as_json(content.tolist())
    return None if isinstance(content, float) and not np.isfinite(content) else content
