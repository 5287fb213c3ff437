"""When and how regularly council tax is paid, what bounced, and what it cost."""

from __future__ import annotations

from functools import partial

from earlyflag.features.declare import Family, Feature, Rows

_PAID = (Rows("council_tax_transactions", ("payment",), 12),)
_FAILED = (Rows("council_tax_transactions", ("failed_payment",)),)

_feature = partial(
    Feature,
    sources=("council_tax_transactions",),
    group="council_tax_payments",
    gateway="council_tax",
    sentence_missing="No council tax ledger is known",
    evidence=_PAID,
)

_SQL = """
SELECT household_id,
    payments_12m AS council_tax_payments_12m,
    days_since_payment AS days_since_council_tax_payment,
    (payments_12m > 0 AND payments_3m = 0)::INTEGER AS council_tax_payments_stopped_3m,
    sqrt(greatest(payment_days_squared_12m * payments_12m
        - payment_days_12m * payment_days_12m, 0)) / nullif(payments_12m, 0)
        AS council_tax_payment_spread_12m_days,
    payment_days_3m / nullif(payments_3m, 0)
        - (payment_days_12m - payment_days_3m) / nullif(payments_12m - payments_3m, 0)
        AS council_tax_payment_shift_3m_days,
    (paid_3m - (paid_6m - paid_3m)) / nullif(paid_6m - paid_3m, 0)
        AS council_tax_paid_growth_3m,
    failed_6m AS council_tax_failed_payments_6m,
    failed_12m AS council_tax_failed_payments_12m,
    days_since_failed AS days_since_council_tax_failed_payment,
    costs_24m AS council_tax_costs_24m_pence,
    days_since_costs AS days_since_council_tax_costs
FROM council_tax_ledger_at
"""


def _failed(months: int) -> Feature:
    return _feature(
        f"council_tax_failed_payments_{months}m",
        f"Council tax payments that bounced in {months} months",
        f"{{value:count:council tax payment:council tax payments}} bounced in {months} months",
        "count",
        months,
        monotone=1,
        sentence_zero=f"No council tax payment bounced in {months} months",
        evidence=(Rows("council_tax_transactions", ("failed_payment",), months),),
    )


def _costs(months: int) -> Feature:
    return _feature(
        f"council_tax_costs_{months}m_pence",
        f"Summons and order costs in {months} months",
        f"{{value:money}} of summons and order costs were added in {months} months",
        "pence",
        months,
        group="council_tax_recovery",
        monotone=1,
        sentence_zero=f"No summons or order costs were added in {months} months",
        sentence_negative=f"{{value:money}} of costs were taken back in {months} months",
        evidence=(Rows("council_tax_transactions", ("costs",), months),),
    )


FAMILY = Family(
    "council_tax_payments",
    "How council tax is paid",
    _SQL,
    ("council_tax_ledger_at",),
    (
        _feature(
            "council_tax_payments_12m",
            "Council tax payments in 12 months",
            "Made {value:count:council tax payment:council tax payments} in 12 months",
            "count",
            12,
            sentence_zero="Made no council tax payment in 12 months",
        ),
        _feature(
            "days_since_council_tax_payment",
            "Time since the last council tax payment",
            "Last paid council tax {value:days} ago",
            "days",
            None,
            sentence_missing="No council tax payment is known",
            evidence=(Rows("council_tax_transactions", ("payment",)),),
        ),
        _feature(
            "council_tax_payments_stopped_3m",
            "Council tax payments stopped",
            "Paid council tax within the year, but not in the last 3 months",
            "yes or no",
            3,
            sentence_zero="Council tax payments have not stopped",
        ),
        _feature(
            "council_tax_payment_spread_12m_days",
            "How much the day of payment varies",
            "The day of council tax payments varies by about {value:days}",
            "days",
            12,
            sentence_zero="Pays council tax on the same day each month",
            sentence_missing="No council tax payment is known in 12 months",
        ),
        _feature(
            "council_tax_payment_shift_3m_days",
            "Whether payments come later in the month than before",
            "Council tax payments come {value:days} later in the month than before",
            "days",
            12,
            sentence_zero="Council tax payments come on the same days as before",
            sentence_negative="Council tax payments come {value:days} earlier than before",
            sentence_missing="Too few council tax payments are known to compare their days",
        ),
        _feature(
            "council_tax_paid_growth_3m",
            "Council tax paid in 3 months against the 3 before",
            "Paid {value:percent} more council tax in 3 months than in the 3 before",
            "share",
            6,
            sentence_zero="Paid as much council tax in 3 months as in the 3 before",
            sentence_negative="Paid {value:percent} less council tax in 3 months than in the 3 "
            "before",
            sentence_missing="No council tax was paid 3 to 6 months ago to compare with",
        ),
        *(_failed(months) for months in (6, 12)),
        _feature(
            "days_since_council_tax_failed_payment",
            "Time since a council tax payment bounced",
            "A council tax payment bounced {value:days} ago",
            "days",
            None,
            sentence_missing="No bounced council tax payment is known",
            evidence=_FAILED,
        ),
        *(_costs(months) for months in (24,)),
        _feature(
            "days_since_council_tax_costs",
            "Time since summons or order costs",
            "Summons or order costs were added {value:days} ago",
            "days",
            None,
            group="council_tax_recovery",
            sentence_missing="No summons or order costs are known",
            evidence=(Rows("council_tax_transactions", ("costs",)),),
        ),
    ),
)
