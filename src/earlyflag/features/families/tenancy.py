"""What kind of tenancy it is, how old, and whether it is known to end."""

from __future__ import annotations

from functools import partial

from earlyflag.features.declare import Family, Feature, Rows

_feature = partial(
    Feature,
    unit="yes or no",
    window_months=None,
    sources=("tenancies",),
    group="tenancy",
    gateway="tenancy",
    sensitivity="ordinary",
    sentence_missing="No tenancy is known",
    evidence=(Rows("tenancies", rule="open"),),
)

_SQL = """
WITH spells AS (
    SELECT *, row_number() OVER (PARTITION BY household_id, tenancy_ref ORDER BY days_since_start)
            AS newest,
        lag(weekly_rent_pence) OVER (PARTITION BY household_id, tenancy_ref
                                     ORDER BY days_since_start DESC) AS rent_before,
        max(days_since_start) OVER (PARTITION BY household_id, tenancy_ref) AS age_days
    FROM visible_tenancies
)
SELECT household_id,
    max((landlord = 'council')::INTEGER) FILTER (WHERE newest = 1) AS council_tenancy,
    max((landlord = 'housing_association')::INTEGER) FILTER (WHERE newest = 1)
        AS housing_association_tenancy,
    max((landlord = 'private')::INTEGER) FILTER (WHERE newest = 1) AS private_tenancy,
    max((tenancy_type IN ('assured_shorthold', 'assured_periodic') AND landlord = 'private')
        ::INTEGER) FILTER (WHERE newest = 1) AS private_assured_tenancy,
    max((tenancy_type IN ('introductory', 'demoted', 'non_secure', 'licence'))::INTEGER)
        FILTER (WHERE newest = 1) AS less_secure_tenancy,
    max(age_days) FILTER (WHERE newest = 1) AS tenancy_age_days,
    max((in_force AND coalesce(days_to_end, 999) <= 90)::INTEGER) FILTER (WHERE newest = 1)
        AS tenancy_ends_within_90_days,
    max(weekly_rent_pence) FILTER (WHERE newest = 1 AND in_force) AS rent_weekly_pence,
    sum(CASE WHEN start_lag < 12 AND rent_before > 0
        THEN weekly_rent_pence - rent_before ELSE 0 END) AS rent_increase_12m_weekly_pence
FROM spells
GROUP BY household_id
"""

FAMILY = Family(
    "tenancy",
    "The tenancy",
    _SQL,
    ("visible_tenancies",),
    (
        _feature(
            "council_tenancy",
            "Rents from the council",
            "Rents from the council",
            sentence_zero="Does not rent from the council",
        ),
        _feature(
            "housing_association_tenancy",
            "Rents from a housing association",
            "Rents from a housing association",
            sentence_zero="Does not rent from a housing association",
        ),
        _feature(
            "private_tenancy",
            "Rents from a private landlord",
            "Rents from a private landlord",
            sentence_zero="Does not rent from a private landlord",
        ),
        _feature(
            "private_assured_tenancy",
            "Has an assured private tenancy",
            "Has an assured tenancy from a private landlord",
            sentence_zero="Has no assured tenancy from a private landlord",
        ),
        _feature(
            "less_secure_tenancy",
            "Has an introductory, demoted or non-secure tenancy",
            "Has an introductory, demoted or non-secure tenancy or a licence",
            sentence_zero="Has no introductory, demoted or non-secure tenancy",
        ),
        _feature(
            "tenancy_age_days",
            "Age of the tenancy",
            "The tenancy began {value:days} ago",
            unit="days",
        ),
        _feature(
            "tenancy_ends_within_90_days",
            "The tenancy is known to end within 90 days",
            "The tenancy is due to end within 90 days",
            sentence_zero="The tenancy is not known to end within 90 days",
        ),
        _feature(
            "rent_weekly_pence",
            "Weekly rent",
            "The rent is {value:money} a week",
            unit="pence",
            sensitivity="financial",
            sentence_zero="No rent is charged",
        ),
        _feature(
            "rent_increase_12m_weekly_pence",
            "Rise of the weekly rent in 12 months",
            "The rent rose by {value:money} a week in 12 months",
            unit="pence",
            window_months=12,
            sensitivity="financial",
            sentence_zero="The rent has not changed in 12 months",
            sentence_negative="The rent fell by {value:money} a week in 12 months",
            evidence=(Rows("tenancies", months=24, rule="changes"),),
        ),
    ),
)
