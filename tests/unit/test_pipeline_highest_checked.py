"""The highest group of scores that was checked is published with the card."""

from __future__ import annotations

from typing import Any

from earlyflag.pipeline.documents import highest_checked


def group(expected: float, observed: float | None) -> dict[str, Any]:
    """One group of the reliability table."""
    return {
        "n": 81,
        "expected": expected,
        "observed": {"value": observed, "low": 0.1, "high": 0.5},
    }


def test_the_highest_group_that_may_be_printed_is_published() -> None:
    results = {"reliability": [group(0.01, 0.02), group(0.28, 0.35), group(0.6, None)]}
    assert highest_checked(results) == {
        "expected": 0.28,
        "observed": 0.35,
        "low": 0.1,
        "high": 0.5,
    }


def test_nothing_is_published_where_no_group_was_checked() -> None:
    assert highest_checked({"reliability": [group(0.6, None)]}) == {}
    assert highest_checked({}) == {}
