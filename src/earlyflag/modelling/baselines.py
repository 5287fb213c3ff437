"""The rules that a model must beat: each lists households by one thing an officer can see.

The last two are what a London borough used for rent arrears: the priority score that it published
and later dropped, and the next-action ladder that replaced it. Both work on the rent account.
A rule whose features the data lack is left out, and the run says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

Values = Mapping[str, np.ndarray]

PENCE = 100.0
DAYS_IN_MONTH = 30.4
A_RUNG = 1e7
LOWEST = -1e18
"""The place of a household for which the rule knows nothing: last, tied."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A simple rule.

    Attributes
    ----------
    uses : the features it reads, of the catalogue or of `features.RULE_FAMILIES`
    rule : from their values, each of shape (n_rows,), to a score, higher is listed first
    """

    name: str
    title: str
    uses: tuple[str, ...]
    rule: Callable[[Values], np.ndarray] | None = None

    def score(self, values: Values, households: np.ndarray, as_of: np.ndarray) -> np.ndarray:
        """Return the rule's score of each row; unknown values come last."""
        if self.rule is None:
            seed = [len(households), int(households.astype(np.int64).sum() % 2**31)]
            return np.random.default_rng(seed).random(len(households))
        return np.nan_to_num(self.rule(values), nan=LOWEST)


def _largest(name: str) -> Callable[[Values], np.ndarray]:
    return lambda values: values[name]


def declared_rules(rules: Mapping[str, str]) -> tuple[Rule, ...]:
    """Return the rules that a specification declares: listed by the largest value of a feature."""
    return tuple(
        Rule(name, f"Largest {feature}", (feature,), _largest(feature))
        for name, feature in rules.items()
    )


def dropped_score(values: Values) -> np.ndarray:
    """Return the arrears priority score that a London borough published and later dropped.

    score = 1.2 x balance + 1.5 x days in arrears + d x floor(d / 7) for d days since the last
    payment + change in the last three payments + 5 x absolute change in the days between payments
    + 50 x broken agreements (+ 50 above 3) + 100 for an active agreement + 20 / 50 for a notice
    in the last year / month; shown = round((score - balance) / 10). Money is in pounds, payments
    as the ledger has them, negative: who pays less each time goes up. Where fewer than three
    payments are known, the terms on them are 0.
    """
    known = {name: np.nan_to_num(column) for name, column in values.items()}
    balance = known["rent_balance_pence"] / PENCE
    quiet = known["days_since_rent_payment"]
    broken = known["rule_rent_arrangements_broken"]
    score = (
        1.2 * balance
        + 1.5 * known["rule_rent_days_in_arrears"]
        + quiet * np.floor(quiet / 7)
        + known["rule_rent_payment_change_pence"] / PENCE
        + 5 * np.abs(known["rule_rent_payment_gap_change_days"])
        + 50 * broken
        + 50 * (broken > 3)
        + 100 * (known["rent_arrangement_kept"] > 0)
        + 20 * (known["tenancy_notices_12m"] > 0)
        + 50 * (values["days_since_tenancy_notice"] <= DAYS_IN_MONTH)
    )
    shown = np.round((score - balance) / 10)
    return np.where(np.isnan(values["rent_balance_pence"]), np.nan, shown)


def ladder(values: Values) -> np.ndarray:
    """Return the place on the next-action ladder, within a rung by balance.

    Message at £5, letter 1 at £10, letter 2 fourteen days later (told by a first letter sent or a
    month that ended with rent owed), notice at four weeks' gross rent, then court warning,
    application and warrant as they were reached.
    """
    known = {name: np.nan_to_num(column) for name, column in values.items()}
    balance = known["rent_balance_pence"] / PENCE
    a_fortnight = (known["rent_arrears_letters_3m"] > 0) | (known["rent_months_owing_6m"] > 1)
    reached = known["possession_stage_24m"]
    rung = np.zeros(len(balance))
    rung[balance >= 5] = 1
    rung[balance >= 10] = 2
    rung[(balance >= 10) & a_fortnight] = 3
    rung[known["rent_arrears_weeks"] >= 4] = 4
    rung = np.maximum(rung, np.where((reached > 0) & (balance >= 5), 1 + reached, 0))
    score = rung * A_RUNG + np.clip(balance, -A_RUNG / 10, A_RUNG / 10)
    return np.where(np.isnan(values["rent_balance_pence"]), np.nan, score)


RULES = (
    Rule("random", "Random", ()),
    Rule(
        "largest_debt",
        "Largest council tax debt",
        ("council_tax_balance_pence",),
        _largest("council_tax_balance_pence"),
    ),
    Rule(
        "furthest_stage",
        "Furthest council tax recovery stage",
        ("council_tax_recovery_stage_12m",),
        _largest("council_tax_recovery_stage_12m"),
    ),
    Rule(
        "rent_weeks",
        "Most weeks of rent arrears",
        ("rent_arrears_weeks",),
        _largest("rent_arrears_weeks"),
    ),
    Rule(
        "missed_instalments",
        "Most missed council tax instalments",
        ("council_tax_instalments_missed_6m",),
        _largest("council_tax_instalments_missed_6m"),
    ),
    Rule(
        "ward_rate",
        "The ward's rate of duties",
        ("ward_duty_rate_12m",),
        _largest("ward_duty_rate_12m"),
    ),
    Rule(
        "dropped_score",
        "Arrears priority score (published, later dropped)",
        (
            "rent_balance_pence",
            "days_since_rent_payment",
            "rent_arrangement_kept",
            "tenancy_notices_12m",
            "days_since_tenancy_notice",
            "rule_rent_days_in_arrears",
            "rule_rent_payment_change_pence",
            "rule_rent_payment_gap_change_days",
            "rule_rent_arrangements_broken",
        ),
        dropped_score,
    ),
    Rule(
        "ladder",
        "Next-action ladder",
        (
            "rent_balance_pence",
            "rent_arrears_weeks",
            "rent_months_owing_6m",
            "rent_arrears_letters_3m",
            "possession_stage_24m",
        ),
        ladder,
    ),
)
