"""How far council tax recovery has gone, how often and how lately."""

from __future__ import annotations

from functools import partial

from earlyflag.features.declare import Family, Feature, Rows
from earlyflag.features.ledgers import LAGS

STAGES = {
    "reminder": 1,
    "second_reminder": 2,
    "final_notice": 3,
    "summons": 4,
    "liability_order": 5,
    "attachment": 6,
    "enforcement_agent": 7,
    "charging_order": 8,
    "committal": 9,
}
"""The recovery ladder as ranks; arrangements and clearance stand beside it."""

_RANK = "CASE stage " + " ".join(f"WHEN '{s}' THEN {r}" for s, r in STAGES.items()) + " ELSE 0 END"

_feature = partial(
    Feature,
    sources=("council_tax_recovery",),
    group="council_tax_recovery",
    gateway="council_tax",
    sentence_missing="No council tax account is known",
    evidence=(Rows("council_tax_recovery", months=24),),
)

_LAGGED = ",\n    ".join(
    f"coalesce(max(rank) FILTER (WHERE lag = {m - 1}), 0) AS council_tax_recovery_stage_lag{m}"
    for m in LAGS
)

_SQL = f"""
WITH ranked AS (
    SELECT household_id, lag, days_ago, stage, {_RANK} AS rank
    FROM visible_council_tax_recovery
),
billed AS (
    SELECT DISTINCT household_id FROM homes_at WHERE account_ref IS NOT NULL
)
SELECT billed.household_id,
    coalesce(max(rank) FILTER (WHERE lag < 3), 0) AS council_tax_recovery_stage_3m,
    coalesce(max(rank) FILTER (WHERE lag < 12), 0) AS council_tax_recovery_stage_12m,
    coalesce(max(rank) FILTER (WHERE lag < 24), 0) AS council_tax_recovery_stage_24m,
    count(*) FILTER (WHERE rank > 0 AND lag < 3) AS council_tax_recovery_steps_3m,
    count(*) FILTER (WHERE rank > 0 AND lag < 12) AS council_tax_recovery_steps_12m,
    count(*) FILTER (WHERE rank > 0 AND lag < 24) AS council_tax_recovery_steps_24m,
    count(*) FILTER (WHERE rank IN (1, 2) AND lag < 12) AS council_tax_reminders_12m,
    count(*) FILTER (WHERE stage = 'summons' AND lag < 24) AS council_tax_summonses_24m,
    count(*) FILTER (WHERE rank >= 6 AND lag < 24) AS council_tax_enforcement_steps_24m,
    min(days_ago) FILTER (WHERE rank > 0) AS days_since_council_tax_recovery,
    min(days_ago) FILTER (WHERE stage = 'summons') AS days_since_council_tax_summons,
    count(*) FILTER (WHERE stage = 'arrangement_made' AND lag < 12)
        AS council_tax_arrangements_made_12m,
    count(*) FILTER (WHERE stage = 'arrangement_broken' AND lag < 12)
        AS council_tax_arrangements_broken_12m,
    CASE WHEN min(days_ago) FILTER (WHERE stage = 'arrangement_made') <
        coalesce(min(days_ago) FILTER (WHERE stage IN ('arrangement_broken', 'cleared')), 99999)
        THEN 1 ELSE 0 END AS council_tax_arrangement_kept,
    count(*) FILTER (WHERE stage = 'cleared' AND lag < 12) AS council_tax_cleared_12m,
    {_LAGGED}
FROM billed LEFT JOIN ranked ON ranked.household_id = billed.household_id
GROUP BY billed.household_id
"""


def _furthest(months: int) -> Feature:
    return _feature(
        f"council_tax_recovery_stage_{months}m",
        f"Furthest recovery stage in {months} months",
        f"Council tax recovery reached {{value:recovery_stage}} in the last {months} months",
        "rank",
        months,
        monotone=1,
        sentence_zero=f"No council tax recovery in the last {months} months",
        evidence=(Rows("council_tax_recovery", tuple(STAGES), months),),
    )


def _steps(months: int) -> Feature:
    return _feature(
        f"council_tax_recovery_steps_{months}m",
        f"Recovery steps in {months} months",
        f"{{value:count:recovery step:recovery steps}} for council tax in {months} months",
        "count",
        months,
        monotone=1,
        sentence_zero=f"No recovery step for council tax in {months} months",
        evidence=(Rows("council_tax_recovery", tuple(STAGES), months),),
    )


