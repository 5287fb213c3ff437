"""The gate: what a model must show before it may serve. People decide; this says what they see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CARD_NEEDS = ("purpose", "not_for")
"""What the specification must say for the card to be finished."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of the gate and what it found."""

    name: str
    passes: bool
    sentence: str

    def as_json(self) -> dict[str, Any]:
        """Return it as plain content for the card and the registry."""
        return {"name": self.name, "passes": self.passes, "sentence": self.sentence}


def findings(
    results: Mapping[str, Any],
    *,
    card: str | None,
    champion: Mapping[str, Any] | None = None,
) -> tuple[Finding, ...]:
    """Return every check of the gate.

    Parameters
    ----------
    results : what training found, with the specification whose bounds were set before training
    card : the card's Markdown, None if it was not written
    champion : the results of the version that serves now, with its `version`; `damaged` says why
        it has none

    Notes
    -----
    Against the champion the paired comparison on the same rows decides (`modelling.against`).
    Only where there is none are the two held against each other on their own test cut-offs.
    """
    rules = results["specification"]["promotion"]
    return (
        _beats_rules(results),
        _champion(results, champion),
        *_calibration(results, rules),
        *_fairness(results, rules),
        *_leakage(results),
        _card(results["specification"], card),
    )


def _beats_rules(results: Mapping[str, Any]) -> Finding:
    best = results.get("best_rule")
    if best is None:
        return Finding("best_rule", True, "No simple rule could be computed to compare with.")
    difference = best["difference"]
    passes = difference["low"] is not None and difference["low"] > 0
    words = "beats" if passes else "does not beat"
    return Finding(
        "best_rule",
        passes,
        f"It {words} the best simple rule ({best['title']}) beyond noise: average precision "
        f"{_range(difference)} more.",
    )


def _champion(results: Mapping[str, Any], champion: Mapping[str, Any] | None) -> Finding:
    if champion is None:
        return Finding("champion", True, "There is no other champion to compare with.")
    version = champion["version"]
    if "damaged" in champion:
        return Finding(
            "champion",
            False,
            f"Champion {version} cannot be compared with: {champion['damaged']}",
        )
    paired = (results.get("against_champion") or {}).get(version)
    if paired is not None and paired["difference"] is not None:
        worse = paired["difference"]["high"] is not None and paired["difference"]["high"] < 0
        return Finding(
            "champion",
            not worse,
            f"Average precision minus champion {version}'s is {_range(paired['difference'])}"
            f"{': it is worse beyond noise' if worse else ''}. {paired['sentence']}",
        )
    own = results["performance"]["average_precision"]
    other = champion["performance"]["average_precision"]
    worse = own["high"] is not None and other["low"] is not None and own["high"] < other["low"]
    why = f" {paired['sentence']}" if paired else ""
    return Finding(
        "champion",
        not worse,
        f"Average precision {_range(own)} against champion {version}'s {_range(other)}, "
        f"on their own test cut-offs{'; it is worse beyond noise' if worse else ''}.{why}",
    )


def _calibration(results: Mapping[str, Any], rules: Mapping[str, Any]) -> list[Finding]:
    found = []
    bounds = {
        "observed_over_expected": rules["observed_over_expected"],
        "slope": rules["calibration_slope"],
    }
    for name, (low, high) in bounds.items():
        figure = results["calibration"][name]
        value = figure["value"]
        # Noise excuses: only an interval wholly outside the bounds breaks them.
        outside = (
            value is None
            or (figure["low"] is not None and figure["low"] > high)
            or (figure["high"] is not None and figure["high"] < low)
        )
        words = name.replace("_", " ")
        found.append(
            Finding(
                f"calibration_{name}",
                not outside,
                f"Calibration: {words} is {_range(figure)} (bounds {low:g} to {high:g}).",
            )
        )
    return found


def _fairness(results: Mapping[str, Any], rules: Mapping[str, Any]) -> list[Finding]:
    """Check each characteristic: no group's recall or calibration out of bounds beyond noise."""
    found = []
    low_bound, high_bound = rules["group_calibration"]
    for name, content in results["fairness"].items():
        wrong = []
        overall = results["performance"][f"recall_at_{results['capacity']}"]["value"] or 0.0
        for group in content["groups"]:
            recall, ratio = group.get("recall"), group.get("observed_over_expected")
            if recall and _below(recall, rules["recall_ratio_at_least"] * overall):
                wrong.append(f"{group['group']} (recall {_range(recall)})")
            if ratio and (_below(ratio, low_bound) or _above(ratio, high_bound)):
                wrong.append(f"{group['group']} (observed over expected {_range(ratio)})")
        if wrong:
            found.append(
                Finding(
                    f"fairness_{name}",
                    False,
                    f"Fairness by {name.replace('_', ' ')} is out of bounds for "
                    f"{', '.join(wrong[:4])}.",
                )
            )
    if not results["fairness"]:
        return [Finding("fairness", True, "Not checked: the data name no group to compare.")]
    return found or [Finding("fairness", True, "No group is out of the fairness bounds.")]


def _leakage(results: Mapping[str, Any]) -> list[Finding]:
    return [
        Finding(f"leakage_{alarm['name']}", not alarm["rings"], alarm["sentence"])
        for alarm in results["leakage"]
    ]


def _card(specification: Mapping[str, Any], card: str | None) -> Finding:
    blank = [name for name in CARD_NEEDS if not _said(specification.get(name))]
    if card is None:
        return Finding("card", False, "Its model card was not written.")
    if blank:
        return Finding(
            "card",
            False,
            f"Its card is unfinished: the specification says nothing under {', '.join(blank)}.",
        )
    return Finding("card", True, "Its card is finished.")


def _said(content: Any) -> bool:
    """Return whether a text, or every text of a list of at least one, says something."""
    texts = [content] if isinstance(content, str) else list(content or ())
    return bool(texts) and all(str(each).strip() for each in texts)


def _below(figure: Mapping[str, Any], bound: float) -> bool:
    return figure["high"] is not None and figure["high"] < bound


def _above(figure: Mapping[str, Any], bound: float) -> bool:
    return figure["low"] is not None and figure["low"] > bound


def _range(figure: Mapping[str, Any]) -> str:
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None:
        return "not defined"
    if low is None or high is None:
        return f"{value:.3f}"
    return f"{value:.3f} ({low:.3f} to {high:.3f})"
