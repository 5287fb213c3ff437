"""Answers whose time tells nothing: an alert takes longer where it finds a household."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

BEAT_SECONDS = 0.05
"""Several times as long as an alert takes, whatever it finds."""


@contextmanager
def on_the_beat(
    clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> Iterator[None]:
    """Let what stands inside end a whole number of beats after it began.

    Enter it outside of the transaction, so that nobody waits for the lock meanwhile, and on a
    thread that may sleep.
    """
    began = clock()
    yield
    sleep(BEAT_SECONDS - (clock() - began) % BEAT_SECONDS)
