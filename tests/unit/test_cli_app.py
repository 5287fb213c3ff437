"""The command line's own rules."""

from __future__ import annotations

import pytest

from earlyflag.cli.app import home_first


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (["score", "--home", "x", "--as-of", "latest"],
         ["--home", "x", "score", "--as-of", "latest"]),
        (["score", "--home=x"], ["--home=x", "score"]),
        (["--home", "x", "link"], ["--home", "x", "link"]),
        (["link"], ["link"]),
        (["score", "--home"], ["score", "--home"]),
        (["synth", "--", "--home", "x"], ["synth", "--", "--home", "x"]),
    ],
)  # fmt: skip
def test_home_may_stand_anywhere(written, read):
    assert home_first(written) == read
