"""Terms of simple rules that models are compared with, and that no model reads.

They are computed by the same engine, from what was known by then, so that a rule is beaten whole
and not a stump of it. They stand outside the catalogue: no specification can name them.
"""

from __future__ import annotations

from functools import partial

from earlyflag.features.declare import Family, Feature

_term = partial(
    Feature,
    sentence="",
    sources=("rent_transactions",),
    group="rent_payments",
    gateway="tenancy",
    window_months=None,
)

_SQL = """
WITH payments AS (
    SELECT household_id, amount_pence, days_ago,
        row_number() OVER (
            PARTITION BY household_id ORDER BY days_ago, transaction_ref DESC
        ) AS newest
    FROM visible_rent_transactions WHERE kind = 'payment'
),
last_three AS (
    SELECT household_id,
        max(CASE WHEN newest = 1 THEN amount_pence END) AS amount_1,
        max(CASE WHEN newest = 2 THEN amount_pence END) AS amount_2,
        max(CASE WHEN newest = 3 THEN amount_pence END) AS amount_3,
        max(CASE WHEN newest = 1 THEN days_ago END) AS days_1,
        max(CASE WHEN newest = 2 THEN days_ago END) AS days_2,
        max(CASE WHEN newest = 3 THEN days_ago END) AS days_3
    FROM payments WHERE newest <= 3
    GROUP BY household_id
),
daily AS (
    SELECT household_id, days_ago, sum(amount_pence) AS moved
    FROM visible_rent_transactions GROUP BY household_id, days_ago
),
balances AS (
    SELECT household_id, days_ago,
        sum(moved) OVER (PARTITION BY household_id ORDER BY days_ago DESC) AS owed
    FROM daily
),
clear AS (
    SELECT household_id, min(CASE WHEN owed <= 0 THEN days_ago END) AS days_since_clear
    FROM balances GROUP BY household_id
),
arrears AS (
    SELECT clear.household_id, coalesce(max(CASE
        WHEN clear.days_since_clear IS NULL OR balances.days_ago < clear.days_since_clear
        THEN balances.days_ago END), 0) AS days_in_arrears
    FROM clear JOIN balances ON balances.household_id = clear.household_id
    GROUP BY clear.household_id
),
broken AS (
    SELECT household_id, count(*) AS times
    FROM visible_tenancy_events WHERE kind = 'arrangement_broken' GROUP BY household_id
)
SELECT arrears.household_id,
    arrears.days_in_arrears AS rule_rent_days_in_arrears,
    (amount_1 - amount_2) - (amount_2 - amount_3) AS rule_rent_payment_change_pence,
    (days_2 - days_1) - (days_3 - days_2) AS rule_rent_payment_gap_change_days,
    coalesce(broken.times, 0) AS rule_rent_arrangements_broken
FROM arrears
LEFT JOIN last_three ON last_three.household_id = arrears.household_id
LEFT JOIN broken ON broken.household_id = arrears.household_id
"""

FAMILY = Family(
    "rule_terms",
    "Terms of simple rules",
    _SQL,
    ("visible_rent_transactions", "visible_tenancy_events"),
    (
        _term("rule_rent_days_in_arrears", "Days for which rent has been owed without a break",
              unit="days"),
        _term("rule_rent_payment_change_pence",
              "The last change between payments, minus the one before; a payment is negative, so "
              "that paying less and less is above 0",
              unit="pence"),
        _term("rule_rent_payment_gap_change_days",
              "Days between the last two payments, minus those between the two before",
              unit="days"),
        _term("rule_rent_arrangements_broken", "Arrangements to pay the rent that were broken",
              unit="count", sources=("rent_transactions", "tenancy_events")),
    ),
)  # fmt: skip
