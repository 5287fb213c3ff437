"""How a step tells how far it is, without knowing who listens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Step(Protocol):
    """One step while it runs."""

    def advance(self, amount: float = 1.0) -> None:
        """Move forward by `amount` of the total."""
        ...

    def expect(self, total: float) -> None:
        """Say what the whole is, once it is known."""
        ...

    def wrote(self, outcome: str) -> None:
        """Say in one sentence what the step wrote."""
        ...


class Progress(Protocol):
    """Shows steps as they run."""

    def step(self, name: str, total: float | None = None) -> AbstractContextManager[Step]:
        """Show one step while its block runs."""
        ...


class _SilentStep:
    def advance(self, amount: float = 1.0) -> None:
        """Do nothing."""

    def expect(self, total: float) -> None:
        """Do nothing."""

    def wrote(self, outcome: str) -> None:
        """Do nothing."""


class Silent:
    """Shows nothing; for calls from notebooks, tests and other programs."""

    @contextmanager
    def step(self, name: str, total: float | None = None) -> Iterator[Step]:
        """Run the block."""
        yield _SilentStep()
