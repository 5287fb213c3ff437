"""The time of an answer tells nothing of what was found."""

from __future__ import annotations

import pytest

from earlyflag.web.pacing import BEAT_SECONDS, on_the_beat


class Watch:
    """A clock that only work and waiting move."""

    def __init__(self) -> None:
        self.now = 100.0

    def read(self) -> float:
        return self.now

    def let_pass(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(
    ("work", "beats"), [(0.0, 1), (0.006, 1), (0.009, 1), (0.049, 1), (0.051, 2), (0.12, 3)]
)
def test_work_of_any_length_ends_on_a_beat(work: float, beats: int) -> None:
    watch = Watch()
    with on_the_beat(watch.read, watch.let_pass):
        watch.let_pass(work)
    assert watch.now == pytest.approx(100.0 + beats * BEAT_SECONDS)
