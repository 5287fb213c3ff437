"""How the council tax account stands: its method, discounts, exemptions, and what changed."""

from __future__ import annotations

from functools import partial

from earlyflag.features.declare import Family, Feature, Rows

_feature = partial(
    Feature,
    sources=("council_tax_accounts",),
    group="council_tax_account",
    gateway="council_tax",
    sensitivity="ordinary",
    unit="yes or no",
    sentence_missing="No council tax account is known",
    evidence=(
        Rows("council_tax_accounts", months=24, rule="changes"),
        Rows("council_tax_accounts", rule="open"),
    ),
)

_SQL = """
WITH spells AS (
    SELECT *, lag(payment_method) OVER w AS method_before, lag(discount) OVER w AS discount_before,
        row_number() OVER w AS place,
        row_number() OVER (PARTITION BY household_id, account_ref ORDER BY days_since_start)
            AS newest
    FROM visible_council_tax_accounts
    WINDOW w AS (PARTITION BY household_id, account_ref ORDER BY days_since_start DESC)
)
SELECT household_id,
    max((newest = 1 AND payment_method = 'direct_debit')::INTEGER)
        AS council_tax_by_direct_debit,
    max((newest = 1 AND payment_method IN ('cash', 'card'))::INTEGER)
        AS council_tax_by_cash_or_card,
    max((newest = 1 AND payment_method = 'attachment')::INTEGER) AS council_tax_by_attachment,
    sum((place > 1 AND payment_method <> method_before AND start_lag < 24)::INTEGER)
        AS council_tax_method_changes_24m,
    max((place > 1 AND method_before = 'direct_debit' AND payment_method <> 'direct_debit'
        AND start_lag < 12)::INTEGER) AS left_direct_debit_12m,
    max((newest = 1 AND discount = 'single_person')::INTEGER) AS single_person_discount,
    max((place > 1 AND discount = 'single_person' AND discount_before <> 'single_person'
        AND start_lag < 12)::INTEGER) AS single_person_discount_started_12m,
    max((place > 1 AND discount = 'none' AND discount_before <> 'none'
        AND start_lag < 12)::INTEGER) AS council_tax_discount_stopped_12m,
    max((newest = 1 AND exemption_class IS NOT NULL)::INTEGER) AS council_tax_exempt,
    max(days_since_start) AS council_tax_account_age_days
FROM spells
GROUP BY household_id
"""

FAMILY = Family(
    "council_tax_account",
    "The council tax account",
    _SQL,
    ("visible_council_tax_accounts",),
    (
        _feature(
            "council_tax_by_direct_debit",
            "Pays council tax by direct debit",
            "Pays council tax by direct debit",
            window_months=None,
            sentence_zero="Does not pay council tax by direct debit",
        ),
        _feature(
            "council_tax_by_cash_or_card",
            "Pays council tax by cash or card",
            "Pays council tax by cash or card",
            window_months=None,
            sentence_zero="Does not pay council tax by cash or card",
        ),
        _feature(
            "council_tax_by_attachment",
            "Council tax is taken from earnings or benefits",
            "Council tax is taken from earnings or benefits",
            window_months=None,
            sentence_zero="Council tax is not taken from earnings or benefits",
        ),
        _feature(
            "council_tax_method_changes_24m",
            "Changes of payment method in 24 months",
            "Changed how council tax is paid {value:count:time:times} in 24 months",
            unit="count",
            window_months=24,
            sentence_zero="Has not changed how council tax is paid in 24 months",
        ),
        _feature(
            "left_direct_debit_12m",
            "Stopped paying council tax by direct debit",
            "Stopped paying council tax by direct debit in the last 12 months",
            window_months=12,
            sentence_zero="Has not stopped a council tax direct debit in 12 months",
        ),
        _feature(
            "single_person_discount",
            "Single-person discount",
            "Has a single-person discount",
            window_months=None,
            sentence_zero="Has no single-person discount",
        ),
        _feature(
            "single_person_discount_started_12m",
            "Single-person discount newly claimed in 12 months",
            "A single-person discount was newly claimed in the last 12 months",
            window_months=12,
            sentence_zero="No single-person discount was newly claimed in 12 months",
        ),
        _feature(
            "council_tax_discount_stopped_12m",
            "A discount stopped in 12 months",
            "A council tax discount stopped in the last 12 months",
            window_months=12,
            sentence_zero="No council tax discount stopped in 12 months",
        ),
        _feature(
            "council_tax_exempt",
            "Exempt from council tax",
            "Is exempt from council tax",
            window_months=None,
            sentence_zero="Is not exempt from council tax",
        ),
        _feature(
            "council_tax_account_age_days",
            "Age of the council tax account",
            "The council tax account was opened {value:days} ago",
            unit="days",
            window_months=None,
        ),
    ),
)
