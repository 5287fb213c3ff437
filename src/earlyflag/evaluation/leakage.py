"""Alarms for a model that is too good: it may know what it could not have known."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Alarm:
    """One check and what it found; `rings` is true where it should stop a promotion."""

    name: str
    rings: bool
    sentence: str


def single_feature(shares: dict[str, float], limit: float) -> Alarm:
    """Ring if one feature carries more than `limit` of the model.

    `shares` are shares of the mean absolute contribution, by feature.
    """
    name = max(shares, key=lambda each: shares[each]) if shares else "no feature"
    share = shares.get(name, 0.0)
    return Alarm(
        "single_feature",
        share > limit,
        f"{name} carries {share:.0%} of the model (limit {limit:.0%}).",
    )


def plausible_auc(auc: float, ceiling: float) -> Alarm:
    """Ring if the model separates better than anything that only the past knows could."""
    return Alarm(
        "auc_ceiling", auc > ceiling, f"AUC is {auc:.3f} (plausible ceiling {ceiling:.2f})."
    )


def delayed_features(now: float | None, delayed: float | None, keeps: float) -> Alarm:
    """Ring if average precision collapses when every feature is a month older.

    An honest signal builds up over months; one that leaks sits in the last days.
    """
    if now is None or delayed is None or now <= 0:
        return Alarm(
            "delayed_features",
            False,
            "Not checked: no features of one month before the test cut-offs were given.",
        )
    share = delayed / now
    return Alarm(
        "delayed_features",
        share < keeps,
        f"With features one month older, {share:.0%} of the average precision remains "
        f"(at least {keeps:.0%} expected).",
    )


def above_oracle(low: float | None) -> Alarm:
    """Ring if the model beats the synthetic borough's oracle beyond noise.

    `low` is the lower end of the interval of the model's average precision minus the oracle's.
    """
    if low is None:
        return Alarm("above_oracle", False, "Not checked: real data have no oracle.")
    return Alarm(
        "above_oracle",
        low > 0,
        f"Average precision minus the oracle's is at least {low:+.3f} (must not exceed 0).",
    )
