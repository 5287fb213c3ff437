"""Who lives in the household, who came and went, and whether the home is large enough.

Ages are used for two facts alone: who is a child (and whether one is under five), and how many
bedrooms the bedroom standard asks for. The standard lets two children of one sex share up to 20;
sex is never read, so the count here is the smallest that any mix of sexes would need.
"""

from __future__ import annotations

from functools import partial

from earlyflag.features.declare import Family, Feature, Rows

_feature = partial(
    Feature,
    unit="people",
    window_months=None,
    sources=("council_tax_people", "tenancy_people"),
    needs="any",
    group="household",
    gateway="tenancy",
    sensitivity="personal",
    sentence_missing="Who lives in the household is not known",
    evidence=(Rows("tenancy_people", rule="open"), Rows("council_tax_people", rule="open")),
)
_CHANGES = (
    Rows("tenancy_people", months=12, rule="changes"),
    Rows("council_tax_people", months=12, rule="changes"),
)
_space = partial(_feature, sources=("tenancy_people",), needs="all", group="overcrowding")

_SQL = """
WITH people AS (
    SELECT household_id, person_id, max(age_years) AS age_years,
        max((role IN ('lead', 'tenant'))::INTEGER) AS leads,
        max((role IN ('lead', 'tenant', 'joint', 'joint_tenant', 'partner'))::INTEGER) AS pair,
        max((role = 'child')::INTEGER) AS child_role,
        max((role = 'adult_child')::INTEGER) AS adult_child,
        max((source = 'tenancy')::INTEGER) AS listed
    FROM members_at
    GROUP BY household_id, person_id
),
sorted AS (
    SELECT *, CASE WHEN age_years < 18 OR (age_years IS NULL AND child_role = 1) THEN 1 ELSE 0 END
        AS child
    FROM people
),
counted AS (
    SELECT household_id, count(*) AS people, sum(1 - child) AS adults, sum(child) AS children,
        max((child = 0 AND age_years < 25)::INTEGER) FILTER (
            WHERE leads = 1 AND age_years IS NOT NULL) AS young_lead,
        sum(((adult_child = 1) AND child = 0)::INTEGER) AS adult_children,
        max((child = 1 AND coalesce(age_years, 0) < 5)::INTEGER) AS under_five,
        sum((child = 0 AND pair = 1)::INTEGER) AS heads,
        sum((child = 0 AND pair = 0 AND coalesce(age_years, 21) >= 21)::INTEGER) AS others,
        sum((child = 1 OR (pair = 0 AND age_years < 21))::INTEGER) AS sharers,
        max(listed) AS listed
    FROM sorted
    GROUP BY household_id
),
beds AS (
    SELECT household_id, max(bedrooms) AS bedrooms
    FROM visible_tenancies WHERE in_force GROUP BY household_id
),
-- One row a person: whoever is listed anew without a gap (another role, a mended entry) stayed.
stays AS (
    SELECT household_id, source, person_ref, max((role <> 'child')::INTEGER) AS grown,
        max(in_force::INTEGER) AS here, max(start_lag) AS first_start,
        max(start_lag) FILTER (WHERE in_force) AS now_since, min(end_lag) AS last_end
    FROM visible_people
    GROUP BY household_id, source, person_ref
),
changes AS (
    SELECT household_id, source,
        sum((here = 0 AND last_end < 12)::INTEGER) AS adults_left,
        sum((here = 1 AND now_since < 12
             AND (first_start < 12 OR last_end IS NULL OR last_end > now_since + 1))::INTEGER)
            AS adults_joined
    FROM stays WHERE grown = 1
    GROUP BY household_id, source
),
most AS (
    SELECT household_id, max(adults_left) AS adults_left, max(adults_joined) AS adults_joined
    FROM changes GROUP BY household_id
),
moves AS (
    SELECT household_id, max(begun) AS begun
    FROM (
        SELECT household_id, source, count(DISTINCT home_ref) FILTER (WHERE start_lag < 24) AS begun
        FROM visible_member_homes GROUP BY household_id, source
    ) AS m
    GROUP BY household_id
),
sized AS (
    SELECT counted.*, coalesce(beds.bedrooms, p.bedrooms) AS bedrooms,
        CASE WHEN heads > 0 THEN 1 ELSE 0 END + greatest(heads - 2, 0) + others
            + ceil(sharers::DOUBLE / 2) AS needed
    FROM counted
    LEFT JOIN beds ON beds.household_id = counted.household_id
    LEFT JOIN visible_properties AS p ON p.household_id = counted.household_id
)
SELECT sized.household_id,
    adults AS adults_people,
    CASE WHEN listed = 1 THEN children END AS children_people,
    CASE WHEN listed = 1 THEN adult_children END AS adult_children_people,
    CASE WHEN listed = 1 THEN (adults = 1 AND children > 0)::INTEGER END AS one_adult_with_children,
    CASE WHEN listed = 1 THEN under_five END AS child_under_five,
    young_lead,
    most.adults_left AS adults_left_12m,
    most.adults_joined AS adults_joined_12m,
    moves.begun AS homes_begun_24m,
    CASE WHEN listed = 1 THEN people::DOUBLE / nullif(bedrooms, 0) END AS people_per_bedroom,
    CASE WHEN listed = 1 AND bedrooms IS NOT NULL THEN greatest(needed - bedrooms, 0) END
        AS bedrooms_short_count
FROM sized
LEFT JOIN most ON most.household_id = sized.household_id
LEFT JOIN moves ON moves.household_id = sized.household_id
"""

