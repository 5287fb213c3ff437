"""Rent owed in weeks of rent, how it has moved, and who pays it."""

from __future__ import annotations

from functools import partial

from earlyflag.features.declare import Family, Feature, Rows
from earlyflag.features.ledgers import YEAR

_feature = partial(
    Feature,
    sources=("rent_transactions",),
    group="rent_arrears",
    gateway="tenancy",
    sentence_missing="No rent account is known",
    evidence=(Rows("rent_transactions", months=6),),
)
_pays = partial(_feature, group="rent_payments")

_OWING_6 = " + ".join(f"(balance_end{m} > 0)::INTEGER" for m in YEAR[:5])
_OWING_12 = " + ".join(f"(balance_end{m} > 0)::INTEGER" for m in YEAR[:11])
_UNPAID = " + ".join(f"(charge_lag{m} > 0 AND paid_lag{m} <= 0)::INTEGER" for m in YEAR[:6])

_SQL = f"""
WITH rents AS (
    SELECT household_id, sum(weekly_rent_pence) AS weekly_pence
    FROM (
        SELECT household_id, tenancy_ref, weekly_rent_pence, in_force,
            row_number() OVER (PARTITION BY household_id, tenancy_ref ORDER BY days_since_start)
                AS newest
        FROM visible_tenancies
    ) AS t
    WHERE newest = 1 AND in_force
    GROUP BY household_id
),
weekly AS (
    SELECT l.*, CASE WHEN r.weekly_pence > 0 THEN r.weekly_pence
                     WHEN l.charge_3m > 0 THEN l.charge_3m * 4 / 52 END AS week_pence
    FROM rent_ledger_at AS l LEFT JOIN rents AS r ON r.household_id = l.household_id
)
SELECT household_id,
    balance_all AS rent_balance_pence,
    greatest(balance_all, 0) / week_pence AS rent_arrears_weeks,
    CASE WHEN rows_end3 > 0 THEN (balance_all - balance_end3) / week_pence END
        AS rent_balance_change_3m_weeks,
    CASE WHEN rows_end6 > 0 THEN (balance_all - balance_end6) / week_pence END
        AS rent_balance_change_6m_weeks,
    CASE WHEN rows_end12 > 0 THEN (balance_all - balance_end12) / week_pence END
        AS rent_balance_change_12m_weeks,
    (balance_all > 0)::INTEGER + {_OWING_6} AS rent_months_owing_6m,
    (balance_all > 0)::INTEGER + {_OWING_12} AS rent_months_owing_12m,
    court_costs_24m AS rent_court_costs_24m_pence,
    (paid_3m + support_3m) / nullif(charge_3m, 0) AS rent_paid_share_3m,
    (paid_6m + support_6m) / nullif(charge_6m, 0) AS rent_paid_share_6m,
    (paid_12m + support_12m) / nullif(charge_12m, 0) AS rent_paid_share_12m,
    {_UNPAID} AS rent_months_without_payment_6m,
    days_since_payment AS days_since_rent_payment,
    unpaid_12m AS rent_direct_debits_unpaid_12m,
    direct_6m / nullif(charge_6m, 0) AS rent_direct_benefit_share_6m,
    (deductions_6m > 0)::INTEGER AS rent_benefit_deductions_6m
FROM weekly
"""


def _change(months: int) -> Feature:
    return _feature(
        f"rent_balance_change_{months}m_weeks",
        f"Change of the rent owed in {months} months, in weeks of rent",
        f"Rent owed has grown by {{value:weeks}} of rent in {months} months",
        "weeks",
        months,
        sources=("rent_transactions", "tenancies"),
        sentence_zero=f"Rent owed is the same as {months} months ago",
        sentence_negative=f"Rent owed has fallen by {{value:weeks}} of rent in {months} months",
        sentence_missing=f"Rent owed {months} months ago is not known",
    )


def _owing(months: int) -> Feature:
    return _feature(
        f"rent_months_owing_{months}m",
        f"Months that ended with rent owed, of the last {months}",
        f"Owed rent at the end of {{value:count:month:months}} of the last {months}",
        "count",
        months,
        monotone=1,
        sentence_zero=f"Owed no rent at the end of any of the last {months} months",
    )


