"""Steps towards losing a tenancy, arrangements, alerts of landlords and agents, and complaints.

Alerts by UPRN reach a household without a tenancy on record, so these facts are known for every
household where events were delivered; arrears letters and arrangements only where there is a
tenancy.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from earlyflag.features.declare import Family, Feature, Rows

STEPS = {
    "arrears_letter_1": 1,
    "arrears_letter_2": 2,
    "notice_seeking_possession": 3,
    "section_8_notice": 3,
    "section_21_notice": 3,
    "court_application": 4,
    "suspended_order": 5,
    "possession_order": 6,
    "warrant": 7,
    "eviction": 8,
}
"""Steps towards eviction as ranks."""

NOTICES = ("notice_seeking_possession", "section_21_notice", "section_8_notice")
ALERTS = ("landlord_alert", "agent_alert")

_RANK = "CASE kind " + " ".join(f"WHEN '{k}' THEN {r}" for k, r in STEPS.items()) + " ELSE 0 END"

_feature = partial(
    Feature,
    sources=("tenancy_events",),
    group="tenancy_enforcement",
    gateway="tenancy",
    sentence_missing="No tenancy is known",
    evidence=(Rows("tenancy_events", months=24),),
)
_alert = partial(
    _feature,
    group="landlord_alerts",
    sensitivity="ordinary",
    evidence=(Rows("tenancy_events", (*ALERTS, "unlawful_eviction_report"), 24),),
)

_SQL = f"""
WITH ranked AS (
    SELECT household_id, kind, lag, days_ago, {_RANK} AS rank,
        kind IN ('notice_seeking_possession', 'section_21_notice', 'section_8_notice') AS notice,
        kind IN ('landlord_alert', 'agent_alert') AS alert
    FROM visible_tenancy_events
),
summed AS (
    SELECT spine_at.household_id,
        coalesce(max(rank) FILTER (WHERE lag < 6), 0) AS stage_6m,
        coalesce(max(rank) FILTER (WHERE lag < 24), 0) AS stage_24m,
        count(*) FILTER (WHERE rank IN (1, 2) AND lag < 3) AS letters_3m,
        count(*) FILTER (WHERE rank IN (1, 2) AND lag < 6) AS letters_6m,
        count(*) FILTER (WHERE rank IN (1, 2) AND lag < 12) AS letters_12m,
        count(*) FILTER (WHERE kind = 'arrangement_made' AND lag < 12) AS made_12m,
        count(*) FILTER (WHERE kind = 'arrangement_broken' AND lag < 12) AS broken_12m,
        CASE WHEN min(days_ago) FILTER (WHERE kind = 'arrangement_made') <
            coalesce(min(days_ago) FILTER (WHERE kind = 'arrangement_broken'), 99999)
            THEN 1 ELSE 0 END AS kept,
        count(*) FILTER (WHERE notice AND lag < 3) AS notices_3m,
        count(*) FILTER (WHERE notice AND lag < 12) AS notices_12m,
        count(*) FILTER (WHERE kind = 'section_21_notice' AND lag < 12) AS no_fault_12m,
        min(days_ago) FILTER (WHERE notice) AS days_since_notice,
        count(*) FILTER (WHERE kind = 'court_application' AND lag < 12) AS applications_12m,
        count(*) FILTER (WHERE kind IN ('possession_order', 'suspended_order') AND lag < 24)
            AS orders_24m,
        count(*) FILTER (WHERE kind IN ('warrant', 'eviction') AND lag < 12) AS warrants_12m,
        count(*) FILTER (WHERE kind = 'breathing_space' AND lag < 12) AS breathing_12m,
        count(*) FILTER (WHERE alert AND lag < 3) AS alerts_3m,
        count(*) FILTER (WHERE alert AND lag < 12) AS alerts_12m,
        count(*) FILTER (WHERE kind = 'agent_alert' AND lag < 12) AS agent_12m,
        min(days_ago) FILTER (WHERE alert) AS days_since_alert,
        count(*) FILTER (WHERE kind = 'unlawful_eviction_report' AND lag < 12) AS unlawful_12m,
        count(*) FILTER (WHERE kind = 'disrepair_complaint' AND lag < 12) AS disrepair_12m,
        count(*) FILTER (WHERE kind = 'antisocial_behaviour_complaint' AND lag < 12) AS asb_12m
    FROM spine_at LEFT JOIN ranked ON ranked.household_id = spine_at.household_id
    GROUP BY spine_at.household_id
),
let AS (
    SELECT DISTINCT household_id, 1 AS has_tenancy FROM homes_at WHERE tenancy_ref IS NOT NULL
)
SELECT summed.household_id,
    CASE WHEN has_tenancy = 1 OR stage_6m > 0 THEN stage_6m END AS possession_stage_6m,
    CASE WHEN has_tenancy = 1 OR stage_24m > 0 THEN stage_24m END AS possession_stage_24m,
    CASE WHEN has_tenancy = 1 THEN letters_3m END AS rent_arrears_letters_3m,
    CASE WHEN has_tenancy = 1 THEN letters_6m END AS rent_arrears_letters_6m,
    CASE WHEN has_tenancy = 1 THEN letters_12m END AS rent_arrears_letters_12m,
    CASE WHEN has_tenancy = 1 THEN made_12m END AS rent_arrangements_made_12m,
    CASE WHEN has_tenancy = 1 THEN broken_12m END AS rent_arrangements_broken_12m,
    CASE WHEN has_tenancy = 1 THEN kept END AS rent_arrangement_kept,
    CASE WHEN has_tenancy = 1 OR notices_3m > 0 THEN notices_3m END AS tenancy_notices_3m,
    CASE WHEN has_tenancy = 1 OR notices_12m > 0 THEN notices_12m END AS tenancy_notices_12m,
    CASE WHEN has_tenancy = 1 OR no_fault_12m > 0 THEN no_fault_12m END
        AS section_21_notices_12m,
    days_since_notice AS days_since_tenancy_notice,
    CASE WHEN has_tenancy = 1 OR applications_12m > 0 THEN applications_12m END
        AS possession_applications_12m,
    CASE WHEN has_tenancy = 1 OR orders_24m > 0 THEN orders_24m END AS possession_orders_24m,
    CASE WHEN has_tenancy = 1 OR warrants_12m > 0 THEN warrants_12m END
        AS eviction_warrants_12m,
    CASE WHEN has_tenancy = 1 OR breathing_12m > 0 THEN breathing_12m END
        AS breathing_spaces_12m,
    alerts_3m AS landlord_alerts_3m,
    alerts_12m AS landlord_alerts_12m,
    agent_12m AS agent_alerts_12m,
    days_since_alert AS days_since_landlord_alert,
    unlawful_12m AS unlawful_eviction_reports_12m,
    disrepair_12m AS disrepair_complaints_12m,
    asb_12m AS antisocial_behaviour_complaints_12m
