"""Council tax reduction: in force, started, cut and stopped."""

from __future__ import annotations

from functools import partial

from earlyflag.features.declare import Family, Feature, Rows

_feature = partial(
    Feature,
    sources=("benefits",),
    group="council_tax_reduction",
    gateway="benefits",
    sentence_missing="No council tax account is known",
    evidence=(
        Rows("benefits", ("council_tax_reduction",), 24, "changes"),
        Rows("benefits", ("council_tax_reduction",), rule="open"),
    ),
)

_SQL = """
WITH awards AS (
    SELECT household_id, claim_ref, weekly_pence, in_force, start_lag, end_lag, days_since_end,
        lag(weekly_pence) OVER w AS weekly_before,
        row_number() OVER w AS place,
        row_number() OVER (PARTITION BY household_id, claim_ref ORDER BY days_since_start)
            AS newest
    FROM visible_benefits
    WHERE kind = 'council_tax_reduction'
    WINDOW w AS (PARTITION BY household_id, claim_ref ORDER BY days_since_start DESC)
),
now AS (
    SELECT household_id,
        max((newest = 1 AND in_force)::INTEGER) AS in_force,
        sum(CASE WHEN newest = 1 AND in_force THEN weekly_pence ELSE 0 END) AS weekly_pence,
        max((place = 1 AND start_lag < 12)::INTEGER) AS started,
        sum(CASE WHEN place > 1 AND start_lag < 12 THEN greatest(weekly_before - weekly_pence, 0)
            ELSE 0 END) AS cut,
        min(end_lag) FILTER (WHERE newest = 1 AND NOT in_force) AS stopped_lag,
        min(days_since_end) FILTER (WHERE newest = 1 AND NOT in_force) AS stopped_days
    FROM awards
    GROUP BY household_id
),
billed AS (
    SELECT DISTINCT household_id FROM homes_at WHERE account_ref IS NOT NULL
)
SELECT billed.household_id,
    coalesce(now.in_force, 0) AS council_tax_reduction,
    coalesce(now.weekly_pence, 0) AS council_tax_reduction_weekly_pence,
    coalesce(now.started, 0) AS council_tax_reduction_started_12m,
    coalesce(now.cut, 0) AS council_tax_reduction_cut_weekly_pence,
    CASE WHEN now.in_force = 0 AND now.stopped_lag < 12 THEN 1 ELSE 0 END
        AS council_tax_reduction_stopped_12m,
    CASE WHEN now.in_force = 0 THEN now.stopped_days END AS days_since_council_tax_reduction_end
FROM billed LEFT JOIN now ON now.household_id = billed.household_id
"""

FAMILY = Family(
    "council_tax_reduction_awards",
    "Council tax reduction",
    _SQL,
    ("homes_at", "visible_benefits"),
    (
        _feature(
            "council_tax_reduction",
            "Receives council tax reduction",
            "Receives council tax reduction",
            "yes or no",
            None,
            actionable=True,
            helpful=1.0,
            sentence_zero="Receives no council tax reduction",
        ),
        _feature(
            "council_tax_reduction_weekly_pence",
            "Weekly council tax reduction",
            "Receives {value:money} a week of council tax reduction",
            "pence",
            None,
            actionable=True,
            sentence_zero="Receives no council tax reduction",
        ),
        _feature(
            "council_tax_reduction_started_12m",
            "Council tax reduction started in 12 months",
            "Council tax reduction started in the last 12 months",
            "yes or no",
            12,
            sentence_zero="Council tax reduction has not started in 12 months",
        ),
        _feature(
            "council_tax_reduction_cut_weekly_pence",
            "Council tax reduction cut in 12 months, a week",
            "Council tax reduction was cut by {value:money} a week in 12 months",
            "pence",
            12,
            sentence_zero="Council tax reduction was not cut in 12 months",
        ),
        _feature(
            "council_tax_reduction_stopped_12m",
            "Council tax reduction stopped in 12 months",
            "Council tax reduction stopped in the last 12 months",
            "yes or no",
            12,
            actionable=True,
            helpful=0.0,
            sentence_zero="Council tax reduction has not stopped in 12 months",
        ),
        _feature(
            "days_since_council_tax_reduction_end",
            "Time since council tax reduction stopped",
            "Council tax reduction stopped {value:days} ago",
            "days",
            None,
            sentence_missing="No council tax reduction that stopped is known",
            evidence=(Rows("benefits", ("council_tax_reduction",), rule="changes"),),
        ),
    ),
)