FAMILY = Family(
    "household",
    "The household",
    _SQL,
    ("members_at", "visible_member_homes", "visible_people", "visible_properties",
     "visible_tenancies"),
    (
        _feature(
            "adults_people",
            "Adults known",
            "{value:count:adult is:adults are} known in the household",
            sentence_zero="No adult is known in the household",
        ),
        _feature(
            "children_people",
            "Children known",
            "{value:count:child lives:children live} in the household",
            sources=("tenancy_people",),
            sentence_zero="No child is known in the household",
        ),
        _feature(
            "adult_children_people",
            "Adult children known",
            "{value:count:adult child lives:adult children live} in the household",
            sources=("tenancy_people",),
            sentence_zero="No adult child is known in the household",
        ),
        _feature(
            "one_adult_with_children",
            "One adult with children",
            "One adult lives with children",
            unit="yes or no",
            sources=("tenancy_people",),
            sentence_zero="Is not one adult with children",
        ),
        _feature(
            "child_under_five",
            "A child under five",
            "A child under five lives in the household",
            unit="yes or no",
            sources=("tenancy_people",),
            sentence_zero="No child under five is known in the household",
        ),
        # Age is a protected characteristic: the feature is never said aloud, and the specifications
        # that ship leave it out. A council that needs it for an offer to young people decides so.
        _feature(
            "young_lead",
            "Young lead of the household",
            "",
            unit="yes or no",
        ),
        _feature(
            "adults_left_12m",
            "Adults who left in 12 months",
            "{value:count:adult:adults} left the household in 12 months",
            window_months=12,
            sentence_zero="No adult is known to have left in 12 months",
            evidence=_CHANGES,
        ),
        _feature(
            "adults_joined_12m",
            "Adults who joined in 12 months",
            "{value:count:adult:adults} joined the household in 12 months",
            window_months=12,
            sentence_zero="No adult is known to have joined in 12 months",
            evidence=_CHANGES,
        ),
        _feature(
            "homes_begun_24m",
            "Homes begun in 24 months",
            "Began {value:count:account or tenancy:accounts or tenancies} in 24 months",
            unit="count",
            window_months=24,
            sentence_zero="Has not moved in 24 months, as far as is known",
            evidence=(
                Rows("council_tax_accounts", months=24, rule="changes"),
                Rows("tenancies", months=24, rule="changes"),
                Rows("council_tax_people", months=24, rule="changes"),
            ),
        ),
        _space(
            "people_per_bedroom",
            "People to a bedroom",
            "{value:number:person:people} to a bedroom",
            unit="rate",
            sentence_zero="Nobody is known to live in the home",
            sentence_missing="The number of people or bedrooms is not known",
        ),
        _space(
            "bedrooms_short_count",
            "Bedrooms short of the bedroom standard",
            "The home is at least {value:count:bedroom:bedrooms} short of the bedroom standard",
            unit="count",
            monotone=1,
            sentence_zero="The home is not known to be short of bedrooms",
            sentence_missing="The number of people or bedrooms is not known",
        ),
    ),
)  # fmt: skip
