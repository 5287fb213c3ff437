"""Progress on a terminal: one bar a step, then one line that says what the step wrote."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from earlyflag.pipeline.progress import Step


class TerminalStep:
    """A step with a bar; in a pipe or a log file only its last line is printed."""

    def __init__(self, bars: Progress, name: str, total: float | None) -> None:
        self._bars = bars
        self._task = bars.add_task(f"{name:<10}", total=total)
        self.outcome = ""

    def advance(self, amount: float = 1.0) -> None:
        """Move the bar forward."""
        self._bars.advance(self._task, amount)

    def expect(self, total: float) -> None:
        """Say how far the bar has to go, once it is known."""
        self._bars.update(self._task, total=total)

    def wrote(self, outcome: str) -> None:
        """Keep the sentence to print when the step ends."""
        self.outcome = outcome


class TerminalProgress:
    """Draws steps on standard error, so that standard output stays free for results."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)

    @contextmanager
    def step(self, name: str, total: float | None = None) -> Iterator[Step]:
        """Show one step while its block runs."""
        started = time.monotonic()
        bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        # A live bar in a pipe or a log would leave blank lines and nothing else.
        with bars if self._console.is_terminal else nullcontext():
            step = TerminalStep(bars, name, total)
            yield step
        seconds = time.monotonic() - started
        self._console.print(
            f"[green]✓[/] {name:<10} {seconds:6.1f} s  {step.outcome}", soft_wrap=True
        )