def _stage_of_month(month: int) -> Feature:
    ago = "in the last month" if month == 1 else f"in the month {month} months before"
    return _feature(
        f"council_tax_recovery_stage_lag{month}",
        f"Furthest recovery stage {ago}",
        f"Council tax recovery reached {{value:recovery_stage}} {ago}",
        "rank",
        month,
        sentence_zero=f"No council tax recovery {ago}",
        evidence=(Rows("council_tax_recovery", tuple(STAGES), month, until_months=month - 1),),
    )


FAMILY = Family(
    "council_tax_recovery_steps",
    "Council tax recovery",
    _SQL,
    ("homes_at", "visible_council_tax_recovery"),
    (
        *(_furthest(months) for months in (3, 12, 24)),
        *(_steps(months) for months in (3, 12, 24)),
        _feature(
            "council_tax_reminders_12m",
            "Reminders in 12 months",
            "Received {value:count:council tax reminder:council tax reminders} in 12 months",
            "count",
            12,
            sentence_zero="Received no council tax reminder in 12 months",
            evidence=(Rows("council_tax_recovery", ("reminder", "second_reminder"), 12),),
        ),
        _feature(
            "council_tax_summonses_24m",
            "Summonses in 24 months",
            "{value:count:summons:summonses} for council tax in 24 months, latest on {latest:date}",
            "count",
            24,
            monotone=1,
            sentence_zero="No summons for council tax in 24 months",
            evidence=(Rows("council_tax_recovery", ("summons",), 24),),
        ),
        _feature(
            "council_tax_enforcement_steps_24m",
            "Attachments, enforcement agents and beyond in 24 months",
            "{value:count:enforcement step:enforcement steps} for council tax in 24 months",
            "count",
            24,
            monotone=1,
            sentence_zero="No enforcement for council tax in 24 months",
            evidence=(
                Rows(
                    "council_tax_recovery",
                    ("attachment", "enforcement_agent", "charging_order", "committal"),
                    24,
                ),
            ),
        ),
        _feature(
            "days_since_council_tax_recovery",
            "Time since the last recovery step",
            "The last recovery step for council tax was {value:days} ago",
            "days",
            None,
            sentence_missing="No recovery step for council tax is known",
            evidence=(Rows("council_tax_recovery", tuple(STAGES)),),
        ),
        _feature(
            "days_since_council_tax_summons",
            "Time since a summons",
            "A summons for council tax was issued {value:days} ago",
            "days",
            None,
            sentence_missing="No summons for council tax is known",
            evidence=(Rows("council_tax_recovery", ("summons",)),),
        ),
        _feature(
            "council_tax_arrangements_made_12m",
            "Council tax arrangements made in 12 months",
            "Made {value:count:arrangement:arrangements} to pay council tax in 12 months",
            "count",
            12,
            sentence_zero="Made no arrangement to pay council tax in 12 months",
            evidence=(Rows("council_tax_recovery", ("arrangement_made",), 12),),
        ),
        _feature(
            "council_tax_arrangements_broken_12m",
            "Council tax arrangements broken in 12 months",
            "{value:count:arrangement:arrangements} to pay council tax did not hold in 12 months",
            "count",
            12,
            monotone=1,
            actionable=True,
            helpful=0.0,
            sentence_zero="No arrangement to pay council tax was broken in 12 months",
            evidence=(Rows("council_tax_recovery", ("arrangement_broken",), 12),),
        ),
        _feature(
            "council_tax_arrangement_kept",
            "A council tax arrangement is being kept",
            "An arrangement to pay council tax is in place and kept",
            "yes or no",
            None,
            actionable=True,
            helpful=1.0,
            sentence_zero="No arrangement to pay council tax is in place",
            evidence=(
                Rows("council_tax_recovery", ("arrangement_made", "arrangement_broken", "cleared")),
            ),
        ),
        _feature(
            "council_tax_cleared_12m",
            "Times council tax debt was cleared in 12 months",
            "Cleared a council tax debt {value:count:time:times} in 12 months",
            "count",
            12,
            sentence_zero="No council tax debt was cleared in 12 months",
            evidence=(Rows("council_tax_recovery", ("cleared",), 12),),
        ),
        *(_stage_of_month(month) for month in LAGS),
    ),
)