def _share(months: int) -> Feature:
    return _pays(
        f"rent_paid_share_{months}m",
        f"Share of the rent due in {months} months that was paid",
        f"{{value:percent}} of the rent due in {months} months was paid, by whomever",
        "share",
        months,
        sentence_zero=f"None of the rent due in {months} months was paid",
        sentence_negative=f"More rent bounced than was paid in {months} months",
        sentence_missing=f"No rent fell due in {months} months",
    )


def _unpaid(months: int) -> Feature:
    return _pays(
        f"rent_direct_debits_unpaid_{months}m",
        f"Rent direct debits unpaid in {months} months",
        f"{{value:count:rent direct debit:rent direct debits}} went unpaid in {months} months",
        "count",
        months,
        monotone=1,
        sentence_zero=f"No rent direct debit went unpaid in {months} months",
        evidence=(Rows("rent_transactions", ("direct_debit_unpaid",), months),),
    )


def _direct(months: int) -> Feature:
    return _pays(
        f"rent_direct_benefit_share_{months}m",
        f"Share of the rent paid straight from benefits in {months} months",
        f"{{value:percent}} of the rent came straight from benefits in {months} months",
        "share",
        months,
        sentence_zero=f"No rent came straight from benefits in {months} months",
        sentence_negative=f"Rent from benefits was taken back in {months} months",
        sentence_missing=f"No rent fell due in {months} months",
        evidence=(Rows("rent_transactions", ("housing_benefit", "universal_credit"), months),),
    )


FAMILY = Family(
    "rent",
    "Rent",
    _SQL,
    ("rent_ledger_at", "visible_tenancies"),
    (
        _feature(
            "rent_balance_pence",
            "Rent owed",
            "Owes {value:money} of rent",
            "pence",
            None,
            monotone=1,
            actionable=True,
            helpful=0.0,
            sentence_zero="Owes no rent",
            sentence_negative="Is {value:money} ahead with the rent",
        ),
        _feature(
            "rent_arrears_weeks",
            "Rent owed, in weeks of rent",
            "Owes {value:weeks} of rent",
            "weeks",
            None,
            sources=("rent_transactions", "tenancies"),
            monotone=1,
            actionable=True,
            helpful=0.0,
            sentence_zero="Owes no rent",
            sentence_missing="Rent owed in weeks of rent is not known",
        ),
        *(_change(months) for months in (3, 6, 12)),
        *(_owing(months) for months in (6, 12)),
        _feature(
            "rent_court_costs_24m_pence",
            "Court costs in 24 months",
            "{value:money} of court costs were added to the rent in 24 months",
            "pence",
            24,
            group="tenancy_enforcement",
            monotone=1,
            sentence_zero="No court costs were added to the rent in 24 months",
            sentence_negative="{value:money} of court costs were taken back in 24 months",
            evidence=(Rows("rent_transactions", ("court_costs",), 24),),
        ),
        *(_share(months) for months in (3, 6, 12)),
        _pays(
            "rent_months_without_payment_6m",
            "Months with rent due and none paid by the tenant, of the last 6",
            "The tenant paid no rent in {value:count:month:months} of the last 6",
            "count",
            6,
            sentence_zero="The tenant paid rent in every month of the last 6",
        ),
        _pays(
            "days_since_rent_payment",
            "Time since the tenant last paid rent",
            "The tenant last paid rent {value:days} ago",
            "days",
            None,
            sentence_missing="No rent payment by the tenant is known",
            evidence=(Rows("rent_transactions", ("payment",)),),
        ),
        *(_unpaid(months) for months in (12,)),
        *(_direct(months) for months in (6,)),
        _pays(
            "rent_benefit_deductions_6m",
            "Rent arrears deducted from benefits in 6 months",
            "Rent arrears were deducted from benefits in the last 6 months",
            "yes or no",
            6,
            sentence_zero="No rent arrears were deducted from benefits in 6 months",
            evidence=(Rows("rent_transactions", ("dwp_deduction",), 6),),
        ),
    ),
)
