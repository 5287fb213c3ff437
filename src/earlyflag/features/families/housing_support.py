"""Help with the rent: what falls short, the cap, awards that end, and universal credit starts."""

from __future__ import annotations

from functools import partial

from earlyflag.features.declare import Family, Feature, Rows

_RENT = ("housing_benefit", "universal_credit_housing", "discretionary_housing_payment")

_feature = partial(
    Feature,
    sources=("benefits",),
    group="housing_support",
    gateway="benefits",
    sentence_missing="Help with the rent is not known",
    evidence=(Rows("benefits", _RENT, 24, "changes"), Rows("benefits", _RENT, rule="open")),
)
_CREDIT = (Rows("benefits", ("universal_credit_housing",), rule="changes"),)
_PAYMENT = (
    Rows("benefits", ("discretionary_housing_payment",), 24, "changes"),
    Rows("benefits", ("discretionary_housing_payment",), rule="open"),
)

_SQL = """
WITH awards AS (
    SELECT household_id, claim_ref, kind, weekly_pence, shortfall_weekly_pence, capped, in_force,
        start_lag, end_lag, days_since_start, days_to_end,
        lag(capped) OVER w AS capped_before,
        lag(shortfall_weekly_pence) OVER w AS shortfall_before,
        row_number() OVER w AS place,
        row_number() OVER (PARTITION BY household_id, claim_ref, kind ORDER BY days_since_start)
            AS newest
    FROM visible_benefits
    WHERE kind <> 'council_tax_reduction'
    WINDOW w AS (PARTITION BY household_id, claim_ref, kind ORDER BY days_since_start DESC)
)
SELECT household_id,
    max((newest = 1 AND in_force AND kind = 'housing_benefit')::INTEGER) AS housing_benefit,
    max((newest = 1 AND in_force AND kind = 'universal_credit_housing')::INTEGER)
        AS universal_credit_housing,
    sum(CASE WHEN newest = 1 AND in_force THEN weekly_pence ELSE 0 END)
        AS rent_support_weekly_pence,
    max(shortfall_weekly_pence) FILTER (WHERE newest = 1 AND in_force)
        AS benefit_shortfall_weekly_pence,
    (max(shortfall_weekly_pence) FILTER (WHERE newest = 1 AND in_force))::DOUBLE
        / nullif(max(shortfall_weekly_pence) FILTER (WHERE newest = 1 AND in_force)
            + sum(weekly_pence) FILTER (WHERE newest = 1 AND in_force), 0)
        AS benefit_shortfall_share,
    sum(CASE WHEN place > 1 AND start_lag < 12
        THEN coalesce(shortfall_weekly_pence, 0) - coalesce(shortfall_before, 0) ELSE 0 END)
        AS benefit_shortfall_change_12m_pence,
    max((newest = 1 AND in_force AND capped)::INTEGER) AS benefit_capped,
    max((capped AND start_lag < 12 AND (place = 1 OR NOT capped_before))::INTEGER)
        AS benefit_cap_started_12m,
    max((newest = 1 AND in_force AND kind = 'discretionary_housing_payment')::INTEGER)
        AS discretionary_payment,
    sum((newest = 1 AND coalesce(end_lag, 99) < 6
        AND kind = 'discretionary_housing_payment')::INTEGER) AS discretionary_payments_ended_6m,
    sum((newest = 1 AND coalesce(end_lag, 99) < 12)::INTEGER) AS rent_awards_ended_12m,
    max((newest = 1 AND in_force AND coalesce(days_to_end, 999) <= 90)::INTEGER)
        AS rent_award_ends_within_90_days,
    max((place = 1 AND kind = 'universal_credit_housing' AND start_lag < 6)::INTEGER)
        AS universal_credit_started_6m,
    min(days_since_start) FILTER (WHERE place = 1 AND kind = 'universal_credit_housing')
        AS days_since_universal_credit_start
FROM awards
GROUP BY household_id
"""

