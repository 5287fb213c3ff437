"""What is owed in council tax, and how that has moved."""

from __future__ import annotations

from functools import partial

from earlyflag.features.declare import Family, Feature, Rows
from earlyflag.features.ledgers import LAGS, YEAR

_feature = partial(
    Feature,
    sources=("council_tax_transactions",),
    group="council_tax_arrears",
    gateway="council_tax",
    sentence_missing="No council tax ledger is known",
    evidence=(Rows("council_tax_transactions", months=6, rule="balance"),),
)

_OWING_6 = " + ".join(f"(balance_end{m} > 0)::INTEGER" for m in YEAR[:5])
_OWING_12 = " + ".join(f"(balance_end{m} > 0)::INTEGER" for m in YEAR[:11])
_PEAK = ", ".join(["balance_all", *(f"balance_end{m}" for m in YEAR[:11])])
_LAGGED = ",\n    ".join(
    f"CASE WHEN rows_end{m} > 0 THEN balance_end{m} END AS council_tax_balance_pence_lag{m}"
    for m in LAGS
)

_SQL = f"""
SELECT household_id,
    balance_all AS council_tax_balance_pence,
    greatest(balance_all, 0) * dues_12m / nullif(charge_12m, 0) AS council_tax_arrears_instalments,
    CASE WHEN rows_end3 > 0 THEN balance_all - balance_end3 END
        AS council_tax_balance_change_3m_pence,
    CASE WHEN rows_end6 > 0 THEN balance_all - balance_end6 END
        AS council_tax_balance_change_6m_pence,
    CASE WHEN rows_end12 > 0 THEN balance_all - balance_end12 END
        AS council_tax_balance_change_12m_pence,
    (balance_all > 0)::INTEGER + {_OWING_6} AS council_tax_months_owing_6m,
    (balance_all > 0)::INTEGER + {_OWING_12} AS council_tax_months_owing_12m,
    greatest({_PEAK}) AS council_tax_balance_peak_12m_pence,
    {_LAGGED}
FROM council_tax_ledger_at
"""


def _change(months: int) -> Feature:
    return _feature(
        f"council_tax_balance_change_{months}m_pence",
        f"Change of the council tax owed in {months} months",
        f"Council tax owed has grown by {{value:money}} in {months} months",
        "pence",
        months,
        sentence_zero=f"Council tax owed is the same as {months} months ago",
        sentence_negative=f"Council tax owed has fallen by {{value:money}} in {months} months",
        sentence_missing=f"Council tax owed {months} months ago is not known",
    )


def _owing(months: int) -> Feature:
    return _feature(
        f"council_tax_months_owing_{months}m",
        f"Months that ended with council tax owed, of the last {months}",
        f"Owed council tax at the end of {{value:count:month:months}} of the last {months}",
        "count",
        months,
        sentence_zero=f"Owed no council tax at the end of any of the last {months} months",
    )


FAMILY = Family(
    "council_tax_balance",
    "Council tax owed",
    _SQL,
    ("council_tax_ledger_at",),
    (
        _feature(
            "council_tax_balance_pence",
            "Council tax owed",
            "Owes {value:money} in council tax",
            "pence",
            None,
            monotone=1,
            actionable=True,
            helpful=0.0,
            sentence_zero="Owes no council tax that has fallen due",
            sentence_negative="Is {value:money} ahead with council tax",
        ),
        _feature(
            "council_tax_arrears_instalments",
            "Council tax owed, in instalments",
            "Owes as much council tax as {value:number:instalment:instalments}",
            "count",
            None,
            monotone=1,
            actionable=True,
            helpful=0.0,
            sentence_zero="Is up to date with council tax instalments",
            sentence_missing="No council tax instalment fell due in 12 months",
        ),
        *(_change(months) for months in (3, 6, 12)),
        *(_owing(months) for months in (6, 12)),
        _feature(
            "council_tax_balance_peak_12m_pence",
            "Most council tax owed in 12 months",
            "Owed up to {value:money} in council tax in the last 12 months",
            "pence",
            12,
            sentence_zero="Owed no council tax at any month's end in 12 months",
            sentence_negative="Was ahead with council tax in all of the last 12 months",
        ),
        *(
            _feature(
                f"council_tax_balance_pence_lag{months}",
                f"Council tax owed {months} months before"
                if months > 1
                else "Council tax owed a month before",
                f"Owed {{value:money}} in council tax {months} months before"
                if months > 1
                else "Owed {value:money} in council tax a month before",
                "pence",
                months,
                sentence_zero="Owed no council tax then",
                sentence_negative="Was {value:money} ahead with council tax then",
                sentence_missing="Council tax owed then is not known",
                evidence=(
                    Rows("council_tax_transactions", months=months + 6, until_months=months),
                ),
            )
            for months in LAGS
        ),
    ),
)
