"""Instalments that the debt reaches back over, charges and payments month by month.

An instalment counts as missed when the credits so far do not cover it, counted back from the
newest: the debt covers the newest instalments first, so an instalment is missed when the sum of all
later ones is still below the debt. That says how far the debt reaches, not which instalments went
unpaid: an old debt counts although each of the newest was paid on its day. The sentences say no
more than this, and no day.
"""

from __future__ import annotations

from functools import partial

from earlyflag.features.declare import Family, Feature, Rows
from earlyflag.features.ledgers import LAGS, YEAR

INSTALMENTS = "instalments"
"""A debt counted in instalments: not a count of events, of which the newest would have a day."""

_feature = partial(
    Feature,
    sources=("council_tax_transactions",),
    group="council_tax_instalments",
    gateway="council_tax",
    sentence_missing="No council tax ledger is known",
    evidence=(Rows("council_tax_transactions", rule="uncovered"),),
)


def _missed(months: int) -> str:
    """Return SQL for the instalments of the last months that the debt reaches."""
    terms = []
    for month in YEAR[:months]:
        later = " + ".join(["0", *(f"charge_lag{m}" for m in YEAR[: month - 1])])
        terms.append(f"CASE WHEN balance_all > {later} THEN dues_lag{month} ELSE 0 END")
    return " + ".join(terms)


def _unpaid(months: int) -> str:
    """Return SQL for the months with an instalment due and nothing paid."""
    return " + ".join(f"(charge_lag{m} > 0 AND paid_lag{m} <= 0)::INTEGER" for m in YEAR[:months])


def _lagged(fact: str) -> str:
    """Return SQL for single months, not known before the ledger began."""
    return ",\n    ".join(
        f"CASE WHEN {'rows_all' if m == 1 else f'rows_end{m - 1}'} > 0 THEN {fact}_lag{m} END "
        f"AS council_tax_{fact}_pence_lag{m}"
        for m in LAGS
    )


_SQL = f"""
SELECT household_id,
    {_missed(3)} AS council_tax_instalments_missed_3m,
    {_missed(6)} AS council_tax_instalments_missed_6m,
    {_missed(12)} AS council_tax_instalments_missed_12m,
    dues_12m AS council_tax_instalments_due_12m,
    {_unpaid(3)} AS council_tax_months_without_payment_3m,
    {_unpaid(6)} AS council_tax_months_without_payment_6m,
    {_unpaid(12)} AS council_tax_months_without_payment_12m,
    paid_3m / nullif(charge_3m, 0) AS council_tax_paid_share_3m,
    paid_6m / nullif(charge_6m, 0) AS council_tax_paid_share_6m,
    paid_12m / nullif(charge_12m, 0) AS council_tax_paid_share_12m,
    paid_lag1 / nullif(charge_lag2, 0) AS council_tax_paid_share_last_bill,
    {_lagged("charge")},
    {_lagged("paid")}
FROM council_tax_ledger_at
"""


def _months_missed(months: int) -> Feature:
    return _feature(
        f"council_tax_instalments_missed_{months}m",
        f"Council tax instalments of {months} months that the debt reaches back over",
        "Owes council tax that reaches back over {value:count:instalment:instalments} of the last "
        f"{months} months",
        INSTALMENTS,
        months,
        monotone=1,
        actionable=True,
        helpful=0.0,
        sentence_zero=f"Owes nothing of the council tax instalments of the last {months} months",
    )


def _months_unpaid(months: int) -> Feature:
    return _feature(
        f"council_tax_months_without_payment_{months}m",
        f"Months with council tax due and none paid, of the last {months}",
        f"Paid no council tax in {{value:count:month:months}} of the last {months} when it was due",
        "count",
        months,
        monotone=1,
        sentence_zero=f"Paid council tax in every month it was due in the last {months}",
        evidence=(Rows("council_tax_transactions", ("charge", "payment"), months),),
    )


def _share(months: int) -> Feature:
    return _feature(
        f"council_tax_paid_share_{months}m",
        f"Share of the council tax due in {months} months that was paid",
        f"Paid {{value:percent}} of the council tax due in the last {months} months",
        "share",
        months,
        sentence_zero=f"Paid none of the council tax due in the last {months} months",
        sentence_negative=f"More council tax bounced than was paid in the last {months} months",
        sentence_missing=f"No council tax fell due in the last {months} months",
        evidence=(
            Rows("council_tax_transactions", ("charge", "payment", "failed_payment"), months),
        ),
    )


def _month(fact: str, verb: str, month: int) -> Feature:
    ago = "in the last month" if month == 1 else f"in the month {month} months before"
    return _feature(
        f"council_tax_{fact}_pence_lag{month}",
        f"Council tax {verb} {ago}",
        f"{{value:money}} of council tax was {verb} {ago}",
        "pence",
        month,
        sentence_zero=f"No council tax was {verb} {ago}",
        sentence_negative=f"{{value:money}} of council tax {verb} was taken back {ago}",
        sentence_missing=f"Council tax {verb} {ago} is not known",
        evidence=(
            Rows(
                "council_tax_transactions",
                ("charge",) if fact == "charge" else ("payment", "failed_payment"),
                month,
                until_months=month - 1,
            ),
        ),
    )


FAMILY = Family(
    "council_tax_instalments",
    "Council tax instalments",
    _SQL,
    ("council_tax_ledger_at",),
    (
        *(_months_missed(months) for months in (3, 6, 12)),
        _feature(
            "council_tax_instalments_due_12m",
            "Council tax instalments due in 12 months",
            "{value:count:council tax instalment:council tax instalments} fell due in 12 months",
            "count",
            12,
            sentence_zero="No council tax instalment fell due in 12 months",
            evidence=(Rows("council_tax_transactions", ("charge",), 12),),
        ),
        *(_months_unpaid(months) for months in (3, 6, 12)),
        *(_share(months) for months in (3, 6, 12)),
        _feature(
            "council_tax_paid_share_last_bill",
            "Share of the instalment before last that was paid in the last month",
            "Paid {value:percent} of the earlier month's council tax in the last month",
            "share",
            3,
            sentence_zero="Paid none of the earlier month's council tax in the last month",
            sentence_negative="More council tax bounced than was paid in the last month",
            sentence_missing="No council tax fell due in the month before last",
            evidence=(Rows("council_tax_transactions", ("charge", "payment"), 3),),
        ),
        *(_month("charge", "due", month) for month in LAGS),
        *(_month("paid", "paid", month) for month in LAGS),
    ),
)