FROM summed LEFT JOIN let ON let.household_id = summed.household_id
"""


def _furthest(months: int) -> Feature:
    return _feature(
        f"possession_stage_{months}m",
        f"Furthest step towards losing the tenancy in {months} months",
        f"The landlord reached {{value:possession_stage}} in the last {months} months",
        "rank",
        months,
        monotone=1,
        sentence_zero=f"No step towards losing the tenancy in {months} months",
        evidence=(Rows("tenancy_events", tuple(STEPS), months),),
    )


def _counted(
    name: str,
    noun: str,
    months: int,
    kinds: tuple[str, ...],
    *,
    plural: str = "",
    declare: Callable[..., Feature] = _feature,
    **more: Any,
) -> Feature:
    plural = plural or f"{noun}s"
    return declare(
        f"{name}_{months}m",
        f"{plural[0].upper()}{plural[1:]} in {months} months",
        f"{{value:count:{noun}:{plural}}} in {months} months, latest on {{latest:date}}",
        "count",
        months,
        sentence_zero=f"No {noun} in {months} months",
        evidence=(Rows("tenancy_events", kinds, months),),
        **more,
    )


_LETTERS = ("arrears_letter_1", "arrears_letter_2")

FAMILY = Family(
    "tenancy_steps",
    "Steps towards losing a tenancy, and alerts",
    _SQL,
    ("homes_at", "spine_at", "visible_tenancy_events"),
    (
        *(_furthest(months) for months in (6, 24)),
        *(
            _counted("rent_arrears_letters", "rent arrears letter", months, _LETTERS)
            for months in (3, 6, 12)
        ),
        _counted("rent_arrangements_made", "arrangement made to pay rent", 12,
                 ("arrangement_made",), plural="arrangements made to pay rent"),
        _counted("rent_arrangements_broken", "broken arrangement to pay rent", 12,
                 ("arrangement_broken",),
                 plural="broken arrangements to pay rent", monotone=1, actionable=True,
                 helpful=0.0),
        _feature(
            "rent_arrangement_kept",
            "A rent arrangement is being kept",
            "An arrangement to pay rent is in place and kept",
            "yes or no",
            None,
            actionable=True,
            helpful=1.0,
            sentence_zero="No arrangement to pay rent is in place",
            evidence=(Rows("tenancy_events", ("arrangement_made", "arrangement_broken")),),
        ),
        *(
            _counted("tenancy_notices", "notice from the landlord", months, NOTICES,
                     plural="notices from the landlord", monotone=1)
            for months in (3, 12)
        ),
        _counted("section_21_notices", "section 21 notice", 12, ("section_21_notice",),
                 monotone=1),
        _feature(
            "days_since_tenancy_notice",
            "Time since a notice from the landlord",
            "The landlord gave notice {value:days} ago",
            "days",
            None,
            sentence_missing="No notice from a landlord is known",
            evidence=(Rows("tenancy_events", NOTICES),),
        ),
        _counted("possession_applications", "application to the court for possession", 12,
                 ("court_application",), plural="applications to the court for possession",
                 monotone=1),
        _counted("possession_orders", "possession order", 24,
                 ("possession_order", "suspended_order"), monotone=1),
        _counted("eviction_warrants", "warrant or eviction", 12, ("warrant", "eviction"),
                 plural="warrants or evictions", monotone=1),
        _counted("breathing_spaces", "breathing space", 12, ("breathing_space",)),
        *(
            _counted("landlord_alerts", "alert from a landlord or agent", months, ALERTS,
                     plural="alerts from a landlord or agent", declare=_alert, monotone=1)
            for months in (3, 12)
        ),
        _counted("agent_alerts", "alert from a letting agent", 12, ("agent_alert",),
                 plural="alerts from a letting agent", declare=_alert),
        _alert(
            "days_since_landlord_alert",
            "Time since an alert from a landlord or agent",
            "A landlord or agent raised an alert {value:days} ago",
            "days",
            None,
            sentence_missing="No alert from a landlord or agent is known",
            evidence=(Rows("tenancy_events", ALERTS),),
        ),
        _counted("unlawful_eviction_reports", "report of an unlawful eviction", 12,
                 ("unlawful_eviction_report",), plural="reports of an unlawful eviction",
                 declare=_alert, monotone=1),
        _counted("disrepair_complaints", "complaint of disrepair", 12,
                 ("disrepair_complaint",), plural="complaints of disrepair",
                 group="home_conditions", sensitivity="ordinary"),
        _counted("antisocial_behaviour_complaints", "complaint of antisocial behaviour", 12,
                 ("antisocial_behaviour_complaint",), plural="complaints of antisocial behaviour",
                 group="home_conditions", sensitivity="ordinary"),
    ),
)  # fmt: skip