FAMILY = Family(
    "housing_support",
    "Help with the rent",
    _SQL,
    ("visible_benefits",),
    (
        _feature(
            "housing_benefit",
            "Receives housing benefit",
            "Receives housing benefit",
            "yes or no",
            None,
            sentence_zero="Receives no housing benefit",
        ),
        _feature(
            "universal_credit_housing",
            "Receives universal credit for housing",
            "Receives universal credit for housing costs",
            "yes or no",
            None,
            group="universal_credit",
            sentence_zero="Receives no universal credit for housing costs",
            evidence=_CREDIT,
        ),
        _feature(
            "rent_support_weekly_pence",
            "Weekly help with the rent",
            "Receives {value:money} a week of help with the rent",
            "pence",
            None,
            sentence_zero="Receives no help with the rent now",
        ),
        _feature(
            "benefit_shortfall_weekly_pence",
            "Rent above what benefits pay, a week",
            "Rent is {value:money} a week above what benefits pay",
            "pence",
            None,
            monotone=1,
            sentence_zero="Benefits pay the whole rent",
            sentence_negative="Benefits pay {value:money} a week above the rent",
            sentence_missing="Whether benefits cover the rent is not known",
        ),
        _feature(
            "benefit_shortfall_share",
            "Share of the rent that benefits do not pay",
            "Benefits leave {value:percent} of the rent to be found",
            "share",
            None,
            sentence_zero="Benefits pay the whole rent",
            sentence_negative="Benefits pay more than the rent",
            sentence_missing="Whether benefits cover the rent is not known",
        ),
        _feature(
            "benefit_shortfall_change_12m_pence",
            "Change of the shortfall in 12 months, a week",
            "The gap between rent and benefits grew by {value:money} a week in 12 months",
            "pence",
            12,
            sentence_zero="The gap between rent and benefits has not changed in 12 months",
            sentence_negative="The gap between rent and benefits fell by {value:money} a week",
        ),
        _feature(
            "benefit_capped",
            "Under the benefit cap",
            "The benefit cap applies",
            "yes or no",
            None,
            sentence_zero="The benefit cap does not apply",
        ),
        _feature(
            "benefit_cap_started_12m",
            "The benefit cap began in 12 months",
            "The benefit cap began to apply in the last 12 months",
            "yes or no",
            12,
            sentence_zero="The benefit cap has not begun to apply in 12 months",
        ),
        _feature(
            "discretionary_payment",
            "Receives a discretionary housing payment",
            "Receives a discretionary housing payment",
            "yes or no",
            None,
            sentence_zero="Receives no discretionary housing payment",
            evidence=_PAYMENT,
        ),
        _feature(
            "discretionary_payments_ended_6m",
            "Discretionary housing payments that ended in 6 months",
            "{value:count:discretionary housing payment:discretionary housing payments} ended in "
            "6 months",
            "count",
            6,
            sentence_zero="No discretionary housing payment ended in 6 months",
            evidence=_PAYMENT,
        ),
        _feature(
            "rent_awards_ended_12m",
            "Awards for rent that ended in 12 months",
            "{value:count:award:awards} of help with the rent ended in 12 months",
            "count",
            12,
            sentence_zero="No award of help with the rent ended in 12 months",
        ),
        _feature(
            "rent_award_ends_within_90_days",
            "An award for rent is known to end within 90 days",
            "An award of help with the rent is due to end within 90 days",
            "yes or no",
            None,
            sentence_zero="No award of help with the rent is known to end within 90 days",
        ),
        _feature(
            "universal_credit_started_6m",
            "Universal credit started in 6 months",
            "Universal credit for housing costs started in the last 6 months",
            "yes or no",
            6,
            group="universal_credit",
            sentence_zero="Universal credit for housing costs has not started in 6 months",
            evidence=_CREDIT,
        ),
        _feature(
            "days_since_universal_credit_start",
            "Time since universal credit started",
            "Universal credit for housing costs started {value:days} ago",
            "days",
            None,
            group="universal_credit",
            sentence_missing="No universal credit for housing costs is known",
            evidence=_CREDIT,
        ),
    ),
)
